//! `Present`: which objects are there, by one listing of each folder instead of a look at each object.
//!
//! A store of millions of chunks has them in 65,536 folders, and on a disk whose cache is cold each look is a seek of its own: that
//! made such checks so slow elsewhere that they were taken out again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use highwater_core::inspect::Kind;
use highwater_core::name::Name;

use super::path_of;
use crate::store::Store;

/// The plain files of the folders that were asked about.
#[derive(Default)]
pub(super) struct Present {
    folders: Mutex<HashMap<PathBuf, Arc<OnceLock<Vec<u64>>>>>,
    /// Names are kept as hashes, sorted: eight bytes for each. Nobody can make two alike, as the keys are random.
    keys: RandomState,
}

impl Present {
    /// Whether the listing of its folder shows this object as a plain file. That it does not says nothing: a look at the object itself
    /// tells why.
    pub(super) fn shows(&self, store: &dyn Store, root: &Path, object: &Name) -> bool {
        let path = path_of(root, object);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
        let known = {
            let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
            match folders.get(folder) {
                Some(known) => Arc::clone(known),
                None => Arc::clone(folders.entry(folder.to_owned()).or_default()),
            }
        };
        // Whoever comes first lists it; others who ask for the same folder wait.
        let names = known.get_or_init(|| self.listed(store, folder));
        names.binary_search(&self.keys.hash_one(name.as_encoded_bytes())).is_ok()
    }

    /// The plain files of a folder; what of it cannot be listed is not there.
    fn listed(&self, store: &dyn Store, folder: &Path) -> Vec<u64> {
        let mut names = Vec::new();
        let listed = store.list(folder, &mut |entry| {
            names.extend((entry.kind == Kind::File).then(|| self.keys.hash_one(entry.name.as_bytes())));
        });
        if listed.is_err() {
            names.clear();
        }
        names.sort_unstable();
        names.shrink_to_fit();
        names
    }
}
