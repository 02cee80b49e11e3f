//! `Area`: the folder of a mirror, held by this process alone, and what lies in its hidden part.

use std::io;
use std::sync::Mutex;

use highwater_core::foreign::is_foreign;
use highwater_core::formats::mirror::applied::{self, Applied};
use highwater_core::formats::mirror::names;
use highwater_core::name::{Name, TEMPORARY};

use super::journal::begun;
use crate::disk::like::Like;
use crate::disk::{self, Disk, Held, What, Writable};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::watch::Watch;

/// Where what lay in the way of a file is kept.
pub(super) const FOUND: &str = ".highwater-mirror/found";

/// By which file a mirror is known that s3invsync made.
pub(super) const BEFORE: &str = ".s3invsync.state.json";

/// When a folder that is no mirror becomes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// Never.
    Never,
    /// If it is empty, or a mirror that s3invsync made.
    InAnEmptyFolder,
    /// Whatever it holds.
    Anywhere,
}

/// A mirror.
pub(super) struct Area<'a> {
    pub(super) disk: &'a dyn Disk,
    /// It became a mirror just now, and held nothing.
    pub(super) was_empty: bool,
    /// The lock; nobody looks at it.
    _held: Mutex<Held>,
    /// Whoever makes folders in the tree does so alone.
    pub(super) folders: Mutex<()>,
}

impl<'a> Area<'a> {
    /// Takes a mirror for this process. A folder without one becomes one, as it `begins`.
    ///
    /// # Errors
    /// Another process has it, it is none, or the operating system's.
    pub(super) fn take(disk: &'a dyn Disk, begins: Begins) -> Result<Self, Error> {
        let top = named(names::FOLDER)?;
        let look = disk.look(Some(&top)).map_err(Error::at("look at", disk, &top))?;
        let mut was_empty = false;
        match look {
            None if begins == Begins::Never => {
                return Err(Error::cannot_start(format!(
                    "{} is no mirror: it holds no {}; `highwater mirror sync` makes one",
                    quoted(&disk.told(None)),
                    names::FOLDER
                )));
            }
            None => {
                was_empty = match begins {
                    Begins::InAnEmptyFolder => refuse_others(disk)?,
                    _ => false,
                };
                folder(disk, &top)?;
            }
            Some(look) if look.what != What::Folder => {
                return Err(Error::cannot_start(format!("{} is no folder", quoted(&disk.told(Some(&top))))));
            }
            // No sync has begun to change anything here: what else is there, is another's.
            Some(_) if begins == Begins::InAnEmptyFolder && is_unused(disk)? => was_empty = refuse_others(disk)?,
            Some(_) => {}
        }
        let held = lock::take(disk, names::LOCK)?;
        for name in [names::INDEX, names::PLAN, names::STAGE, FOUND] {
            folder(disk, &named(name)?)?;
        }
        // What a killed run was writing is nobody's: whoever writes here holds the lock.
        for name in [names::FOLDER, names::PLAN] {
            let is_draft = |last: &[u8]| disk::is_any_draft(last, TEMPORARY);
            disk::clear(disk, Some(&named(name)?), is_draft, &Watch::silent())?;
        }
        Ok(Self { disk, was_empty, _held: Mutex::new(held), folders: Mutex::new(()) })
    }

