//! A target for marks: their file, and the verdict that segments come to, which is never another than the plain one.

use std::ops::Range;

use highwater_core::check::{Check, Damage, Verdict};
use highwater_core::claim::{Claim, Sum};
use highwater_core::codec::member::{self, HEADER, Lengths};
use highwater_core::codec::{Codec, Flow};
use highwater_core::digest::{Algorithm, update_lanes};
use highwater_core::finding::Hurts;
use highwater_core::lane::Lane;
use highwater_core::marks::{Marker, Marks};
use highwater_core::name::Name;
use highwater_core::report::Depth;
use highwater_core::segments::{Layout, Pass, Recheck, Segments};

use super::digests::other;
use super::feed::{Feed, dice_of, pieces};
use super::reference;

/// The longest stream of an input, in bytes.
const LONGEST: u16 = 20 * 1024;

/// Any bytes as a file of marks and as a member's header; then a stream whose bytes, members and marks are changed as
/// the input says: its verdict by marks is that of a plain check.
pub(crate) fn marks(bytes: &[u8]) {
    file(bytes);
    header(bytes);
    let mut feed = Feed(bytes);
    // Bytes that are no stream's: those of a file whose head is right.
    if feed.byte() % 4 == 3 {
        return headed(feed);
    }
    stream(&mut Feed(bytes));
}

/// A file that is read is written again as it was, and is no longer than what it was read from says.
fn file(bytes: &[u8]) -> Option<Marks> {
    let marks = Marks::parse(bytes)?;
    assert!(marks.encode() == bytes, "another file is written");
    assert_eq!(Marks::parse(&marks.encode()).as_ref(), Some(&marks));
    let (expect, distance) = (marks.expect(), marks.distance());
    let count = marks.values().len() as u64;
    assert!(distance.is_power_of_two() && count == expect.length.saturating_sub(1) / distance, "{count} marks");
    assert!(marks.values().iter().all(|value| value.algorithm() == expect.digest.algorithm()));
    assert_eq!(Marks::new(expect, distance, marks.values().to_vec()).as_ref(), Some(&marks));
    let segments = Segments::new(Codec::Plain, expect, marks);
    assert_eq!(segments.is_some(), count > 0);
    for segments in segments.iter() {
        assert_eq!(segments.count() as u64, count + 1);
        let ranges = (0..segments.count()).map(|index| segments.range(index));
        let end = ranges.fold(0, |end, range| {
            assert!(range.start == end && range.end > end, "{range:?} after {end}");
            range.end
        });
        assert_eq!(end, expect.length);
        assert!(segments.range(segments.count()).is_empty() && segments.range(usize::MAX).is_empty());
    }
    Some(Marks::parse(bytes).expect("it was read before"))
}

/// A member's header that is read is written again as it was, and one that is written is read.
fn header(bytes: &[u8]) {
    let mut header = [0; HEADER];
    header.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
    if let Some(lengths) = member::lengths(&header) {
        assert_eq!(member::header(lengths), header);
    }
    let mut feed = Feed(bytes);
    let mut number = || feed.number() as u32;
    let lengths = Lengths { stored: number(), decoded: number() };
    assert_eq!(member::lengths(&member::header(lengths)), Some(lengths));
}

/// A file whose head is right, with a length that may ask for any number of marks.
fn headed(mut feed: Feed<'_>) {
    let mut bytes = b"HWMARKS\x01".to_vec();
    bytes.extend([1 + feed.byte() % 2, 10 + feed.byte() % 31]);
    let sum = if bytes[8] == 1 { 16 } else { 32 };
    let length = match feed.byte() % 4 {
        0 => feed.number(),
        // As long as the marks that follow say, give or take one.
        fits => {
            let count = (feed.0.len().saturating_sub(sum) / sum) as u64;
            let last = 1 + feed.number() % (1 << bytes[9]);
            (count.saturating_add(u64::from(fits)).saturating_sub(2)).saturating_mul(1 << bytes[9]).saturating_add(last)
        }
    };
    bytes.extend(length.to_le_bytes());
    bytes.extend(feed.0);
    bytes.truncate(18 + (bytes.len() - 18) / sum * sum);
    let said = length.saturating_sub(1) >> bytes[9];
    let there = ((bytes.len() - 18) / sum) as u64;
    assert_eq!(file(&bytes).is_some(), there > 0 && there - 1 == said, "{there} values for {length} bytes");
}

