//! `PartSums`: finds how long the parts were in which an object was uploaded to S3, by its ETag.
//!
//! An ETag tells how many parts there were, and not how long; but programs cut by rules, and few lengths give that
//! number of parts. All that are likely are tried in one pass over the bytes: those whose part began at one place share
//! its MD5, and all that are not the same go through the lanes side by side.

use super::etag;
use super::lanes::update_md5;
use super::md5::Md5;

/// As many lengths are tried, at most.
pub const MOST: usize = 32;

const MIB: u64 = 1 << 20;

/// Lengths of parts that programs take, in MiB: the AWS command line and SDKs (8, doubled until at most 10,000 parts
/// come of it), s5cmd (50), s3cmd (15), rclone and MinIO (5, 16, 64, 128), dandi (64), and what is often set by hand.
const USUAL: [u64; 24] =
    [8, 64, 16, 5, 15, 50, 10, 100, 32, 128, 256, 512, 1024, 20, 25, 7, 6, 12, 24, 48, 96, 200, 500, 2048];

/// Lengths of parts that are no whole number of MiB: of the console of AWS, and of those who count in thousands.
const ODD: [u64; 7] = [17_179_870, 10_000_000, 16_000_000, 50_000_000, 64_000_000, 100_000_000, 8_000_000];

/// Of what lengths of parts are taken that divide the object evenly: rounded up to the byte, or to so many bytes.
const ROUNDED: [u64; 7] = [1, MIB, 5 * MIB, 8 * MIB, 16 * MIB, 64 * MIB, 1 << 10];

/// Of which lengths any multiple is likely, in MiB.
const MULTIPLES: [u64; 5] = [5, 8, 15, 16, 64];

/// The likely lengths of the parts of an object of `length` bytes in `parts` parts, the likeliest first: at most
/// [`MOST`]. None if there can be no such object.
#[must_use]
pub fn likely(length: u64, parts: u32) -> Vec<u64> {
    let parts = u64::from(parts);
    if parts == 0 || length < parts.saturating_sub(1) {
        return Vec::new();
    }
    if parts == 1 {
        // However long it might have been, it is all.
        return vec![length.max(1)];
    }
    // Every part but the last is full, and the last is not empty.
    let (least, most) = (length.div_ceil(parts), length.saturating_sub(1) / (parts - 1));
    let mut found: Vec<u64> = Vec::new();
    let mut take = |size: u64| {
        if (least..=most).contains(&size) && size > 0 && found.len() < MOST && !found.contains(&size) {
            found.push(size);
        }
    };
    USUAL.iter().for_each(|size| take(size.saturating_mul(MIB)));
    ROUNDED.iter().for_each(|step| take(least.checked_next_multiple_of(*step).unwrap_or(u64::MAX)));
    ODD.iter().for_each(|size| take(*size));
    // Few multiples are in the range if there are many parts, and many if there are few: the smaller ones come first.
    for nth in 0..MOST as u64 {
        for unit in MULTIPLES.map(|unit| unit.saturating_mul(MIB)) {
            let first = least.checked_next_multiple_of(unit).unwrap_or(u64::MAX);
            take(first.saturating_add(unit.saturating_mul(nth)));
        }
    }
    found
}

/// Tries lengths of parts in one pass over an object. Holds some hundred bytes for each.
#[derive(Debug, Clone)]
pub struct PartSums {
    expected: [u8; etag::LENGTH],
    at: u64,
    /// Parts that were begun, by where they begin.
    begun: Vec<(u64, Md5)>,
    tried: Vec<Tried>,
}

/// A length that is tried.
#[derive(Debug, Clone)]
struct Tried {
    size: u64,
    /// Where its part begins.
    from: u64,
    /// Of the digests of the parts that are over, and how many they are.
    whole: Md5,
    parts: u32,
}

impl PartSums {
    /// Begins to try these lengths, at most [`MOST`] of them, for an ETag of this MD5 of so many parts' MD5s.
    #[must_use]
    pub fn new(sum: [u8; 16], parts: u32, sizes: &[u64]) -> Self {
        let tried = |size: &u64| Tried { size: (*size).max(1), from: 0, whole: Md5::new(), parts: 0 };
        Self {
            expected: etag::value(sum, parts),
            at: 0,
            begun: vec![(0, Md5::new())],
            tried: sizes.iter().take(MOST).map(tried).collect(),
        }
    }

    /// Takes the next bytes of the object.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // A part is over only when something follows it.
            self.turn();
            let at = self.at;
            let left = self.tried.iter().map(|tried| tried.from.saturating_add(tried.size).saturating_sub(at)).min();
            let room = usize::try_from(left.unwrap_or(u64::MAX)).unwrap_or(usize::MAX).max(1);
            let (piece, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            let pieces = vec![piece; self.begun.len()];
            let mut parts: Vec<&mut Md5> = self.begun.iter_mut().map(|(_, part)| part).collect();
            update_md5(&mut parts, &pieces);
            self.at = at.saturating_add(piece.len() as u64);
            bytes = rest;
        }
    }

    /// Ends the parts that are full here, and begins the next ones.
    fn turn(&mut self) {
        let at = self.at;
        let mut is_any = false;
        for tried in self.tried.iter_mut().filter(|tried| tried.from.saturating_add(tried.size) == at) {
            tried.end(&self.begun);
            tried.from = at;
            is_any = true;
        }
        if is_any {
            let expected = etag::parted(&self.expected).1;
            self.tried.retain(|tried| tried.parts < expected);
            self.begun.push((at, Md5::new()));
            self.begun.retain(|(from, _)| self.tried.iter().any(|tried| tried.from == *from));
        }
    }

    /// The length of the parts that gives the ETag for everything taken so far: the first of those that were tried.
    #[must_use]
    pub fn finish(self) -> Option<u64> {
        let Self { expected, begun, tried, .. } = self;
        tried.into_iter().find_map(|mut tried| {
            tried.end(&begun);
            (etag::value(tried.whole.finish(), tried.parts) == expected).then_some(tried.size)
        })
    }
}

