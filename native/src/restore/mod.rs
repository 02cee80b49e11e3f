//! Restores a point in time: appends what is missing, cuts back to an older point, or writes all of it anew.
//!
//! Whatever is written was checked against its digest before it counts. The old target stays until the new one is
//! whole: an append writes nothing inside the old bytes, a full restore goes to a work file beside the target, which
//! takes its name at the end. A run that was interrupted is taken up where it stopped. Nothing but the target is
//! touched; what else belongs to a database is in `filestorage`.

mod alone;
mod append;
mod filestorage;
mod full;
mod plan;
mod target;
mod write;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::digest::{Algorithm, Hasher};
use highwater_core::inspect::{Format, Set};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::report::Depth;

pub(crate) use full::put_together;
pub use plan::Plan;
pub(crate) use plan::damaged;

use crate::disk::{Disk, Inode};
use crate::drive::{buffer, check_bytes};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::{Object, Store};
use crate::watch::Watch;
use alone::{Alone, still};
use target::Fit;

/// How to restore.
#[derive(Debug, Clone)]
pub struct Job {
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

/// One restore to a file: from where, to where, what and how.
#[derive(Clone, Copy)]
struct Run<'a> {
    job: &'a Job,
    plan: &'a Plan,
    from: &'a dyn Store,
    to: &'a dyn Disk,
    target: &'a Name,
    watch: &'a Watch<'a>,
}

impl Run<'_> {
    /// What people call the target.
    fn told(&self) -> PathBuf {
        self.to.told(Some(self.target))
    }

    /// Something that was being done to the target failed.
    fn failed(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let path = self.told();
        move |source| Error::Io { doing, path, source }
    }
}

/// Works out what a restore of `point` (none: the newest) would read.
///
/// # Errors
/// When there is no such point, or its index is damaged.
pub fn plan(
    from: &dyn Store,
    format: &'static dyn Format,
    point: Option<String>,
    key: Option<Key>,
) -> Result<Plan, Error> {
    Plan::make(from, format, point, key, Depth::Digest)
}

/// The same for whoever only wants to see it: what is encrypted needs no key.
///
/// # Errors
/// As [`plan`].
pub fn outline(
    from: &dyn Store,
    format: &'static dyn Format,
    point: Option<String>,
    key: Option<Key>,
) -> Result<Plan, Error> {
    Plan::make(from, format, point, key, Depth::List)
}

/// The newest set that a point stands for, as its index names it.
///
/// # Errors
/// When there is none, or the index cannot be read.
pub fn find(from: &dyn Store, format: &'static dyn Format, point: String) -> Result<Set, Error> {
    plan::find(from, format, point)
}

