//! `Model`: a disk in memory that knows what is durable, so that a test can cut the power at any operation.
//!
//! A file's bytes are durable after `sync`, a name after `sync_folder`, and neither implies the other: what POSIX
//! promises, not what one file system happens to do. After a cut, [`Model::survive`] gives the disk that the machine
//! finds when it starts again, under one [`Outcome`] of what was not durable.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::{Disk, Held, Writable};
use crate::store::{Object, Store};

/// What becomes of the operations that were not made durable before the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// None of them survives.
    Nothing,
    /// All of them do.
    Everything,
    /// Those with an even number do.
    Even,
    /// Those with an odd number do.
    Odd,
    /// Names survive, contents do not.
    NamesOnly,
    /// Contents survive, names do not.
    ContentsOnly,
    /// All survive but half of each file's last write.
    Torn,
    /// All names survive, and of the written bytes every run of [`SECTOR`] with an even number.
    EvenSectors,
    /// All names survive, and of the written bytes every run of [`SECTOR`] with an odd number.
    OddSectors,
}

/// How finely [`Outcome::EvenSectors`] cuts, in bytes: finer than any disk, since the files of a test are small.
const SECTOR: usize = 16;

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Nothing,
        Self::Everything,
        Self::Even,
        Self::Odd,
        Self::NamesOnly,
        Self::ContentsOnly,
        Self::Torn,
        Self::EvenSectors,
        Self::OddSectors,
    ];

    fn keeps_name(self, number: usize) -> bool {
        match self {
            Self::Nothing | Self::ContentsOnly => false,
            Self::Everything | Self::NamesOnly | Self::Torn | Self::EvenSectors | Self::OddSectors => true,
            Self::Even => number.is_multiple_of(2),
            Self::Odd => !number.is_multiple_of(2),
        }
    }

    fn keeps_content(self, number: usize) -> bool {
        match self {
            Self::Nothing | Self::NamesOnly => false,
            Self::Everything | Self::ContentsOnly | Self::Torn | Self::EvenSectors | Self::OddSectors => true,
            Self::Even => number.is_multiple_of(2),
            Self::Odd => !number.is_multiple_of(2),
        }
    }
}

/// The disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Model(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    pending: Vec<NameChange>,
    locked: BTreeSet<PathBuf>,
    done: u64,
    cut: Option<u64>,
}

#[derive(Debug, Default, Clone)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Clone)]
enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl Model {
    /// Puts a file there, durable.
    pub fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let mut state = self.state();
        let number = state.files.len();
        state.files.push(File { bytes: bytes.to_vec(), durable: bytes.to_vec(), pending: Vec::new() });
        state.names.insert(path.as_ref().to_owned(), number);
        state.durable.insert(path.as_ref().to_owned(), number);
    }

    /// The bytes of a file, if it is there.
    #[must_use]
    pub fn get(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path.as_ref()).and_then(|number| state.files.get(*number)).map(|file| file.bytes.clone())
    }

    /// How many operations were done that change anything or make it durable.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().done
    }

    /// Cuts the power before operation `number`, counted from now: that one and all after it fail.
    pub fn cut_at(&self, number: u64) {
        let mut state = self.state();
        state.cut = Some(state.done.saturating_add(number));
    }

    /// The disk after a restart: everything on it is durable.
    #[must_use]
    pub fn survive(&self, outcome: Outcome) -> Self {
        let state = self.state();
        let mut names = state.durable.clone();
        let kept = state.pending.iter().enumerate().filter(|(number, _)| outcome.keeps_name(*number));
        kept.for_each(|(_, change)| change.apply(&mut names));
        let survivor = Self::default();
        for (path, number) in names {
            let file = state.files.get(number).map(|file| file.survive(outcome)).unwrap_or_default();
            survivor.put(path, &file);
        }
        survivor
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere must not hide behind this.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, number) => _ = names.insert(path.clone(), *number),
            Self::Unlink(path) => _ = names.remove(path),
            Self::Rename(from, to) => {
                if let Some(number) = names.remove(from) {
                    names.insert(to.clone(), number);
                }
            }
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(_, path) => path.parent(),
        }
    }
}

