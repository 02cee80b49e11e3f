//! Restores a point in time: appends what is missing, cuts back to an older point, or writes all of it anew.
//!
//! Whatever is written was checked against its digest before it counts. The old target stays until the new one is whole: an
//! append writes nothing inside the old bytes, a full restore goes to `TARGET.part` and is renamed over the
//! target at the end. A run that was interrupted is taken up where it stopped.

mod append;
mod full;
mod index;
mod plan;
mod seal;
mod target;
mod write;

use std::io::Write;
use std::path::{Path, PathBuf};

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::digest::{Algorithm, Hasher};
use highwater_core::inspect::Format;
use highwater_core::key::Key;
use highwater_core::report::Depth;

pub(crate) use full::{adopt_part, part_of};
pub use plan::Plan;
pub(crate) use plan::damaged;

use crate::disk::Disk;
use crate::drive::{buffer, check_bytes, path_of};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::Object;
use crate::watch::Watch;
use target::Fit;

/// What to restore, where to and how.
#[derive(Debug, Clone)]
pub struct Job {
    /// The repository's folder.
    pub repository: PathBuf,
    /// Look at the last chunk of an existing target only.
    pub quick: bool,
    /// Write everything anew whatever is there.
    pub full: bool,
    /// Give the old target up first, for want of space.
    pub in_place: bool,
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
    /// Tell one sum of all that was recovered in place of one for each chunk, which costs a pass over it.
    pub whole_sum: bool,
    /// Put the saved OID index beside the target without looking into it, as the original does.
    pub trust_index: bool,
}

/// What a restore did, or in a dry run would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The point restored.
    pub point: String,
    /// How.
    pub how: How,
    /// The target's length now.
    pub end: u64,
    /// The data files that were read, in order.
    pub files: Vec<String>,
    /// Bytes written to the target that it did not have.
    pub written: u64,
    /// The OID index was put beside it.
    pub index: bool,
}

/// How a target came to its new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was there already.
    Nothing,
    /// Bytes were appended to the old ones.
    Appended,
    /// It was cut back to an older point.
    Cut,
    /// All of it was written anew.
    Full,
}

/// Works out what a restore of `point` (none: the newest) would read.
///
/// # Errors
/// When there is no such point, or its index is damaged.
pub fn plan(
    disk: &dyn Disk,
    repository: &Path,
    format: &'static dyn Format,
    point: Option<String>,
    key: Option<Key>,
) -> Result<Plan, Error> {
    Plan::make(disk, repository, format, point, key)
}

/// Restores to a file.
///
/// # Errors
/// Whatever stands in the way; the target is then as it was, except after `in_place`.
pub fn to_file(job: &Job, plan: &Plan, target: &Path, disk: &dyn Disk, watch: &Watch<'_>) -> Result<Outcome, Error> {
    target::refuse_what_is_no_target(&job.repository, plan, target, disk)?;
    let _database = target::keep_database_closed(target)?;
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    let exists = disk.exists(target).map_err(Error::io("look at", target))?;
    let fit = match (exists && !job.full, plan.grows) {
        (true, true) => target::fit(job, plan, target, disk, watch)?,
        (true, false) if target::is_already(plan, target, disk, watch)? => Fit::Same,
        _ => Fit::Not,
    };
    let (how, claims, from) = match fit {
        Fit::Longer | Fit::Prefix { .. } if target::has_other_names(target) => {
            watch.decision("Target file has another name (a hard link), falling back to a full recover.");
            (How::Full, &plan.claims[..], 0)
        }
        Fit::Same => (How::Nothing, &plan.claims[..0], plan.end),
        Fit::Longer => (How::Cut, &plan.claims[..0], plan.end),
        Fit::Prefix { next, length } => (How::Appended, &plan.claims[next..], length),
        Fit::Not => (How::Full, &plan.claims[..], 0),
    };
    let mut outcome = Outcome {
        point: plan.point.clone(),
        how,
        end: plan.end,
        files: claims.iter().map(|claim| claim.object.to_string()).collect(),
        written: plan.end - from,
        index: plan.index.is_some(),
    };
    if job.dry_run {
        return Ok(outcome);
    }
    match how {
        How::Nothing => {
            if plan.grows {
                watch.note("Target file is same size as latest backup, doing nothing.");
            }
            // A run that was killed may have put the last bytes there a moment ago; an index must not outlive them.
            let file = target::open_alone(disk, target)?;
            file.sync().map_err(Error::io("sync", target))?;
            outcome.index = index::put(job, plan, target, disk, watch)?;
        }
        How::Cut => {
            // First the index, which fits the longer file too: it says from where on to scan.
            outcome.index = index::put(job, plan, target, disk, watch)?;
            let file = target::open_alone(disk, target)?;
            file.set_length(plan.end).and_then(|()| file.sync()).map_err(Error::io("cut", target))?;
        }
        How::Appended => match append::append(job, plan, claims, from, target, disk, watch)? {
            append::Result::Done => outcome.index = index::put(job, plan, target, disk, watch)?,
            append::Result::Differs => {
                watch.notice(format!("{} is longer than what the repository put there, and goes on differently: falling back to a full recover.", quoted(target)));
                let all = Job { full: true, ..job.clone() };
                return to_file(&all, plan, target, disk, watch);
            }
        },
        How::Full => {
            outcome.written -= full::write(job, plan, target, disk, watch)?;
            outcome.index = index::put(job, plan, target, disk, watch)?;
        }
    }
    Ok(outcome)
}

