//! `Known`: what a backup remembers of the files of the last one, so that the next need not read those that are the
//! same.
//!
//! It is a memory and no part of any point: whoever loses it reads every file once more. It lies in one file of the
//! set, in the order of a walk ([`Name::walk_order`]):
//!
//! | bytes | are |
//! |---|---|
//! | 18 | `highwater known 1` and a newline |
//! | … | the files |
//! | 4 | zeros |
//! | 32 | the SHA-256 of all before |
//!
//! A file, all numbers little-endian:
//!
//! | at | size | is |
//! |---|---|---|
//! | 0 | 4 | the bytes that follow |
//! | 4 | 8 | length |
//! | 12 | 8, 4 | when its bytes changed last: seconds since 1970, nanoseconds |
//! | 24 | 8, 4 | when anything of it changed last |
//! | 36 | 8 | inode |
//! | 44 | 32 | SHA-256 |
//! | 76 | 2 | bytes of the token |
//! | 78 | … | the token, by which the store itself knows its bytes; none is empty |
//! | … | … | its name |

use super::names;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::name::{LONGEST, Name};

/// What it begins with.
const SIGNATURE: &[u8; 18] = b"highwater known 1\n";

/// Bytes of a file's record before its token, without the four that say how many follow.
const FIXED: usize = 74;

/// The longest token, in bytes.
pub const LONGEST_TOKEN: usize = 1024;

/// Where it lies in a set.
#[must_use]
pub fn place() -> Option<Name> {
    Name::new(names::KNOWN.as_bytes()).ok()
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where it lay.
    pub name: Name,
    /// Its length, in bytes.
    pub length: u64,
    /// When its bytes changed last.
    pub modified: (i64, u32),
    /// When anything of it changed last, its names and permissions too.
    pub changed: (i64, u32),
    /// The number that its file system knows it by.
    pub inode: u64,
    /// The SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// What the store itself knows its bytes by; empty if nothing.
    pub token: Vec<u8>,
}

/// Writes what is known, piece by piece.
pub struct Encoder {
    hasher: Hasher,
    out: Vec<u8>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { hasher: Hasher::new(Algorithm::Sha256), out: SIGNATURE.to_vec() }
    }
}

impl Encoder {
    /// Adds a file, whose name comes after that of the last one. One with an endless token is passed over.
    pub fn push(&mut self, known: &Known) {
        let rest = FIXED.saturating_add(known.token.len()).saturating_add(known.name.as_bytes().len());
        let (Ok(rest), Ok(token)) = (u32::try_from(rest), u16::try_from(known.token.len())) else { return };
        if known.token.len() > LONGEST_TOKEN {
            return;
        }
        self.out.extend_from_slice(&rest.to_le_bytes());
        self.out.extend_from_slice(&known.length.to_le_bytes());
        for (seconds, nanoseconds) in [known.modified, known.changed] {
            self.out.extend_from_slice(&seconds.to_le_bytes());
            self.out.extend_from_slice(&nanoseconds.to_le_bytes());
        }
        self.out.extend_from_slice(&known.inode.to_le_bytes());
        self.out.extend_from_slice(&known.digest);
        self.out.extend_from_slice(&token.to_le_bytes());
        self.out.extend_from_slice(&known.token);
        self.out.extend_from_slice(known.name.as_bytes());
    }

    /// Bytes that wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Takes what there is so far.
    pub fn take(&mut self) -> Vec<u8> {
        let out = std::mem::take(&mut self.out);
        self.hasher.update(&out);
        out
    }

    /// Takes the rest, with the end.
    #[must_use]
    pub fn end(mut self) -> Vec<u8> {
        self.out.extend_from_slice(&[0; 4]);
        let mut out = self.take();
        out.extend_from_slice(self.hasher.finish().as_bytes());
        out
    }
}

/// Looks whether all of it is there, piece by piece.
pub struct Whole {
    hasher: Hasher,
    /// The last bytes, which may be the digest.
    last: Vec<u8>,
}

impl Default for Whole {
    fn default() -> Self {
        Self { hasher: Hasher::new(Algorithm::Sha256), last: Vec::new() }
    }
}

impl Whole {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.last.extend_from_slice(bytes);
        let ready = self.last.len().saturating_sub(32);
        let rest = self.last.split_off(ready);
        self.hasher.update(&std::mem::replace(&mut self.last, rest));
    }

    /// Whether it ended as it should.
    #[must_use]
    pub fn end(self) -> bool {
        Digest::new(Algorithm::Sha256, &self.last) == Some(self.hasher.finish())
    }
}

