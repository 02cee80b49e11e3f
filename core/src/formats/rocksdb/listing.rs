//! `Listing`: which files of a store are there.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::names::{self, Ending, File};
use crate::inspect::Entry;
use crate::name::Name;

/// The files of a store that a check of it looks at.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Tables, under one ending or both.
    tables: BTreeMap<u64, BTreeSet<Ending>>,
    pub(super) logs: BTreeSet<u64>,
    /// The newest OPTIONS file.
    pub(super) options: Option<u64>,
}

impl Listing {
    pub(super) fn take(&mut self, entry: &Entry) {
        let name = entry.name.as_bytes();
        match names::file(name).filter(|_| entry.kind.may_be_file()) {
            Some(File::Table(number)) => {
                let ending = if name.ends_with(b".ldb") { Ending::Ldb } else { Ending::Sst };
                self.tables.entry(number).or_default().insert(ending);
            }
            Some(File::Log(number)) => _ = self.logs.insert(number),
            Some(File::Options(number)) => self.options = self.options.max(Some(number)),
            _ => {}
        }
    }

    /// The name of a table, and whether it is there: under the engine's own ending, or the other one.
    pub(super) fn table(&self, number: u64, engine: Engine) -> Option<(Name, bool)> {
        let own = if engine == Engine::RocksDb { Ending::Sst } else { Ending::Ldb };
        let there = self.tables.get(&number);
        let has = |ending| there.is_some_and(|there| there.contains(&ending));
        let ending = if !has(own) && has(own.other()) { own.other() } else { own };
        names::table(number, ending).map(|name| (name, there.is_some()))
    }
}
