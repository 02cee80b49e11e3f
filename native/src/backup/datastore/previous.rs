//! `Previous`: the snapshots of the group that came before, whose chunks the store must still have.

use std::io;

use highwater_core::digest::Digest;
use highwater_core::formats::datastore::names::{self, MANIFEST};
use highwater_core::formats::datastore::{Lines, Old};
use highwater_core::name::Name;

use super::chunks::Lost;
use super::source::Source;
use super::{SnapshotOptions, blob, name_in, put};
use crate::disk::Disk;
use crate::disk::like::Like;
use crate::drive::buffer;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::is_no_file;
use crate::watch::Watch;

/// The newest whole snapshot that has the same archive.
pub(super) struct Previous {
    /// Its path below the store.
    pub(super) snapshot: String,
    /// The length of the archive, and of its chunks, in bytes.
    pub(super) size: u64,
    pub(super) chunk: u64,
    /// The chunks of the archive, in order, if they may be taken over.
    pub(super) digests: Vec<Digest>,
    /// Each of them once, the smallest first.
    pub(super) distinct: Vec<Digest>,
}

/// What the snapshots before come to.
pub(super) struct Found {
    /// Of each source that which has its archive.
    pub(super) previous: Vec<Option<Previous>>,
    /// Snapshots that are marked as failed in a way that no server can read, by their paths below the store.
    pub(super) unread: Vec<String>,
}

/// So many digests are gathered at least before they are sorted, and those that came twice dropped.
const GATHERED: usize = 1 << 16;

impl Previous {
    /// Looks for that of each source. What cannot be read or understood is passed over, and said.
    pub(super) fn find(
        job: &SnapshotOptions,
        sources: &[Source<'_>],
        disk: &dyn Disk,
        watch: &Watch<'_>,
    ) -> Result<Found, Error> {
        let mut found: Vec<Option<Self>> = sources.iter().map(|_| None).collect();
        let mut unread = Vec::new();
        let folder = Name::new(job.group.as_bytes())?;
        let mut times = Vec::new();
        let listed = disk.list(Some(&folder), &mut |entry| {
            times.extend(entry.name.as_str().filter(|name| names::time_of(name).is_some()).map(ToOwned::to_owned));
        });
        match listed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found { previous: found, unread }),
            result => result.map_err(Error::at("list", disk, &folder))?,
        }
        times.sort();
        for time in times.iter().rev() {
            if found.iter().all(Option::is_some) {
                break;
            }
            let snapshot = format!("{}/{time}", job.group);
            let manifest = match manifest_of(disk, &snapshot) {
                Ok(Some(manifest)) if !manifest.failed => manifest,
                Ok(failed) => {
                    unread.extend(failed.filter(|manifest| manifest.unread).map(|_| snapshot));
                    continue;
                }
                Err(what) => {
                    watch.notice(what);
                    continue;
                }
            };
            for (source, found) in sources.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                match Self::read(job, disk, &snapshot, &manifest, source) {
                    Ok(previous) => *found = previous,
                    Err(what) => watch.notice(what),
                }
            }
        }
        Ok(Found { previous: found, unread })
    }

    /// Reads the index of the archive of a source, if the snapshot has it: piece by piece, as an image full of zeros
    /// names the same chunk millions of times.
    fn read(
        job: &SnapshotOptions,
        disk: &dyn Disk,
        snapshot: &str,
        manifest: &Old,
        source: &Source<'_>,
    ) -> Result<Option<Self>, String> {
        let name = source.archive.file.clone();
        let Some((_, sum)) = manifest.indices.iter().find(|(file, _)| *file == name) else { return Ok(None) };
        let name = name_in(snapshot, &name).map_err(|error| error.to_string())?;
        let object = match disk.open(&name) {
            Err(error) if is_no_file(&error) => return Err(odd(disk, &name, "it is not there")),
            result => result.map_err(|error| unreadable(disk, &name, &error))?,
        };
        let mut lines = Lines::default();
        let (mut digests, mut distinct): (Vec<Digest>, Vec<Digest>) = (Vec::new(), Vec::new());
        let mut most = GATHERED;
        let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
            // The first piece holds the header.
            let mut some = Vec::new();
            lines.push(piece, &mut |digest| some.push(digest));
            distinct
                .extend(some.iter().zip(some.iter().skip(1)).filter(|(one, next)| one != next).map(|(one, _)| *one));
            distinct.extend(some.last());
            if distinct.len() > most {
                sort(&mut distinct);
                most = GATHERED.max(2 * distinct.len());
            }
            if job.append_only && lines.head().is_some_and(|(size, chunk)| size <= source.size && chunk == job.chunk) {
                digests.append(&mut some);
            }
            true
        });
        read.map_err(|error| unreadable(disk, &name, &error))?;
        sort(&mut distinct);
        let (size, chunk) = lines.head().unwrap_or_default();
        if lines.end().map_err(|why| odd(disk, &name, &why))? != *sum {
            return Err(odd(disk, &name, "it is not the index that its manifest names"));
        }
        Ok(Some(Self { snapshot: snapshot.to_owned(), size, chunk, digests, distinct }))
    }

    /// Whether the archive has this chunk.
    pub(super) fn names(&self, digest: &Digest) -> bool {
        self.distinct.binary_search(digest).is_ok()
    }
}

