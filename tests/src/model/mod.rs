//! `Model`: a disk in memory that knows what is durable, so that a test can cut the power at any operation.
//!
//! A file's bytes are durable after `sync`, a name after `sync_folder`, and neither implies the other: what POSIX
//! promises, not what one file system happens to do. Owner and permissions are durable when the bytes are. After a cut,
//! [`Model::survive`] gives the disk that the machine finds when it starts again, under one [`Survivors`] of what was
//! not durable. Besides a cut, an operation or a read can be made to fail, or to report success and do nothing: see
//! [`Wrong`].

mod file;
mod names;
mod root;
mod survivors;

use std::backtrace::Backtrace;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use file::Meta;
pub use root::Root;
pub use survivors::Survivors;

use file::File;
use highwater::disk::Owner;
use highwater::store::{Place, parted};
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

/// What a file has that somebody else put there, and what a folder.
const PLAIN: Meta = Meta { owner: Owner { user: 0, group: 0 }, mode: 0o644, modified: (0, 0) };
const FOLDER: Meta = Meta { owner: Owner { user: 0, group: 0 }, mode: 0o755, modified: (0, 0) };

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
    /// Symbolic links, whose bytes are their texts.
    links: BTreeSet<usize>,
    /// Every path that such a folder ever had: when it is gone, so is what was in it.
    made: BTreeSet<PathBuf>,
    pending: Vec<NameChange>,
    locked: BTreeSet<PathBuf>,
    steps: Vec<Step>,
    note_calls: bool,
    wrong: Vec<(usize, Wrong)>,
    reads: u64,
    bad_read: Option<u64>,
    /// And all after it.
    dies: bool,
    /// The most that one read gives.
    most: Option<usize>,
}

impl Model {
    /// Puts a file there, durable.
    pub fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        self.put_with(path, bytes, PLAIN);
    }

    /// Puts a file there, durable, with this owner and these permissions.
    pub fn put_with(&self, path: impl AsRef<Path>, bytes: &[u8], meta: Meta) {
        let mut state = self.state();
        let number = state.files.len();
        state.files.push(File::new(bytes.to_vec(), meta));
        state.names.insert(path.as_ref().to_owned(), number);
        state.durable.insert(path.as_ref().to_owned(), number);
    }

    /// Puts an empty folder there, durable. Those that files lie in need not be put.
    pub fn put_folder(&self, path: impl AsRef<Path>) {
        self.put_folder_with(path, FOLDER);
    }

    /// Puts an empty folder there, durable, with this owner and these permissions.
    pub fn put_folder_with(&self, path: impl AsRef<Path>, meta: Meta) {
        self.put_with(&path, &[], meta);
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

    /// Whom a file or folder belongs to, and its permissions, if it is there.
    #[must_use]
    pub fn meta(&self, path: impl AsRef<Path>) -> Option<Meta> {
        let state = self.state();
        state.names.get(path.as_ref()).and_then(|number| state.files.get(*number)).map(|file| file.meta)
    }

    /// The names that begin with a path, in order.
    #[must_use]
    pub fn names(&self, path: impl AsRef<Path>) -> Vec<PathBuf> {
        self.state().names.keys().filter(|name| name.starts_with(&path)).cloned().collect()
    }

    /// Removes a name, for good.
    pub fn take_away(&self, path: impl AsRef<Path>) {
        let mut state = self.state();
        state.names.remove(path.as_ref());
        state.durable.remove(path.as_ref());
    }

    /// A file of this disk, by the folder that it lies in.
    ///
    /// # Panics
    /// When the path has no folder or no name.
    #[must_use]
    pub fn place(&self, path: impl AsRef<Path>) -> Place {
        let (folder, name) = parted(path.as_ref()).unwrap_or_else(|error| panic!("{error}"));
        Place { root: Arc::new(self.root(folder)), name }
    }

    /// A folder of this disk, as a root.
    #[must_use]
    pub fn root(&self, path: impl AsRef<Path>) -> Root {
        Root::new(self.clone(), path.as_ref().to_owned())
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

    /// Lets read `number`, counted from now, and all after it fail.
    pub fn die_at_read(&self, number: u64) {
        self.fail_read(number);
        self.state().dies = true;
    }

    /// Lets every read give `most` bytes at most.
    pub fn read_at_most(&self, most: usize) {
        self.state().most = Some(most);
    }

    /// The disk after a restart: everything on it is durable.
    #[must_use]
    pub fn survive(&self, outcome: Survivors) -> Self {
        let state = self.state();
        let mut names = state.durable.clone();
        let last = state.pending.len().saturating_sub(1);
        let kept = state.pending.iter().enumerate().filter(|(number, _)| outcome.keeps_name(*number, last));
        kept.for_each(|(_, change)| change.apply(&mut names));
        // A folder that is not there any more has taken what was in it with it.
        let gone = |path: &Path| state.made.contains(path) && !names.contains_key(path);
        let names: BTreeMap<PathBuf, usize> = names
            .iter()
            .filter(|(path, _)| !path.ancestors().skip(1).any(gone))
            .map(|(path, is)| (path.clone(), *is))
            .collect();
        let made = names.iter().filter(|(_, number)| state.folders.contains(number)).map(|(path, _)| path.clone());
        // Files keep their numbers, as they do on a disk.
        let files = state.files.iter().map(|file| file.survive(outcome)).map(|file| File::new(file.bytes, file.meta));
        Self(Arc::new(Mutex::new(State {
            files: files.collect(),
            made: made.collect(),
            durable: names.clone(),
            names,
            folders: state.folders.clone(),
            links: state.links.clone(),
            ..State::default()
        })))
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
            links: state.links.clone(),
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
        if self.bad_read.is_some_and(|bad| self.reads == bad.saturating_add(1) || self.dies && self.reads > bad) {
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
