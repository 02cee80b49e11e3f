//! Restores a point in time: appends what is missing, cuts back to an older point, or writes all of it anew.
//!
//! Whatever is written was checked against its digest before it counts. The old target stays until the new one is
//! whole: an append writes nothing inside the old bytes, a full restore goes to a work file beside the target, which
//! takes its name at the end. A run that was interrupted is taken up where it stopped. Nothing but the target is
//! touched, and a target that holds what the set does not know only when that is asked for (`known`). What else belongs
//! to a database is in `append`.

mod alone;
mod append;
mod claims;
mod device;
mod full;
mod known;
mod plan;
mod ready;
mod salvage;
mod target;
mod write;
mod zeros;

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

pub use claims::Claims;
pub(crate) use full::put_together;
pub use plan::Plan;
pub(crate) use plan::damaged;
pub use ready::Look;
pub use salvage::{Gap, salvage};

use crate::disk::{Disk, Inode, What};
use crate::drive::{buffer, check_bytes};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::{Object, Store};
use crate::watch::Watch;
use alone::{Alone, still};
use target::Fit;
use zeros::Zeros;

/// How to restore.
#[derive(Debug, Clone)]
pub struct Job {
    /// Look at the last chunk of an existing target only.
    pub quick: bool,
    /// Write everything anew whatever is there, and give up what the set does not know.
    pub full: bool,
    /// Give the old target up first, for want of space.
    pub in_place: bool,
    /// Overwrite a block device.
    pub force: bool,
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
    /// How closely everything that will be read is looked at before.
    pub look: Look,
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
    /// How many chunks at the beginning were there already.
    pub had: usize,
    /// How many files were read.
    pub files: usize,
    /// Bytes written to the target that it did not have.
    pub written: u64,
    /// The OID index was put beside it.
    pub index: bool,
    /// What is lost, in order.
    pub lost: Vec<Gap>,
}

impl Outcome {
    /// Of a plan of which the chunks before number `had` were there, and so many bytes were not; without an index.
    fn new(plan: &Plan, how: How, had: usize, written: u64) -> Self {
        let (point, files) = (plan.point.clone(), plan.files(had));
        Self { point, how, end: plan.end, had, files, written, index: false, lost: Vec::new() }
    }
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

/// Works out what a salvage of `point` would read.
///
/// # Errors
/// When there is no such point, nothing of its index can be understood, or the format is none to be salvaged.
pub fn plan_salvage(
    from: &dyn Store,
    format: &'static dyn Format,
    point: Option<String>,
    key: Option<Key>,
) -> Result<Plan, Error> {
    Plan::salvage(from, format, point, key)
}

/// The newest point of which every byte gives its digest; none if there is none.
///
/// # Errors
/// When it cannot be found out.
pub fn newest_sound(from: &dyn Store, format: &'static dyn Format, watch: &Watch<'_>) -> Result<Option<String>, Error> {
    plan::newest_sound(from, format, watch)
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
    if target::refuse_what_is_no_target(from, plan, to, target)? == Some(What::Block) {
        return device::write(&run);
    }
    let mut alone = Alone::take(to, target, job.dry_run, watch)?;
    let _database = if plan.grows { append::database::keep_closed(to, target)? } else { None };
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    let object = alone.old.as_ref().filter(|_| !job.full).map(|old| Arc::clone(&old.file) as Arc<dyn Object>);
    let fit = match (object, plan.grows) {
        (None, _) => Fit::Not,
        (Some(object), grows) => {
            let (fit, why) = match grows {
                true => target::fit(&run, &object)?,
                false if target::is_already(&run, &*object)? => (Fit::Same, None),
                false => (Fit::Not, None),
            };
            if matches!(fit, Fit::Longer | Fit::Not) {
                known::or_refuse(&run, &object, fit)?;
            }
            why.iter().for_each(|why| watch.decision(why));
            fit
        }
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
        index: plan.index.is_some(),
        ..Outcome::new(plan, how, next, plan.end - start)
    };
    let zeros = Zeros::of(plan);
    ready::files(from, plan, next, if job.dry_run || job.in_place { Look::Closely } else { job.look }, &zeros, watch)
        .map_err(|error| kept_old(error, job.in_place && alone.old.is_some()))?;
    ready::room(&run, how, start, &zeros, &alone)?;
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
                done.index = append::index::put(&run, false, None)?;
                file.set_length(plan.end).and_then(|()| file.sync()).map_err(run.failed("cut"))?;
                old.is_still(to, target)?;
                return Ok(done);
            }
            How::Appended | How::Full => {
                match append::append(&run, &plan.claims.from(next).collect::<Vec<_>>(), start, &*file)? {
                    append::Result::Done => {}
                    append::Result::Differs => {
                        known::or_refuse(&run, &(Arc::clone(&old.file) as Arc<dyn Object>), Fit::Not)?;
                        watch.notice(format!(
                            "{} is longer than what the repository put there, and goes on differently: falling back to a full recover.",
                            quoted(&run.told())
                        ));
                        ready::room(&run, How::Full, 0, &zeros, &alone)?;
                        done = outcome(How::Full, 0, 0);
                    }
                }
            }
        }
        old.is_still(to, target)?;
    }
    let (held, records) = if done.how == How::Full {
        let written = full::write(&run, alone, &zeros, None)?;
        done.written -= written.had;
        (Some(written.file), written.records)
    } else {
        (None, None)
    };
    if plan.grows {
        done.index = append::index::put(&run, done.how == How::Full, records)?;
    }
    if let Some(file) = held {
        let ours = Inode::look(&*file).map_err(run.failed("look at"))?.identity;
        let now = to.look(Some(target)).map_err(run.failed("look at"))?;
        still(to, target, now.is_some_and(|now| now.identity == ours))?;
    }
    Ok(done)
}

