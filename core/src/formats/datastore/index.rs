//! `Index`: reads a fixed or a dynamic index piece by piece.
//!
//! All numbers are little-endian. Both kinds begin with 4096 bytes: magic number 8, uuid 16, creation time 8, checksum
//! 32; then, if it is fixed, the length of the archive 8 and that of a chunk 8, a power of two; then zeros. After that
//! a fixed index has the SHA-256 of each chunk; a dynamic one has, for each, where it ends in the archive (8 bytes),
//! and its SHA-256. The checksum is the SHA-256 of all of that.

use std::ops::Range;

use crate::digest::{Algorithm, Digest, Hasher};

/// The magic numbers: the first eight bytes of the SHA-256 of a sentence.
const FIXED: [u8; 8] = [0x2f, 0x7f, 0x41, 0xed, 0x91, 0xfd, 0x0f, 0xcd];
const DYNAMIC: [u8; 8] = [0x1c, 0x91, 0x4e, 0xa5, 0x19, 0xba, 0xb3, 0xcd];

/// The length of the header, in bytes.
const HEADER: usize = 4096;

/// The longest chunk that a server takes, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// An index cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Odd {
    /// Where, in bytes.
    pub(super) at: u64,
    /// What is wrong, as a sentence.
    pub(super) what: String,
}

/// One line of an index: so many bytes of the archive have this digest.
pub(super) struct Entry {
    pub(super) target: Range<u64>,
    pub(super) digest: Digest,
}

/// What an index comes to.
#[derive(Debug)]
pub(super) struct Summary {
    /// The length of the archive, in bytes.
    pub(super) size: u64,
    /// The checksum of its entries.
    pub(super) sum: Digest,
    /// The one in its own header.
    pub(super) own: Option<Digest>,
    /// The first reserved byte that is not zero.
    pub(super) dirt: Option<u64>,
}

/// An index on its way in.
pub(super) struct Index {
    fixed: bool,
    /// The header, or the entry that is being gathered.
    unit: Vec<u8>,
    at: u64,
    head: Option<Head>,
    hasher: Hasher,
    /// Where the last entry ends in the archive.
    end: u64,
    odd: Option<Odd>,
}

/// What the header says.
struct Head {
    own: Option<Digest>,
    dirt: Option<u64>,
    /// Of a fixed index: the length of the archive, and of a chunk.
    size: u64,
    chunk: u64,
}

impl Index {
    /// An index that is fixed, or dynamic.
    pub(super) fn new(fixed: bool) -> Self {
        let hasher = Hasher::new(Algorithm::Sha256);
        Self { fixed, unit: Vec::new(), at: 0, head: None, hasher, end: 0, odd: None }
    }

    /// Takes the next bytes and hands each entry on.
    pub(super) fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(Entry)) {
        while !bytes.is_empty() && self.odd.is_none() {
            let need = match (&self.head, self.fixed) {
                (None, _) => HEADER,
                (Some(_), true) => 32,
                (Some(_), false) => 40,
            };
            let (some, rest) = bytes.split_at_checked(need - self.unit.len()).unwrap_or((bytes, &[]));
            self.unit.extend_from_slice(some);
            bytes = rest;
            if self.unit.len() < need {
                return;
            }
            let unit = std::mem::take(&mut self.unit);
            let taken = match &self.head {
                None => self.header(&unit).map(|head| self.head = Some(head)),
                Some(head) => {
                    let (size, chunk) = (head.size, head.chunk);
                    self.entry(&unit, size, chunk).map(&mut *each)
                }
            };
            match taken {
                Ok(()) => self.at = self.at.saturating_add(need as u64),
                Err(what) => self.odd = Some(Odd { at: self.at, what }),
            }
            // Its memory is used again.
            self.unit = unit;
            self.unit.clear();
        }
    }

    /// Whether it could be read so far.
    pub(super) fn is_sound(&self) -> bool {
        self.odd.is_none() && self.unit.is_empty() && self.end > 0
    }

    /// What the index comes to, when nothing follows.
    pub(super) fn end(self) -> Result<Summary, Odd> {
        if let Some(odd) = self.odd {
            return Err(odd);
        }
        let at = self.at.saturating_add(self.unit.len() as u64);
        let Some(Head { own, dirt, size, .. }) = self.head else {
            return Err(Odd { at, what: "the index ends inside its header".to_owned() });
        };
        if !self.unit.is_empty() {
            return Err(Odd { at, what: "the index ends in the middle of an entry".to_owned() });
        }
        if self.fixed && self.end != size {
            let what = format!("the index ends where {} of the {size} bytes of its archive are named", self.end);
            return Err(Odd { at, what });
        }
        if self.end == 0 {
            return Err(Odd { at, what: "the index names no chunk".to_owned() });
        }
        Ok(Summary { size: self.end, sum: self.hasher.finish(), own, dirt })
    }

    fn header(&self, header: &[u8]) -> Result<Head, String> {
        let kind = if self.fixed { FIXED } else { DYNAMIC };
        if !header.starts_with(&kind) {
            let kind = if self.fixed { "fixed" } else { "dynamic" };
            return Err(format!("its magic number is not that of a {kind} index"));
        }
        let own = header.get(32..64).and_then(|sum| Digest::new(Algorithm::Sha256, sum));
        let (size, chunk) = if self.fixed { (number(header, 64), number(header, 72)) } else { (0, 0) };
        if self.fixed && (!chunk.is_power_of_two() || chunk > LONGEST) {
            return Err(format!("it says that chunks have {chunk} bytes, which is no power of two up to {LONGEST}"));
        }
        if self.fixed && size == 0 {
            return Err("it says that its archive is empty".to_owned());
        }
        let from = if self.fixed { 80 } else { 64 };
        let dirt = header.iter().zip(0u64..).skip(from).find(|(byte, _)| **byte != 0).map(|(_, at)| at);
        Ok(Head { own, dirt, size, chunk })
    }

    fn entry(&mut self, entry: &[u8], size: u64, chunk: u64) -> Result<Entry, String> {
        let start = self.end;
        let (end, digest) = if self.fixed {
            if start >= size {
                return Err(format!("there are more chunks than its archive of {size} bytes has"));
            }
            (start.saturating_add(chunk).min(size), entry)
        } else {
            let end = number(entry, 0);
            if end <= start {
                return Err(format!("the chunk ends at {end}, and the one before it at {start}"));
            }
            if end - start > LONGEST {
                return Err(format!("the chunk would have {} bytes, and none has more than {LONGEST}", end - start));
            }
            (end, entry.get(8..).unwrap_or_default())
        };
        let digest = Digest::new(Algorithm::Sha256, digest).ok_or("the entry has no digest")?;
        self.hasher.update(entry);
        self.end = end;
        Ok(Entry { target: start..end, digest })
    }
}