/// The manifest of a snapshot; none while somebody is writing it, or gave up.
fn manifest_of(disk: &dyn Disk, snapshot: &str) -> Result<Option<Old>, String> {
    let name = name_in(snapshot, MANIFEST).map_err(|error| error.to_string())?;
    let Some(raw) = read(disk, &name)? else { return Ok(None) };
    Old::read(&raw, snapshot).map(Some).map_err(|why| odd(disk, &name, &why))
}

/// A whole file, if there is one.
fn read(disk: &dyn Disk, name: &Name) -> Result<Option<Vec<u8>>, String> {
    match disk.open(name).and_then(|object| object.read_whole()) {
        Err(error) if is_no_file(&error) => Ok(None),
        result => result.map(Some).map_err(|error| unreadable(disk, name, &error)),
    }
}

/// Each digest once, in order.
fn sort(digests: &mut Vec<Digest>) {
    digests.sort_unstable();
    digests.dedup();
}

fn unreadable(disk: &dyn Disk, name: &Name, error: &io::Error) -> String {
    format!("{} cannot be read: {error}", quoted(&disk.told(Some(name))))
}

fn odd(disk: &dyn Disk, name: &Name, why: &str) -> String {
    format!("{}: {why}; verify the store", quoted(&disk.told(Some(name))))
}

/// What a server makes of a snapshot that is marked as failed.
const FAILED: &str = "a server shows it so, bases no backup on it, and verifies it again in the next job that does \
    so after some days, or with one that skips nothing";

/// Marks a snapshot that had lost chunks as not whole, so that a server takes no chunk on trust from it, and verifies
/// it again when its own rules allow that.
pub(super) fn mark_lost(
    disk: &dyn Disk,
    work: &Name,
    Lost { snapshot, healed, gone }: &Lost<'_>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    mark(disk, work, snapshot)?;
    let what = match (healed.len(), gone.len()) {
        (healed, 0) => format!("{healed} of them are there again, out of the source"),
        (0, lost) => format!("the source does not have {lost} of them any more"),
        (healed, lost) => format!("{healed} of them are there again, the source does not have {lost} any more"),
    };
    watch.notice(format!(
        "the store had lost chunks of {snapshot}: {what}. It is marked as failed: {FAILED}; `highwater verify` does \
         so now"
    ));
    Ok(())
}

/// Marks a snapshot anew that earlier versions marked in a way that servers take for none.
pub(super) fn mark_unread(disk: &dyn Disk, work: &Name, snapshot: &str, watch: &Watch<'_>) -> Result<(), Error> {
    mark(disk, work, snapshot)?;
    watch
        .notice(format!("{snapshot} was marked as failed in words that no server reads, and is marked anew: {FAILED}"));
    Ok(())
}

fn mark(disk: &dyn Disk, work: &Name, snapshot: &str) -> Result<(), Error> {
    let name = name_in(snapshot, MANIFEST)?;
    let raw = disk.open(&name).and_then(|object| object.read_whole()).map_err(Error::at("read", disk, &name))?;
    // It may have been verified or noted meanwhile.
    let manifest = Old::read(&raw, snapshot).map_err(|why| Error::failed(odd(disk, &name, &why)))?;
    let like = Like::in_place_of(disk, &name).map_err(Error::at("look at", disk, &name))?;
    // Its name is durable with all the rest, before the new snapshot has its own.
    put(disk, work, &name, &like, &blob(&manifest.mark_failed(std::process::id()), None)?)
}
