//! Restores a point in time: appends what is missing, cuts back to an older point, or writes all of it anew.
//!
//! Whatever is written was checked against its digest before it counts. The old target stays until the new one is
//! whole: an append writes nothing inside the old bytes, a full restore goes to a work file beside the target, which
//! takes its name at the end. A run that was interrupted is taken up where it stopped. Nothing but the target is
//! touched, and a target that holds what the set does not know only when that is asked for (`known`).
//!
//! What is restored has a shape: one file that grows (`append`), one in which any byte may change (`image`), or many
//! files below a folder (`tree`). All else here knows none of them.

mod alone;
mod append;
mod claims;
mod full;
mod image;
mod known;
mod plan;
mod ready;
mod target;
pub mod tree;
mod write;
mod zeros;

use std::io::Write;
use std::path::{Path, PathBuf};

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::digest::{Algorithm, Hasher};
use highwater_core::facts::Shape;
use highwater_core::name::Name;
use highwater_core::plan::NOTHING;
use highwater_core::report::Depth;

pub(crate) use append::put_together;
pub use claims::Claims;
pub use image::{Gap, salvage};
pub(crate) use plan::damaged;
pub use plan::{Asked, Plan, find, newest_sound};
pub use ready::Look;
pub(crate) use ready::object as look_at;

use crate::disk::{Disk, Inode, Writable};
use crate::drive::{buffer, check_bytes};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::{Object, Store};
use crate::watch::Watch;
use alone::still;
use zeros::Zeros;

/// How to restore.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
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
pub struct RestoreSummary {
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

impl RestoreSummary {
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

/// One restore: from where, to where, what and how.
pub struct Run<'a, Job = RestoreOptions, Planned = Plan> {
    /// How.
    pub job: &'a Job,
    /// What.
    pub plan: &'a Planned,
    /// The repository.
    pub from: &'a dyn Store,
    /// Where the target is.
    pub to: &'a dyn Disk,
    /// The target.
    pub target: &'a Name,
    /// Who watches.
    pub watch: &'a Watch<'a>,
}

impl<Job, Planned> Clone for Run<'_, Job, Planned> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Job, Planned> Copy for Run<'_, Job, Planned> {}

impl Run<'_> {
    /// What people call the target.
    fn told(&self) -> PathBuf {
        self.to.told(Some(self.target))
    }

    /// Something that was being done to the target failed.
    fn failed(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let path = self.told();
        move |source| Error::io(doing, &path)(source)
    }
}

/// Restores to the file that is the target.
///
/// # Errors
/// Whatever stands in the way; the target is then as it was, except after `in_place`.
pub fn to_file(run: &Run<'_>) -> Result<RestoreSummary, Error> {
    let what = target::refuse_what_is_no_target(run.from, run.plan, run.to, run.target)?;
    match run.plan.shape {
        Shape::Append => append::to_file(run, what),
        Shape::Image => image::to_file(run, what),
        Shape::Tree => Err(Error::cannot_start(format!(
            "a tree is restored to a folder, and not to the file {}",
            quoted(&run.told())
        ))),
        // A plan of such a set is not made.
        Shape::Nothing => Err(Error::cannot_start(NOTHING)),
    }
}

/// The target has its name still, and nobody put another file there.
fn is_still_ours(run: &Run<'_>, file: &dyn Writable) -> Result<(), Error> {
    let ours = Inode::look(file).map_err(run.failed("look at"))?.identity;
    let now = run.to.look(Some(run.target)).map_err(run.failed("look at"))?;
    still(run.to, run.target, now.is_some_and(|now| now.identity == ours))
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
    job: &RestoreOptions,
    plan: &Plan,
    from: &dyn Store,
    out: &mut dyn Write,
    watch: &Watch<'_>,
) -> Result<RestoreSummary, Error> {
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
    Ok(RestoreSummary::new(plan, How::Full, 0, plan.end))
}

/// A claim must hold, or nothing of it counts.
pub(crate) fn sound(from: &dyn Store, claim: &Claim, verdict: Verdict) -> Result<(), Error> {
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
