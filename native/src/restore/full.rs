//! A full restore: every chunk to its place in `TARGET.part`, in parallel, then a rename over the target.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use highwater_core::check::{Check, Verdict};
use highwater_core::claim::{Claim, Evidence};
use highwater_core::codec::Codec;
use highwater_core::digest::Hasher;
use highwater_core::report::Depth;
use rayon::prelude::*;

use super::write::{Writer, is_zero};
use super::{Job, Plan, index, plan, sound, target, tell_chunks, tell_whole};
use crate::disk::{Disk, Writable};
use crate::drive::{check_bytes, path_of};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::Object;
use crate::watch::Watch;

/// The longest chunk that is taken over from an old target in one piece, in bytes: the longest of a datastore.
const LONGEST: usize = 16 << 20;

/// Writes all of a plan anew. A `.part` that an interrupted run left is taken up: chunks in it that are sound stay. Of an archive whose
/// points do not grow out of one another, chunks that the old target holds are taken from there.
///
/// Gives how many bytes were there already.
pub(super) fn write(job: &Job, plan: &Plan, target: &Path, disk: &dyn Disk, watch: &Watch<'_>) -> Result<u64, Error> {
    let part = part_of(target);
    let resumed = disk.exists(&part).map_err(Error::io("look at", &part))?;
    if resumed && target::has_other_names(&part) {
        let what = "has another name (a hard link), which would show what is written to it; remove it";
        return Err(Error::failed(format!("{} {what}", quoted(&part))));
    }
    if job.in_place {
        for claim in &plan.claims {
            let path = path_of(&job.repository, &claim.object);
            let length = disk.length(&path).map_err(Error::io("read", &path))?;
            if claim.evidence(Depth::Size) == Evidence::StoredLength
                && let Verdict::Damaged(damage) = Check::of_length(claim, length)
            {
                let what = plan::damaged(&path, claim, &damage);
                return Err(Error::damage(format!("{what}; the old file was not given up for it")));
            }
        }
        give_up(target, &part, resumed, disk, watch)?;
    }
    watch.note(format!("Recovering file to {}", shown(target)));
    watch.expect(plan.end);
    let resumed = disk.exists(&part).map_err(Error::io("look at", &part))?;
    let file = if resumed {
        watch.note(format!("taking up {}: what is sound in it stays", quoted(&part)));
        target::open_alone(disk, &part)?
    } else {
        let file = disk.create(&part).map_err(Error::io("create", &part))?;
        target::alone(&*file, &part)?;
        if disk.exists(target).map_err(Error::io("look at", target))? {
            // From the first byte on, nobody may read it who may not read the target.
            disk.adopt(&part, target).map_err(Error::io("set the permissions of", &part))?;
        }
        file
    };
    let first = plan.claims.first().filter(|claim| claim.codec == Codec::Plain && !resumed);
    let shared = first.is_some_and(|claim| disk.reflink(&path_of(&job.repository, &claim.object), &*file));
    let old = match disk.open(target) {
        Ok(old) if !plan.grows && !job.full => {
            // Where blocks can be shared, only what differs takes any.
            let cloned = !resumed && disk.reflink(target, &*file);
            Some(old).filter(|_| !cloned)
        }
        _ => None,
    };
    let length = file.length().map_err(Error::io("read", &part))?;
    let cloned = length > 0 && !shared;
    let there = |at: usize, claim: &Claim| (resumed || cloned || (shared && at == 0)) && claim.target.end <= length;
    let had = AtomicU64::new(0);
    let chunks = plan.claims.par_iter().enumerate().try_for_each(|(at, claim)| {
        watch.go_on()?;
        let fresh = claim.target.start >= length;
        if there(at, claim) && target::holds(file.as_object(), claim, watch).map_err(Error::io("read", &part))? {
            had.fetch_add(claim.expect.length, Ordering::Relaxed);
            return Ok(());
        }
        if let Some(old) = &old
            && take_over(&**old, claim, &*file, fresh).map_err(Error::io("write", &part))?
        {
            had.fetch_add(claim.expect.length, Ordering::Relaxed);
            watch.advance(claim.expect.length);
            return Ok(());
        }
        chunk(job, claim, &*file, &part, fresh, disk, watch)
    });
    chunks.map_err(|error| kept(error, &part))?;
    if job.whole_sum {
        tell_whole(file.as_object(), &part, 0, plan.end, watch)?;
    } else {
        tell_chunks(job, &plan.claims, watch);
    }
    file.set_length(plan.end).and_then(|()| file.sync()).map_err(Error::io("write", &part))?;
    adopt(&part, target, disk)?;
    Ok(if plan.grows { 0 } else { had.into_inner() })
}

