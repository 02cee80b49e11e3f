//! `OidIndex`: a compact map from oid to the offset of the object's current record.

use std::collections::BTreeMap;

use super::sink::{Record, Sink, Txn};
use super::{Oid, Status};

/// How many low bits of an oid count within one block.
///
/// A `.index` file groups by 16 bits. A pack leaves records in the order of their last change, so
/// a scan inserts oids at random, and in a group of 65 536 each would move 250 KiB on average.
const BLOCK_BITS: u32 = 9;

/// How many low bits of an oid count within one bucket of a `.index` file (`fsIndex.py`).
pub(super) const BUCKET_BITS: u32 = 16;

/// An offset that a `.index` file cannot hold: it has 48 bits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record of object {oid:#x} is at {offset}, beyond the 48 bits of an index")]
pub struct TooFar {
    /// The object's id.
    pub oid: Oid,
    /// The offset refused, in bytes.
    pub offset: u64,
}

/// The low 16 bits of an oid and a 48-bit offset: 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) low: [u8; 2],
    pub(super) offset: [u8; 6],
}

/// A map from oid to file offset (below 2^48) of about 8 bytes an object where oids are dense.
///
/// An insert above all others costs one look at the last block; any other costs a search and a
/// move of at most 4 KiB. Lone oids, each in a block of its own, cost about 100 bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OidIndex {
    /// From the high bits of an oid to the objects that share them, ascending and never empty.
    blocks: BTreeMap<u64, Vec<Slot>>,
    len: u64,
}

impl OidIndex {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the offset of `oid`, in bytes from the start of the file.
    ///
    /// # Errors
    /// [`TooFar`] when the offset needs more than 48 bits; nothing is changed then.
    pub fn insert(&mut self, oid: Oid, offset: u64) -> Result<(), TooFar> {
        let [0, 0, bytes @ ..] = offset.to_be_bytes() else {
            return Err(TooFar { oid, offset });
        };
        self.set(oid, bytes);
        Ok(())
    }

    /// Sets every entry of `newer`, whose entries win.
    pub fn merge(&mut self, newer: &Self) {
        for (block, slots) in &newer.blocks {
            for slot in slots {
                self.set(whole_oid(*block, slot), slot.offset);
            }
        }
    }

    pub(super) fn set(&mut self, oid: Oid, offset: [u8; 6]) {
        let [.., x, y] = oid.to_be_bytes();
        let slot = Slot { low: [x, y], offset };
        let block = self.blocks.entry(oid >> BLOCK_BITS).or_default();
        if block.last().is_none_or(|last| last.low < slot.low) {
            block.push(slot);
            self.len += 1;
            return;
        }
        match block.binary_search_by_key(&slot.low, |s| s.low) {
            Ok(at) => {
                if let Some(old) = block.get_mut(at) {
                    *old = slot;
                }
            }
            Err(at) => {
                block.insert(at, slot);
                self.len += 1;
            }
        }
    }

    /// The offset of the current record of `oid`, in bytes.
    #[must_use]
    pub fn get(&self, oid: Oid) -> Option<u64> {
        let [.., x, y] = oid.to_be_bytes();
        let block = self.blocks.get(&(oid >> BLOCK_BITS))?;
        let at = block.binary_search_by_key(&[x, y], |s| s.low).ok()?;
        block.get(at).map(Slot::offset)
    }

    /// How many objects the index has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the index has no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The highest oid.
    #[must_use]
    pub fn max_oid(&self) -> Option<Oid> {
        let (block, slots) = self.blocks.last_key_value()?;
        slots.last().map(|slot| whole_oid(*block, slot))
    }

    /// All objects and their offsets, ascending by oid.
    pub fn iter(&self) -> impl Iterator<Item = (Oid, u64)> {
        self.blocks.iter().flat_map(|(block, slots)| slots.iter().map(|s| (whole_oid(*block, s), s.offset())))
    }

    /// At most `count` objects at even distances in the order of oids, the lowest first.
    ///
    /// Costs one step for each block of up to 512 oids, not one for each object.
    pub fn spread(&self, count: u64) -> impl Iterator<Item = (Oid, u64)> {
        let stride = self.len.div_ceil(count.max(1)).max(1);
        let mut skip = 0;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.blocks
            .iter()
            .flat_map(move |(block, slots)| {
                let (first, len) = (skip, slots.len() as u64);
                // The distance from the next block's first object to the next one taken.
                skip = if first >= len { first - len } else { (stride - (len - first) % stride) % stride };
                let step = usize::try_from(stride).unwrap_or(usize::MAX);
                let first = usize::try_from(first).unwrap_or(usize::MAX);
                slots.iter().skip(first).step_by(step).map(|s| (whole_oid(*block, s), s.offset()))
            })
            .take(count)
    }