/// Restores to a stream, which gets nothing of a chunk's successor before the chunk was found sound.
///
/// # Errors
/// Damage, or a stream that takes no more; what was written by then is the user's to throw away.
pub fn to_stream(
    job: &Job,
    plan: &Plan,
    out: &mut dyn Write,
    disk: &dyn Disk,
    watch: &Watch<'_>,
) -> Result<Outcome, Error> {
    watch.note("Recovering file to stdout");
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    watch.expect(plan.end);
    let mut hasher = Hasher::new(Algorithm::Md5);
    for claim in &plan.claims {
        let mut failed = None;
        let path = path_of(&job.repository, &claim.object);
        let (verdict, _) = check_bytes(disk, &path, claim, Depth::Digest, watch, &mut |bytes| {
            if job.whole_sum {
                hasher.update(bytes);
            }
            if failed.is_none() {
                failed = out.write_all(bytes).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(Error::failed(format!("cannot write to the output: {error}")));
        }
        sound(job, claim, verdict)?;
    }
    if job.whole_sum {
        watch.note(format!("Recovered {} bytes, md5: {}", plan.end, hasher.finish()));
    } else {
        tell_chunks(job, &plan.claims, watch);
    }
    out.flush().map_err(|error| Error::failed(format!("cannot write to the output: {error}")))?;
    let files = plan.claims.iter().map(|claim| claim.object.to_string()).collect();
    Ok(Outcome { point: plan.point.clone(), how: How::Full, end: plan.end, files, written: plan.end, index: false })
}

/// A claim must hold, or nothing of it counts.
fn sound(job: &Job, claim: &Claim, verdict: Verdict) -> Result<(), Error> {
    let path = path_of(&job.repository, &claim.object);
    match verdict {
        Verdict::Sound => Ok(()),
        Verdict::Damaged(damage) => {
            let advice = damage.code().advice();
            Err(Error::damage(format!("{}. {advice}", plan::damaged(&path, claim, &damage))))
        }
        Verdict::Unreadable(fault) => Err(Error::failed(format!("{}: {fault}", quoted(&path)))),
        Verdict::Unverifiable(why) => Err(Error::failed(format!("{}: {why}", quoted(&path)))),
    }
}

/// Tells which chunks were recovered, in the original's words for `-w`.
fn tell_chunks(job: &Job, claims: &[Claim], watch: &Watch<'_>) {
    for claim in claims {
        let path = shown(path_of(&job.repository, &claim.object));
        let (length, digest) = (claim.expect.length, claim.expect.digest);
        watch.note(format!("Recovered chunk {path} : {length} bytes, md5: {digest}"));
    }
    let total: u64 = claims.iter().map(|claim| claim.expect.length).sum();
    watch.note(format!("Recovered a total of {total} bytes"));
}

/// Tells how much of a file was recovered, and its sum, in the original's words without `-w`.
fn tell_whole(object: &dyn Object, path: &Path, from: u64, end: u64, watch: &Watch<'_>) -> Result<(), Error> {
    let mut hasher = Hasher::new(Algorithm::Md5);
    let read = object.for_each_piece(from, end, &mut buffer(), |piece| {
        hasher.update(piece);
        !watch.stopping()
    });
    read.map_err(Error::io("read", path))?;
    watch.go_on()?;
    watch.note(format!("Recovered {} bytes, md5: {}", end - from, hasher.finish()));
    Ok(())
}
