//! `Seen`: a set of keys that only grows, in little more memory than the keys take.
//!
//! A hash table of ten million keys of sixteen bytes takes twice their memory, and three times while it grows. So most keys lie sorted, one
//! behind the other; the latest lie in a small table, and are merged into the others when there are too many.

use std::collections::HashSet;

/// How many keys lie in the table at least before they are merged, and which part of all of them at most.
const RECENT: usize = 8192;
const PART: usize = 8;

/// From so many keys on, those are looked up by their first two bytes.
const MANY: usize = 1 << 18;

/// The set. Keys are digests: evenly spread.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sorted: Vec<u128>,
    /// Where the keys with each pair of first bytes begin in `sorted`, and where the last end; empty while there are few.
    starts: Vec<usize>,
    recent: HashSet<u128>,
}

impl Seen {
    /// Adds a key; false if it was there.
    pub(crate) fn insert(&mut self, key: u128) -> bool {
        if self.holds(key) || !self.recent.insert(key) {
            return false;
        }
        if self.recent.len() > RECENT.max(self.sorted.len() / PART) {
            self.merge();
        }
        true
    }

    fn holds(&self, key: u128) -> bool {
        let pair = usize::try_from(key >> 112).unwrap_or(usize::MAX);
        let range = match (self.starts.get(pair), self.starts.get(pair.saturating_add(1))) {
            (Some(start), Some(end)) => *start..*end,
            _ => 0..self.sorted.len(),
        };
        self.sorted.get(range).is_some_and(|keys| keys.binary_search(&key).is_ok())
    }

    /// Merges the latest keys into the others, from the end on, so that it takes no second copy.
    fn merge(&mut self) {
        let mut fresh: Vec<u128> = std::mem::take(&mut self.recent).into_iter().collect();
        fresh.sort_unstable();
        let mut old = self.sorted.len();
        let mut place = old.saturating_add(fresh.len());
        self.sorted.reserve_exact(fresh.len());
        self.sorted.resize(place, 0);
        while let Some(latest) = fresh.last().copied() {
            place -= 1;
            let before = old.checked_sub(1).and_then(|last| self.sorted.get(last).copied()).filter(|key| *key > latest);
            let key = match before {
                Some(key) => {
                    old -= 1;
                    key
                }
                None => {
                    fresh.pop();
                    latest
                }
            };
            if let Some(slot) = self.sorted.get_mut(place) {
                *slot = key;
            }
        }
        if self.sorted.len() >= MANY {
            self.starts.clear();
            let pairs = 0..=u128::from(u16::MAX);
            self.starts.extend(pairs.map(|pair| self.sorted.partition_point(|key| key >> 112 < pair)));
            self.starts.push(self.sorted.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn a_key_is_new_once_however_many_there_are() {
        let key = |number: u32| {
            let digest: [u8; 32] = Sha256::digest((number % 300_000).to_le_bytes()).into();
            u128::from_le_bytes(*digest.first_chunk().unwrap())
        };
        let (mut seen, mut wanted) = (Seen::default(), HashSet::new());
        for number in 0..700_000u32 {
            let key = key(number.wrapping_mul(2_654_435_761));
            assert_eq!(seen.insert(key), wanted.insert(key), "{number}");
        }
        assert!(wanted.len() > MANY && seen.sorted.is_sorted() && seen.starts.len() == 65_537);
        for edge in [0, u128::MAX] {
            assert!(seen.insert(edge) && !seen.insert(edge));
        }
    }
}
