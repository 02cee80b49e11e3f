//! `Below`: a folder of a source as a root of its own, in which names of the source are known, too.

use std::io;
use std::path::PathBuf;

use highwater_core::inspect::Entry;
use highwater_core::name::Name;

use crate::store::{Identity, Object, Store};

/// The folder of another repository in a set; none for the set itself.
pub(super) struct Below<'a, S> {
    pub(super) store: &'a S,
    pub(super) folder: Option<Name>,
}

impl<S> Below<'_, S> {
    /// The name that something has in the source.
    pub(super) fn full(&self, name: &Name) -> Name {
        let Some(folder) = &self.folder else { return name.clone() };
        let is_full = name.as_bytes().strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"));
        // What is too long for a name is not there, and is not read either.
        if is_full { name.clone() } else { folder.join(name.as_bytes()).unwrap_or_else(|_| name.clone()) }
    }

    fn within(&self, folder: Option<&Name>) -> Option<Name> {
        folder.map_or_else(|| self.folder.clone(), |folder| Some(self.full(folder)))
    }
}

impl<S: Store> Store for Below<'_, S> {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.store.told(self.within(name).as_ref())
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        self.store.list(self.within(folder).as_ref(), each)
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        self.store.open(&self.full(name))
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.store.length(&self.full(name))
    }

    fn place(&self, name: &Name) -> u64 {
        self.store.place(&self.full(name))
    }

    fn is_locked(&self, name: &Name) -> bool {
        self.store.is_locked(&self.full(name))
    }

    fn identity(&self, folder: Option<&Name>) -> Option<Identity> {
        self.store.identity(self.within(folder).as_ref())
    }

    fn ways(&self) -> Option<usize> {
        self.store.ways()
    }
}
