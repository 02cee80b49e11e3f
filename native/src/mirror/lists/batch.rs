//! `Batch`: as many rows as memory may hold, put into the order of their keys.

use highwater_core::inventory::Row;

use super::run::Writer;
use super::sort::Limits;
use super::tail;
use crate::error::Error;

/// What orders a row, without a look at its key most often.
#[derive(Clone, Copy)]
struct Entry {
    /// The eight bytes of the key behind what all keys share.
    beginning: u64,
    /// Where key and tail lie, and how long the key is.
    at: u32,
    key: u16,
}

/// The length of the tail stands before the key.
const LENGTH: usize = 4;

/// Rows in memory.
pub(super) struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    room: usize,
    most: usize,
    /// How many bytes at their beginnings all keys share.
    shared: usize,
}

impl Batch {
    /// An empty one. All memory is taken at once: a vector that grows would take half as much again.
    pub(super) fn new(limits: &Limits) -> Self {
        // Rows have some 150 bytes.
        let most = limits.bytes / 8 / size_of::<Entry>();
        let room = (limits.bytes - most * size_of::<Entry>()).min(u32::MAX as usize);
        Self { bytes: Vec::with_capacity(room), entries: Vec::with_capacity(most), room, most, shared: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes a row; false if there is no room, which there always is in an empty one of a mebibyte.
    pub(super) fn take(&mut self, row: &Row<'_>) -> bool {
        let words = row.version.len() + row.etag.len() + row.class.len();
        // A tail's numbers have fewer.
        let need = row.key.len() + words + 64;
        let is_full = self.bytes.len() + need > self.room || self.entries.len() == self.most;
        let (Ok(at), Ok(key), false) = (u32::try_from(self.bytes.len()), u16::try_from(row.key.len()), is_full) else {
            return false;
        };
        self.bytes.extend_from_slice(&[0; LENGTH]);
        self.bytes.extend_from_slice(row.key);
        let begin = self.bytes.len();
        tail::push(row, &mut self.bytes);
        let length = u32::try_from(self.bytes.len() - begin).unwrap_or_default();
        self.bytes[at as usize..at as usize + LENGTH].copy_from_slice(&length.to_le_bytes());
        self.entries.push(Entry { beginning: 0, at, key });
        let first = Self::key(&self.bytes, self.entries[0]);
        if self.entries.len() == 1 {
            self.shared = first.len();
        } else if !row.key.starts_with(&first[..self.shared]) {
            self.shared = first.iter().zip(row.key).take_while(|(one, other)| one == other).count();
        }
        true
    }

    fn key(bytes: &[u8], entry: Entry) -> &[u8] {
        let begin = entry.at as usize + LENGTH;
        &bytes[begin..begin + usize::from(entry.key)]
    }

    /// Puts them into order, hands them on, and is empty then.
    pub(super) fn write(&mut self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let Self { bytes, entries, shared, .. } = self;
        let behind = |entry: Entry| &Self::key(bytes, entry)[*shared..];
        for entry in entries.iter_mut() {
            let mut eight = [0; 8];
            let rest = behind(*entry);
            let some = rest.len().min(eight.len());
            eight[..some].copy_from_slice(&rest[..some]);
            entry.beginning = u64::from_be_bytes(eight);
        }
        // Where they came is a part of the order, so that rows of one key stay as they came.
        entries.sort_unstable_by(|one, other| {
            let beginnings = one.beginning.cmp(&other.beginning);
            beginnings.then_with(|| behind(*one).cmp(behind(*other))).then(one.at.cmp(&other.at))
        });
        for entry in entries.iter() {
            let key = Self::key(bytes, *entry);
            let begin = entry.at as usize;
            let length = bytes[begin..].first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
            let tail = begin + LENGTH + key.len();
            writer.push(key, &bytes[tail..tail + length as usize])?;
        }
        bytes.clear();
        entries.clear();
        Ok(())
    }
}
