//! `Claim`: "these stored bytes, decoded so, have this length and this digest".

use std::ops::Range;

use crate::codec::Codec;
use crate::digest::sha256::Sha256;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::finding::Hurts;
use crate::key::Key;
use crate::name::Name;
use crate::report::Depth;

/// One sentence of an index about stored bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The object that stores the bytes.
    pub object: Name,
    /// The index that says so. When it is gone as well, both were removed, and nothing is missing.
    pub index: Name,
    /// Which of the object's bytes they are; none for all.
    pub range: Option<Range<u64>>,
    /// How they are stored.
    pub codec: Codec,
    /// What they decode to.
    pub expect: Expect,
    /// Where the decoded bytes go when they are restored; none where they do not.
    pub extent: Option<Extent>,
    /// Where marks of the decoded bytes lie, if they do ([`crate::marks`]).
    pub marks: Option<Name>,
    /// The sets that need these bytes.
    pub hurts: Hurts,
}

/// What an index says that stored bytes decode to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// Decoded length in bytes.
    pub length: u64,
    /// Digest of the decoded bytes; none where none is on record.
    pub digest: Option<Digest>,
}

impl Expect {
    /// Length and digest, where there is one.
    #[must_use]
    pub fn sum(&self) -> Option<Sum> {
        self.digest.map(|digest| Sum { length: self.length, digest })
    }
}

/// Length and digest of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Their number.
    pub length: u64,
    /// Their digest.
    pub digest: Digest,
}

impl From<Sum> for Expect {
    fn from(Sum { length, digest }: Sum) -> Self {
        Self { length, digest: Some(digest) }
    }
}

/// Where decoded bytes go when they are restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extent {
    /// The file; none for the one file that is restored.
    pub path: Option<Name>,
    /// Where in it they begin, in bytes.
    pub at: u64,
}

/// What it takes to check a claim at some depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// That the object is there.
    Presence,
    /// The object's stored length, and as few of its bytes as tell whether that is right ([`crate::fit`]).
    StoredLength,
    /// The object's bytes, all of them.
    Bytes,
}

impl Claim {
    /// The decoded bytes that this is of in what is restored, half-open.
    #[must_use]
    pub fn target(&self) -> Range<u64> {
        let at = self.extent.as_ref().map_or(0, |extent| extent.at);
        at..at.saturating_add(self.expect.length)
    }

    /// Begins to hash decoded bytes; none where no digest is on record.
    #[must_use]
    pub fn hasher(&self) -> Option<Hasher> {
        self.expect.digest.map(|digest| Hasher::new(digest.algorithm()))
    }

    /// Whether what was hashed are all decoded bytes; `key` opens what is encrypted.
    #[must_use]
    pub fn gives(&self, mut hasher: Hasher, key: Option<&Key>) -> bool {
        hasher.update(self.codec.suffix(key));
        self.expect.digest == Some(hasher.finish())
    }

    /// The object's bytes that it is on, half-open; where the object ends earlier, so do they.
    #[must_use]
    pub fn stored(&self) -> Range<u64> {
        self.range.clone().unwrap_or(0..u64::MAX)
    }

    /// The object's bytes that a check reads: of all that are plain, one more than there should be, to see that nothing
    /// follows.
    #[must_use]
    pub fn read(&self) -> Range<u64> {
        match (&self.range, self.codec) {
            (None, Codec::Plain) => 0..self.expect.length.saturating_add(1),
            _ => self.stored(),
        }
    }

    /// What tells it from every other: 16 bytes of SHA-256 over its sentence.
    pub(crate) fn key(&self) -> u128 {
        let mut hasher = Sha256::new();
        hasher.update(self.object.as_bytes());
        hasher.update(&[0]);
        hasher.update(self.codec.name().as_bytes());
        // With a key and without, something else comes of it.
        hasher.update(&[self.codec.sealing().map_or(0, |sealing| 1 + sealing.number())]);
        hasher.update(&self.expect.length.to_le_bytes());
        if let Some(digest) = &self.expect.digest {
            hasher.update(digest.as_bytes());
            hasher.update(digest.algorithm().name().as_bytes());
            if let Algorithm::Etag { part } = digest.algorithm() {
                hasher.update(&part.to_le_bytes());
            }
        }
        if let Some(range) = &self.range {
            hasher.update([range.start.to_le_bytes(), range.end.to_le_bytes()].as_flattened());
        }
        let digest = hasher.finish();
        let (key, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
        u128::from_le_bytes(*key)
    }

    /// What a host must find out to settle this claim at `depth`.
    #[must_use]
    pub fn evidence(&self, depth: Depth) -> Evidence {
        match (depth, self.codec) {
            (Depth::List, _) => Evidence::Presence,
            (Depth::Size, Codec::Plain | Codec::Blob(_) | Codec::Cached(_) | Codec::Kept(_)) => Evidence::StoredLength,
            // gzip's own length field is modulo 2^32 and speaks of the last member only.
            (Depth::Size, Codec::Gzip) | (Depth::Digest | Depth::Deep, _) => Evidence::Bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_takes_at_most_128_bytes_beside_its_names() {
        let names = 4 * size_of::<Name>();
        assert!(size_of::<Claim>() <= 128 + names, "{} with {names} of names", size_of::<Claim>());
    }
}
