//! `Segments`: a claim cut at its marks, and `Recheck`, which decides serially when the segments do not all hold.
//!
//! A host finds the segments in the object ([`Locate`], [`Layout`]), hashes all of them, in any order and on any
//! thread, each in a lane of its own ([`Layout::lane`]), and tells a [`Pass`] how each ended. When all hold, the claim
//! is sound: see [`crate::marks`] for the argument. When some do not, the host goes through a [`Recheck`], which hashes
//! from the last value that is proven. Either the stream comes back to a mark, and it was a mark that was wrong; or it
//! does not, all of the rest is hashed serially, and the digest decides. So a claim is called damaged only after the
//! very digest on record was worked out from its bytes in the plain way, and the segments only tell where to look for
//! the damage.

mod layout;
mod pass;
mod recheck;

use std::ops::Range;

use crate::claim::Sum;
use crate::codec::Codec;
use crate::digest::Hasher;
use crate::marks::Marks;

pub use layout::{Layout, Locate};
pub use pass::Pass;
pub use recheck::Recheck;

/// A stream of decoded bytes that is checked by its marks.
#[derive(Debug, Clone)]
pub struct Segments {
    marks: Marks,
    codec: Codec,
}

impl Segments {
    /// The segments of the stream that `expect` claims of an object stored as `codec` says. None when the marks are of
    /// another stream, or when there is nothing to gain.
    #[must_use]
    pub fn new(codec: Codec, expect: Sum, marks: Marks) -> Option<Self> {
        let can = matches!(codec, Codec::Plain | Codec::Gzip);
        (can && marks.expect() == expect && !marks.values().is_empty()).then_some(Self { marks, codec })
    }

    /// What the whole stream is to be.
    #[must_use]
    pub fn expect(&self) -> Sum {
        self.marks.expect()
    }

    /// How many there are, at least two.
    #[must_use]
    pub fn count(&self) -> usize {
        self.marks.values().len() + 1
    }

    /// The stream's bytes in segment `index`, half-open; empty past the last.
    #[must_use]
    pub fn range(&self, index: usize) -> Range<u64> {
        let (length, distance) = (self.marks.expect().length, self.marks.distance());
        let start = distance.saturating_mul(index as u64).min(length);
        start..start.saturating_add(distance).min(length)
    }

    /// A hasher that stands at the start of segment `index`.
    #[must_use]
    pub fn hasher(&self, index: usize) -> Hasher {
        let mark = index.checked_sub(1).and_then(|before| self.marks.values().get(before));
        let resumed = mark.and_then(|mark| Hasher::resume(*mark, self.range(index).start));
        resumed.unwrap_or_else(|| Hasher::new(self.marks.expect().digest.algorithm()))
    }

    /// Whether the bytes of segment `index`, all of which `hasher` took, lead to the next mark, or to the digest on
    /// record.
    #[must_use]
    pub fn holds(&self, index: usize, hasher: &Hasher) -> bool {
        match self.marks.values().get(index) {
            Some(mark) => hasher.chaining() == Some(*mark),
            None => hasher.clone().finish() == self.marks.expect().digest,
        }
    }

    /// Whether segment `index` is the last.
    #[must_use]
    pub fn is_last(&self, index: usize) -> bool {
        index + 1 >= self.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Damage, Place, Verdict};
    use crate::digest::{Algorithm, md5_of};
    use crate::marks::Marker;

    const DISTANCE: u64 = 1024;

