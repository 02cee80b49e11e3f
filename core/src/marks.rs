//! `Marks`: a digest's chaining values at fixed distances, by which one serial digest can be checked in parallel.
//!
//! MD5 and SHA-256 chain: block after block changes a value of 16 or 32 bytes, so that one stream keeps one core busy
//! however many there are. Who hashes the stream once can keep that value at every `distance` bytes: the **marks**. A
//! later reader cuts the stream there and hashes all segments at once:
//!
//! ```text
//! start value --segment 0--> mark 1 --segment 1--> mark 2 -- ... --> mark n --segment n, padding--> digest on record
//! ```
//!
//! **Nobody needs to trust a mark.** The first segment begins with the algorithm's own start value. If it ends in mark
//! 1, then mark 1 *is* the chaining value of the stream there; if so, and segment 1 leads from it to mark 2, then that
//! is the stream's value as well; and so on, until the last segment gives the digest on record, which is then the
//! stream's, whoever wrote the marks. If a link does not hold, the data or a mark beside it is wrong, and only hashing
//! serially from the last value that is proven tells which: see [`crate::segments`]. So marks that are damaged, stale
//! or forged cost time, and never a wrong verdict.
//!
//! # The file
//!
//! Little-endian, no padding:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `HWMARKS` and the version, 1 |
//! | 1 | algorithm: 1 MD5, 2 SHA-256 |
//! | 1 | the distance, as a power of two |
//! | 8 | length of the stream, in bytes |
//! | 16 or 32 | digest of the stream |
//! | 16 or 32 each | the marks, one for each multiple of the distance inside the stream, as the algorithm writes a digest |
//!
//! The digest says which stream the marks are of: a file that came to lie beside another one is no use, and is passed
//! over.

use crate::claim::Sum;
use crate::digest::{Algorithm, Digest, Hasher};

/// The distance of marks that are made today, in bytes: 16 bytes for each 4 MiB cost nothing, and a segment that is
/// damaged is small.
pub const DISTANCE: u64 = 4 * 1024 * 1024;

/// The distances that are read, as powers of two.
const POWERS: std::ops::RangeInclusive<u8> = 10..=40;

/// What the name of a file's marks ends with, behind that of the file.
pub const SUFFIX: &str = ".marks";

/// The algorithms of which there are marks, and their numbers in a file.
const CODES: [(u8, Algorithm); 2] = [(1, Algorithm::Md5), (2, Algorithm::Sha256)];

/// How a file begins.
const MAGIC: &[u8; 8] = b"HWMARKS\x01";

/// The longest file of marks that is read, in bytes: enough for MD5 streams of 4 TiB at [`DISTANCE`].
pub const LONGEST: u64 = 16 * 1024 * 1024 + 50;

/// The marks of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    expect: Sum,
    power: u8,
    values: Vec<Digest>,
}

impl Marks {
    /// The marks of a stream, from the values that a [`Marker`] kept of it or of a longer one that begins so. None when
    /// there are too few of them, or the algorithm has none.
    #[must_use]
    pub fn new(expect: Sum, distance: u64, mut values: Vec<Digest>) -> Option<Self> {
        let power = u8::try_from(distance.checked_ilog2()?).ok().filter(|_| distance.is_power_of_two())?;
        let count = usize::try_from(inside(expect.length, distance)).ok()?;
        if !POWERS.contains(&power) || values.len() < count || code(expect.digest.algorithm()).is_none() {
            return None;
        }
        values.truncate(count);
        Some(Self { expect, power, values })
    }

    /// Reads a file of marks. None when it is none, in any way.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(MAGIC)?;
        let (&[algorithm, power], bytes) = bytes.split_first_chunk()?;
        let (length, bytes) = bytes.split_first_chunk()?;
        let (_, algorithm) = *CODES.iter().find(|(code, _)| *code == algorithm)?;
        let mut values = bytes.chunks(algorithm.length()).map(|value| Digest::new(algorithm, value));
        let expect = Sum { length: u64::from_le_bytes(*length), digest: values.next()?? };
        let distance = 1u64.checked_shl(u32::from(power)).filter(|_| POWERS.contains(&power))?;
        // Counted before any is kept, so that a count in the file asks for nothing.
        if values.len() as u64 != inside(expect.length, distance) {
            return None;
        }
        Some(Self { expect, power, values: values.collect::<Option<_>>()? })
    }

    /// The file's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        // There are marks of no other algorithm.
        bytes.extend([code(self.expect.digest.algorithm()).unwrap_or_default(), self.power]);
        bytes.extend(self.expect.length.to_le_bytes());
        bytes.extend(self.expect.digest.as_bytes());
        self.values.iter().for_each(|value| bytes.extend(value.as_bytes()));
        bytes
    }

    /// What the stream was when they were made.
    #[must_use]
    pub fn expect(&self) -> Sum {
        self.expect
    }

    /// Bytes from mark to mark.
    #[must_use]
    pub fn distance(&self) -> u64 {
        1 << self.power
    }

    /// The marks, in order; the first lies at [`Marks::distance`].
    #[must_use]
    pub fn values(&self) -> &[Digest] {
        &self.values
    }
}

