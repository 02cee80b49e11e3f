//! `Model`: a disk in memory that knows what is durable, so that a test can cut the power at any operation.
//!
//! A file's bytes are durable after `sync`, a name after `sync_folder`, and neither implies the other: what POSIX
//! promises, not what one file system happens to do. After a cut, [`Model::survive`] gives the disk that the machine
//! finds when it starts again, under one [`Outcome`] of what was not durable. Besides a cut, an operation or a read can
//! be made to fail, or to report success and do nothing: see [`Wrong`].

mod file;
mod names;
mod outcome;

use std::backtrace::Backtrace;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

pub use outcome::Outcome;

use super::{Disk, Held, Writable};
use crate::store::{Object, Store};
use file::{Change, File};
use names::NameChange;

/// What can go wrong at one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The power is cut before it: it and every later one fail.
    Cut,
    /// It fails, and later ones do not. A sync that fails loses what it was to make durable for good.
    Fail,
    /// It reports success and does nothing: a program that forgot it.
    Skip,
}

/// An operation that was done.
#[derive(Debug, Clone)]
pub struct Step {
    /// What was done: "create", "write", "sync", "set length", "rename to", "remove", "sync folder".
    pub verb: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// The calls that led to it, if [`Model::note_calls`] asked for them.
    pub calls: Option<Arc<Backtrace>>,
}

/// The disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Model(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    /// Files and those folders that were made, by their numbers.
    names: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    folders: BTreeSet<usize>,
    /// Every path that such a folder ever had: when it is gone, so is what was in it.
    made: BTreeSet<PathBuf>,
    pending: Vec<NameChange>,
    locked: BTreeSet<PathBuf>,
    steps: Vec<Step>,
    note_calls: bool,
    wrong: Vec<(usize, Wrong)>,
    reads: u64,
    bad_read: Option<u64>,
    /// The most that one read gives.
    most: Option<usize>,
}