    fn bytes(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn marks(data: &[u8]) -> Marks {
        let mut marker = Marker::new(Algorithm::Md5, DISTANCE);
        marker.update(data);
        marker.marks(Sum { length: data.len() as u64, digest: md5_of(data) }).unwrap()
    }

    /// The verdict on `data` as a host comes to it, and how many bytes it hashed serially.
    fn verdict(expect: Sum, marks: Marks, data: &[u8]) -> Option<(Verdict, u64)> {
        let segments = Segments::new(Codec::Plain, expect, marks)?;
        let part = |range: Range<u64>| &data[range.start as usize..range.end as usize];
        let holds = |index: &usize| {
            let mut hasher = segments.hasher(*index);
            hasher.update(part(segments.range(*index)));
            segments.holds(*index, &hasher)
        };
        let broken: Vec<usize> = (0..segments.count()).rev().filter(|index| !holds(index)).collect();
        let layout = Layout::plain(segments, 0..data.len() as u64);
        let (mut recheck, mut serial) = (Recheck::new(&layout, broken), 0);
        while let Some(range) = recheck.next() {
            serial += range.end - range.start;
            for piece in part(range).chunks(300) {
                assert_eq!(recheck.push(piece, &mut |_, _| {}), Some(()));
            }
            assert_eq!(recheck.end(), Some(()));
        }
        Some((recheck.verdict(), serial))
    }

    fn expect(data: &[u8]) -> Sum {
        Sum { length: data.len() as u64, digest: md5_of(data) }
    }

    #[test]
    fn sound_data_with_its_marks_is_sound_without_a_serial_pass() {
        for length in [1025, 2048, 2049, 10_000] {
            let data = bytes(length, 5);
            assert_eq!(verdict(expect(&data), marks(&data), &data), Some((Verdict::Sound, 0)));
        }
    }

    #[test]
    fn marks_of_another_stream_or_too_few_bytes_are_of_no_use() {
        let (data, other) = (bytes(5000, 5), bytes(5000, 6));
        assert!(Segments::new(Codec::Plain, expect(&data), marks(&other)).is_none());
        assert!(Segments::new(Codec::Plain, expect(&data), marks(&bytes(6000, 5))).is_none());
        assert!(Segments::new(Codec::Plain, expect(&data[..1000]), marks(&data[..1000])).is_none());
    }

    #[test]
    fn every_flip_in_the_data_is_found_and_placed() {
        let data = bytes(3500, 5);
        let marks = marks(&data);
        for bit in 0..data.len() * 8 {
            let mut flipped = data.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let start = (bit / 8) as u64 / DISTANCE * DISTANCE;
            let place = Some(Place { bytes: start..(start + DISTANCE).min(3500), more: 0, plain: true });
            let damage = Damage::Digest { expected: md5_of(&data), found: md5_of(&flipped), place };
            assert_eq!(
                verdict(expect(&data), marks.clone(), &flipped),
                Some((Verdict::Damaged(damage), 3500 - start)),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn a_wrong_mark_costs_a_segment_and_calls_nothing_damaged() {
        let data = bytes(5000, 5);
        let file = marks(&data).encode();
        for bit in 34 * 8..file.len() * 8 {
            let mut file = file.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            let (verdict, serial) = verdict(expect(&data), Marks::parse(&file).unwrap(), &data).unwrap();
            let mark = (bit / 8 - 34) / 16;
            let rest = if mark == 3 { 5000 - 3 * DISTANCE } else { 2 * DISTANCE };
            assert_eq!((verdict, serial), (Verdict::Sound, rest), "bit {bit}");
        }
        // In front of the marks, it makes them those of another stream, or none.
        for bit in 0..34 * 8 {
            let mut file = file.clone();
            file[bit / 8] ^= 1 << (bit % 8);
            let use_of_it = Marks::parse(&file).and_then(|marks| verdict(expect(&data), marks, &data));
            assert_eq!(use_of_it, None, "bit {bit}");
        }
    }

    #[test]
    fn whatever_is_flipped_the_verdict_is_that_of_the_plain_digest() {
        let data = bytes(9 * 1024 + 77, 9);
        let file = marks(&data).encode();
        let mut random = bytes(60_000, 77).into_iter();
        let mut number = || random.next().map_or(0, usize::from) << 8 | random.next().map_or(0, usize::from);
        let (mut sound, mut damaged) = (0, 0);
        for round in 0..3000 {
            let (mut theirs, mut marks) = (data.clone(), file.clone());
            for _ in 0..number() % 4 {
                let at = 34 + number() % (marks.len() - 34);
                marks[at] ^= 1 << (number() % 8);
            }
            for _ in 0..number() % 3 {
                let at = number() % theirs.len();
                theirs[at] ^= 1 << (number() % 8);
            }
            let (verdict, _) = verdict(expect(&data), Marks::parse(&marks).unwrap(), &theirs).unwrap();
            match verdict {
                Verdict::Sound => {
                    assert!(theirs == data, "round {round}");
                    sound += 1;
                }
                Verdict::Damaged(Damage::Digest { found, .. }) => {
                    assert_eq!(found, md5_of(&theirs), "round {round}");
                    assert!(theirs != data, "round {round}");
                    damaged += 1;
                }
                other => panic!("round {round}: {other:?}"),
            }
        }
        assert!(sound > 500 && damaged > 500, "{sound} {damaged}");
    }
}
