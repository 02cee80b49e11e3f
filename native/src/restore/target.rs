//! What an existing target already holds of a point, found by digests of its own bytes.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::digest::Hasher;
use rayon::prelude::*;

use super::seal::Seal;
use super::{Job, Plan};
use crate::disk::{Disk, Writable};
use crate::drive::{Marked, NEAR, buffer, path_of, read_marks};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::Object;
use crate::watch::Watch;

/// How an existing target fits a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the point.
    Same,
    /// It is a later point of the same chain.
    Longer,
    /// Its first bytes are the chunks before `next`; it is `length` bytes long, which may be within chunk `next`.
    Prefix {
        /// The first chunk that is not all there.
        next: usize,
        /// The target's length.
        length: u64,
    },
    /// It is something else.
    Not,
}

/// Whether the target is what the plan restores, to the last byte: the first difference ends the look.
pub(super) fn is_already(plan: &Plan, target: &Path, disk: &dyn Disk, watch: &Watch<'_>) -> Result<bool, Error> {
    let object = disk.open(target).map_err(Error::io("open the target", target))?;
    if object.length().map_err(Error::io("read", target))? != plan.end {
        return Ok(false);
    }
    let differs = plan.claims.par_iter().find_map_any(|claim| match holds(&*object, claim, watch) {
        Ok(true) => None,
        Ok(false) => Some(Ok(())),
        Err(error) => Some(Err(error)),
    });
    watch.go_on()?;
    differs.transpose().map(|differs| differs.is_none()).map_err(Error::io("read", target))
}

/// Looks at the target: every chunk that it is long enough for, or with `quick` the last one that has bytes.
pub(super) fn fit(job: &Job, plan: &Plan, target: &Path, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Fit, Error> {
    let object: Arc<dyn Object> = disk.open(target).map_err(Error::io("open the target", target))?.into();
    let length = object.length().map_err(Error::io("read", target))?;
    let short = plan.claims.iter().position(|claim| claim.target.end > length).unwrap_or(plan.claims.len());
    // A crash in an append leaves its seal: from there on, every byte has yet to be compared.
    let sealed = plan.claims[..short].iter().position(|claim| Seal::is_on(&*object, claim));
    let next = sealed.unwrap_or(short);
    let there = &plan.claims[..next];
    if there.iter().all(|claim| claim.expect.length == 0) {
        watch.decision("Target file smaller than full backup, falling back to a full recover.");
        return Ok(Fit::Not);
    }
    if length > plan.chain_end {
        watch.decision("Target file is larger than latest backup, falling back to a full recover.");
        return Ok(Fit::Not);
    }
    let looked_at = if job.quick {
        let last = there.iter().rposition(|claim| claim.expect.length > 0).unwrap_or(0);
        &there[last..=last]
    } else {
        there
    };
    watch.expect(looked_at.iter().map(|claim| claim.expect.length).sum());
    let same = |claim: &Claim| {
        let near = job.quick && claim.expect.length <= NEAR;
        let equal = near.then(|| equals(disk, &path_of(&job.repository, &claim.object), &*object, claim)).flatten();
        if equal == Some(true) || holds_by_marks(disk, &job.repository, &object, claim, watch) {
            return Ok(true);
        }
        holds(&*object, claim, watch)
    };
    let differs = looked_at.par_iter().find_map_first(|claim| match same(claim) {
        Ok(true) => None,
        Ok(false) => Some(Ok(claim)),
        Err(error) => Some(Err(error)),
    });
    watch.go_on()?;
    match differs {
        Some(Ok(claim)) => {
            let path = job.repository.join(claim.object.to_string());
            watch.decision(format!(
                "Target file is not consistent with backup {}, falling back to a full recover.",
                shown(&path)
            ));
            return Ok(Fit::Not);
        }
        Some(Err(error)) => return Err(Error::io("read", target)(error)),
        None => {}
    }
    Ok(match length {
        length if sealed.is_some() && length <= plan.end => Fit::Prefix { next, length },
        _ if sealed.is_some() => Fit::Not,
        length if length == plan.end => Fit::Same,
        length if length > plan.end => Fit::Longer,
        length => Fit::Prefix { next, length },
    })
}

/// Whether the bytes of `object` at a claim's target range are those of the repository's own file, where that is plain
/// and can be read. Comparing takes an eighth of the time of hashing.
fn equals(disk: &dyn Disk, path: &Path, object: &dyn Object, claim: &Claim) -> Option<bool> {
    let stored = disk.open(path).ok().filter(|_| claim.codec == Codec::Plain)?;
    if stored.length().ok()? != claim.expect.length {
        return None;
    }
    let mut theirs = buffer();
    let mut at = claim.target.start;
    let mut same = true;
    let read = stored.for_each_piece(0, claim.expect.length, &mut buffer(), |ours| {
        let theirs = &mut theirs[..ours.len()];
        same = object.read_exact_at(at, theirs).is_ok() && ours == theirs;
        at += ours.len() as u64;
        same
    });
    read.ok().map(|_| same && at == claim.target.end)
}

/// Whether the marks that lie in the repository prove that the bytes of `object` at a claim's target range are the claimed
/// ones. When they do not, it takes one stream to tell.
fn holds_by_marks(
    disk: &dyn Disk,
    repository: &Path,
    object: &Arc<dyn Object>,
    claim: &Claim,
    watch: &Watch<'_>,
) -> bool {
    let marks = claim.marks.as_ref().and_then(|name| read_marks(disk, repository, name));
    let marked = marks.and_then(|marks| Marked::of_range(object.clone(), &claim.target, &claim.expect, marks));
    marked.is_some_and(|marked| matches!(marked.verdict(watch), Ok(Some(Verdict::Sound))))
}

/// Whether the bytes of `object` at a claim's target range are the claimed ones.
pub(super) fn holds(object: &dyn Object, claim: &Claim, watch: &Watch<'_>) -> std::io::Result<bool> {
    let mut hasher = Hasher::new(claim.expect.digest.algorithm());
    let end = object.for_each_piece(claim.target.start, claim.target.end, &mut buffer(), |piece| {
        hasher.update(piece);
        watch.advance(piece.len() as u64);
        !watch.stopping()
    })?;
    hasher.update(claim.codec.suffix());
    Ok(end == claim.target.end && hasher.finish() == claim.expect.digest)
}

/// Opens a file for writing and keeps other restores off it.
pub(super) fn open_alone(disk: &dyn Disk, path: &Path) -> Result<Box<dyn Writable>, Error> {
    let file = disk.open_for_writing(path).map_err(Error::io("open for writing", path))?;
    alone(&*file, path)?;
    Ok(file)
}

/// Whether a file has another name (a hard link), which would show whatever is written to it: a snapshot's, or a trap's.
pub(super) fn has_other_names(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.nlink() > 1)
}