    /// The pointer; none where no sync came to its end.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub(super) fn applied(&self) -> Result<Option<Applied>, Error> {
        self.pointer(&named(names::APPLIED)?)
    }

    /// What a file says that is made as the pointer is.
    pub(super) fn pointer(&self, name: &Name) -> Result<Option<Applied>, Error> {
        let Some(bytes) = read(self.disk, name, applied::LONGEST)? else { return Ok(None) };
        let parsed = Applied::parse(&bytes);
        parsed.map(Some).map_err(|odd| Error::damage(format!("'{name}' at byte {}: {}", odd.at, odd.what)))
    }

    /// Puts a small file under its name, for good.
    pub(super) fn put(&self, name: &Name, bytes: &[u8]) -> Result<(), Error> {
        let folder = name.folder();
        let look = self.disk.look(folder.as_ref()).map_err(Error::of_folder("look at", self.disk, folder.as_ref()))?;
        let look = look.ok_or_else(|| Error::failed(format!("the folder of '{name}' is gone")))?;
        _ = disk::put(self.disk, name, bytes, &Like::new_in(&look), TEMPORARY, true)?;
        self.sync(folder.as_ref())
    }

    /// Removes a file that may be there.
    pub(super) fn remove(&self, name: &Name) -> Result<(), Error> {
        match self.disk.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", self.disk, name)(error)),
            _ => Ok(()),
        }
    }

    /// Makes the names in a folder durable.
    pub(super) fn sync(&self, folder: Option<&Name>) -> Result<(), Error> {
        self.disk.sync_folder(folder).map_err(Error::of_folder("sync", self.disk, folder))
    }

    /// Makes all that was written durable.
    pub(super) fn barrier(&self) -> Result<(), Error> {
        self.disk.barrier(None).map_err(Error::of_folder("sync", self.disk, None))
    }

    /// Begins a file anew that nobody but this process writes.
    pub(super) fn create(&self, name: &Name) -> Result<Box<dyn Writable>, Error> {
        let created = match self.disk.create(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.remove(name)?;
                self.disk.create(name)
            }
            created => created,
        };
        created.map_err(Error::at("create", self.disk, name))
    }

    /// The files of a folder of the hidden part.
    pub(super) fn files(&self, folder: &Name) -> Result<Vec<Name>, Error> {
        let mut files = Vec::new();
        let listed = self.disk.list(Some(folder), &mut |entry| files.push(entry.name));
        listed.map_err(Error::at("list", self.disk, folder))?;
        files.iter().map(|last| folder.join(last.as_bytes()).map_err(Error::from)).collect()
    }
}

/// Whether nothing of a mirror says that anything was ever put into the tree.
fn is_unused(disk: &dyn Disk) -> Result<bool, Error> {
    for name in [named(names::APPLIED)?, begun()?] {
        match disk.look(Some(&name)) {
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            look => return look.map(|_| false).map_err(Error::at("look at", disk, &name)),
        }
    }
    Ok(true)
}

/// Refuses a folder that holds files which nobody said are to be mixed with a bucket's. A mirror of s3invsync is none.
/// Gives whether it is empty.
fn refuse_others(disk: &dyn Disk) -> Result<bool, Error> {
    let (mut first, mut is_mirror) = (None, false);
    let listed = disk.list(None, &mut |entry| {
        is_mirror |= entry.name.as_bytes() == BEFORE.as_bytes();
        let is_ours = entry.name.as_bytes() == names::FOLDER.as_bytes();
        if !is_ours && !is_foreign(entry.name.as_bytes()) {
            first.get_or_insert(entry.name);
        }
    });
    listed.map_err(Error::of_folder("list", disk, None))?;
    match first.filter(|_| !is_mirror) {
        None => Ok(!is_mirror),
        Some(first) => Err(Error::cannot_start(format!(
            "{} is no mirror, and not empty: '{first}' is in it; name another folder, or mix a bucket into this one with \
             --take-over",
            quoted(&disk.told(None))
        ))),
    }
}

/// A name of ours.
pub(super) fn named(text: &str) -> Result<Name, Error> {
    Ok(Name::new(text.as_bytes())?)
}

/// Makes a folder that may be there: it belongs to whom the one around it belongs to, and the mask of the user says whom it
/// is open to.
pub(super) fn folder(disk: &dyn Disk, name: &Name) -> Result<(), Error> {
    let make = || -> io::Result<()> {
        let made = disk.make_folder(name)?;
        let around = disk.look(name.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?;
        _ = Like::new_in(&around).with_mode(0o777 & !crate::store::umask()).give(&*made)?;
        Ok(())
    };
    match make() {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Error::at("make", disk, name)(error)),
        _ => Ok(()),
    }
}

/// All of a short file; none if it is not there.
pub(super) fn read(disk: &dyn Disk, name: &Name, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let object = match disk.open(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(Error::at("open", disk, name))?,
    };
    let mut bytes = Vec::new();
    let read = object.for_each_piece(0, most.saturating_add(1), &mut vec![0; 4 << 10], |piece| {
        bytes.extend_from_slice(piece);
        true
    });
    read.map_err(Error::at("read", disk, name))?;
    if bytes.len() as u64 > most {
        return Err(Error::damage(format!("'{name}' is longer than {most} bytes")));
    }
    Ok(Some(bytes))
}