/// Restores to the file `target`.
///
/// # Errors
/// Whatever stands in the way; the target is then as it was, except after `in_place`.
pub fn to_file(
    job: &Job,
    plan: &Plan,
    from: &dyn Store,
    (to, target): (&dyn Disk, &Name),
    watch: &Watch<'_>,
) -> Result<Outcome, Error> {
    let run = Run { job, plan, from, to, target, watch };
    target::refuse_what_is_no_target(from, plan, to, target)?;
    let mut alone = Alone::take(to, target, job.dry_run, watch)?;
    let _database = if plan.grows { filestorage::keep_database_closed(to, target)? } else { None };
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    let object = alone.old.as_ref().filter(|_| !job.full).map(|old| Arc::clone(&old.file) as Arc<dyn Object>);
    let fit = match (object, plan.grows) {
        (Some(object), true) => target::fit(&run, &object)?,
        (Some(object), false) if target::is_already(&run, &*object)? => Fit::Same,
        _ => Fit::Not,
    };
    let linked = alone.old.as_ref().is_some_and(|old| old.look.names > 1);
    let (how, next, start) = match fit {
        Fit::Longer | Fit::Prefix { .. } if linked => {
            watch.decision("Target file has another name (a hard link), falling back to a full recover.");
            (How::Full, 0, 0)
        }
        Fit::Same => (How::Nothing, plan.claims.len(), plan.end),
        Fit::Longer => (How::Cut, plan.claims.len(), plan.end),
        Fit::Prefix { next, length } => (How::Appended, next, length),
        Fit::Not => (How::Full, 0, 0),
    };
    let outcome = |how, next: usize, start| Outcome {
        point: plan.point.clone(),
        how,
        end: plan.end,
        files: plan.claims[next..].iter().map(|claim| claim.object.to_string()).collect(),
        written: plan.end - start,
        index: plan.index.is_some(),
    };
    if job.dry_run {
        return Ok(outcome(how, next, start));
    }
    // Of what is written, only a full restore needs a work file, and none may stay that nobody speaks of.
    if how != How::Full {
        alone.clear(to, watch)?;
    }
    let mut done = outcome(how, next, start);
    let old = alone.old.as_ref().filter(|_| how != How::Full);
    if let Some(old) = old {
        let file = old.open(to, target)?;
        match how {
            How::Nothing => {
                if plan.grows {
                    watch.note("Target file is same size as latest backup, doing nothing.");
                }
                // A run that was killed may have put the last bytes there a moment ago; an index must not outlive them.
                file.sync().map_err(run.failed("sync"))?;
            }
            How::Cut => {
                // First the index, which fits the longer file too: it says from where on to scan.
                done.index = filestorage::index::put(&run, false)?;
                file.set_length(plan.end).and_then(|()| file.sync()).map_err(run.failed("cut"))?;
                old.is_still(to, target)?;
                return Ok(done);
            }
            How::Appended | How::Full => match append::append(&run, &plan.claims[next..], start, &*file)? {
                append::Result::Done => {}
                append::Result::Differs => {
                    watch.notice(format!("{} is longer than what the repository put there, and goes on differently: falling back to a full recover.", quoted(&run.told())));
                    done = outcome(How::Full, 0, 0);
                }
            },
        }
        old.is_still(to, target)?;
    }
    let held = if done.how == How::Full {
        let all = Run { job: &Job { full: true, ..job.clone() }, ..run };
        let written = full::write(if how == How::Full { &run } else { &all }, alone)?;
        done.written -= written.had;
        Some(written.file)
    } else {
        None
    };
    if plan.grows {
        done.index = filestorage::index::put(&run, done.how == How::Full)?;
    }
    if let Some(file) = held {
        let ours = Inode::look(&*file).map_err(run.failed("look at"))?.identity;
        let now = to.look(Some(target)).map_err(run.failed("look at"))?;
        still(to, target, now.is_some_and(|now| now.identity == ours))?;
    }
    Ok(done)
}

/// Restores to a stream, which gets nothing of a chunk's successor before the chunk was found sound.
///
/// # Errors
/// Damage, or a stream that takes no more; what was written by then is the user's to throw away.
pub fn to_stream(
    job: &Job,
    plan: &Plan,
    from: &dyn Store,
    out: &mut dyn Write,
    watch: &Watch<'_>,
) -> Result<Outcome, Error> {
    watch.note("Recovering file to stdout");
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    watch.expect(plan.end);
    let mut hasher = Hasher::new(Algorithm::Md5);
    for claim in &plan.claims {
        let mut failed = None;
        let (verdict, _) = check_bytes(from, claim, Depth::Digest, watch, &mut |bytes| {
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
        sound(from, claim, verdict)?;
    }
    if job.whole_sum {
        watch.note(format!("Recovered {} bytes, md5: {}", plan.end, hasher.finish()));
    } else {
        tell_chunks(from, &plan.claims, watch);
    }
    out.flush().map_err(|error| Error::failed(format!("cannot write to the output: {error}")))?;
    let files = plan.claims.iter().map(|claim| claim.object.to_string()).collect();
    Ok(Outcome { point: plan.point.clone(), how: How::Full, end: plan.end, files, written: plan.end, index: false })
}

/// A claim must hold, or nothing of it counts.
fn sound(from: &dyn Store, claim: &Claim, verdict: Verdict) -> Result<(), Error> {
    let path = from.told(Some(&claim.object));
    match verdict {
        Verdict::Sound => Ok(()),
        Verdict::Damaged(damage) => {
            let advice = damage.code().advice();
            Err(Error::damage(format!("{}. {advice}", plan::damaged(from, claim, &damage))))
        }
        Verdict::Unreadable(fault) => Err(Error::failed(format!("{}: {fault}", quoted(&path)))),
        Verdict::Unverifiable(why) => Err(Error::failed(format!("{}: {why}", quoted(&path)))),
    }
}

/// Tells which chunks were recovered, in the original's words for `-w`.
fn tell_chunks(from: &dyn Store, claims: &[Claim], watch: &Watch<'_>) {
    for claim in claims {
        let path = shown(from.told(Some(&claim.object)));
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