impl File {
    fn survive(&self, outcome: Outcome) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let last = self.pending.len().saturating_sub(1);
        for (number, change) in self.pending.iter().enumerate().filter(|(number, _)| outcome.keeps_content(*number)) {
            match change {
                Change::Write(at, written) if outcome == Outcome::Torn && number == last => {
                    write(&mut bytes, *at, &written[..written.len() / 2]);
                }
                Change::Write(at, written) if matches!(outcome, Outcome::EvenSectors | Outcome::OddSectors) => {
                    let even = outcome == Outcome::EvenSectors;
                    let end = at + written.len();
                    bytes.resize(bytes.len().max(end), 0);
                    let kept = (*at..end).zip(written).filter(|(at, _)| (at / SECTOR).is_multiple_of(2) == even);
                    kept.for_each(|(at, byte)| bytes[at] = *byte);
                }
                change => change.apply(&mut bytes),
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => write(bytes, *at, written),
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }
}

/// Bytes between the old end and a write past it read as zero, as in any file with a hole.
fn write(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    if written.is_empty() {
        return;
    }
    bytes.resize(bytes.len().max(at + written.len()), 0);
    bytes[at..at + written.len()].copy_from_slice(written);
}

impl State {
    /// Counts an operation, which fails once the power is cut.
    fn operate(&mut self) -> io::Result<()> {
        if self.cut.is_some_and(|cut| self.done >= cut) {
            return Err(io::Error::other("the power is cut"));
        }
        self.done += 1;
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
        let state = self.state();
        for path in state.names.keys().filter(|path| path.parent() == Some(folder)) {
            let name = path.file_name().and_then(|name| Name::new(name.as_encoded_bytes()).ok());
            if let Some(name) = name {
                each(Entry { name, kind: Kind::File });
            }
        }
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Object>> {
        let number = self.state().number(path)?;
        Ok(Box::new(Open { model: self.clone(), number }))
    }
}

impl Disk for Model {
    fn create(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let mut state = self.state();
        state.operate()?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.files.len();
        state.files.push(File::default());
        state.change(NameChange::Link(path.to_owned(), number));
        Ok(Box::new(Open { model: self.clone(), number }))
    }

    fn open_for_writing(&self, path: &Path) -> io::Result<Box<dyn Writable>> {
        let number = self.state().number(path)?;
        Ok(Box::new(Open { model: self.clone(), number }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.number(from)?;
        state.change(NameChange::Rename(from.to_owned(), to.to_owned()));
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
        state.operate()?;
        let (these, others) = std::mem::take(&mut state.pending).into_iter().partition(|c| c.folder() == Some(folder));
        state.pending = others;
        let these: Vec<NameChange> = these;
        these.iter().for_each(|change| change.apply(&mut state.durable));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.number(path)?;
        state.operate()?;
        state.change(NameChange::Unlink(path.to_owned()));
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.state().names.contains_key(path))
    }

    fn is_folder(&self, path: &Path) -> bool {
        !self.state().names.contains_key(path)
    }

    fn adopt(&self, _: &Path, _: &Path) {}

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
    number: usize,
}

impl Open {
    fn with<T>(&self, work: impl FnOnce(&mut File) -> T) -> io::Result<T> {
        let mut state = self.model.state();
        state.files.get_mut(self.number).map(work).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn change(&self, change: Change) -> io::Result<()> {
        self.model.state().operate()?;
        self.with(|file| {
            change.apply(&mut file.bytes);
            file.pending.push(change);
        })
    }
}

impl Object for Open {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|file| {
            let rest = usize::try_from(at).ok().and_then(|at| file.bytes.get(at..)).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            length
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.with(|file| file.bytes.len() as u64)
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        Ok((0, self.number as u64))
    }
}

impl Writable for Open {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Change::Write(usize::try_from(at).map_err(io::Error::other)?, bytes.to_vec()))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.change(Change::Length(usize::try_from(length).map_err(io::Error::other)?))
    }

    fn sync(&self) -> io::Result<()> {
        self.model.state().operate()?;
        self.with(|file| {
            file.durable.clone_from(&file.bytes);
            file.pending.clear();
        })
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }

    fn as_object(&self) -> &dyn Object {
        self
    }
}
