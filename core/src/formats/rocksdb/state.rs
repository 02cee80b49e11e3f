//! `State`: what a store consists of, as the edits of its MANIFEST say one after another.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::edit::{Blob, Edit, Table};
use crate::sort;

/// What a store consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The name of the order of the keys, of the default column family.
    pub comparator: Option<Vec<u8>>,
    /// Column families by their numbers, without those that were dropped. A LevelDB is the default family, 0.
    pub families: BTreeMap<u32, Family>,
    /// The number that the next file may have.
    pub next_file: Option<u64>,
    /// The last sequence number that the MANIFEST knows.
    pub last_sequence: Option<u64>,
    /// LevelDB: the log before the current one, which very old versions used as well; 0 for none.
    pub prev_log_number: u64,
    /// RocksDB: no log before this one is needed for what was prepared.
    pub min_log_to_keep: u64,
    /// What the store calls itself.
    pub identity: Option<Vec<u8>>,
    /// RocksDB with `track_and_verify_wals_in_manifest`: logs that must be there, and how many bytes of them at least.
    pub logs: BTreeMap<u64, Option<u64>>,
    /// How many tables came whole from outside, without any log, whether they are still there or not. A MANIFEST that
    /// is begun anew counts from 0.
    pub ingestions: u64,
    /// Logs before this one are not told of any more.
    logs_before: u64,
    /// Some edit names a log.
    has_log: bool,
}

/// A column family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: Vec<u8>,
    /// The name of the order of its keys.
    pub comparator: Option<Vec<u8>>,
    /// No log before this one is needed for it.
    pub log_number: u64,
    /// Its tables, by their numbers.
    pub tables: BTreeMap<u64, Table>,
    /// Blob files that were added to it, by their numbers: all that ever were, as no edit removes one.
    pub blobs: BTreeMap<u64, Blob>,
}

impl Family {
    /// The blob files that are needed. One is not if all of it is garbage and no table names it, or if no table has
    /// values in one as old.
    pub fn live_blobs(&self) -> impl Iterator<Item = (u64, &Blob)> {
        let named = self.tables.values().filter_map(|table| table.blob);
        let named: BTreeSet<u64> = sort::set(named.filter(|number| self.blobs.contains_key(number)));
        let since = named.first().copied().into_iter().flat_map(|oldest| self.blobs.range(oldest..));
        let blobs = since.map(|(number, blob)| (*number, blob));
        blobs.filter(move |(number, blob)| blob.garbage_count < blob.count || named.contains(number))
    }
}

impl State {
    /// A store with nothing but the default family.
    pub(super) fn new() -> Self {
        let default = Family { name: b"default".to_vec(), ..Family::default() };
        let mut state = Self::default();
        state.families.insert(0, default);
        state
    }

    /// The number of the oldest log that is needed: the smallest of any family; with two-phase commits, the one that
    /// what was prepared needs.
    #[must_use]
    pub fn min_log(&self, two_phase: bool) -> u64 {
        let unflushed = self.families.values().map(|family| family.log_number).min().unwrap_or_default();
        if two_phase { self.min_log_to_keep } else { self.min_log_to_keep.max(unflushed) }
    }

    /// Whether a log is needed.
    #[must_use]
    pub fn needs_log(&self, number: u64, two_phase: bool) -> bool {
        number >= self.min_log(two_phase) || (number == self.prev_log_number && number != 0)
    }

