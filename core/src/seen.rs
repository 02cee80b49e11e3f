//! `Seen`: a set of keys that only grows, each with a note, in little more memory than the keys take.
//!
//! A hash table of ten million keys takes twice their memory, and three times while it grows. So most keys lie sorted,
//! one behind the other; the latest lie in a small table, and are merged into the others when there are too many.
//! Twelve bytes of each are kept: that two of ten million digests begin with the same ones happens by chance to one
//! store in 10^14, and whoever makes it happen writes indices: he could as well write one that is sound and of no use.
//! A note is so small that it takes the place of the lowest bits: a store of which every chunk is missing takes no more
//! than a sound one.

use crate::sort;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// How many keys lie in the table at least before they are merged, and which part of all of them at most.
const RECENT: usize = 8192;
const PART: usize = 16;

/// From so many keys on, those are looked up by their first two bytes.
const MANY: usize = 1 << 18;

/// The bits of what is kept of a key that are its note's.
const NOTE: u32 = 3;

/// The set. Keys are digests, evenly spread, of whose 128 bits the first 94 are looked at.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Keys with their notes.
    sorted: Vec<Key>,
    /// Where the keys with each pair of first bytes begin in `sorted`, and where the last end; empty while there are
    /// few.
    starts: Vec<usize>,
    recent: HashMap<Key, u8>,
}

/// What is kept of a key, without a note or with one; a single number would take sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key([u32; 3]);

impl Key {
    fn of(key: u128) -> Self {
        let word = |above: u32| u32::try_from(key >> above & u128::from(u32::MAX)).unwrap_or_default();
        Self([word(96), word(64), word(32) & !NOTE])
    }

    /// The first two bytes.
    fn pair(self) -> usize {
        let Self([first, ..]) = self;
        usize::try_from(first >> 16).unwrap_or(usize::MAX)
    }

    fn with(self, note: u8) -> Self {
        let Self([a, b, c]) = self;
        Self([a, b, c | u32::from(note)])
    }

    fn bare(self) -> Self {
        let Self([a, b, c]) = self;
        Self([a, b, c & !NOTE])
    }

    fn note(self) -> u8 {
        let Self([.., last]) = self;
        u8::try_from(last & NOTE).unwrap_or_default()
    }
}

impl Seen {
    /// Adds a key; false if it was there.
    pub(crate) fn insert(&mut self, key: u128) -> bool {
        let key = Key::of(key);
        if self.place(key).is_some() {
            return false;
        }
        match self.recent.entry(key) {
            Entry::Occupied(_) => return false,
            Entry::Vacant(vacant) => _ = vacant.insert(0),
        }
        if self.recent.len() > RECENT.max(self.sorted.len() / PART) {
            self.merge();
        }
        true
    }

    /// Puts a note of 1 to 3 on a key that is there, unless a higher one is.
    pub(crate) fn note(&mut self, key: u128, note: u8) {
        let (key, note) = (Key::of(key), note.min(3));
        if let Some(recent) = self.recent.get_mut(&key) {
            *recent = note.max(*recent);
        } else if let Some(slot) = self.place(key).and_then(|at| self.sorted.get_mut(at)) {
            *slot = (*slot).max(key.with(note));
        }
    }

    /// The note on a key; 0 when there is none.
    pub(crate) fn noted(&self, key: u128) -> u8 {
        let key = Key::of(key);
        let sorted = self.place(key).and_then(|at| self.sorted.get(at)).map(|found| found.note());
        sorted.or_else(|| self.recent.get(&key).copied()).unwrap_or(0)
    }

    /// Where a key lies among those that are sorted.
    fn place(&self, key: Key) -> Option<usize> {
        let pair = key.pair();
        let range = match (self.starts.get(pair), self.starts.get(pair.saturating_add(1))) {
            (Some(start), Some(end)) => *start..*end,
            _ => 0..self.sorted.len(),
        };
        let start = range.start;
        let found = self.sorted.get(range)?.binary_search_by_key(&key, |found| found.bare()).ok()?;
        start.checked_add(found)
    }

    /// Merges the latest keys into the others, from the end on, so that it takes no second copy.
    fn merge(&mut self) {
        let mut fresh: Vec<Key> = self.recent.drain().map(|(key, note)| key.with(note)).collect();
        sort::values(&mut fresh);
        let mut old = self.sorted.len();
        let mut place = old.saturating_add(fresh.len());
        self.sorted.reserve_exact(fresh.len());
        self.sorted.resize(place, Key::of(0));
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
            let pairs = 0..=usize::from(u16::MAX);
            self.starts.extend(pairs.map(|pair| self.sorted.partition_point(|key| key.pair() < pair)));
            self.starts.push(self.sorted.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

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
        // The latest and those before them keep their notes, also when they are merged.
        for number in (0..700_000u32).step_by(3) {
            seen.note(key(number), u8::try_from(1 + number % 2).unwrap());
        }
        for number in 700_000..900_000u32 {
            seen.insert(u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        }
        let noted: HashMap<Key, u8> = (0..700_000u32).step_by(3).fold(HashMap::new(), |mut noted, number| {
            let (key, note) = (Key::of(key(number)), u8::try_from(1 + number % 2).unwrap());
            noted.entry(key).and_modify(|old: &mut u8| *old = note.max(*old)).or_insert(note);
            noted
        });
        for key in &wanted {
            assert_eq!(seen.noted(*key), noted.get(&Key::of(*key)).copied().unwrap_or(0));
        }
        assert_eq!(seen.noted(77), 0);
    }
}
