//! `WorkFolder`: a folder that never gets a name of its own, and goes with whoever made it.

use std::io;
use std::sync::Arc;

use highwater_core::name::Name;

use super::{Disk, FolderDraft, Inode, remove_tree};
use crate::error::Error;
use crate::store::Identity;

/// A marked work folder, which nobody else may enter. It is removed when this is dropped; a later run
/// [sweeps](super::sweep) what was left by one that was killed.
pub struct WorkFolder {
    disk: Arc<dyn Disk>,
    work: Name,
    identity: Identity,
    /// While it is held, nobody takes it for a leftover.
    _held: Arc<dyn Inode>,
    is_gone: bool,
}

impl WorkFolder {
    /// Begins one that is called `beginning` and digits.
    ///
    /// # Errors
    /// The operating system's.
    pub fn of(disk: Arc<dyn Disk>, beginning: &Name) -> io::Result<Self> {
        let (work, identity, held) = FolderDraft::marked(&*disk, beginning)?.let_go();
        Ok(Self { disk, work, identity, _held: held, is_gone: false })
    }

    /// Makes a folder in it, for whatever is not to lie beside its mark.
    ///
    /// # Errors
    /// The operating system's, or somebody else put another folder in its place.
    pub fn folder(&self, last: &[u8]) -> io::Result<(Box<dyn Inode>, Arc<dyn Disk>)> {
        let name = Name::new(last).map_err(io::Error::other)?;
        let work = self.disk.beneath(&self.work)?;
        if work.look(None)?.is_none_or(|look| look.identity != self.identity) {
            return Err(io::Error::other("somebody else put another folder in its place"));
        }
        Ok((work.make_folder(&name)?, Arc::from(work.beneath(&name)?)))
    }

    /// Removes it, with all that is in it.
    ///
    /// # Errors
    /// The operating system's, or somebody else put another folder in its place.
    pub fn remove(mut self) -> Result<(), Error> {
        self.is_gone = true;
        remove_tree(&*self.disk, &self.work, self.identity).map_err(Error::at("remove", &*self.disk, &self.work))
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if !self.is_gone {
            // What cannot be removed now, a later run removes.
            _ = remove_tree(&*self.disk, &self.work, self.identity);
        }
    }
}
