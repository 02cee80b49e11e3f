//! Gives a whole snapshot its name, beside whoever else writes into its group.
//!
//! A server keeps its locks outside the store, so nothing of ours keeps it out of a group, nor it us. It may take the
//! very second that this snapshot was to have, or remove the group meanwhile: the first is answered with the next
//! second, the other by making the group anew, and both are said.

use std::io::ErrorKind;

use highwater_core::formats::datastore::names::MANIFEST;
use highwater_core::name::Name;

use super::stage::Stage;
use super::target::{self, Locks, PATIENCE, TICK};
use super::{SnapshotOptions, write};
use crate::clock;
use crate::disk::Disk;
use crate::disk::like::Like;
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;

/// Writes the manifest that `manifest` makes for a second, makes everything durable, and puts the snapshot in place.
/// Gives its path below the store.
pub(super) fn publish(
    job: &SnapshotOptions,
    disk: &dyn Disk,
    (stage, like): (&Stage<'_>, &Like),
    (mut locks, mut time): (Locks, i64),
    manifest: impl Fn(i64) -> Result<Vec<u8>, Error>,
    watch: &Watch<'_>,
) -> Result<String, Error> {
    let group = Name::new(job.group.as_bytes())?;
    write(disk, &stage.snapshot, MANIFEST, like, &manifest(time)?)?;
    for _ in 0..PATIENCE {
        watch.go_on()?;
        target::with_group(job, disk, &mut locks, watch, |_| Ok(()))?;
        let path = format!("{}/{}", job.group, clock::snapshot(time)?);
        let to = Name::new(path.as_bytes())?;
        match place(job, disk, (stage, like), &to, watch) {
            Ok(true) => {
                disk.sync_folder(Some(&group)).map_err(Error::at("sync", disk, &group))?;
                return Ok(path);
            }
            Ok(false) => {
                let there = quoted(&disk.told(Some(&to)));
                watch.notice(format!(
                    "{there} appeared while this ran: somebody else, as a server, whose locks lie outside the store, \
                     backs up into this group too; this snapshot takes the next second"
                ));
                time = after(job, time, watch)?;
                let anew = stage.snapshot.rewrite(MANIFEST.as_bytes(), &manifest(time)?, like);
                anew.map_err(Error::at("write", disk, &to))?;
            }
            Err(error) if target::was_removed(disk, &group, &error)? => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::failed(format!(
        "somebody else takes every second in {}, or removes it, as fast as a snapshot gets its name; look who writes \
         there, and run again. No snapshot was made",
        quoted(&disk.told(Some(&group)))
    )))
}

/// Makes everything durable, and gives the snapshot its name; false when somebody has taken that.
fn place(
    job: &SnapshotOptions,
    disk: &dyn Disk,
    (stage, like): (&Stage<'_>, &Like),
    to: &Name,
    watch: &Watch<'_>,
) -> Result<bool, Error> {
    let group = Name::new(job.group.as_bytes())?;
    target::own(job, disk, stage.snapshot.work(), like, watch)?;
    // No snapshot may have its name before all that it names is durable.
    stage.barrier(disk, &group)?;
    match Like::in_place_of_folder(disk, &group).and_then(|like| stage.snapshot.publish(to, &like)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(Error::at("put in place", disk, to)(error)),
    }
}

/// The next second, once it has come; a clock that stands still cannot be waited for.
fn after(job: &SnapshotOptions, time: i64, watch: &Watch<'_>) -> Result<i64, Error> {
    while job.now.is_none() && clock::ticks() && clock::seconds()? <= time {
        watch.go_on()?;
        std::thread::sleep(TICK);
    }
    Ok(time.saturating_add(1))
}
