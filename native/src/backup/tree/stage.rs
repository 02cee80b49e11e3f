//! `Stage`: the hidden folder of a set in which objects lie until they are durable. Nobody else may enter it.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use highwater_core::name::Name;

use crate::disk::{self, Disk, FolderDraft, Writable};
use crate::error::Error;
use crate::watch::Watch;

/// What it is called, before the digits.
const STAGE: &[u8] = b".highwater-objects";

/// The folder. When it is dropped, it goes with all that is in it.
pub(super) struct Stage<'a> {
    _folder: Mutex<FolderDraft<'a>>,
    /// What it is called.
    pub(super) work: Name,
    /// What is in it.
    pub(super) inside: Box<dyn Disk>,
    next: AtomicU64,
}

/// An object that is being written.
pub(super) struct Begun {
    pub(super) file: Box<dyn Writable>,
    /// What it is called in the stage.
    pub(super) work: Name,
}

fn beginning() -> io::Result<Name> {
    Name::new(STAGE).map_err(io::Error::other)
}

impl<'a> Stage<'a> {
    /// Makes it.
    pub(super) fn begin(to: &'a dyn Disk) -> io::Result<Self> {
        let folder = FolderDraft::marked(to, &beginning()?)?;
        let (inside, work) = (folder.inside()?, folder.work().clone());
        Ok(Self { _folder: Mutex::new(folder), work, inside, next: AtomicU64::new(0) })
    }

    /// A name that is free in it.
    pub(super) fn name(&self) -> io::Result<Name> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Name::new(format!("{number:x}").as_bytes()).map_err(io::Error::other)
    }

    /// Begins a file in it.
    pub(super) fn create(&self) -> io::Result<Begun> {
        let work = self.name()?;
        Ok(Begun { file: self.inside.create(&work)?, work })
    }
}

/// Removes what runs left that were killed.
pub(super) fn sweep(to: &dyn Disk, watch: &Watch<'_>) -> Result<(), Error> {
    let beginning = beginning().map_err(Error::of_folder("list", to, None))?;
    disk::sweep(to, &beginning, watch)
}
