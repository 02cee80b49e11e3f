//! `Claim`: "these stored bytes, decoded so, have this length and this digest".

use std::ops::Range;

use crate::codec::Codec;
use crate::digest::Digest;
use crate::finding::Hurts;
use crate::name::Name;
use crate::report::Depth;

/// One sentence of an index about stored bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The object that stores the bytes.
    pub object: Name,
    /// The index that says so. When it is gone as well, both were removed, and nothing is missing.
    pub index: Name,
    /// How they are stored.
    pub codec: Codec,
    /// What they decode to.
    pub expect: Expect,
    /// Where the decoded bytes go in what a restore writes; half-open, in bytes.
    pub target: Range<u64>,
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
    /// Digest of the decoded bytes.
    pub digest: Digest,
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
