//! `Previous`: the snapshots of the group that came before, whose chunks the store must still have.

use std::io;
use std::path::Path;

use highwater_core::digest::Digest;
use highwater_core::formats::datastore::names::{self, MANIFEST};
use highwater_core::formats::datastore::{Fixed, Old};

use super::chunks::Lost;
use super::source::Source;
use super::{Job, blob, put};
use crate::clock;
use crate::disk::Disk;
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
    /// The chunks of the archive, in order.
    pub(super) digests: Vec<Digest>,
    /// Where in that order the smallest digest is, and so on.
    sorted: Vec<usize>,
}

impl Previous {
    /// Looks for that of each source. What cannot be read or understood is passed over, and said.
    pub(super) fn find(
        job: &Job,
        sources: &[Source<'_>],
        disk: &dyn Disk,
        watch: &Watch<'_>,
    ) -> Result<Vec<Option<Self>>, Error> {
        let mut found: Vec<Option<Self>> = sources.iter().map(|_| None).collect();
        let folder = job.store.join(&job.group);
        let mut times = Vec::new();
        let listed = disk.list(&folder, &mut |entry| {
            times.extend(entry.name.as_str().filter(|name| names::time_of(name).is_some()).map(ToOwned::to_owned));
        });
        match listed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            result => result.map_err(Error::io("list", &folder))?,
        }
        times.sort();
        for time in times.iter().rev() {
            if found.iter().all(Option::is_some) {
                break;
            }
            let snapshot = format!("{}/{time}", job.group);
            let manifest = match manifest_of(job, disk, &snapshot) {
                Ok(Some(manifest)) if !manifest.failed => manifest,
                Ok(_) => continue,
                Err(what) => {
                    watch.notice(what);
                    continue;
                }
            };
            for (source, found) in sources.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                match Self::read(job, disk, &snapshot, &manifest, &source.archive.file()) {
                    Ok(previous) => *found = previous,
                    Err(what) => watch.notice(what),
                }
            }
        }
        Ok(found)
    }

    /// Reads the index of this name, if the snapshot has it.
    fn read(job: &Job, disk: &dyn Disk, snapshot: &str, manifest: &Old, name: &str) -> Result<Option<Self>, String> {
        let Some((_, sum)) = manifest.indices.iter().find(|(file, _)| file == name) else { return Ok(None) };
        let path = job.store.join(snapshot).join(name);
        let raw = read(disk, &path)?.ok_or_else(|| format!("{} is not there; verify the store", quoted(&path)))?;
        let index = Fixed::read(&raw).map_err(|why| odd(&path, &why))?;
        if index.sum() != *sum {
            return Err(odd(&path, "it is not the index that its manifest names"));
        }
        let Fixed { size, chunk, digests } = index;
        let mut sorted: Vec<usize> = (0..digests.len()).collect();
        sorted.sort_unstable_by_key(|at| digests[*at]);
        Ok(Some(Self { snapshot: snapshot.to_owned(), size, chunk, digests, sorted }))
    }

    /// Whether the archive has this chunk.
    pub(super) fn names(&self, digest: &Digest) -> bool {
        self.sorted.binary_search_by_key(digest, |at| self.digests[*at]).is_ok()
    }
}

/// The manifest of a snapshot; none while somebody is writing it, or gave up.
fn manifest_of(job: &Job, disk: &dyn Disk, snapshot: &str) -> Result<Option<Old>, String> {
    let path = job.store.join(snapshot).join(MANIFEST);
    let Some(raw) = read(disk, &path)? else { return Ok(None) };
    Old::read(&raw, snapshot).map(Some).map_err(|why| odd(&path, &why))
}

/// A whole file, if there is one.
fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>, String> {
    match disk.open(path).and_then(|object| object.read_whole()) {
        Err(error) if is_no_file(&error) => Ok(None),
        result => result.map(Some).map_err(|error| format!("{} cannot be read: {error}", quoted(path))),
    }
}

fn odd(path: &Path, why: &str) -> String {
    format!("{}: {why}; verify the store", quoted(path))
}

/// Marks a snapshot that had lost chunks as not whole, so that a server verifies it again and takes no chunk on trust from it.
pub(super) fn mark_failed(
    job: &Job,
    disk: &dyn Disk,
    work: &Path,
    Lost { snapshot, healed, gone }: &Lost<'_>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let path = job.store.join(snapshot).join(MANIFEST);
    let raw = disk.open(&path).and_then(|object| object.read_whole()).map_err(Error::io("read", &path))?;
    // It may have been verified or noted meanwhile.
    let manifest = Old::read(&raw, snapshot).map_err(|why| Error::failed(format!("{}: {why}", quoted(&path))))?;
    // In the form of a server's own names of tasks.
    let task = format!(
        "UPID:highwater:{:08X}:00000000:00000000:{:08X}:backup:::root@pam:",
        std::process::id(),
        clock::seconds()?
    );
    let temporary = work.join("failed");
    put(disk, &temporary, &path, &blob(&manifest.mark_failed(&task), None)?)?;
    // Durable with all the rest, before the new snapshot has its name.
    disk.rename(&temporary, &path).map_err(Error::io("rename", &temporary))?;
    let what = match (healed.len(), gone.len()) {
        (healed, 0) => format!("{healed} of them are there again, out of the source"),
        (0, lost) => format!("the source does not have {lost} of them any more"),
        (healed, lost) => format!("{healed} of them are there again, the source does not have {lost} any more"),
    };
    watch.notice(format!("the store had lost chunks of {snapshot}: {what}. It is marked as failed; verify the store"));
    Ok(())
}
