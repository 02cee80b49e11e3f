//! `Catalogue`: the indices of a set as they were at one time, and the set as they show it: nobody changes it while it
//! is copied.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;
use highwater_core::part::{Index, Part, Parts};

use super::history::alike;
use super::work::Work;
use super::{Stop, copied};
use crate::disk::like::Like;
use crate::disk::{Disk, What};
use crate::drive::buffer;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Identity, Kept, Object, Store};
use crate::watch::Watch;

/// How often an index is read anew that is written while it is read.
const LOOKS: usize = 4;

/// An index of the source.
pub(super) struct Item {
    /// What it is.
    pub(super) index: Index,
    /// Where it can be read.
    pub(super) copy: Copy,
    /// What the source kept of it then.
    pub(super) kept: Kept,
    /// The replica has it, or more of it.
    pub(super) stays: bool,
}

/// Where an index can be read as it was.
pub(super) enum Copy {
    /// The replica has it already, under its name.
    There,
    /// In the work folder, under this name.
    New(Name),
    /// Only where it came from: nothing is written.
    Far,
}

/// The indices, and the rest of the source.
pub(super) struct Catalogue<'a> {
    pub(super) from: &'a dyn Store,
    pub(super) to: &'a dyn Disk,
    pub(super) parts: Parts,
    pub(super) items: BTreeMap<Name, Item>,
    /// What was in the folders that were listed.
    listed: BTreeMap<Option<Name>, Vec<Entry>>,
}

/// Takes a folder and what is in it.
type Each<'a> = &'a mut dyn FnMut(Option<&Name>, &[Entry]) -> Result<(), Error>;

/// Lists the folders of a set in which indices lie, and hands their entries to `each`, one folder after another.
///
/// # Errors
/// One that cannot be listed.
pub(super) fn walk(store: &dyn Store, parts: Parts, each: Each<'_>) -> Result<(), Error> {
    let mut open = vec![None];
    while let Some(folder) = open.pop() {
        let folder: Option<Name> = folder;
        let mut entries: Vec<Entry> = Vec::new();
        let listed = store.list(folder.as_ref(), &mut |entry| entries.push(entry));
        match listed {
            // It was there when the folder around it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_some() => {}
            listed => listed.map_err(Error::of_folder("list", store, folder.as_ref()))?,
        }
        for entry in entries.iter().filter(|entry| entry.kind == Kind::Folder) {
            let name = below(folder.as_ref(), &entry.name)?;
            if parts(&name, true) == Part::Folder {
                open.push(Some(name));
            }
        }
        each(folder.as_ref(), &entries)?;
    }
    Ok(())
}

/// What bears the name of an index and cannot be read as one: a point is named there that would be left out.
fn no_index(from: &dyn Store, name: &Name, kind: Kind) -> Error {
    let path = quoted(&from.told(Some(name)));
    let what = match kind {
        Kind::Link => "is a link that leads out of the set, which --follow-links allows, or in a circle",
        Kind::Folder => "is a folder, where an index should be: look what it is, and move it away",
        Kind::File | Kind::Other => "is no file, or a link that leads nowhere: look what it is, and move it away",
    };
    Error::failed(format!("{path} {what}; nothing was copied"))
}

/// A name in a folder.
pub(super) fn below(folder: Option<&Name>, last: &Name) -> Result<Name, Error> {
    Ok(folder.map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()))?)
}

