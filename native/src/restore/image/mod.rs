//! A restore to an image: one file, or a device, of which any chunk may differ from that of another point.

mod device;
pub(super) mod known;
pub(super) mod lost;
mod salvage;

use std::sync::Arc;

pub use lost::Gap;
pub use salvage::salvage;

use super::alone::Alone;
use super::full::Nothing;
use super::zeros::Zeros;
use super::{How, Look, RestoreSummary, Run, full, is_still_ours, kept_old, ready};
use crate::disk::What;
use crate::error::Error;
use crate::store::Object;

/// Restores to what has the target's name.
///
/// # Errors
/// As [`super::to_file`].
pub(super) fn to_file(run: &Run<'_>, what: Option<What>) -> Result<RestoreSummary, Error> {
    let Run { job, plan, from, to, target, watch } = *run;
    if what == Some(What::Block) {
        return device::write(run);
    }
    let mut alone = Alone::take(to, target, job.dry_run, watch)?;
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    let mut how = How::Full;
    if let Some(old) = alone.old.as_ref().filter(|_| !job.full) {
        let object = Arc::clone(&old.file) as Arc<dyn Object>;
        if crate::restore::known::is_already(run, &*object)? {
            how = How::Nothing;
        } else {
            known::or_refuse(run, &object)?;
        }
    }
    let there = if how == How::Nothing { plan.claims.len() } else { 0 };
    let zeros = Zeros::of(plan);
    let closely = if job.dry_run || job.in_place { Look::Closely } else { job.look };
    ready::files(from, plan, there, closely, &zeros, watch)
        .map_err(|error| kept_old(error, job.in_place && alone.old.is_some()))?;
    ready::room(run, how, 0, &zeros, &alone)?;
    let done = RestoreSummary::new(plan, how, there, if how == How::Nothing { 0 } else { plan.end });
    if job.dry_run {
        return Ok(done);
    }
    if how == How::Nothing {
        // None may stay that nobody speaks of.
        alone.clear(to, watch)?;
    }
    if let Some(old) = alone.old.as_ref().filter(|_| how == How::Nothing) {
        // A run that was killed may have put the last bytes there a moment ago.
        old.open(to, target)?.sync().map_err(run.failed("sync"))?;
        old.is_still(to, target)?;
        return Ok(done);
    }
    let written = full::restore(run, alone, &zeros, None, &Nothing)?;
    is_still_ours(run, &*written.file)?;
    Ok(RestoreSummary { written: done.written - written.had, ..done })
}
