//! Checkpoints of live stores: a copy as of one moment, made from outside while the store's program goes on writing.
//!
//! A store is files that never change once they are named, a small head that names them, and for most a log that is
//! appended to. No copy of such a folder in whatever order its names come is a state that the store ever had. One law
//! makes it one: **what names first, the named things second, a shared log last.** Then whatever the head did not name
//! yet is in the logs, and whatever a log lost is in what the head names.
//!
//! ```text
//! hold the logs that are there, and each new one as it appears     (held: a descriptor survives its name)
//! read the heads                                                    (adapter)
//! pin what they name: link, or reflink, or copy                     (pins: kept from one try to the next)
//! copy the logs, oldest first, each up to its last whole entry      (logs)
//! look at the heads again: do the logs go on where they end?        (adapter; else once more from the heads)
//! write the heads, sync, give the folder its name                   (publish)
//! ```
//!
//! No writer is ever kept waiting: nothing is locked, nothing is written into the store.
//!
//! | file | is |
//! |---|---|
//! | `adapter` | what an adapter says of its kind of store |
//! | `fjall`, `rocksdb`, `tantivy`, `git` | an adapter each; another kind of store is another file and a line in `ALL` |
//! | `refused` | stores that write in place, which no copy from outside can be true of, and what to do with each |
//! | `capture` | the tries |
//! | `copies`, `copy` | what one try writes: logs and heads |
//! | `hashing` | the digests of logs, found out meanwhile |
//! | `held` | descriptors of logs, and the watch for new ones |
//! | `pins` | what was linked or copied so far |
//! | `fleeting` | a checkpoint that is read and removed again, beside the store |
//! | `fresh` | what came meanwhile and no head names yet |
//! | `strangers` | what lies in the store's folder and is none of the store's |
//! | `publish` | the folder that is being filled, and what stands beside it |
//! | `state` | a state that is read and let go of again, for a backup |
//!
//! A program that holds the store open itself can do better still: let it make its writes durable, hold a snapshot, so
//! that nothing it names is deleted, and call [`checkpoint`]: then one try is enough.

mod adapter;
mod capture;
mod copies;
mod copy;
mod fjall;
mod fleeting;
mod fresh;
mod git;
mod hashing;
mod held;
mod pins;
mod publish;
mod refused;
mod rocksdb;
mod state;
mod strangers;
mod tantivy;

use std::io;
use std::path::Path;

use highwater_core::formats::rocksdb::Engine;
use highwater_core::inspect::Entry;
use highwater_core::name::Name;

use crate::disk::{self, Disk};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Files, Identity, Links, Locks, Place, parted};
use crate::watch::Watch;
use adapter::Adapter;
use capture::Job;
pub use fleeting::{Fleet, Fleeting};
use rocksdb::RocksDb;
pub use state::{State, catch};

/// Every kind of store, in the order in which they are asked whether they know one.
const ALL: &[fn() -> Box<dyn Adapter>] = &[
    || Box::new(fjall::Fjall::default()),
    || Box::new(RocksDb::of(Engine::RocksDb)),
    || Box::new(RocksDb::of(Engine::LevelDb)),
    || Box::new(tantivy::Tantivy::default()),
    || Box::new(git::Git::default()),
];

/// How a checkpoint is to be made.
#[derive(Clone, Copy, Default)]
pub struct LiveOptions<'a> {
    /// The kind of store; none to go by its files.
    pub kind: Option<&'a str>,
    /// Nothing is linked: the checkpoint shares no file with the store.
    pub copy: bool,
    /// Read all of it before it gets its name, and compare what the store keeps digests of.
    pub verify: bool,
    /// Is called between the steps, from the thread that makes the checkpoint.
    pub step: Option<&'a (dyn Fn(Step) + Sync)>,
}

/// What was done last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The logs are held.
    Held,
    /// The heads were read.
    Read,
    /// What they name is pinned.
    Pinned,
    /// All logs that there are now are held.
    Listed,
    /// They are copied.
    Copied,
    /// The heads were found to be such that the logs go on where they end.
    Accepted,
}

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointSummary {
    /// The kind of store.
    pub kind: &'static str,
    /// How often the heads were read.
    pub tries: u32,
    /// Why each try but the last came to nothing, a clause each.
    pub retries: Vec<String>,
    /// Files that are the store's own, under another name, and their bytes.
    pub linked: Count,
    /// Files that share their bytes with the store's, until one of them changes.
    pub cloned: Count,
    /// Files that were copied, and the bytes of the copies.
    pub copied: Count,
    /// Bytes that were left out behind the last whole entries of logs.
    pub cut: u64,
    /// Up to where it goes, in words of the store: "batch 118200 in journal 11".
    pub position: String,
    /// What whoever relies on it should know, a sentence each.
    pub notes: Vec<String>,
    /// Which folder it is, whoever renames it.
    pub folder: Identity,
}

/// A number of files, and of their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub files: u64,
    /// How long they are together.
    pub bytes: u64,
}

