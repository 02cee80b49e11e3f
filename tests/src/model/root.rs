//! `Root`: a folder of the model disk, as writers and readers see it.

use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::file::{Change, File, Meta};
use super::names::NameChange;
use super::{Model, State};
use highwater::disk::{Disk, Held, Inode, Look, Owner, Time, What, Writable};
use highwater::store::{Identity, Kept, Object, Store};

/// What nobody but its owner may read, and what nobody else may enter.
const PRIVATE: u32 = 0o600;
const PRIVATE_FOLDER: u32 = 0o700;

/// A folder of the disk.
#[derive(Debug, Clone)]
pub struct Root {
    model: Model,
    at: PathBuf,
}

impl Root {
    pub(super) fn new(model: Model, at: PathBuf) -> Self {
        Self { model, at }
    }

    /// A folder of it. The model knows it by its path, so that it must not be renamed.
    #[must_use]
    pub fn below(&self, folder: &Name) -> Self {
        Self { model: self.model.clone(), at: self.path(folder) }
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.at.join(OsStr::from_bytes(name.as_bytes()))
    }

    fn folder(&self, name: Option<&Name>) -> PathBuf {
        name.map_or_else(|| self.at.clone(), |name| self.path(name))
    }

    /// Opens a file that is there.
    fn open_there(&self, name: &Name) -> io::Result<Open> {
        let path = self.path(name);
        let state = self.model.state();
        let number = state.number(&path)?;
        if state.folders.contains(&number) || state.links.contains(&number) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
        }
        drop(state);
        Ok(Open { model: self.model.clone(), path, number })
    }

    fn link_path(&self, file: &Path, name: &Name) -> io::Result<()> {
        let path = self.path(name);
        let mut state = self.model.state();
        let number = state.number(file)?;
        if state.names.contains_key(&path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if state.operate("link", &path)? {
            state.change(NameChange::Link(path, number));
        }
        Ok(())
    }

    fn lock_path(&self, path: PathBuf) -> Option<Held> {
        let free = self.model.state().locked.insert(path.clone());
        free.then(|| Box::new(Locked { model: self.model.clone(), path }) as Held)
    }

    /// Makes a file or a folder.
    fn make(&self, verb: &'static str, name: &Name, mode: u32) -> io::Result<Open> {
        let path = self.path(name);
        let mut state = self.model.state();
        // What was not created cannot be written, so that this one is never skipped.
        state.operate(verb, &path)?;
        if state.names.contains_key(&path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.files.len();
        // The owner and the permissions that it is made with are durable with its name.
        state.files.push(File::new(Vec::new(), Meta { owner: Owner { user: 0, group: 0 }, mode, modified: (0, 0) }));
        state.change(NameChange::Link(path.clone(), number));
        drop(state);
        Ok(Open { model: self.model.clone(), path, number })
    }
}

impl Store for Root {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.folder(name)
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        let folder = self.folder(folder);
        let mut state = self.model.state();
        state.read()?;
        let mut found = BTreeMap::new();
        for (path, number) in &state.names {
            let Ok(rest) = path.strip_prefix(&folder) else { continue };
            let mut parts = rest.components();
            let Some(first) = parts.next() else { continue };
            let is_folder = parts.next().is_some() || state.folders.contains(number);
            let is_link = !is_folder && state.links.contains(number);
            let length = state.files.get(*number).map(|file| file.bytes.len() as u64);
            let kind = match is_link {
                true => Kind::Link,
                false if is_folder => Kind::Folder,
                false => Kind::File,
            };
            found.insert(first.as_os_str(), (kind, length.filter(|_| kind == Kind::File)));
        }
        let is_there = state.names.get(&folder).is_some_and(|number| state.folders.contains(number));
        if found.is_empty() && !is_there && folder != self.folder(None) {
            return Err(io::ErrorKind::NotFound.into());
        }
        for (name, (kind, length)) in found {
            if let Ok(name) = Name::new(name.as_encoded_bytes()) {
                each(Entry { name, kind, length });
            }
        }
        Ok(())
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        self.model.state().read()?;
        Ok(Box::new(self.open_there(name)?))
    }

    fn is_locked(&self, name: &Name) -> bool {
        self.model.state().locked.contains(&self.path(name))
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }

    fn around(&self) -> io::Result<Vec<Identity>> {
        // A folder that only lies on the way to files has no number; its path tells it from every other.
        let number = |path: &Path| {
            path.as_os_str().as_bytes().iter().fold(5381, |sum: u64, byte| sum.wrapping_mul(33) ^ u64::from(*byte))
        };
        Ok(self.at.ancestors().map(|path| (1, number(path))).collect())
    }
}

impl Disk for Root {
    fn as_store(&self) -> &dyn Store {
        self
    }