impl<'a> Catalogue<'a> {
    /// Lists the source, and copies each index that the replica does not have; with `true`, also those that it seems to
    /// have. Without a work folder, nothing is copied.
    ///
    /// # Errors
    /// One that cannot be read or written, or the source changes.
    pub(super) fn freeze(
        (from, to, parts): (&'a dyn Store, &'a dyn Disk, Parts),
        (work, check): (Option<&Work<'_>>, bool),
        watch: &Watch<'_>,
    ) -> Result<Self, Stop> {
        let mut frozen = Self { from, to, parts, items: BTreeMap::new(), listed: BTreeMap::new() };
        let mut found: Vec<(Name, Index)> = Vec::new();
        let mut removal = None;
        walk(from, parts, &mut |folder, entries| {
            for entry in entries {
                let name = below(folder, &entry.name)?;
                match parts(&name, false) {
                    Part::Index(_) if entry.kind != Kind::File => return Err(no_index(from, &name, entry.kind)),
                    Part::Index(index) => found.push((name, index)),
                    Part::Removal => removal = Some(name),
                    Part::Folder | Part::Object(_) | Part::Not => {}
                }
            }
            frozen.listed.insert(folder.cloned(), entries.to_vec());
            watch.go_on()
        })?;
        if let Some(note) = removal {
            let path = quoted(&from.told(Some(&note)));
            return Err(Stop::Moved(format!("{path} says that points are being removed there")));
        }
        for (name, index) in found {
            watch.go_on()?;
            let (copy, kept) = frozen.freeze_one(&name, work, check)?;
            frozen.items.insert(name, Item { index, copy, kept, stays: false });
        }
        // Those that may change are to be of one time.
        for (name, Item { index, copy, .. }) in &frozen.items {
            if let (true, Copy::New(work)) = (index.whole, copy) {
                let same = || Ok::<_, io::Error>(from.open(name)?.length()? == to.open(work)?.length()?);
                if !is_there(same()).map_err(Error::at("read", from, name))?.unwrap_or(false) {
                    return Err(Stop::Moved(format!("'{name}' was written while it was copied")));
                }
            }
        }
        Ok(frozen)
    }

    /// Copies an index, unless the replica has it: one of the same length and time, if nothing is to be checked. With
    /// it comes what the source keeps of it, which a replica in a bucket does not.
    fn freeze_one(&self, name: &Name, work: Option<&Work<'_>>, check: bool) -> Result<(Copy, Kept), Stop> {
        let (from, to) = (self.from, self.to);
        for _ in 0..LOOKS {
            let looked = || {
                let object = from.open(name)?;
                let (length, kept) = (object.length()?, object.kept()?);
                Ok::<_, io::Error>((object, length, kept))
            };
            let Some((object, length, kept)) = is_there(looked()).map_err(Error::at("read", from, name))? else {
                return Err(Stop::Moved(format!("'{name}' was removed when it was to be copied")));
            };
            let there = to.look(Some(name)).map_err(Error::at("look at", to, name))?;
            let is_same = there.filter(|_| !check).is_some_and(|look| {
                look.what == What::File && look.length == length && kept.modified == Some(look.modified)
            });
            if is_same {
                return Ok((Copy::There, kept));
            }
            let Some(work) = work else { return Ok((Copy::Far, kept)) };
            let write = Error::at("write", to, name);
            let new = work.name().map_err(Error::at("write", to, name))?;
            let file = to.create(&new).map_err(write)?;
            let (mut at, mut failed) = (0, None);
            let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
                failed = file.write_at(at, piece).err();
                at += piece.len() as u64;
                failed.is_none()
            });
            if let Some(error) = failed {
                return Err(Error::at("write", to, name)(error).into());
            }
            read.map_err(Error::at("read", from, name))?;
            // What was written meanwhile may have been read in part.
            let after = || from.open(name).and_then(|object| Ok((object.length()?, object.kept()?)));
            if at == length && is_there(after()).map_err(Error::at("read", from, name))? == Some((length, kept)) {
                let like = self.like(kept.mode)?;
                copied(&*file, &like, kept).map_err(Error::at("write", to, name))?;
                return Ok((Copy::New(new), kept));
            }
            to.remove(&new).map_err(Error::at("remove", to, &new))?;
        }
        Err(Stop::Moved(format!("'{name}' is being written all the time")))
    }

    /// What a file of these permissions is to be like in the replica.
    pub(super) fn like(&self, mode: Option<u32>) -> Result<Like, Error> {
        let to = self.to;
        let look = to.look(None).and_then(|look| look.ok_or_else(|| io::ErrorKind::NotFound.into()));
        let like = Like::new_in(&look.map_err(Error::of_folder("look at", to, None))?);
        Ok(mode.map_or(like, |mode| like.with_mode(mode & 0o777)))
    }

    /// Whether indices that were there are not any more, or others: then what one of them names may be gone.
    ///
    /// # Errors
    /// One that cannot be looked at.
    pub(super) fn has_moved(&self) -> Result<bool, Error> {
        for (name, item) in self.items.iter().filter(|(_, item)| !matches!(item.copy, Copy::Far)) {
            let now = is_there(self.from.open(name)).map_err(Error::at("look at", self.from, name))?;
            let Some(now) = now else { return Ok(true) };
            let is_same = || {
                let frozen = self.open(name)?;
                Ok(now.length()? == frozen.length()?
                    && now.kept()?.modified == item.kept.modified
                    && (!item.index.whole || alike(&*now, &*frozen)? == frozen.length()?))
            };
            if !is_same().map_err(Error::at("compare", self.from, name))? {
                return Ok(true);
            }
        }
        let mut removal = false;
        walk(self.from, self.parts, &mut |folder, entries| {
            for entry in entries {
                removal |= (self.parts)(&below(folder, &entry.name)?, false) == Part::Removal;
            }
            Ok(())
        })?;
        Ok(removal)
    }
}

/// Something that may not be there.
fn is_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

impl Store for Catalogue<'_> {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.from.told(name)
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        match self.listed.get(&folder.cloned()) {
            Some(entries) => entries.iter().cloned().for_each(each),
            None => self.from.list(folder, each)?,
        }
        Ok(())
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        match self.items.get(name).map(|item| &item.copy) {
            Some(Copy::There) => self.to.open(name),
            Some(Copy::New(work)) => self.to.open(work),
            Some(Copy::Far) => self.from.open(name),
            // One that came since is not looked at.
            None if matches!((self.parts)(name, false), Part::Index(_)) => Err(io::ErrorKind::NotFound.into()),
            None => self.from.open(name),
        }
    }

    /// Of an index, that of the one that is there now.
    fn length(&self, name: &Name) -> io::Result<u64> {
        self.from.length(name)
    }

    fn place(&self, name: &Name) -> u64 {
        self.from.place(name)
    }

    fn is_locked(&self, name: &Name) -> bool {
        self.from.is_locked(name)
    }

    fn identity(&self, folder: Option<&Name>) -> Option<Identity> {
        self.from.identity(folder)
    }

    fn ways(&self) -> Option<usize> {
        self.from.ways()
    }

    fn as_any(&self) -> Option<&dyn Any> {
        None
    }
}