impl Count {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Makes a checkpoint of the store in the folder `store`: the folder `dest`, which must not be there yet, and
/// `dest.mtree` beside it.
///
/// # Errors
/// When it is no store that a checkpoint can be made of, it is damaged, or it changed faster than it could be read.
/// Nothing is left then.
pub fn checkpoint(
    store: &Path,
    dest: &Path,
    options: &LiveOptions<'_>,
    watch: &Watch<'_>,
) -> Result<CheckpointSummary, Error> {
    let from = Files::open(store, Links::Beneath).map_err(|error| no_folder(store, &error))?;
    let around = store.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = Files::open(around, Links::Followed).ok().filter(|_| store.file_name().is_some());
    let to = disk::target_folder(dest, Locks::Wanted)?;
    let run = Run { from: &from, beside: beside.as_ref().map(|beside| beside as &dyn Disk), to: &to, options, watch };
    run.make()
}

/// What is said of a path that cannot be opened as a folder.
fn no_folder(store: &Path, error: &io::Error) -> Error {
    let file = parted(store).ok().and_then(|(folder, name)| Some((Files::open(folder, Links::Followed).ok()?, name)));
    let known = file.and_then(|(root, name)| refused::file(&root, &name));
    Error::cannot_start(match known {
        Some(known) => format!("no checkpoint is made of {}: {known}", quoted(store)),
        None => format!("cannot open the store {}: {error}", quoted(store)),
    })
}

/// The kind of store that a folder with these entries is, if a checkpoint can be made of it.
pub fn recognise(entries: &[Entry]) -> Option<&'static str> {
    ALL.iter().map(|make| make()).find(|adapter| adapter.recognise(entries)).map(|adapter| adapter.kind())
}

/// The words for the kinds of stores that a checkpoint can be made of.
pub fn kinds() -> impl Iterator<Item = &'static str> + Clone {
    ALL.iter().map(|make| make().kind())
}

/// What tells the files, by their names, that nobody writes in place once they are named, in a store of this kind.
pub fn settled(kind: &str) -> Option<fn(&Name) -> bool> {
    ALL.iter().map(|make| make()).find(|adapter| adapter.kind() == kind).map(|adapter| adapter.settled())
}

/// Removes the checkpoint that was made at `dest`, and its list.
///
/// # Errors
/// The operating system's, or something else has the name by now, which is left alone.
pub fn discard(dest: &Path, made: &CheckpointSummary) -> Result<(), Error> {
    publish::discard(&disk::target_folder(dest, Locks::Wanted)?, made)
}

/// A checkpoint that is being made.
pub struct Run<'a, D: Disk + ?Sized = Files> {
    /// The store.
    pub from: &'a dyn Disk,
    /// The folder that the store lies in, where that can be told.
    pub beside: Option<&'a dyn Disk>,
    /// Where it is to lie.
    pub to: &'a Place<D>,
    /// How it is to be made.
    pub options: &'a LiveOptions<'a>,
    /// What tells of it.
    pub watch: &'a Watch<'a>,
}

impl<D: Disk> Run<'_, D> {
    /// Makes it.
    ///
    /// # Errors
    /// As [`checkpoint`].
    pub fn make(&self) -> Result<CheckpointSummary, Error> {
        let mut adapter = adapter_of(self.from, self.options.kind)?;
        publish::refuse_what_is_there(self)?;
        let notes = adapter.look(self.from)?;
        publish::sweep_leftovers(self)?;
        let draft = publish::Draft::of(self)?;
        held::watching(self.from, adapter.passing(), |held, fresh, end| {
            let &Self { from, beside, options, watch, .. } = self;
            let job = Job { from, beside, inside: draft.inside(), options, watch };
            let mut captured = capture::capture(&job, &mut *adapter, (held, fresh))?;
            end();
            captured.summary.notes.splice(0..0, notes);
            draft.publish(captured)
        })
    }
}

/// What knows this kind of store.
fn adapter_of(store: &dyn Disk, kind: Option<&str>) -> Result<Box<dyn Adapter>, Error> {
    let all = || ALL.iter().map(|make| make());
    let path = || quoted(&store.told(None));
    if let Some(kind) = kind {
        return all().find(|adapter| adapter.kind() == kind).ok_or_else(|| {
            let known: Vec<&str> = kinds().collect();
            Error::cannot_start(format!("there is no kind of store called '{kind}'; known: {}", known.join(", ")))
        });
    }
    let mut entries: Vec<Entry> = Vec::new();
    store
        .list(None, &mut |entry| entries.push(entry))
        .map_err(|error| Error::cannot_start(format!("cannot list {}: {error}", path())))?;
    all().find(|adapter| adapter.recognise(&entries)).ok_or_else(|| {
        let known = refused::folder(store.as_store(), &entries).unwrap_or_else(|| {
            let kinds: Vec<&str> = kinds().collect();
            format!(
                "it looks like none of the stores that checkpoints are made of: {}; a folder of plain files that \
                 nobody writes to is copied by any program",
                kinds.join(", ")
            )
        });
        Error::cannot_start(format!("no checkpoint is made of {}: {known}", path()))
    })
}
