//! `Stage`: the hidden folder of a set in which objects lie until they are durable. Nobody else may enter it.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use highwater_core::name::{Name, WORK};

use crate::disk::{self, Disk, FolderDraft, Holds, Writable};

/// What it is called, before the digits.
const STAGE: &str = "objects";

/// What the files in it are called, before their numbers.
const OBJECT: &str = "object-";

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

impl<'a> Stage<'a> {
    /// Makes it.
    pub(super) fn begin(to: &'a dyn Disk) -> io::Result<Self> {
        let beginning = Name::new([WORK, STAGE].concat().as_bytes()).map_err(io::Error::other)?;
        let folder = FolderDraft::of(to, &beginning)?;
        let (inside, work) = (folder.inside()?, folder.work().clone());
        Ok(Self { _folder: Mutex::new(folder), work, inside, next: AtomicU64::new(0) })
    }

    /// A name that is free in it.
    pub(super) fn name(&self) -> io::Result<Name> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Name::new(format!("{OBJECT}{number}").as_bytes()).map_err(io::Error::other)
    }

    /// Begins a file in it.
    pub(super) fn create(&self) -> io::Result<Begun> {
        let work = self.name()?;
        Ok(Begun { file: self.inside.create(&work)?, work })
    }
}

/// What a folder of this name holds that a run left which was killed, if it is one of ours.
pub(super) fn holds(name: &[u8]) -> Option<Holds> {
    if disk::is_made(name) {
        return Some(Holds::NOTHING);
    }
    let rest = name.strip_prefix(WORK.as_bytes())?.strip_prefix(STAGE.as_bytes())?;
    rest.starts_with(b".").then_some(Holds { file: is_object, ..Holds::NOTHING })
}

fn is_object(name: &[u8]) -> bool {
    name.strip_prefix(OBJECT.as_bytes()).is_some_and(|number| number.iter().all(u8::is_ascii_digit))
}
