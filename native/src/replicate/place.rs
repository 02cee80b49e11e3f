//! `Placing`: gives what is whole its name, once it is durable: many at a time, by one barrier.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;

use highwater_core::claim::Claim;
use highwater_core::name::Name;
use highwater_core::part::{Change, Part};

use super::catalogue::Catalogue;
use super::work::Work;
use crate::disk::like::Like;
use crate::disk::{self, Disk, What};
use crate::error::Error;

/// From so many objects or bytes on, what waits gets its names: a run that is killed loses no more than that.
const MANY: usize = 1024;
const MUCH: u64 = 1 << 30;

/// Objects on their way to their names.
pub(super) struct Placing<'a> {
    catalogue: &'a Catalogue<'a>,
    work: &'a Work<'a>,
    /// What they are called meanwhile, and what they are to be called.
    waiting: Vec<(Name, Name)>,
    bytes: u64,
    /// The same of those in whose place something else is: once everything else is there.
    later: Vec<(Name, Name)>,
    /// The same of those that get their names in order, by what they are to be called; and what claims them.
    in_order: BTreeMap<Name, (Name, Name)>,
    /// Folders that are there.
    folders: HashSet<Name>,
    /// Something got its name that no barrier has made durable.
    is_open: bool,
}

impl<'a> Placing<'a> {
    pub(super) fn new(catalogue: &'a Catalogue<'a>, work: &'a Work<'a>) -> Self {
        let (waiting, later, in_order, folders) = (Vec::new(), Vec::new(), BTreeMap::new(), HashSet::new());
        Self { catalogue, work, waiting, bytes: 0, later, in_order, folders, is_open: false }
    }

    /// Takes an object that lies whole in the work folder.
    ///
    /// # Errors
    /// The replica cannot be written.
    pub(super) fn add(&mut self, work: Name, claim: &Claim, length: u64) -> Result<(), Error> {
        let object = &claim.object;
        if (self.catalogue.parts)(object, false) == Part::Object(Change::Grows) {
            self.in_order.insert(object.clone(), (work, claim.index.clone()));
            return Ok(());
        }
        self.waiting.push((work, object.clone()));
        self.bytes = self.bytes.saturating_add(length);
        let (much, many) = self.catalogue.to.waits();
        let is_much = self.waiting.len() >= MANY.min(many) || self.bytes >= MUCH.min(much);
        if is_much { self.flush() } else { Ok(()) }
    }

    /// Gives what waits its names.
    ///
    /// # Errors
    /// The replica cannot be written.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.barrier()?;
        self.bytes = 0;
        let mut now = Vec::new();
        for (work, object) in std::mem::take(&mut self.waiting) {
            let changes = (self.catalogue.parts)(&object, false) == Part::Object(Change::Any);
            let to = self.catalogue.to;
            let is_taken = || match to.look(Some(&object)) {
                // A file has the name of its folder.
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(true),
                there => there.map(|there| there.is_some()),
            };
            if changes && is_taken().map_err(Error::at("look at", to, &object))? {
                self.later.push((work, object));
            } else {
                if let Some(folder) = object.folder() {
                    self.folder(&folder)?;
                }
                now.push((work, object));
            }
        }
        self.is_open = true;
        let disk = self.catalogue.to;
        disk::each(disk, &now, |(work, object)| {
            disk.rename(work, object).map_err(Error::at("put in place", disk, object))
        })
    }

    /// Gives what waits its names; those that go on where others end in their order, each for good before the next,
    /// but for what an index claims that is not published.
    ///
    /// # Errors
    /// The replica cannot be written.
    pub(super) fn settle(&mut self, bad: &BTreeSet<Name>) -> Result<(), Error> {
        self.flush()?;
        let in_order = std::mem::take(&mut self.in_order);
        if !in_order.is_empty() {
            self.barrier()?;
        }
        let to = self.catalogue.to;
        for (object, (work, _)) in in_order.into_iter().filter(|(_, (_, index))| !bad.contains(index)) {
            self.put(&work, &object)?;
            let folder = object.folder();
            to.sync_folder(folder.as_ref()).map_err(Error::of_folder("sync", to, folder.as_ref()))?;
        }
        Ok(())
    }

    /// Gives those their names in whose place something else is, now that all others are there for good.
    ///
    /// # Errors
    /// The replica cannot be written.
    pub(super) fn replace(&mut self) -> Result<(), Error> {
        for (work, object) in std::mem::take(&mut self.later) {
            self.put(&work, &object)?;
        }
        Ok(())
    }

    /// Gives a file its name, in a folder that may have to be made.
    ///
    /// # Errors
    /// The replica cannot be written.
    pub(super) fn put(&mut self, work: &Name, to: &Name) -> Result<(), Error> {
        if let Some(folder) = to.folder() {
            self.folder(&folder)?;
        }
        let disk = self.catalogue.to;
        self.is_open = true;
        disk.rename(work, to).map_err(Error::at("put in place", disk, to))
    }

    /// Makes a folder, with those around it.
    ///
    /// # Errors
    /// The replica cannot be written, or a file has the name.
    pub(super) fn folder(&mut self, folder: &Name) -> Result<(), Error> {
        if self.folders.contains(folder) {
            return Ok(());
        }
        let disk = self.catalogue.to;
        if let Some(around) = folder.folder() {
            self.folder(&around)?;
        }
        self.is_open |= make_folder(disk, folder, &|| self.work.name())?;
        self.folders.insert(folder.clone());
        Ok(())
    }

    /// Makes everything durable that was written, before anything comes that speaks of it.
    ///
    /// # Errors
    /// The replica cannot be synced.
    pub(super) fn barrier(&mut self) -> Result<(), Error> {
        let to = self.catalogue.to;
        to.barrier(None).map_err(Error::of_folder("sync", to, None))?;
        self.is_open = false;
        Ok(())
    }

    /// The same, where something was given a name since.
    ///
    /// # Errors
    /// As [`Placing::barrier`].
    pub(super) fn close(&mut self) -> Result<(), Error> {
        if self.is_open { self.barrier() } else { Ok(()) }
    }
}

/// Makes a folder like the one around it, if it is not there; `work` names it until it is.
///
/// # Errors
/// It cannot be made, or a file has the name.
pub(super) fn make_folder(disk: &dyn Disk, folder: &Name, work: &dyn Fn() -> io::Result<Name>) -> Result<bool, Error> {
    let make = || {
        match disk.look(Some(folder))?.map(|look| look.what) {
            Some(What::Folder) => return Ok(false),
            Some(_) => return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is there, and is no folder")),
            None => {}
        }
        let around = disk.look(folder.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?;
        let work = work()?;
        let made = disk.make_folder(&work)?;
        _ = Like::of(&around).give(&*made)?;
        match disk.rename_new(&work, folder) {
            // A server may have been quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => disk.remove_folder(&work)?,
            renamed => renamed?,
        }
        Ok(true)
    };
    make().map_err(Error::at("make the folder", disk, folder))
}