    /// The objects by the high 48 bits of their oids, ascending, as slices that follow each other.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (u64, Vec<&[Slot]>)> {
        let prefix = |block: &u64| block >> (BUCKET_BITS - BLOCK_BITS);
        let mut blocks = self.blocks.iter().peekable();
        std::iter::from_fn(move || {
            let (first, slots) = blocks.next()?;
            let mut bucket = vec![slots.as_slice()];
            while let Some((_, more)) = blocks.next_if(|(block, _)| prefix(block) == prefix(first)) {
                bucket.push(more);
            }
            Some((prefix(first), bucket))
        })
    }
}

impl Slot {
    fn offset(&self) -> u64 {
        let [a, b, c, d, e, f] = self.offset;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

fn whole_oid(block: u64, slot: &Slot) -> Oid {
    block << BLOCK_BITS | u64::from(u16::from_be_bytes(slot.low))
}

/// A [`Sink`] that keeps an [`OidIndex`] up to date.
///
/// As in ZODB, the records of a transaction enter the index once the transaction is complete. Until
/// then they wait in a list of 16 bytes each, which the largest transaction of a file bounds.
#[derive(Debug, Default)]
pub struct Indexer {
    index: OidIndex,
    pending: Vec<(Oid, u64)>,
    too_far: Option<TooFar>,
}

impl Indexer {
    /// An indexer that adds to `index`: the one as of the walk's start.
    #[must_use]
    pub fn new(index: OidIndex) -> Self {
        Self { index, ..Self::default() }
    }

    /// The index as of the last complete transaction.
    #[must_use]
    pub fn index(&self) -> &OidIndex {
        &self.index
    }

    /// The index as of the last complete transaction.
    ///
    /// # Errors
    /// The first record whose offset does not fit into an index.
    pub fn finish(self) -> Result<OidIndex, TooFar> {
        self.too_far.map_or(Ok(self.index), Err)
    }
}

impl Sink for Indexer {
    fn record(&mut self, record: &Record) {
        // The walk reports no records of undone transactions; a caller of its own might.
        if record.status != Status::Undone {
            self.pending.push((record.oid, record.at));
        }
    }

    fn transaction(&mut self, _: &Txn) {
        for (oid, offset) in self.pending.drain(..) {
            if let Err(error) = self.index.insert(oid, offset) {
                self.too_far.get_or_insert(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Random;
    use super::*;

    #[test]
    fn it_is_a_sorted_map() {
        let mut random = Random(7);
        for mask in [0x3ff, 0xf_ffff, u64::MAX] {
            let (mut index, mut map) = (OidIndex::new(), BTreeMap::new());
            for _ in 0..5000 {
                let (oid, offset) = (random.next() & mask, random.next() >> 16);
                index.insert(oid, offset).unwrap();
                map.insert(oid, offset);
            }
            assert!(index.iter().eq(map.iter().map(|(k, v)| (*k, *v))));
            assert_eq!(index.len(), map.len() as u64);
            assert_eq!(index.max_oid(), map.keys().next_back().copied());
            assert!(map.iter().all(|(k, v)| index.get(*k) == Some(*v)));
            assert_eq!(index.get(mask / 3), map.get(&(mask / 3)).copied());
            let sorted = OidIndex::from_sorted(&map);
            assert_eq!(sorted, index);
            for count in [1, 2, 64, 1_000_000] {
                let spread: Vec<_> = index.spread(count).collect();
                let stride = map.len().div_ceil(count as usize);
                assert!(spread.iter().eq(index.iter().step_by(stride).collect::<Vec<_>>().iter()), "{count}");
                assert!(spread.len() <= count as usize);
            }
        }
    }

    impl OidIndex {
        fn from_sorted(map: &BTreeMap<u64, u64>) -> Self {
            let mut index = Self::new();
            map.iter().for_each(|(k, v)| index.insert(*k, *v).unwrap());
            index
        }
    }

    #[test]
    fn newer_entries_win_and_far_offsets_are_refused() {
        let mut old = OidIndex::new();
        let mut new = OidIndex::new();
        (0..1000).for_each(|n| old.insert(n, n).unwrap());
        (900..1100).for_each(|n| new.insert(n, n + 5).unwrap());
        old.merge(&new);
        assert_eq!((old.len(), old.get(899), old.get(900), old.get(1099)), (1100, Some(899), Some(905), Some(1104)));
        let far = TooFar { oid: 5, offset: 1 << 48 };
        assert_eq!(old.insert(5, 1 << 48), Err(far));
        assert_eq!(old.get(5), Some(5));
        assert_eq!(OidIndex::new().max_oid(), None);
        assert_eq!(OidIndex::new().spread(64).count(), 0);
        assert_eq!(old.spread(0).count(), 0);
    }
}
