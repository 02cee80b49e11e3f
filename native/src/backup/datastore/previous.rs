//! `Previous`: the snapshots of the group that came before, whose chunks the store must still have.

use std::io;

use highwater_core::digest::Digest;
use highwater_core::formats::datastore::names::{self, MANIFEST};
use highwater_core::formats::datastore::{Fixed, Old};
use highwater_core::name::Name;

use super::chunks::Lost;
use super::source::Source;
use super::{Job, blob, name_in, put};
use crate::clock;
use crate::disk::Disk;
use crate::disk::like::Like;
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
        let folder = Name::new(job.group.as_bytes())?;
        let mut times = Vec::new();
        let listed = disk.list(Some(&folder), &mut |entry| {
            times.extend(entry.name.as_str().filter(|name| names::time_of(name).is_some()).map(ToOwned::to_owned));
        });
        match listed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
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
                Ok(_) => continue,
                Err(what) => {
                    watch.notice(what);
                    continue;
                }
            };
            for (source, found) in sources.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                match Self::read(disk, &snapshot, &manifest, &source.archive.file()) {
                    Ok(previous) => *found = previous,
                    Err(what) => watch.notice(what),
                }
            }
        }
        Ok(found)
    }

    /// Reads the index of this name, if the snapshot has it.
    fn read(disk: &dyn Disk, snapshot: &str, manifest: &Old, name: &str) -> Result<Option<Self>, String> {
        let Some((_, sum)) = manifest.indices.iter().find(|(file, _)| file == name) else { return Ok(None) };
        let name = name_in(snapshot, name).map_err(|error| error.to_string())?;
        let raw = read(disk, &name)?.ok_or_else(|| odd(disk, &name, "it is not there"))?;
        let index = Fixed::read(&raw).map_err(|why| odd(disk, &name, &why))?;
        if index.sum() != *sum {
            return Err(odd(disk, &name, "it is not the index that its manifest names"));
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
fn manifest_of(disk: &dyn Disk, snapshot: &str) -> Result<Option<Old>, String> {
    let name = name_in(snapshot, MANIFEST).map_err(|error| error.to_string())?;
    let Some(raw) = read(disk, &name)? else { return Ok(None) };
    Old::read(&raw, snapshot).map(Some).map_err(|why| odd(disk, &name, &why))
}

/// A whole file, if there is one.
fn read(disk: &dyn Disk, name: &Name) -> Result<Option<Vec<u8>>, String> {
    match disk.open(name).and_then(|object| object.read_whole()) {
        Err(error) if is_no_file(&error) => Ok(None),
        result => {
            result.map(Some).map_err(|error| format!("{} cannot be read: {error}", quoted(&disk.told(Some(name)))))
        }
    }
}

fn odd(disk: &dyn Disk, name: &Name, why: &str) -> String {
    format!("{}: {why}; verify the store", quoted(&disk.told(Some(name))))
}

/// Marks a snapshot that had lost chunks as not whole, so that a server verifies it again and takes no chunk on trust
/// from it.
pub(super) fn mark_failed(
    disk: &dyn Disk,
    work: &Name,
    Lost { snapshot, healed, gone }: &Lost<'_>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let name = name_in(snapshot, MANIFEST)?;
    let raw = disk.open(&name).and_then(|object| object.read_whole()).map_err(Error::at("read", disk, &name))?;
    // It may have been verified or noted meanwhile.
    let manifest = Old::read(&raw, snapshot).map_err(|why| Error::failed(odd(disk, &name, &why)))?;
    // In the form of a server's own names of tasks.
    let task = format!(
        "UPID:highwater:{:08X}:00000000:00000000:{:08X}:backup:::root@pam:",
        std::process::id(),
        clock::seconds()?
    );
    let like = Like::in_place_of(disk, &name).map_err(Error::at("look at", disk, &name))?;
    // Its name is durable with all the rest, before the new snapshot has its own.
    put(disk, work, &name, &like, &blob(&manifest.mark_failed(&task), None)?)?;
    let what = match (healed.len(), gone.len()) {
        (healed, 0) => format!("{healed} of them are there again, out of the source"),
        (0, lost) => format!("the source does not have {lost} of them any more"),
        (healed, lost) => format!("{healed} of them are there again, the source does not have {lost} any more"),
    };
    watch.notice(format!("the store had lost chunks of {snapshot}: {what}. It is marked as failed; verify the store"));
    Ok(())
}