    /// What a store cannot be opened without, and no edit says.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        match (self.next_file, self.has_log, self.last_sequence) {
            (None, _, _) => Some("the number of the next file"),
            (_, false, _) => Some("the number of a log"),
            (_, _, None) => Some("the last sequence number"),
            _ => None,
        }
    }

    /// Applies an edit.
    ///
    /// # Errors
    /// Why the engine refuses it, as half a sentence.
    pub(super) fn apply(&mut self, edit: Edit, engine: Engine) -> Result<(), String> {
        // They only grow; an edit that comes once more would take them back.
        if edit.next_file.is_some_and(|next| Some(next) < self.next_file) {
            return Err("an edit takes the number of the next file back".to_owned());
        }
        if edit.last_sequence.is_some_and(|last| Some(last) < self.last_sequence) {
            return Err("an edit takes the last sequence number back".to_owned());
        }
        let number = edit.family;
        let known = self.families.contains_key(&number);
        if let Some(name) = edit.adds_family {
            if known {
                return Err(format!("column family {number} is added twice"));
            }
            self.families.insert(number, Family { name, ..Family::default() });
        } else if edit.drops_family {
            if self.families.remove(&number).is_none() {
                return Err(format!("column family {number} is dropped, but it is not there"));
            }
        } else if !edit.logs.is_empty() {
            self.add_logs(&edit.logs)?;
        } else if let Some(before) = edit.logs_before {
            self.logs_before = self.logs_before.max(before);
            self.logs = self.logs.split_off(&self.logs_before);
        } else {
            let family = self.families.get_mut(&number);
            let family = family.ok_or_else(|| format!("an edit is of column family {number}, which is not there"))?;
            self.ingestions += edit.added.iter().map(|(_, table)| u64::from(table.ingested)).sum::<u64>();
            family.apply(edit.deleted, edit.added, edit.blobs, &edit.garbage, engine)?;
        }
        if let Some(family) = self.families.get_mut(&number) {
            // One that went back would be ignored by RocksDB.
            if let Some(log) = edit.log_number.filter(|log| engine == Engine::LevelDb || *log >= family.log_number) {
                family.log_number = log;
                self.has_log = true;
            }
            if edit.comparator.is_some() {
                family.comparator.clone_from(&edit.comparator);
                if number == 0 {
                    self.comparator = edit.comparator;
                }
            }
        }
        self.next_file = edit.next_file.or(self.next_file);
        self.last_sequence = edit.last_sequence.or(self.last_sequence);
        self.prev_log_number = edit.prev_log_number.unwrap_or(self.prev_log_number);
        self.min_log_to_keep = edit.min_log_to_keep.unwrap_or(0).max(self.min_log_to_keep);
        self.identity = edit.identity.or_else(|| self.identity.take());
        Ok(())
    }

    fn add_logs(&mut self, logs: &[(u64, Option<u64>)]) -> Result<(), String> {
        for (number, synced) in logs.iter().filter(|(number, _)| *number >= self.logs_before) {
            match self.logs.get_mut(number) {
                None => _ = self.logs.insert(*number, *synced),
                Some(_) if synced.is_none() => return Err(format!("log {number} is added twice")),
                Some(known) => *known = (*known).max(*synced),
            }
        }
        Ok(())
    }
}

impl Family {
    /// Applies what an edit says of files, in the order in which RocksDB does.
    fn apply(
        &mut self,
        deleted: Vec<(u32, u64)>,
        added: Vec<(u64, Table)>,
        blobs: Vec<(u64, Blob)>,
        garbage: &[(u64, u64, u64)],
        engine: Engine,
    ) -> Result<(), String> {
        for (number, blob) in blobs {
            if self.blobs.insert(number, blob).is_some() {
                return Err(format!("blob file {number} is added twice"));
            }
        }
        for (number, count, bytes) in garbage {
            let blob = self.blobs.get_mut(number);
            let blob = blob.ok_or_else(|| format!("blob file {number} has garbage, but it is not there"))?;
            blob.garbage_count = blob.garbage_count.saturating_add(*count);
            blob.garbage_bytes = blob.garbage_bytes.saturating_add(*bytes);
            if blob.garbage_count > blob.count || blob.garbage_bytes > blob.bytes {
                return Err(format!("blob file {number} has more garbage than values"));
            }
        }
        let strict = engine == Engine::RocksDb;
        for (level, number) in deleted {
            match self.tables.get(&number) {
                Some(table) if table.level == level => _ = self.tables.remove(&number),
                _ if strict => return Err(format!("table {number} is not on level {level}, from which it is removed")),
                _ => {}
            }
        }
        for (number, table) in added {
            if self.tables.insert(number, table).is_some() && strict {
                return Err(format!("table {number} is added twice"));
            }
        }
        Ok(())
    }
}