/// Looks whether everything is there that a restore of the plan reads.
///
/// # Errors
/// What is damaged or cannot be read.
pub fn look(plan: &Plan, from: &dyn Store, closely: Look, watch: &Watch<'_>) -> Result<(), Error> {
    ready::files(from, plan, 0, closely, &Zeros::of(plan), watch)
}

/// Says of what stands in the way of a restore in place that the old file is still there.
fn kept_old(error: Error, is: bool) -> Error {
    match error {
        Error::Refused { class, what } if is => {
            let what = format!("{}; the old file was not given up for it", what.trim_end_matches('.'));
            Error::Refused { class, what }
        }
        other => other,
    }
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
    look(plan, from, job.look, watch)?;
    watch.expect(plan.end);
    let mut hasher = Hasher::new(Algorithm::Md5);
    let zeros = Zeros::of(plan);
    let cannot = |error| Error::failed(format!("cannot write to the output: {error}"));
    for claim in plan.claims.iter() {
        if zeros.are(&claim) {
            watch.go_on()?;
            let put = |_, bytes: &[u8]| {
                if job.whole_sum {
                    hasher.update(bytes);
                }
                watch.advance(bytes.len() as u64);
                out.write_all(bytes)
            };
            Zeros::put(&claim, put).map_err(cannot)?;
            continue;
        }
        let mut failed = None;
        let (verdict, _) = check_bytes(from, &claim, (Depth::Digest, plan.opens.as_ref()), watch, &mut |bytes| {
            if job.whole_sum {
                hasher.update(bytes);
            }
            if failed.is_none() {
                failed = out.write_all(bytes).err();
            }
        })?;
        if let Some(error) = failed {
            return Err(cannot(error));
        }
        sound(from, &claim, verdict)?;
    }
    if job.whole_sum {
        watch.note(format!("Recovered {} bytes, md5: {}", plan.end, hasher.finish()));
    } else {
        tell_chunks(from, plan.claims.iter(), watch);
    }
    out.flush().map_err(cannot)?;
    Ok(Outcome::new(plan, How::Full, 0, plan.end))
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
fn tell_chunks(from: &dyn Store, claims: impl Iterator<Item = Claim>, watch: &Watch<'_>) {
    let mut total = 0;
    for claim in claims {
        let path = shown(from.told(Some(&claim.object)));
        let (length, digest) = (claim.expect.length, claim.expect.digest);
        let digest = digest.map(|digest| digest.to_string()).unwrap_or_default();
        watch.note(format!("Recovered chunk {path} : {length} bytes, md5: {digest}"));
        total += length;
    }
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
