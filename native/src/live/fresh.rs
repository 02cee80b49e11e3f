//! `Fresh`: files that came while a checkpoint is made and that no head names yet, pinned as they come, so that one is
//! not lost that is named and deleted again between two looks at the heads.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use highwater_core::name::Name;

use crate::disk::Disk;

/// What came, each with a second name in a folder of its own.
pub(super) struct Fresh<'a> {
    store: &'a dyn Disk,
    staged: Mutex<Staged>,
}

#[derive(Default)]
struct Staged {
    /// The folder; none where nothing is linked.
    place: Option<Arc<dyn Disk>>,
    /// What they are called there.
    names: HashMap<Name, Name>,
    count: u64,
}

impl<'a> Fresh<'a> {
    /// Nothing is pinned until there is a [place](Fresh::go_to) for it.
    pub(super) fn new(store: &'a dyn Disk) -> Self {
        Self { store, staged: Mutex::default() }
    }

    fn staged(&self) -> MutexGuard<'_, Staged> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, what comes gets a name in this folder, which may hold other files with other names; none to stop.
    /// What was pinned so far is let go of.
    pub(super) fn go_to(&self, place: Option<Arc<dyn Disk>>) {
        let mut staged = self.staged();
        staged.forget();
        staged.place = place;
    }

    /// Pins a file that came; one of that name that came before is another, and gone. What cannot be pinned is left to
    /// whoever reads the heads.
    pub(super) fn pin(&self, name: Name) {
        let mut staged = self.staged();
        let Some(place) = staged.place.clone() else { return };
        if let Some(old) = staged.names.remove(&name) {
            _ = place.remove(&old);
        }
        let Ok(new) = Name::new(format!("fresh-{}", staged.count).as_bytes()) else { return };
        staged.count += 1;
        if place.adopt(self.store.as_store(), &name, &new).is_ok() {
            staged.names.insert(name, new);
        }
    }

    /// Hands a file over that came and is gone: what it is called in the folder, where it stays.
    pub(super) fn take(&self, name: &Name) -> Option<Name> {
        self.staged().names.remove(name)
    }

    /// Lets go of what is gone from the store: no head is going to name it any more.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn forget_gone(&self) -> io::Result<()> {
        let mut staged = self.staged();
        let Some(place) = staged.place.clone() else { return Ok(()) };
        let mut gone = Vec::new();
        for name in staged.names.keys() {
            if self.store.look(Some(name))?.is_none() {
                gone.push(name.clone());
            }
        }
        gone.iter().filter_map(|name| staged.names.remove(name)).try_for_each(|name| place.remove(&name))
    }

    /// Lets go of everything.
    pub(super) fn forget(&self) {
        self.staged().forget();
    }
}

impl Staged {
    fn forget(&mut self) {
        let names = std::mem::take(&mut self.names);
        if let Some(place) = &self.place {
            // What cannot be removed goes with the folder in the end, or keeps that from going, which is told.
            names.values().for_each(|name| _ = place.remove(name));
        }
    }
}