impl Model {
    /// Puts a file there, durable.
    pub fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let mut state = self.state();
        let number = state.files.len();
        state.files.push(File::new(bytes.to_vec()));
        state.names.insert(path.as_ref().to_owned(), number);
        state.durable.insert(path.as_ref().to_owned(), number);
    }

    /// Puts an empty folder there, durable. Those that files lie in need not be put.
    pub fn put_folder(&self, path: impl AsRef<Path>) {
        self.put(&path, &[]);
        let mut state = self.state();
        let number = state.files.len().saturating_sub(1);
        state.folders.insert(number);
        state.made.insert(path.as_ref().to_owned());
    }

    /// The bytes of a file, if it is there.
    #[must_use]
    pub fn get(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path.as_ref()).and_then(|number| state.files.get(*number)).map(|file| file.bytes.clone())
    }

    /// The operations done so far that change anything or make it durable.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        self.state().steps.clone()
    }

    /// How many those are.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().steps.len() as u64
    }

    /// Keeps with every later step the calls that led to it. Slow.
    pub fn note_calls(&self) {
        self.state().note_calls = true;
    }

    /// Cuts the power before operation `number`, counted from now.
    pub fn cut_at(&self, number: u64) {
        self.go_wrong(number, Wrong::Cut);
    }

    /// Lets operation `number`, counted from now, go wrong, besides what else was to.
    pub fn go_wrong(&self, number: u64, wrong: Wrong) {
        let mut state = self.state();
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let at = state.steps.len().saturating_add(number);
        state.wrong.push((at, wrong));
    }

    /// How many times a file was opened, read or a folder listed.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.state().reads
    }

    /// Lets read `number`, counted from now, fail.
    pub fn fail_read(&self, number: u64) {
        let mut state = self.state();
        state.bad_read = Some(state.reads.saturating_add(number));
    }

    /// Lets every read give `most` bytes at most.
    pub fn read_at_most(&self, most: usize) {
        self.state().most = Some(most);
    }

    /// The disk after a restart: everything on it is durable.
    #[must_use]
    pub fn survive(&self, outcome: Outcome) -> Self {
        let state = self.state();
        let mut names = state.durable.clone();
        let last = state.pending.len().saturating_sub(1);
        let kept = state.pending.iter().enumerate().filter(|(number, _)| outcome.keeps_name(*number, last));
        kept.for_each(|(_, change)| change.apply(&mut names));
        let survivor = Self::default();
        for (path, number) in &names {
            // A folder that is not there any more has taken what was in it with it.
            if path.ancestors().skip(1).any(|folder| state.made.contains(folder) && !names.contains_key(folder)) {
                continue;
            }
            if state.folders.contains(number) {
                survivor.put_folder(path);
            } else {
                let file = state.files.get(*number).map(|file| file.survive(outcome)).unwrap_or_default();
                survivor.put(path, &file);
            }
        }
        survivor
    }

    /// The disk as it is, durable or not, after the process alone has died: no power was cut, its locks are free.
    #[must_use]
    pub fn killed(&self) -> Self {
        let state = self.state();
        Self(Arc::new(Mutex::new(State {
            files: state.files.clone(),
            names: state.names.clone(),
            durable: state.durable.clone(),
            pending: state.pending.clone(),
            folders: state.folders.clone(),
            made: state.made.clone(),
            ..State::default()
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere must not hide behind this.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes an operation. False when it is to do nothing.
    fn operate(&mut self, verb: &'static str, path: &Path) -> io::Result<bool> {
        if self.is_off() {
            return Err(io::Error::other("the power is cut"));
        }
        let wrong = self.wrong.iter().find(|(number, _)| *number == self.steps.len()).map(|(_, wrong)| *wrong);
        let calls = self.note_calls.then(|| Arc::new(Backtrace::force_capture()));
        self.steps.push(Step { verb, path: path.to_owned(), calls });
        match wrong {
            Some(Wrong::Fail) => Err(io::Error::other("the disk failed")),
            Some(Wrong::Cut | Wrong::Skip) => Ok(false),
            None => Ok(true),
        }
    }

    fn is_off(&self) -> bool {
        self.wrong.iter().any(|(number, wrong)| *wrong == Wrong::Cut && self.steps.len() >= *number)
    }

    fn read(&mut self) -> io::Result<()> {
        self.reads += 1;
        if self.bad_read.is_some_and(|bad| self.reads == bad.saturating_add(1)) {
            return Err(io::Error::other("the disk failed to read"));
        }
        Ok(())
    }

    fn number(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.pending.push(change);
    }
}

impl Store for Model {
    fn list(&self, folder: &Path, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        let mut state = self.state();
        state.read()?;
        let mut found = BTreeMap::new();
        for (path, number) in &state.names {
            let Ok(rest) = path.strip_prefix(folder) else { continue };
            let mut parts = rest.components();
            let Some(first) = parts.next() else { continue };
            let is_folder = parts.next().is_some() || state.folders.contains(number);
            found.insert(first.as_os_str(), if is_folder { Kind::Folder } else { Kind::File });
        }
        for (name, kind) in found {
            if let Ok(name) = Name::new(name.as_encoded_bytes()) {
                each(Entry { name, kind });
            }
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Object>> {
        let mut state = self.state();
        state.read()?;
        let number = state.number(path)?;
        if state.folders.contains(&number) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a folder, not a file"));
        }
        Ok(Box::new(Open { model: self.clone(), path: path.to_owned(), number }))
    }

    fn is_locked(&self, path: &Path) -> bool {
        self.state().locked.contains(path)
    }
}

impl Disk for Model {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let mut state = self.state();
        // A file that was not created cannot be written, so that this one is never skipped.
        state.operate("create", path)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.files.len();
        state.files.push(File::default());
        state.change(NameChange::Link(path.to_owned(), number));
        Ok(Box::new(Open { model: self.clone(), path: path.to_owned(), number }))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let number = self.state().number(path)?;
        Ok(Box::new(Open { model: self.clone(), path: path.to_owned(), number }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let number = state.number(from)?;
        if state.operate("rename to", to)? {
            if state.folders.contains(&number) {
                state.made.insert(to.to_owned());
                state.change(NameChange::RenameFolder(from.to_owned(), to.to_owned()));
            } else {
                state.change(NameChange::Rename(from.to_owned(), to.to_owned(), number));
            }
        }
        Ok(())
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.exists(to)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.operate("sync folder", folder)? {
            return Ok(());
        }
        let (these, others) = std::mem::take(&mut state.pending).into_iter().partition(|c| c.folder() == Some(folder));
        state.pending = others;
        let these: Vec<NameChange> = these;
        these.iter().for_each(|change| change.apply(&mut state.durable));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.number(path)?;
        if state.operate("remove", path)? {
            state.change(NameChange::Unlink(path.to_owned()));
        }
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.state().names.contains_key(path))
    }

    fn is_folder(&self, path: &Path) -> bool {
        let state = self.state();
        state.names.get(path).is_none_or(|number| state.folders.contains(number))
    }

    fn make_folder(&self, path: &Path, _: &Path) -> io::Result<()> {
        let mut state = self.state();
        // Nothing can be put into a folder that was not made, so that this one is never skipped.
        state.operate("make folder", path)?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.files.len();
        state.files.push(File::default());
        state.folders.insert(number);
        state.made.insert(path.to_owned());
        state.change(NameChange::Link(path.to_owned(), number));
        Ok(())
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.number(path)?;
        if state.names.keys().any(|name| name != path && name.starts_with(path)) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        if state.operate("remove folder", path)? {
            state.change(NameChange::Unlink(path.to_owned()));
        }
        Ok(())
    }

    fn sync_all(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.operate("sync all", folder)? {
            state.durable = state.names.clone();
            state.pending.clear();
            state.files.iter_mut().for_each(File::sync);
        }
        Ok(())
    }

    fn touch(&self, path: &Path) -> io::Result<u64> {
        self.length(path)
    }

    fn hold(&self, path: &Path) -> io::Result<Option<Held>> {
        // A file is held together with others.
        if !self.is_folder(path) {
            return Ok(Some(Box::new(())));
        }
        self.lock(path, "")
    }

    fn adopt(&self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn set_mode(&self, _: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn reflink(&self, _: &Path, _: &dyn Writable) -> bool {
        false
    }

    fn lock(&self, path: &Path, _: &str) -> io::Result<Option<Held>> {
        let free = self.state().locked.insert(path.to_owned());
        Ok(free.then(|| Box::new(Locked { model: self.clone(), path: path.to_owned() }) as Held))
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

/// An open file of the model.
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

    fn identity(&self) -> io::Result<(u64, u64)> {
        Ok((0, self.number as u64))
    }
}

impl Writable for Open {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.change("write", Change::Write(usize::try_from(at).map_err(io::Error::other)?, bytes.to_vec()))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.change("set length", Change::Length(usize::try_from(length).map_err(io::Error::other)?))
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

    fn as_object(&self) -> &dyn Object {
        self
    }
}