/// The number of an algorithm in a file; none when it has no marks.
fn code(algorithm: Algorithm) -> Option<u8> {
    CODES.iter().find(|(_, coded)| *coded == algorithm).map(|(code, _)| *code)
}

/// How many multiples of `distance` lie inside a stream of `length` bytes, its ends not counted.
fn inside(length: u64, distance: u64) -> u64 {
    length.saturating_sub(1) / distance
}

/// A hasher that keeps marks.
#[derive(Debug, Clone)]
pub struct Marker {
    hasher: Hasher,
    distance: u64,
    /// Bytes up to the next mark.
    left: u64,
    values: Vec<Digest>,
}

impl Marker {
    /// Starts a digest of `algorithm` with a mark at every `distance` bytes, a power of two.
    #[must_use]
    pub fn new(algorithm: Algorithm, distance: u64) -> Self {
        Self { hasher: Hasher::new(algorithm), distance, left: distance, values: Vec::new() }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while bytes.len() as u64 >= self.left {
            let here = usize::try_from(self.left).unwrap_or(usize::MAX);
            let (segment, rest) = bytes.split_at_checked(here).unwrap_or((bytes, &[]));
            self.hasher.update(segment);
            self.values.extend(self.hasher.chaining());
            self.left = self.distance.max(1);
            bytes = rest;
        }
        self.hasher.update(bytes);
        self.left -= bytes.len() as u64;
    }

    /// The digest so far, still running.
    #[must_use]
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// The marks of what was taken, or of the part of it that `expect` speaks of. None when that is longer than what
    /// was taken.
    #[must_use]
    pub fn marks(self, expect: Sum) -> Option<Marks> {
        Marks::new(expect, self.distance, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::md5_of;

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * i / 7 % 251) as u8).collect()
    }

    fn marks(data: &[u8], step: usize) -> Marks {
        let mut marker = Marker::new(Algorithm::Md5, 1024);
        data.chunks(step).for_each(|piece| marker.update(piece));
        assert_eq!(marker.hasher().clone().finish(), md5_of(data));
        marker.marks(Sum { length: data.len() as u64, digest: md5_of(data) }).unwrap()
    }

    #[test]
    fn marks_are_the_same_however_the_stream_is_cut() {
        for length in [0, 1, 1023, 1024, 1025, 2048, 2049, 10_000] {
            let data = bytes(length);
            let whole = marks(&data, length.max(1));
            assert_eq!(whole.values().len(), length.saturating_sub(1) / 1024, "{length}");
            for step in [1, 63, 1000, 1024, 3000] {
                assert_eq!(marks(&data, step), whole, "{length} {step}");
            }
        }
    }

    #[test]
    fn a_mark_is_where_hashing_can_go_on() {
        let data = bytes(5000);
        for (mark, at) in marks(&data, 5000).values().iter().zip([1024, 2048, 3072, 4096]) {
            let mut hasher = Hasher::resume(*mark, at as u64).unwrap();
            hasher.update(&data[at..]);
            assert_eq!(hasher.finish(), md5_of(&data));
        }
    }

    #[test]
    fn a_file_is_read_back_and_any_other_is_none() {
        let marks = marks(&bytes(5000), 5000);
        let file = marks.encode();
        assert_eq!(file.len(), 8 + 2 + 8 + 16 + 4 * 16);
        assert_eq!(Marks::parse(&file), Some(marks));
        for cut in 0..file.len() {
            assert_eq!(Marks::parse(&file[..cut]), None, "cut to {cut}");
        }
        assert_eq!(Marks::parse(&[&file[..], b"x"].concat()), None);
        let with = |at: usize, value: u8| {
            let mut file = file.clone();
            file[at] = value;
            Marks::parse(&file)
        };
        // Magic, version, algorithm, distance; then a length that asks for another number of marks, or for 2^54 of
        // them.
        for (at, value) in [(0, b'h'), (7, 2), (8, 0), (8, 2), (9, 9), (9, 11), (9, 41), (9, 64), (11, 0), (17, 0xff)] {
            assert_eq!(with(at, value), None, "{at} {value}");
        }
    }

    #[test]
    fn a_shorter_stream_takes_the_first_marks_and_a_longer_one_none() {
        let data = bytes(5000);
        let mut marker = Marker::new(Algorithm::Md5, 1024);
        marker.update(&data);
        let upto = |length: u64| marker.clone().marks(Sum { length, digest: md5_of(b"") }).map(|m| m.values().len());
        assert_eq!([upto(0), upto(1024), upto(1025), upto(4097)], [Some(0), Some(0), Some(1), Some(4)]);
        assert_eq!(upto(6000), None);
    }

    #[test]
    fn there_are_no_marks_of_what_does_not_chain() {
        for length in [100u64, 5000] {
            for algorithm in [Algorithm::Sha1, Algorithm::Crc32c, Algorithm::Xxh3, Algorithm::Etag { part: 1024 }] {
                let mut marker = Marker::new(algorithm, 1024);
                marker.update(&bytes(usize::try_from(length).unwrap()));
                let digest = marker.hasher().clone().finish();
                assert!(marker.marks(Sum { length, digest }).is_none());
            }
        }
    }
}
