//! Backs up a file or block device into a datastore, as an archive under a fixed index.
//!
//! Every chunk of the source is read and hashed, but for what a source that only grows had before (`grown.rs`). One that the store has is
//! used again, and touched, so that no garbage collection takes it; others are compressed and put there: work file, fsync, rename.
//! Before the manifest is written, one pass over the folders of the chunks makes sure that each is there and as long as it was. What a
//! store has lost is made anew from the source, and the snapshot that named it before is marked as failed.
//!
//! A snapshot is put together in a hidden folder of its group. When all is durable, chunks included, that is renamed to the
//! snapshot's name: so there is never half of one, and what an interrupted run leaves is removed by the next.

mod chunks;
mod grown;
mod place;
mod previous;
mod read;
mod source;

use std::path::{Path, PathBuf};

use highwater_core::codec::{Packer, encode_blob};
use highwater_core::formats::datastore::names::{self, Group, MANIFEST};
use highwater_core::formats::datastore::{Fixed, New};
use highwater_core::key::Key;

use crate::disk::{Disk, Writable};
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;
use crate::{clock, random};
use chunks::Chunks;
use previous::Previous;
use source::Source;

pub use place::{Target, target};

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

/// What to back up, where to and how.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file or device.
    pub source: PathBuf,
    /// The store's folder.
    pub store: PathBuf,
    /// The group: `[ns/NAME/...]TYPE/ID`.
    pub group: String,
    /// The archive, without the extension.
    pub archive: String,
    /// The length of a chunk, in bytes: a power of two from 64 KiB to 4 MiB.
    pub chunk: u64,
    /// Encrypt and sign with this key.
    pub key: Option<Key>,
    /// How to look at chunks that are there.
    pub known: Known,
    /// The source only grows: what is new is read, and samples of the rest.
    pub append_only: bool,
    /// Whom a new group belongs to.
    pub owner: String,
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
    /// The second to give the snapshot, in place of the clock's.
    pub now: Option<i64>,
}

/// A new snapshot, or in a dry run what would be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its path below the store.
    pub snapshot: String,
    /// The length of the archive, in bytes.
    pub size: u64,
    /// How many chunks it has.
    pub chunks: u64,
    /// How many of them the store had.
    pub known: u64,
    /// How many of those were not read, as the source only grows.
    pub unread: u64,
    /// How many bytes were stored for the others.
    pub stored: u64,
    /// Chunks that an older snapshot names and the store had lost, by their names.
    pub healed: Vec<String>,
}

/// Does a backup.
///
/// # Errors
/// Whatever stands in its way; nothing half-made looks like a snapshot then.
pub fn backup(job: &Job, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Made, Error> {
    let group = Group::parse(&job.group).ok_or_else(|| Error::failed(format!("'{}' is no group", job.group)))?;
    let object = disk.open_source(&job.source).map_err(Error::io("open", &job.source))?;
    let size = object.length().map_err(Error::io("read", &job.source))?;
    if size == 0 {
        let what = format!("{} is empty, and an archive of no bytes cannot be stored", quoted(&job.source));
        return Err(Error::cannot_start(what));
    }
    let source = Source::new(job, &*object, size);
    let _locks = if job.dry_run { None } else { Some(place::prepare(job, disk)?) };
    let (time, snapshot) = place::time(job, disk, watch)?;
    let previous = Previous::find(job, disk, watch)?;
    let kept = grown::kept(job, &source, previous.as_ref(), watch)?;
    let unread = kept.len() as u64;
    watch.expect(size.saturating_sub(unread * job.chunk));
    let work = job.store.join(&job.group).join(format!("{}{}", names::WORK, clock::snapshot(time)?));
    let mut chunks = Chunks::new(job, disk, &work, previous.as_ref());
    if job.dry_run {
        let digests = read::all(job, &source, kept, &chunks, watch)?;
        return Ok(Made { unread, ..chunks.made(snapshot, size, digests.len()) });
    }
    let like = job.store.join(names::LOCK);
    let made = disk.make_folder(&work, &job.store.join(&job.group));
    made.map_err(Error::io("make the folder", &work))?;
    let result = (|| {
        place::own(job, disk, &work)?;
        let digests = read::all(job, &source, kept, &chunks, watch)?;
        source.warn_of_change(watch)?;
        chunks.complete(&source, watch)?;
        if let Some(previous) = previous.as_ref().filter(|_| chunks.lost() != (0, 0)) {
            previous.mark_failed(job, disk, &work, chunks.lost(), watch)?;
        }
        let index = Fixed { size, chunk: job.chunk, digests };
        let made = Made { unread, ..chunks.made(snapshot.clone(), size, index.digests.len()) };
        let file = format!("{}.fidx", job.archive);
        write(disk, &work.join(&file), &like, &index.encode(random::bytes()?, time))?;
        let manifest = New {
            kind: group.kind,
            id: group.id,
            time,
            file: &file,
            size,
            sum: index.sum(),
            chunks: (made.chunks, made.known),
            stored: made.stored,
            key: job.key.as_ref(),
        };
        write(disk, &work.join(MANIFEST), &like, &blob(&manifest.encode())?)?;
        // No snapshot may have its name before all that it names is durable.
        disk.sync_all(&job.store).map_err(Error::io("sync", &job.store))?;
        let to = job.store.join(&snapshot);
        disk.rename(&work, &to).map_err(Error::io("rename", &work))?;
        let folder = job.store.join(&job.group);
        disk.sync_folder(&folder).map_err(Error::io("sync", &folder))?;
        Ok(made)
    })();
    if result.is_err() {
        // What cannot be removed now, the next run removes.
        _ = place::remove(disk, &work);
    }
    result
}

/// The blob of a small file, which is never encrypted.
fn blob(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packer = Packer::new(LEVEL).map_err(Error::failed)?;
    Ok(encode_blob(data, packer.pack(data).map_err(Error::failed)?, None))
}

/// Writes a new file, durable, with the owner and permissions of `like`.
fn put(disk: &dyn Disk, path: &Path, like: &Path, bytes: &[u8]) -> Result<(), Error> {
    write(disk, path, like, bytes)?.sync().map_err(Error::io("write", path))
}

/// The same, which a sync of everything makes durable.
fn write(disk: &dyn Disk, path: &Path, like: &Path, bytes: &[u8]) -> Result<Box<dyn Writable>, Error> {
    let written = disk.create(path).and_then(|file| {
        file.write_at(0, bytes)?;
        Ok(file)
    });
    let file = written.map_err(Error::io("write", path))?;
    disk.adopt(path, like).map_err(Error::adopt(path, like))?;
    Ok(file)
}