    fn beneath(&self, folder: &Name) -> io::Result<Box<dyn Disk>> {
        match self.look(Some(folder))? {
            Some(look) if look.what == What::Folder => Ok(Box::new(self.below(folder))),
            Some(_) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn create(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        Ok(Box::new(self.make("create", name, PRIVATE)?))
    }

    fn open_for_writing(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        Ok(Box::new(self.open_there(name)?))
    }

    fn open_to_hold(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        Ok(Box::new(self.open_there(name)?))
    }

    fn rename(&self, from: &Name, to: &Name) -> io::Result<()> {
        let (from, to) = (self.path(from), self.path(to));
        let mut state = self.model.state();
        let number = state.number(&from)?;
        if state.operate("rename to", &to)? {
            if state.folders.contains(&number) {
                state.made.insert(to.clone());
                state.change(NameChange::RenameFolder(from, to));
            } else {
                state.change(NameChange::Rename(from, to, number));
            }
        }
        Ok(())
    }

    fn rename_new(&self, from: &Name, to: &Name) -> io::Result<()> {
        if self.model.state().names.contains_key(&self.path(to)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.rename(from, to)
    }

    fn exchange(&self, one: &Name, other: &Name) -> io::Result<()> {
        let (one, other) = (self.path(one), self.path(other));
        let mut state = self.model.state();
        let numbers = [state.number(&one)?, state.number(&other)?];
        assert!(numbers.iter().all(|number| state.folders.contains(number)), "only folders are exchanged here");
        if state.operate("exchange", &other)? {
            state.change(NameChange::Exchange(one, other));
        }
        Ok(())
    }

    fn link(&self, file: &Name, name: &Name) -> io::Result<()> {
        self.link_path(&self.path(file), name)
    }

    fn adopt(&self, from: &dyn Store, file: &Name, name: &Name) -> io::Result<()> {
        let from = from.as_any().and_then(<dyn Any>::downcast_ref::<Self>).ok_or(io::ErrorKind::Unsupported)?;
        self.link_path(&from.path(file), name)
    }

    fn make_link(&self, name: &Name, text: &[u8]) -> io::Result<()> {
        let Open { number, .. } = self.make("make link", name, 0o777)?;
        let mut state = self.model.state();
        state.links.insert(number);
        if let Some(file) = state.files.get_mut(number) {
            // Its text is durable with its name.
            *file = File::new(text.to_vec(), file.meta);
        }
        Ok(())
    }

    fn set_link(&self, name: &Name, owner: Option<Owner>, modified: Option<Time>) -> io::Result<()> {
        let path = self.path(name);
        let number = self.model.state().number(&path)?;
        let link = Open { model: self.model.clone(), path, number };
        owner.map_or(Ok(()), |owner| link.set_owner(Some(owner.user), Some(owner.group)))?;
        modified.map_or(Ok(()), |modified| link.set_modified(modified))
    }

    fn leads_to(&self, name: &Name) -> Option<PathBuf> {
        let state = self.model.state();
        let number = state.number(&self.path(name)).ok().filter(|number| state.links.contains(number))?;
        state.files.get(number).map(|file| PathBuf::from(OsStr::from_bytes(&file.bytes)))
    }

    fn open_folder(&self, name: &Name) -> io::Result<Box<dyn Inode>> {
        let path = self.path(name);
        let state = self.model.state();
        let number = state.number(&path)?;
        if !state.folders.contains(&number) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        drop(state);
        Ok(Box::new(Open { model: self.model.clone(), path, number }))
    }

    fn sync_folder(&self, folder: Option<&Name>) -> io::Result<()> {
        let folder = self.folder(folder);
        let mut state = self.model.state();
        if !state.operate("sync folder", &folder)? {
            return Ok(());
        }
        let (these, others) =
            std::mem::take(&mut state.pending).into_iter().partition(|c| c.folder() == Some(&*folder));
        state.pending = others;
        let these: Vec<NameChange> = these;
        these.iter().for_each(|change| change.apply(&mut state.durable));
        Ok(())
    }

    fn barrier(&self, _: Option<&Name>) -> io::Result<()> {
        let mut state = self.model.state();
        if state.operate("sync all", &self.at)? {
            state.durable = state.names.clone();
            state.pending.clear();
            state.files.iter_mut().for_each(File::sync);
        }
        Ok(())
    }

    fn remove(&self, name: &Name) -> io::Result<()> {
        let path = self.path(name);
        let mut state = self.model.state();
        state.number(&path)?;
        if state.operate("remove", &path)? {
            state.change(NameChange::Unlink(path));
        }
        Ok(())
    }

    fn look(&self, name: Option<&Name>) -> io::Result<Option<Look>> {
        let path = self.folder(name);
        let state = self.model.state();
        match state.names.get(&path) {
            Some(number) => Ok(Some(state.look(*number))),
            // A folder that nobody put is there all the same when something lies in it, or when it is the root.
            None if name.is_none() || state.names.keys().any(|there| there.starts_with(&path)) => {
                let Meta { owner, mode, modified } = super::FOLDER;
                Ok(Some(Look {
                    what: What::Folder,
                    identity: (0, u64::MAX),
                    names: 2,
                    length: 0,
                    stored: 0,
                    owner,
                    mode,
                    modified,
                    changed: (0, 0),
                }))
            }
            None => Ok(None),
        }
    }

    fn make_folder(&self, name: &Name) -> io::Result<Box<dyn Inode>> {
        let folder = self.make("make folder", name, PRIVATE_FOLDER)?;
        let mut state = self.model.state();
        state.folders.insert(folder.number);
        state.made.insert(folder.path.clone());
        drop(state);
        Ok(Box::new(folder))
    }

    fn remove_folder(&self, name: &Name) -> io::Result<()> {
        let path = self.path(name);
        let mut state = self.model.state();
        state.number(&path)?;
        if state.names.keys().any(|name| *name != path && name.starts_with(&path)) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        if state.operate("remove folder", &path)? {
            state.change(NameChange::Unlink(path));
        }
        Ok(())
    }

    fn lock(&self, name: &Name, _: &str) -> io::Result<Option<Held>> {
        Ok(self.lock_path(self.path(name)))
    }

    fn hold(&self, name: Option<&Name>) -> io::Result<Option<Held>> {
        let path = self.folder(name);
        let state = self.model.state();
        let is_folder = state.names.get(&path).is_none_or(|number| state.folders.contains(number));
        drop(state);
        // A file is held together with others.
        if is_folder { Ok(self.lock_path(path)) } else { Ok(Some(Box::new(()))) }
    }

    fn touch(&self, name: &Name) -> io::Result<u64> {
        self.length(name)
    }

    fn user(&self) -> u32 {
        0
    }
}

impl State {
    fn look(&self, number: usize) -> Look {
        let what = match self.folders.contains(&number) {
            true => What::Folder,
            false if self.links.contains(&number) => What::Link,
            false => What::File,
        };
        let Meta { owner, mode, modified } = self.files.get(number).map_or(super::PLAIN, |file| file.meta);
        let length = self.files.get(number).map_or(0, |file| file.bytes.len() as u64);
        let names = self.names.values().filter(|named| **named == number).count() as u64;
        let changed = (0, self.files.get(number).map_or(0, |file| file.changes));
        Look { what, identity: (0, number as u64), names, length, stored: length, owner, mode, modified, changed }
    }
}

/// A held lock. A disk that survived a cut has none: they end with the processes.
struct Locked {
    model: Model,
    path: PathBuf,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.model.state().locked.remove(&self.path);
    }
}

/// An open file or folder of the model.
struct Open {
    model: Model,
    path: PathBuf,
    number: usize,
}

impl Open {
    fn with<T>(&self, state: &mut State, work: impl FnOnce(&mut File) -> T) -> io::Result<T> {
        state.files.get_mut(self.number).map(work).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&self, verb: &'static str, change: Change) -> io::Result<()> {
        let mut state = self.model.state();
        if state.operate(verb, &self.path)? { self.with(&mut state, |file| file.change(change)) } else { Ok(()) }
    }
}

impl Object for Open {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.model.state();
        state.read()?;
        let most = state.most.unwrap_or(usize::MAX);
        self.with(&mut state, |file| {
            let rest = usize::try_from(at).ok().and_then(|at| file.bytes.get(at..)).unwrap_or_default();
            let length = rest.len().min(buffer.len()).min(most);
            buffer[..length].copy_from_slice(&rest[..length]);
            length
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.with(&mut self.model.state(), |file| file.bytes.len() as u64)
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok((0, self.number as u64))
    }

    fn kept(&self) -> io::Result<Kept> {
        let look = self.model.state().look(self.number);
        Ok(Kept { mode: Some(look.mode), modified: Some(look.modified) })
    }
}

impl Inode for Open {
    fn look(&self) -> io::Result<Look> {
        Ok(self.model.state().look(self.number))
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        let now = self.look()?.owner;
        let owner = Owner { user: user.unwrap_or(now.user), group: group.unwrap_or(now.group) };
        self.change("set owner", Change::Owner(owner))
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.change("set mode", Change::Mode(mode))
    }

    fn set_modified(&self, modified: Time) -> io::Result<()> {
        self.change("set time", Change::Modified(modified))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.model.state();
        match state.operate("sync", &self.path) {
            Ok(true) => self.with(&mut state, File::sync),
            Ok(false) => Ok(()),
            Err(error) => {
                if !state.is_off() {
                    self.with(&mut state, File::fail_to_sync)?;
                }
                Err(error)
            }
        }
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
}

impl Writable for Open {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.change("write", Change::Write(usize::try_from(at).map_err(io::Error::other)?, bytes.to_vec()))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.change("set length", Change::Length(usize::try_from(length).map_err(io::Error::other)?))
    }

    fn as_object(&self) -> &dyn Object {
        self
    }

    fn reflink(&self, _: &dyn Object) -> bool {
        false
    }
}