/// Keeps other restores off an open file.
pub(super) fn alone(file: &dyn Writable, path: &Path) -> Result<(), Error> {
    if file.try_lock().map_err(Error::io("lock", path))? {
        return Ok(());
    }
    Err(Error::cannot_start(format!("another restore is writing {}; wait for it, or end it", quoted(path))))
}

/// Keeps ZODB from opening the target while it is being written: ZODB holds a lock on `TARGET.lock` while a
/// FileStorage is open. Returns the lock; none when there is no such file, as no ZODB ever opened the target.
pub(super) fn keep_database_closed(target: &Path) -> Result<Option<File>, Error> {
    let mut path = target.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let unknown = |error: std::io::Error| {
        let what = format!("cannot tell whether the database {} is open: {}: {error}", quoted(target), quoted(&path));
        Err(Error::cannot_start(what))
    };
    let file = match crate::store::open_plain(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return unknown(error),
    };
    match File::try_lock(&file) {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::Error(error)) => unknown(error),
        Err(TryLockError::WouldBlock) => {
            let what = format!(
                "the database {} is open: a process holds {}; stop it first, or restore to another file",
                quoted(target),
                quoted(&path)
            );
            Err(Error::cannot_start(what))
        }
    }
}

/// Refuses targets that a restore would destroy: a link, a device, a file of the repository itself.
pub(super) fn refuse_what_is_no_target(
    repository: &Path,
    plan: &Plan,
    target: &Path,
    disk: &dyn Disk,
) -> Result<(), Error> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What cannot be looked at is not taken for harmless; what is not there is, and fails later.
    let real = |path: &Path| there(std::fs::canonicalize(path)).map_err(Error::io("look at", path));
    let inside =
        real(folder)?.zip(real(repository)?).is_some_and(|(folder, repository)| folder.starts_with(repository));
    if inside {
        let what =
            format!("{} lies inside the repository it is to be restored from; name another place", quoted(target));
        return Err(Error::cannot_start(what));
    }
    let meta = there(std::fs::symlink_metadata(target)).map_err(Error::io("look at", target))?;
    let Some(meta) = meta else { return Ok(()) };
    if meta.file_type().is_symlink() {
        let to = std::fs::read_link(target).unwrap_or_default();
        let what = format!("{} is a link to {}; name the file itself", quoted(target), quoted(&to));
        return Err(Error::cannot_start(what));
    }
    if !meta.is_file() {
        return Err(Error::cannot_start(format!("{} is no plain file; name another target", quoted(target))));
    }
    let identity =
        |path: &Path| there(disk.open(path).and_then(|object| object.identity())).map_err(Error::io("look at", path));
    let ours = identity(target)?;
    for claim in plan.claims.iter().filter(|_| ours.is_some()) {
        if identity(&path_of(repository, &claim.object))? == ours {
            let what =
                format!("{} is the same file as the backup '{}'; name another target", quoted(target), claim.object);
            return Err(Error::cannot_start(what));
        }
    }
    Ok(())
}

/// What was found, or none when nothing is there.
fn there<T>(found: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
