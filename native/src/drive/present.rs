//! `Present`: which objects are there, by one listing of each folder instead of a look at each object.
//!
//! A store of millions of chunks has them in 65,536 folders, and on a disk whose cache is cold each look is a seek of
//! its own: that made such checks so slow elsewhere that they were taken out again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use highwater_core::inspect::Kind;
use highwater_core::name::Name;
use highwater_core::shard::Shard;

use crate::store::Store;

/// The plain files of the folders that were asked about.
pub(super) struct Present {
    /// Nothing else is asked about, so nothing else is kept.
    shard: Shard,
    folders: RwLock<HashMap<Box<[u8]>, Arc<Names>>>,
    keys: RandomState,
}

/// The names in a folder, once they were listed, as hashes, sorted: eight bytes for each. Nobody can make two alike, as
/// the keys are random.
type Names = OnceLock<Vec<u64>>;

impl Present {
    /// For objects of this part.
    pub(super) fn of(shard: Shard) -> Self {
        Self { shard, folders: RwLock::default(), keys: RandomState::new() }
    }

    /// Forgets what was listed: the folders may have changed.
    pub(super) fn forget(&self) {
        self.folders.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether the listing of its folder shows this object as a plain file. That it does not says nothing: a look at
    /// the object itself tells why.
    pub(super) fn shows(&self, store: &dyn Store, object: &Name) -> bool {
        let (folder, name) = parted(object.as_bytes());
        let known = self.folders.read().unwrap_or_else(PoisonError::into_inner).get(folder).cloned();
        let known = known.unwrap_or_else(|| {
            let mut folders = self.folders.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(folders.entry(folder.into()).or_default())
        });
        // Whoever comes first lists it; others who ask for the same folder wait.
        let names = known.get_or_init(|| self.listed(store, object.folder().as_ref()));
        names.binary_search(&self.keys.hash_one(name)).is_ok()
    }

    fn holds(&self, folder: Option<&Name>, name: &[u8]) -> bool {
        if !self.shard.is_part() {
            return true;
        }
        let whole = folder.map_or_else(|| Name::new(name), |folder| folder.join(name));
        whole.is_ok_and(|whole| self.shard.holds(Some(&whole)))
    }

    /// The plain files of a folder; what of it cannot be listed is not there.
    fn listed(&self, store: &dyn Store, folder: Option<&Name>) -> Vec<u64> {
        let mut names = Vec::new();
        let listed = store.list(folder, &mut |entry| {
            if entry.kind == Kind::File && self.holds(folder, entry.name.as_bytes()) {
                names.push(self.keys.hash_one(entry.name.as_bytes()));
            }
        });
        if listed.is_err() {
            names.clear();
        }
        names.sort_unstable();
        names.shrink_to_fit();
        names
    }
}

/// The folder of an object, nothing for the root, and its name there.
fn parted(object: &[u8]) -> (&[u8], &[u8]) {
    match object.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&object[..at], &object[at + 1..]),
        None => (&[], object),
    }
}
