//! `Shard`: a stable part of all claims: thread, browser worker, CI job and cluster task are the same thing.

use std::fmt;
use std::str::FromStr;

use crate::name::Name;

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

    /// Whether the thing of this number belongs to this part, where things are dealt out in turn.
    #[must_use]
    pub fn takes(&self, number: u64) -> bool {
        number % self.count == self.index
    }

    /// Which part it is, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.index.saturating_add(1)
    }

    /// How many parts there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
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