/// A gzip member that says its lengths, with `raw` stored as it is.
fn wrapped(raw: &[u8]) -> Vec<u8> {
    let stored = u32::try_from(HEADER + 5 + raw.len() + 8).expect("a short member");
    let decoded = u32::try_from(raw.len()).expect("a short member");
    let [low, high, ..] = decoded.to_le_bytes();
    let mut bytes = member::header(Lengths { stored, decoded }).to_vec();
    bytes.extend([1, low, high, !low, !high]);
    bytes.extend(raw);
    bytes.extend(reference::crc(raw).to_le_bytes());
    bytes.extend(decoded.to_le_bytes());
    bytes
}

/// A stored object and the marks beside it.
struct Kept {
    claim: Claim,
    /// The decoded bytes as they were.
    data: Vec<u8>,
    stored: Vec<u8>,
    /// The members' borders as they were.
    members: Vec<usize>,
    file: Vec<u8>,
}

impl Kept {
    fn new(feed: &mut Feed<'_>) -> Self {
        let flags = feed.byte();
        let algorithm = if flags & 4 == 0 { Algorithm::Md5 } else { Algorithm::Sha256 };
        let codec = if flags & 8 == 0 { Codec::Plain } else { Codec::Gzip };
        let distance = 1024usize << (flags >> 4 & 1);
        let length = u16::from_be_bytes([feed.byte(), feed.byte()]) % LONGEST;
        let mut dice = dice_of(&[feed.byte()]);
        let mut data: Vec<u8> = (0..=length / 8).flat_map(|_| dice.bits().to_le_bytes()).collect();
        data.truncate(length.into());
        let mut marker = Marker::new(algorithm, distance as u64);
        pieces(&data).into_iter().for_each(|piece| marker.update(piece));
        let expect = Sum { length: length.into(), digest: other(algorithm, &data) };
        assert_eq!(marker.hasher().clone().finish(), expect.digest);
        let marks = marker.clone().marks(expect).expect("all of it was taken");
        // Bytes past the end of what a line promises are no reason for other marks.
        marker.update(&data);
        assert_eq!(marker.marks(expect).as_ref(), Some(&marks));
        let file = marks.encode();
        let (mut stored, mut members) = (data.clone(), Vec::new());
        if codec == Codec::Gzip {
            stored.clear();
            // Sometimes half a distance to each member, so that a segment has two; no bytes are a member as well.
            let size = distance / (1 + usize::from(flags >> 5 & 1));
            for raw in data.chunks(size).chain(data.is_empty().then_some(&data[..])) {
                members.push(stored.len());
                stored.extend(wrapped(raw));
            }
        }
        let claim = Claim {
            object: Name::new(b"2026-03-01-00-00-00.fs").expect("a name"),
            index: Name::new(b"2026-03-01-00-00-00.dat").expect("a name"),
            codec,
            expect: expect.into(),
            marks: None,
            range: None,
            extent: None,
            hurts: Hurts::All,
        };
        Self { claim, data, stored, members, file }
    }