impl Tried {
    fn end(&mut self, begun: &[(u64, Md5)]) {
        if let Some((_, part)) = begun.iter().find(|(from, _)| *from == self.from) {
            self.whole.update(&part.clone().finish());
            self.parts = self.parts.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, Digest, of};
    use super::*;

    fn etag(bytes: &[u8], part: u64) -> ([u8; 16], u32) {
        let Digest::Etag { value, .. } = of(Algorithm::Etag { part }, bytes) else { panic!("an ETag") };
        let (sum, parts) = etag::parted(&value);
        (sum.try_into().unwrap(), parts)
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0..length as u64).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8).collect()
    }

    #[test]
    fn the_length_that_gives_the_etag_is_found_however_the_bytes_come() {
        let data = bytes(5000);
        let sizes = [700, 64, 1000, 999, 2500, 5000, 4999, 1, 1250];
        for size in sizes {
            let (sum, parts) = etag(&data, size);
            for step in [1, 63, 64, 1000, 5000] {
                let mut sums = PartSums::new(sum, parts, &sizes);
                data.chunks(step).for_each(|piece| sums.update(piece));
                assert_eq!(sums.finish(), Some(size), "{size} in steps of {step}");
            }
            let others: Vec<u64> = sizes.into_iter().filter(|other| *other != size).collect();
            let mut sums = PartSums::new(sum, parts, &others);
            sums.update(&data);
            assert_eq!(sums.finish(), None, "{size}");
            // One byte more, one less, one other.
            let other = [&data[..4999], &[data[4999] ^ 1]].concat();
            for wrong in [&data[..4999], &[&data[..], &[0]].concat(), &other] {
                let mut sums = PartSums::new(sum, parts, &sizes);
                sums.update(wrong);
                assert_eq!(sums.finish(), None, "{size}");
            }
        }
        let (sum, parts) = etag(b"", 5);
        assert_eq!((parts, PartSums::new(sum, 1, &likely(0, 1)).finish()), (1, Some(1)));
    }

    #[test]
    fn no_more_parts_are_hashed_at_once_than_lengths_are_tried() {
        let sizes: Vec<u64> = (1..=40).collect();
        let mut sums = PartSums::new([0; 16], u32::MAX, &sizes);
        for piece in bytes(10_000).chunks(37) {
            sums.update(piece);
            assert!(sums.begun.len() <= MOST && sums.tried.len() == MOST);
        }
        // What has more parts than the ETag says is tried no longer.
        let mut sums = PartSums::new([0; 16], 10, &sizes);
        sums.update(&bytes(200));
        assert_eq!(sums.tried.len(), MOST - 19);
    }

    #[test]
    fn every_rule_of_a_program_is_likely() {
        let gib = 1 << 30;
        for (length, size) in [
            (100 * MIB + 1, 8 * MIB),            // the AWS command line
            (100 * gib, 16 * MIB),               // the same: 8 MiB would be 12,800 parts
            (300 * MIB, 15 * MIB),               // s3cmd
            (300 * MIB, 50 * MIB),               // s5cmd
            (300 * MIB, 64 * MIB),               // dandi
            (700 * gib, 700 * gib / 10_000 + 1), // dandi, of what is larger than 10,000 of them
            (700 * gib, 72 * MIB),               // rclone
            (700 * gib, 80 * MIB),               // MinIO
            (40 * MIB, 5 * MIB),
            (100 * MIB, 17_179_870),
            (1200 * MIB, 45 * MIB),
        ] {
            let parts = u32::try_from(length.div_ceil(size)).unwrap();
            assert!(likely(length, parts).contains(&size), "{length} in {size}");
        }
    }

    #[test]
    fn only_lengths_that_give_so_many_parts_are_likely() {
        for length in [0, 1, 2, 3, MIB - 1, MIB, 5 * MIB + 1, 100 * MIB, 5 << 40, u64::MAX] {
            for parts in [0, 1, 2, 3, 7, 10_000, u32::MAX] {
                let sizes = likely(length, parts);
                let gives = |size: &u64| length.div_ceil(*size).max(1) == u64::from(parts);
                assert!(sizes.iter().all(gives), "{length} in {parts}: {sizes:?}");
                assert!(sizes.len() <= MOST);
                let mut unique = sizes.clone();
                unique.sort_unstable();
                unique.dedup();
                assert_eq!(unique.len(), sizes.len());
            }
        }
        assert_eq!(likely(100, 3)[0], 34);
        assert!(likely(2, 4).is_empty());
    }
}
