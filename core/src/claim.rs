//! `Claim`: "these stored bytes, decoded so, have this length and this digest", and `Shard`, a stable part of them.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

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
    /// The object's stored length.
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
            (Depth::Size, Codec::Plain) => Evidence::StoredLength,
            // gzip's own length field is modulo 2^32 and speaks of the last member only.
            (Depth::Size, Codec::Gzip) | (Depth::Digest | Depth::Deep, _) => Evidence::Bytes,
        }
    }
}

/// Part `index` of `count` of all claims, chosen by object name: the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// All claims.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Part `number` (from 1) of `count`; none when the numbers make no sense.
    #[must_use]
    pub fn new(number: u64, count: u64) -> Option<Self> {
        (1..=count).contains(&number).then(|| Self { index: number - 1, count })
    }

    /// Whether what is said about `object` belongs to this part.
    #[must_use]
    pub fn holds(&self, object: Option<&Name>) -> bool {
        self.count == 1 || fnv1a(object.map_or(&[], Name::as_bytes)) % self.count == self.index
    }

    /// This is not all.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.count > 1
    }
}

/// 64-bit FNV-1a with a final mix, since FNV's low bits alone spread similar names badly.
fn fnv1a(bytes: &[u8]) -> u64 {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 33
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

/// The text is no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no shard: write i/n with i from 1 to n, as in 3/8")]
pub struct BadShard(String);

impl FromStr for Shard {
    type Err = BadShard;

    fn from_str(text: &str) -> Result<Self, BadShard> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        numbers.and_then(|(i, n)| Self::new(i, n)).ok_or_else(|| BadShard(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_a_partition_and_about_even() {
        let names: Vec<Name> = (0..4000)
            .map(|i| Name::new(format!("2026-11-20-00-{:02}-{:02}.deltafs", i / 60, i % 60).as_bytes()).unwrap())
            .collect();
        for count in [2u64, 3, 7, 64] {
            let mut sizes = vec![0u64; count as usize];
            for name in &names {
                let holders: Vec<u64> =
                    (1..=count).filter(|i| Shard::new(*i, count).unwrap().holds(Some(name))).collect();
                assert_eq!(holders.len(), 1);
                sizes[holders[0] as usize - 1] += 1;
            }
            let fair = 4000 / count;
            assert!(sizes.iter().all(|s| *s > fair / 2 && *s < fair * 2), "{count}: {sizes:?}");
        }
    }

    #[test]
    fn shards_are_read_strictly() {
        assert_eq!("3/8".parse::<Shard>().unwrap().to_string(), "3/8");
        for bad in ["0/8", "9/8", "1/0", "1", "/", "a/b", "-1/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