    /// Changes something, as the input says. Where it is not at the end of something, the place is taken from it as
    /// well.
    fn change(&mut self, feed: &mut Feed<'_>) {
        let what = feed.byte();
        let at = usize::from(u16::from_be_bytes([feed.byte(), feed.byte()]));
        let flip = |bytes: &mut Vec<u8>, from: usize| {
            if bytes.len() > from {
                let at = from + at % (bytes.len() - from);
                bytes[at] ^= 1 << (what >> 5);
            }
        };
        let sum = self.sum().digest.as_bytes().len();
        let (values, count) = (18 + sum, (self.file.len().max(18 + sum) - 18 - sum) / sum);
        match what % 11 {
            0 | 1 => flip(&mut self.stored, 0),
            2 => flip(&mut self.file, 0),
            3 => flip(&mut self.file, values),
            4 => self.file.truncate(at),
            5 => self.stored.truncate(at),
            6 => self.stored.extend(vec![what >> 5; at % 700]),
            // One mark in the place of another.
            7 if count > 0 => {
                let (from, to) = (values + at % count * sum, values + at / 256 % count * sum);
                self.file.copy_within(from..from + sum, to);
            }
            // Marks that were made of the bytes as they are now, under the name of what they should be: all of them, or
            // from one on.
            8 if self.claim.codec == Codec::Plain && self.stored.len() >= self.data.len() && count > 0 => {
                if let Some(marks) = Marks::parse(&self.file) {
                    let mut marker = Marker::new(self.sum().digest.algorithm(), marks.distance());
                    marker.update(&self.stored[..self.data.len()]);
                    let forged = marker.marks(self.sum()).map(|marks| marks.encode()).unwrap_or_default();
                    let from = (values + at % count * sum).min(forged.len()).min(self.file.len());
                    self.file.truncate(from);
                    self.file.extend(&forged[from..]);
                }
            }
            // Zeros behind a member, which it counts as its own or not.
            9 if !self.members.is_empty() => {
                let border = self.members[at % self.members.len()];
                let zeros = usize::from(what >> 4) + 1;
                if border <= self.stored.len() {
                    self.stored.splice(border..border, vec![0; zeros]);
                    let before = self.members.iter().copied().rfind(|member| *member < border);
                    if let Some(before) = before.filter(|_| what & 0x80 == 0)
                        && let Some(length) = self.stored.get_mut(before + 16..before + 20)
                    {
                        let more = u32::from_le_bytes([length[0], length[1], length[2], length[3]])
                            .wrapping_add(u32::try_from(zeros).expect("a few"));
                        length.copy_from_slice(&more.to_le_bytes());
                    }
                    self.members.iter_mut().filter(|member| **member >= border).for_each(|member| *member += zeros);
                }
            }
            10 => flip(&mut self.stored, at % 40),
            _ => {}
        }
    }

    fn sum(&self) -> Sum {
        self.claim.expect.sum().expect("a digest")
    }

    /// The verdict in the plain way.
    fn plain(&self) -> Verdict {
        let mut check = Check::new(&self.claim, Depth::Digest, None);
        for piece in self.stored.chunks(900) {
            if check.push(piece, &mut |_| {}).is_break() {
                break;
            }
        }
        check.end()
    }

    /// The stored bytes of each segment; none when members do not end at the marks. It goes as a host does it.
    fn parts(&self, segments: &Segments) -> Option<Vec<Range<usize>>> {
        let mut borders = vec![0];
        let (mut stored, mut decoded) = (0usize, 0u64);
        for index in 0..segments.count() - 1 {
            let end = segments.range(index).end;
            if self.claim.codec == Codec::Plain {
                stored = usize::try_from(end).expect("a short stream").min(self.stored.len());
            } else {
                while decoded < end {
                    let header = self.stored.get(stored..)?.first_chunk::<HEADER>()?;
                    let lengths = member::lengths(header).filter(|lengths| lengths.decoded > 0)?;
                    stored = stored.checked_add(usize::try_from(lengths.stored.max(1)).ok()?)?;
                    decoded += u64::from(lengths.decoded);
                }
                if decoded != end {
                    return None;
                }
            }
            borders.push(stored.min(self.stored.len()));
        }
        borders.push(self.stored.len());
        Some(borders.windows(2).map(|pair| pair[0]..pair[1]).collect())
    }