/// Reads the files in the order of their names, from bytes that are known to be [whole](Whole) and still checked for
/// what they say.
#[derive(Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    at: usize,
    begun: bool,
    over: bool,
}

impl Decoder {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at.min(self.buffer.len()));
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes the next file; none if more bytes are wanted, or it is [over](Decoder::is_over).
    pub fn take(&mut self) -> Option<Known> {
        if !self.begun {
            let first = self.buffer.get(..SIGNATURE.len())?;
            self.over = first != SIGNATURE;
            (self.begun, self.at) = (true, SIGNATURE.len());
        }
        if self.over {
            return None;
        }
        let rest = self.buffer.get(self.at..)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if !(FIXED..=FIXED.saturating_add(LONGEST_TOKEN).saturating_add(LONGEST)).contains(&length) {
            self.over = true;
            return None;
        }
        let known = record(rest.get(..length)?);
        self.at = self.at.saturating_add(length).saturating_add(4);
        self.over = known.is_none();
        known
    }

    /// Nothing follows.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }
}

fn record(bytes: &[u8]) -> Option<Known> {
    let (length, bytes) = bytes.split_first_chunk::<8>()?;
    let (modified, bytes) = time(bytes)?;
    let (changed, bytes) = time(bytes)?;
    let (inode, bytes) = bytes.split_first_chunk::<8>()?;
    let (digest, bytes) = bytes.split_first_chunk::<32>()?;
    let (token, bytes) = bytes.split_first_chunk::<2>()?;
    let (token, name) = bytes.split_at_checked(usize::from(u16::from_le_bytes(*token)))?;
    Some(Known {
        name: Name::new(name).ok()?,
        length: u64::from_le_bytes(*length),
        modified,
        changed,
        inode: u64::from_le_bytes(*inode),
        digest: *digest,
        token: token.to_vec(),
    })
}

fn time(bytes: &[u8]) -> Option<((i64, u32), &[u8])> {
    let (seconds, bytes) = bytes.split_first_chunk::<8>()?;
    let (nanoseconds, bytes) = bytes.split_first_chunk::<4>()?;
    Some(((i64::from_le_bytes(*seconds), u32::from_le_bytes(*nanoseconds)), bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Known> {
        let known = |name: &[u8], number: u64, token: &[u8]| Known {
            name: Name::new(name).unwrap(),
            length: number,
            modified: (-3, 999_999_999),
            changed: (5, 6),
            inode: u64::MAX - number,
            digest: [7; 32],
            token: token.to_vec(),
        };
        vec![known(b"a/\xff", 0, b""), known(b"b", 1 << 40, b"xxh3 12"), known(&[b'c'; 4000], 3, &[9; 1024])]
    }

    fn encoded(all: &[Known]) -> Vec<u8> {
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        for known in all {
            encoder.push(known);
            out.extend(encoder.take());
        }
        out.extend(encoder.end());
        out
    }

    fn read(bytes: &[u8], step: usize) -> (bool, Vec<Known>) {
        let (mut whole, mut decoder, mut all) = (Whole::default(), Decoder::default(), Vec::new());
        for piece in bytes.chunks(step) {
            whole.push(piece);
            decoder.push(piece);
            all.extend(std::iter::from_fn(|| decoder.take()));
        }
        (whole.end(), all)
    }

    #[test]
    fn what_was_written_is_read_back_however_it_comes() {
        let bytes = encoded(&sample());
        for step in [1, 7, 64, bytes.len()] {
            assert_eq!(read(&bytes, step), (true, sample()), "{step}");
        }
        assert_eq!(read(&encoded(&[]), 5), (true, Vec::new()));
    }

    #[test]
    fn no_change_and_no_cut_passes_for_whole() {
        let bytes = encoded(&sample()[..2]);
        for length in 0..bytes.len() {
            assert!(!read(&bytes[..length], 9).0, "cut after {length}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 4;
            assert!(!read(&bytes, 9).0, "byte {at}");
        }
    }

    #[test]
    fn what_is_none_gives_nothing() {
        assert!(read(b"something else, which is longer", 5).1.is_empty());
        let hostile = [SIGNATURE.as_slice(), &u32::MAX.to_le_bytes(), &[1; 200]].concat();
        assert!(read(&hostile, 50).1.is_empty());
    }
}