/// Writes a chunk from the old target, if that holds it. What is all zeros need not be written where nothing was.
fn take_over(old: &dyn Object, claim: &Claim, file: &dyn Writable, fresh: bool) -> io::Result<bool> {
    let Ok(length) = usize::try_from(claim.expect.length) else { return Ok(false) };
    if length > LONGEST || old.length()? < claim.target.end {
        return Ok(false);
    }
    let mut data = vec![0; length];
    old.read_exact_at(claim.target.start, &mut data)?;
    let mut hasher = Hasher::new(claim.expect.digest.algorithm());
    hasher.update(&data);
    hasher.update(claim.codec.suffix());
    if hasher.finish() != claim.expect.digest {
        return Ok(false);
    }
    if !(fresh && is_zero(&data)) {
        file.write_at(claim.target.start, &data)?;
    }
    Ok(true)
}

/// An error that says where what was written so far lies.
fn kept(error: Error, part: &Path) -> Error {
    match error {
        Error::Refused { class, what } => {
            let what = what.trim_end_matches('.');
            let what = format!("{what}. What was written stays in {}; the next restore takes it up", quoted(part));
            Error::Refused { class, what }
        }
        other => other,
    }
}

/// Puts a whole, durable work file in the place of the target, which gives it its owner and permissions.
fn adopt(part: &Path, target: &Path, disk: &dyn Disk) -> Result<(), Error> {
    let folder = target.parent().unwrap_or(Path::new("."));
    if disk.exists(target).map_err(Error::io("look at", target))? {
        disk.adopt(part, target).map_err(Error::io("set the permissions of", part))?;
    }
    // An index of the old file beside the new one could mislead the database; none never does.
    index::remove(target, disk)?;
    disk.rename(part, target).map_err(Error::io("rename", part))?;
    disk.sync_folder(folder).map_err(Error::io("sync", folder))
}

/// Finishes a restore whose data were put together elsewhere: as [`write`] ends, then the index as it is.
pub(crate) fn adopt_part(
    part: &Path,
    target: &Path,
    saved: &Path,
    disk: &dyn Disk,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let _database = target::keep_database_closed(target)?;
    adopt(part, target, disk)?;
    index::put_as_is(saved, target, disk, watch)
}

/// Writes one chunk to its place, checking it on the way. Where nothing was yet (`fresh`), zeros need not be written.
pub(super) fn chunk(
    job: &Job,
    claim: &Claim,
    file: &dyn Writable,
    path: &Path,
    fresh: bool,
    disk: &dyn Disk,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let from = path_of(&job.repository, &claim.object);
    let verdict = thread::scope(|scope| {
        let mut writer = Writer::new(scope, file, claim.target.start, claim.expect.length, fresh);
        let checked = check_bytes(disk, &from, claim, Depth::Digest, watch, &mut |bytes| writer.put(bytes));
        writer.finish().map_err(Error::io("write", path))?;
        checked.map(|(verdict, _)| verdict)
    })?;
    sound(job, claim, verdict)
}

/// Makes room before the new file is written, as the user asked.
fn give_up(target: &Path, part: &Path, resumed: bool, disk: &dyn Disk, watch: &Watch<'_>) -> Result<(), Error> {
    if disk.exists(target).map_err(Error::io("look at", target))? {
        watch.notice(format!("restoring in place: until this ends, there is no whole database at {}", quoted(target)));
        if resumed || target::has_other_names(target) {
            disk.remove(target).map_err(Error::io("remove", target))?;
        } else {
            disk.rename(target, part).map_err(Error::io("rename", target))?;
        }
    }
    // Before the first byte is written: a power cut must not bring the name back with half of the new bytes. A run that
    // was killed may have taken it away a moment ago.
    let folder = target.parent().unwrap_or(Path::new("."));
    disk.sync_folder(folder).map_err(Error::io("sync", folder))
}

/// The work file beside a target.
pub(crate) fn part_of(target: &Path) -> PathBuf {
    let mut part = target.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}