    /// The verdict by the marks; none when they are of no use or when the bytes are not as they should be.
    fn marked(&self) -> Option<Verdict> {
        let marks = file(&self.file)?;
        let segments = Segments::new(self.claim.codec, self.sum(), marks)?;
        let parts = self.parts(&segments)?;
        let borders = parts.iter().map(|part| part.start).chain([self.stored.len()]).map(|at| at as u64).collect();
        let layout = Layout::members(segments, borders);
        let mut pass = Pass::default();
        // Backwards: they may come in any order.
        for (index, part) in parts.iter().cloned().enumerate().rev() {
            let mut lane = layout.lane(index, 1000);
            for piece in self.stored[part].chunks(700) {
                if hash(&mut lane, piece).is_break() {
                    break;
                }
            }
            pass.end(&layout, index, lane, true);
        }
        let broken = pass.broken(&layout)?;
        let mut recheck = Recheck::new(&layout, broken.clone());
        let mut before = None;
        while let Some(stored) = recheck.next() {
            assert!(before < Some(stored.start), "it goes on, from {before:?} to {stored:?}");
            before = Some(stored.start);
            let place = |at: u64| usize::try_from(at).expect("a place");
            for piece in self.stored[place(stored.start)..place(stored.end)].chunks(700) {
                assert_eq!(recheck.push(piece, &mut |_, _| {}), Some(()), "it was whole before");
            }
            assert_eq!(recheck.end(), Some(()), "it was whole before");
        }
        assert!(!broken.is_empty() || recheck.verdict() == Verdict::Sound, "nothing is broken");
        Some(recheck.verdict())
    }
}

/// Takes all of `piece` through a lane.
fn hash(lane: &mut Lane, piece: &[u8]) -> Flow {
    let mut taken = 0;
    loop {
        let (more, flow) = lane.take(piece, taken..piece.len());
        taken += more;
        if flow.is_break() || taken == piece.len() || !lane.has_room() {
            update_lanes(lane.work(piece));
            lane.hashed();
        }
        if flow.is_break() || taken == piece.len() {
            return flow;
        }
    }
}

fn stream(feed: &mut Feed<'_>) {
    let mut kept = Kept::new(feed);
    let file = kept.file.clone();
    assert_eq!(kept.plain(), Verdict::Sound);
    let some = Marks::parse(&file).expect("marks").values().len();
    assert_eq!(kept.marked(), (some > 0).then_some(Verdict::Sound), "{some} marks");
    for _ in 0..8 {
        if feed.is_empty() {
            break;
        }
        kept.change(feed);
    }
    let (plain, marked) = (kept.plain(), kept.marked());
    let Sum { length, digest } = kept.sum();
    if kept.claim.codec == Codec::Plain {
        let found = other(digest.algorithm(), &kept.stored);
        assert_eq!(plain == Verdict::Sound, kept.stored.len() as u64 == length && found == digest);
        if kept.file == file {
            assert_eq!(marked.is_some(), some > 0 && kept.stored.len() as u64 == length, "a verdict by good marks");
        }
    }
    let Some(marked) = marked else { return };
    let Verdict::Damaged(Damage::Digest { expected, found, place: Some(place) }) = marked else {
        assert_eq!((marked, plain), (Verdict::Sound, Verdict::Sound));
        return;
    };
    assert_eq!(plain, Verdict::Damaged(Damage::Digest { expected, found, place: None }));
    assert!(place.bytes.start < place.bytes.end && place.bytes.end <= length, "{place:?} of {length} bytes");
    assert_eq!(place.plain, kept.claim.codec == Codec::Plain);
    if place.plain {
        assert_eq!((expected, found), (digest, other(digest.algorithm(), &kept.stored)));
        let first = kept.data.iter().zip(&kept.stored).position(|(was, is)| was != is).expect("a difference") as u64;
        assert!(kept.file != file || place.bytes.contains(&first), "{place:?}, but byte {first} is the first");
    }
}
