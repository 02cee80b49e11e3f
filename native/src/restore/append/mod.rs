//! A restore to a FileStorage, one file whose points grow out of one another: it is appended to, or cut back.
//!
//! Beside the target lie the lock by which a database says that it is open ([`database`]), and the OID index
//! ([`index`]).

mod beyond;
mod company;
mod database;
mod fit;
pub(super) mod index;
mod known;
mod missing;
mod newest;
mod seal;
mod together;

use std::sync::Arc;

pub(crate) use together::put_together;

use super::alone::Alone;
use super::zeros::Zeros;
use super::{How, Look, RestoreSummary, Run, full, is_still_ours, kept_old, ready};
use crate::disk::What;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Object;
use company::Company;
use fit::Fit;

/// Restores to what has the target's name.
///
/// # Errors
/// As [`super::to_file`].
pub(super) fn to_file(run: &Run<'_>, what: Option<What>) -> Result<RestoreSummary, Error> {
    let Run { job, plan, from, to, target, watch } = *run;
    if what == Some(What::Block) {
        let path = quoted(&run.told());
        return Err(Error::cannot_start(format!("{path} is a block device; a database belongs into a file: name one")));
    }
    let mut alone = Alone::take(to, target, job.dry_run, watch)?;
    let _database = database::keep_closed(to, target)?;
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    let (how, next, start) = how(run, &alone)?;
    let zeros = Zeros::of(plan);
    let closely = if job.dry_run || job.in_place { Look::Closely } else { job.look };
    ready::files(from, plan, next, closely, &zeros, watch)
        .map_err(|error| kept_old(error, job.in_place && alone.old.is_some()))?;
    ready::room(run, how, start, &zeros, &alone)?;
    let index = plan.index.is_some();
    let mut done = RestoreSummary { index, ..RestoreSummary::new(plan, how, next, plan.end - start) };
    if job.dry_run {
        return Ok(done);
    }
    // Of what is written, only a full restore needs a work file, and none may stay that nobody speaks of.
    if how != How::Full {
        alone.clear(to, watch)?;
    }
    if let Some(old) = alone.old.as_ref().filter(|_| how != How::Full) {
        let file = old.open(to, target)?;
        match how {
            How::Nothing => {
                watch.note("Target file is same size as latest backup, doing nothing.");
                // A run that was killed may have put the last bytes there a moment ago; an index must not outlive them.
                file.sync().map_err(run.failed("sync"))?;
            }
            How::Cut => {
                // First the index, which fits the longer file too: it says from where on to scan.
                done.index = index::put(run, false, None)?;
                file.set_length(plan.end).and_then(|()| file.sync()).map_err(run.failed("cut"))?;
                old.is_still(to, target)?;
                return Ok(done);
            }
            How::Appended | How::Full => {
                let missing = plan.claims.from(next).collect::<Vec<_>>();
                if missing::append(run, &missing, start, &*file)? == missing::Result::Differs {
                    known::or_refuse(run, &(Arc::clone(&old.file) as Arc<dyn Object>), Fit::Not)?;
                    watch.notice(format!(
                        "{} is longer than what the repository put there, and goes on differently: falling back to a \
                         full recover.",
                        quoted(&run.told())
                    ));
                    ready::room(run, How::Full, 0, &zeros, &alone)?;
                    done = RestoreSummary { index, ..RestoreSummary::new(plan, How::Full, 0, plan.end) };
                }
            }
        }
        old.is_still(to, target)?;
    }
    if done.how != How::Full {
        done.index = index::put(run, false, None)?;
        return Ok(done);
    }
    let company = Company::of(run);
    let written = full::restore(run, alone, &zeros, None, &company)?;
    done.written -= written.had;
    done.index = index::put(run, true, company.finish())?;
    is_still_ours(run, &*written.file)?;
    Ok(done)
}

/// How the target comes to its new state: also the first chunk that is not there, and the byte from which on it is
/// written.
fn how(run: &Run<'_>, alone: &Alone) -> Result<(How, usize, u64), Error> {
    let Run { job, plan, watch, .. } = *run;
    let Some(old) = alone.old.as_ref().filter(|_| !job.full) else { return Ok((How::Full, 0, 0)) };
    let object = Arc::clone(&old.file) as Arc<dyn Object>;
    let (fit, why) = fit::look(run, &object)?;
    if matches!(fit, Fit::Longer | Fit::Not) {
        known::or_refuse(run, &object, fit)?;
    }
    why.iter().for_each(|why| watch.decision(why));
    Ok(match fit {
        Fit::Longer | Fit::Prefix { .. } if old.look.names > 1 => {
            watch.decision("Target file has another name (a hard link), falling back to a full recover.");
            (How::Full, 0, 0)
        }
        Fit::Same => (How::Nothing, plan.claims.len(), plan.end),
        Fit::Longer => (How::Cut, plan.claims.len(), plan.end),
        Fit::Prefix { next, length } => (How::Appended, next, length),
        Fit::Not => (How::Full, 0, 0),
    })
}
