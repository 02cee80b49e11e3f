//! `Area`: the folder of a mirror, held by this process alone, or with others that fetch; and what lies in its hidden
//! part.

use std::io;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use highwater_core::foreign::is_foreign;
use highwater_core::formats::mirror::applied::{self, Applied};
use highwater_core::formats::mirror::names;
use highwater_core::name::{Name, TEMPORARY};

use super::journal::{begun, way_lock};
use super::place::FOLDER;
use crate::disk::like::Like;
use crate::disk::{self, Disk, Held, What, Writable};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::store::Locks;
use crate::watch::Watch;

/// Where what lay in the way of a file is kept.
pub(super) const FOUND: &str = ".highwater-mirror/found";

/// By which file a mirror is known that s3invsync made.
pub(super) const BEFORE: &str = ".s3invsync.state.json";

/// How often it is looked whether another lets go of what it holds.
pub(super) const LOOK: Duration = Duration::from_millis(50);

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
    /// Other processes fetch into it at the same time.
    pub(super) is_shared: bool,
    /// How a folder of the tree is called before it has its name.
    pub(super) work: Name,
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
        let held = alone(disk)?;
        for name in [names::INDEX, names::PLAN, names::STAGE, FOUND] {
            folder(disk, &named(name)?)?;
        }
        // What a killed run was writing is nobody's: whoever writes here holds the lock.
        for name in [names::FOLDER, names::PLAN] {
            let is_draft = |last: &[u8]| disk::is_any_draft(last, TEMPORARY);
            disk::clear(disk, Some(&named(name)?), is_draft, &Watch::silent())?;
        }
        let work = named(names::STAGE)?.join(FOLDER)?;
        Ok(Self { disk, was_empty, _held: Mutex::new(held), folders: Mutex::new(()), is_shared: false, work })
    }

    /// Takes a mirror together with others that fetch what is planned.
    ///
    /// # Errors
    /// It is none, another process has it alone, or the operating system's.
    pub(super) fn join(disk: &'a dyn Disk) -> Result<Self, Error> {
        let (top, lock) = (named(names::FOLDER)?, named(names::LOCK)?);
        if disk.look(Some(&top)).map_err(Error::at("look at", disk, &top))?.is_none() {
            let path = quoted(&disk.told(None));
            return Err(Error::cannot_start(format!("{path} is no mirror: it holds no {}", names::FOLDER)));
        }
        if disk.look(Some(&lock)).map_err(Error::at("look at", disk, &lock))?.is_none() {
            drop(lock::take(disk, names::LOCK)?);
        }
        let held = lock::hold(disk, Some(&lock), || {
            format!(
                "another run has {} alone, and plans, applies or prunes there; wait for it, and run again",
                quoted(&disk.told(None))
            )
        })?;
        let digits = u64::from_le_bytes(crate::random::bytes()?);
        let work =
            named(names::STAGE)?.join(format!("{}-{digits:016x}", String::from_utf8_lossy(FOLDER)).as_bytes())?;
        let (held, folders) = (Mutex::new(held), Mutex::new(()));
        Ok(Self { disk, was_empty: false, _held: held, folders, is_shared: true, work })
    }

    /// Takes what several processes of those that fetch may want; none, where another has it, or where there is but
    /// this process and nothing to take.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn claim(&self, name: &Name) -> Result<Option<Held>, Error> {
        let text = format!("pid {}\n", std::process::id());
        self.disk.lock(name, &text).map_err(|error| lock::cannot(self.disk, Some(name), "take the lock file", &error))
    }

    /// Sees to it that no other process moves anything out of the way, until the value is dropped.
    ///
    /// # Errors
    /// The operating system's; the user.
    pub(super) fn way(&self, watch: &Watch<'_>) -> Result<Option<Held>, Error> {
        if !self.is_shared {
            return Ok(None);
        }
        let name = way_lock()?;
        loop {
            if let Some(held) = self.claim(&name)? {
                return Ok(Some(held));
            }
            watch.go_on()?;
            thread::sleep(LOOK);
        }
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

/// Takes the lock of a mirror, or says who has it: another run, or several that fetch.
fn alone(disk: &dyn Disk) -> Result<Held, Error> {
    let failed = match lock::take(disk, names::LOCK) {
        Ok(held) => return Ok(held),
        Err(error) => error,
    };
    match disk.hold(Some(&named(names::LOCK)?)) {
        Ok(Some(_)) if disk.locks() == Locks::Needed => Err(Error::cannot_start(format!(
            "segments of a plan are being fetched into {}; wait for those runs, or end them",
            quoted(&disk.told(None))
        ))),
        _ => Err(failed),
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

/// Makes a folder that may be there: it belongs to whom the one around it belongs to, and the mask of the user says
/// whom it is open to.
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