/// A fixed index on its way in, for a writer who need not hold all of it.
pub struct Lines(Index);

impl Default for Lines {
    fn default() -> Self {
        Self(Index::new(true))
    }
}

impl Lines {
    /// Takes the next bytes and hands each digest on, in order.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Digest)) {
        self.0.push(bytes, &mut |entry| each(entry.digest));
    }

    /// The lengths of the archive and of a chunk, in bytes, once that is known.
    #[must_use]
    pub fn head(&self) -> Option<(u64, u64)> {
        self.0.head.as_ref().map(|head| (head.size, head.chunk))
    }

    /// The checksum of the entries, when nothing follows.
    ///
    /// # Errors
    /// One sentence that says what is wrong, and where.
    pub fn end(self) -> Result<Digest, String> {
        let Summary { sum, own, .. } = self.0.end().map_err(|odd| format!("at byte {}, {}", odd.at, odd.what))?;
        if own.is_some_and(|own| own != sum) {
            return Err("at byte 32, its own checksum is not that of its entries".to_owned());
        }
        Ok(sum)
    }
}

/// A fixed index that was read, or is to be written: what a writer needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The length of the archive, in bytes.
    pub size: u64,
    /// The length of each chunk but the last, in bytes: a power of two.
    pub chunk: u64,
    /// The digests of the chunks, in order.
    pub digests: Vec<Digest>,
}

impl Fixed {
    /// Reads an index, all of it.
    ///
    /// # Errors
    /// One sentence that says what is wrong, and where.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut lines = Lines::default();
        let mut digests = Vec::new();
        lines.push(bytes, &mut |digest| digests.push(digest));
        let (size, chunk) = lines.head().unwrap_or_default();
        lines.end().map(|_| Self { size, chunk, digests })
    }

    /// The checksum of the entries.
    #[must_use]
    pub fn sum(&self) -> Digest {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        self.digests.iter().for_each(|digest| hasher.update(digest.as_bytes()));
        hasher.finish()
    }

    /// The file: `uuid` should be random, `created` is in seconds since 1970.
    #[must_use]
    pub fn encode(&self, uuid: [u8; 16], created: i64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + 32 * self.digests.len());
        bytes.extend_from_slice(&FIXED);
        bytes.extend_from_slice(&uuid);
        bytes.extend_from_slice(&created.to_le_bytes());
        bytes.extend_from_slice(self.sum().as_bytes());
        bytes.extend_from_slice(&self.size.to_le_bytes());
        bytes.extend_from_slice(&self.chunk.to_le_bytes());
        bytes.resize(HEADER, 0);
        self.digests.iter().for_each(|digest| bytes.extend_from_slice(digest.as_bytes()));
        bytes
    }
}

/// The eight bytes at an offset as a number.
fn number(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    u64::from_le_bytes(*bytes.unwrap_or(&[0; 8]))
}

#[cfg(test)]
mod tests;
