//! Backs up files and block devices into a datastore: each as an archive under a fixed index, small ones as blobs.
//!
//! Every chunk of a source is read and hashed, but for what a source that only grows had before (`grown.rs`). One that
//! the store has is used again, and touched, so that no garbage collection takes it; others are compressed and put
//! there: work file, fsync, rename. Before the manifest is written, one pass over the folders of the chunks makes sure
//! that each is there and as long as it was. What a store has lost is made anew from its source, and the snapshot that
//! named it before is marked as failed.
//!
//! A snapshot is put together in a hidden folder of the store's root. When all is durable, chunks included, that is
//! renamed to the snapshot's name: so there is never half of one, and what an interrupted run leaves is removed by the
//! next.

mod append_only;
mod blobs;
mod chunks;
mod previous;
mod publish;
mod read;
mod source;
pub(crate) mod stage;
mod target;

use std::collections::HashSet;

use highwater_core::codec::{Packer, encode_blob};
use highwater_core::digest::Digest;
use highwater_core::formats::datastore::archives::{NoArchive, Stored, called, stored};
use highwater_core::formats::datastore::names::{self, Group};
use highwater_core::formats::datastore::{Fixed, New, NewFile};
use highwater_core::key::Key;
use highwater_core::name::{Name, NameError};

use crate::disk::like::Like;
use crate::disk::{Disk, Draft, FolderDraft};
use crate::error::Error;
use crate::random;
use crate::store::Place;
use crate::watch::Watch;
use blobs::Blob;
use chunks::Chunks;
use previous::{Found, Previous};
use source::Source;
use stage::Stage;

pub use target::{Target, target};

/// The length of a chunk, unless another one is asked for: what the system's own clients use, in bytes.
pub const CHUNK: u64 = 4 << 20;

/// The level of compression of the system's own clients.
const LEVEL: i32 = 1;

/// How well chunks are looked at that the store has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// They are there, and as long as they can be.
    Size,
    /// Their bytes give their digest.
    Digest,
}

/// What to back up and how.
#[derive(Clone)]
pub struct SnapshotOptions {
    /// What the snapshot is to hold.
    pub archives: Vec<Archive>,
    /// The group: `[ns/NAME/...]TYPE/ID`.
    pub group: String,
    /// The length of a chunk, in bytes: a power of two from 64 KiB to 4 MiB.
    pub chunk: u64,
    /// Encrypt and sign with this key.
    pub key: Option<Key>,
    /// How to look at chunks that are there.
    pub known: Known,
    /// The sources only grow: what is new is read, and samples of the rest.
    pub append_only: bool,
    /// Whom a new group belongs to.
    pub owner: String,
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
    /// The second to give the snapshot, in place of the clock's.
    pub now: Option<i64>,
}

/// A file or device, and what it is called in the snapshot.
#[derive(Clone)]
pub struct Archive {
    /// The file or device.
    pub source: Place,
    /// The name of its file in the snapshot's folder.
    pub file: String,
    /// How it is stored.
    pub stored: Stored,
}

impl Archive {
    /// An archive of this name.
    ///
    /// # Errors
    /// Why it can have no such name.
    pub fn new(source: Place, name: &str) -> Result<Self, NoArchive> {
        stored(name).map(|(file, stored)| Self { source, file, stored })
    }

    /// What it is called.
    fn name(&self) -> &str {
        called(&self.file)
    }
}

/// A new snapshot, or in a dry run what would be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its path below the store.
    pub snapshot: String,
    /// What it holds: names, and lengths in bytes.
    pub archives: Vec<(String, u64)>,
    /// The length of the archives that are stored in chunks, in bytes.
    pub size: u64,
    /// How many chunks they have.
    pub chunks: u64,
    /// How many of them the store had.
    pub known: u64,
    /// How many of those were not read, as their source only grows.
    pub unread: u64,
    /// How many bytes were stored for the others.
    pub stored: u64,
    /// Chunks that an older snapshot names and the store had lost, by their names.
    pub healed: Vec<String>,
}

/// Backs up into a store.
///
/// # Errors
/// Whatever stands in its way; nothing half-made looks like a snapshot then.
pub fn backup(job: &SnapshotOptions, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Made, Error> {
    let group = Group::parse(&job.group).ok_or_else(|| Error::failed(format!("'{}' is no group", job.group)))?;
    let (sources, blobs) = open(job)?;
    let locks = if job.dry_run { None } else { Some(target::prepare(job, disk, watch)?) };
    let (time, snapshot) = target::time(job, disk, watch)?;
    let Found { previous, unread: marked } = Previous::find(job, &sources, disk, watch)?;
    let kept = sources
        .iter()
        .zip(&previous)
        .map(|(source, previous)| append_only::kept(job, source, previous.as_ref(), watch));
    let kept = kept.collect::<Result<Vec<_>, Error>>()?;
    let unread = kept.iter().map(|kept| kept.len() as u64).sum::<u64>();
    watch.expect(sources.iter().map(|source| source.size).sum::<u64>().saturating_sub(unread * job.chunk));
    let read = |chunks: &Chunks<'_>| {
        let digests = sources.iter().zip(kept).map(|(source, kept)| read::all(job, source, kept, chunks, watch));
        digests.collect::<Result<Vec<_>, Error>>()
    };
    let made = |chunks: &Chunks<'_>, digests: &[Vec<Digest>]| {
        let archives = sources.iter().map(|source| (source.archive.name().to_owned(), source.size));
        let (known, stored) = chunks.counts();
        Made {
            snapshot: snapshot.clone(),
            archives: archives.chain(blobs.iter().map(Blob::told)).collect(),
            size: sources.iter().map(|source| source.size).sum(),
            chunks: digests.iter().map(|digests| digests.len() as u64).sum(),
            known,
            unread,
            stored,
            healed: chunks.healed(),
        }
    };
    let Some(mut locks) = locks else {
        let chunks = Chunks::new(job, disk, None, &sources, &previous);
        return Ok(made(&chunks, &read(&chunks)?));
    };
    let lock = Name::new(names::LOCK.as_bytes())?;
    let like = Like::in_place_of(disk, &lock).map_err(Error::at("look at", disk, &lock))?;
    let stage = target::with_group(job, disk, &mut locks, watch, |group| Stage::begin(disk, group))?;
    target::own(job, disk, stage.snapshot.work(), &like, watch)?;
    let mut chunks = Chunks::new(job, disk, Some((stage.chunks(), like)), &sources, &previous);
    let digests = read(&chunks)?;
    sources.iter().try_for_each(|source| source.warn_of_change(watch))?;
    chunks.complete(watch)?;
    for lost in chunks.lost()? {
        previous::mark_lost(disk, stage.snapshot.work(), &lost, watch)?;
    }
    for snapshot in &marked {
        previous::mark_unread(disk, stage.snapshot.work(), snapshot, watch)?;
    }
    let mut made = made(&chunks, &digests);
    let mut files = Vec::new();
    for (source, digests) in sources.iter().zip(digests) {
        let index = Fixed { size: source.size, chunk: job.chunk, digests };
        let name = source.archive.file.clone();
        write(disk, &stage.snapshot, &name, &like, &index.encode(random::bytes()?, time))?;
        files.push(NewFile { name, size: source.size, sum: index.sum() });
    }
    for blob in &blobs {
        files.push(blob.write(job, disk, &stage.snapshot, &like)?);
    }
    let manifest = |time| {
        let manifest = New {
            kind: group.kind,
            id: group.id,
            time,
            files: &files,
            chunks: (made.chunks, made.known),
            size: made.size,
            stored: made.stored,
            key: job.key.as_ref(),
        };
        blob(&manifest.encode(), None)
    };
    made.snapshot = publish::publish(job, disk, (&stage, &like), (locks, time), manifest, watch)?;
    Ok(made)
}

/// Opens what goes into chunks, and reads what is stored whole.
fn open(job: &SnapshotOptions) -> Result<(Vec<Source<'_>>, Vec<Blob<'_>>), Error> {
    let mut names = HashSet::new();
    if let Some(twice) = job.archives.iter().find(|archive| !names.insert(&archive.file)) {
        return Err(Error::cannot_start(format!("two archives of the snapshot are called {}", twice.name())));
    }
    let (blobs, archives): (Vec<_>, Vec<_>) = job.archives.iter().partition(|archive| archive.stored == Stored::Whole);
    let sources = archives.into_iter().enumerate().map(|archive| Source::open(job, archive));
    let sources = sources.collect::<Result<_, _>>()?;
    Ok((sources, blobs.into_iter().map(Blob::read).collect::<Result<_, _>>()?))
}

/// The blob of a small file, encrypted if there is a key.
fn blob(data: &[u8], key: Option<&Key>) -> Result<Vec<u8>, Error> {
    let mut packer = Packer::new(LEVEL).map_err(Error::failed)?;
    let sealed = key.map(|key| Ok::<_, Error>((key, random::bytes()?))).transpose()?;
    Ok(encode_blob(data, packer.pack(data).map_err(Error::failed)?, sealed))
}

/// Puts a small file in place by way of the folder `work`, durable under either name.
fn put(disk: &dyn Disk, work: &Name, to: &Name, like: &Like, bytes: &[u8]) -> Result<(), Error> {
    let name = work.join(to.last())?;
    let placed = Draft::at(disk, name).and_then(|draft| {
        draft.file().write_at(0, bytes)?;
        _ = draft.give(like)?;
        draft.file().sync()?;
        draft.publish(to)
    });
    placed.map_err(Error::at("write", disk, to))
}

/// Writes a new file into a folder that is a draft itself. A barrier makes it durable.
fn write(disk: &dyn Disk, draft: &FolderDraft<'_>, name: &str, like: &Like, bytes: &[u8]) -> Result<(), Error> {
    let path = draft.work().join(name.as_bytes())?;
    draft.write(name.as_bytes(), bytes, like).map_err(Error::at("write", disk, &path))
}

/// The name of a file in a snapshot.
fn name_in(snapshot: &str, file: &str) -> Result<Name, NameError> {
    Name::new(snapshot.as_bytes())?.join(file.as_bytes())
}
