//! A salvage: what is left of an image, with zeros where nothing sound is.

use super::lost::Lost;
use crate::disk::{Inode, What};
use crate::error::Error;
use crate::restore::alone::{Alone, still};
use crate::restore::full::Nothing;
use crate::restore::zeros::Zeros;
use crate::restore::{How, RestoreSummary, Run, full, ready, target};
use crate::shown::quoted;

/// Restores what is left of the plan to the file that is the target. One that is there is replaced only if the job says
/// so by `full`, and never if it is whole; of a chunk that is lost here, what it holds is taken.
///
/// # Errors
/// Whatever stands in the way, and when nothing at all is left; the target is then as it was.
pub fn salvage(run: &Run<'_>) -> Result<RestoreSummary, Error> {
    let Run { job, plan, from, to, target, watch } = *run;
    if target::refuse_what_is_no_target(from, plan, to, target)? == Some(What::Block) {
        let path = quoted(&run.told());
        return Err(Error::cannot_start(format!("{path} is a block device; salvage to a file, and look at it first")));
    }
    let alone = Alone::take(to, target, false, watch)?;
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    let path = quoted(&run.told());
    let outcome = |how, written, lost| RestoreSummary { lost, ..RestoreSummary::new(plan, how, 0, written) };
    if let Some(old) = &alone.old {
        if crate::restore::known::is_already(run, old.file.as_object())? {
            return Ok(outcome(How::Nothing, 0, Vec::new()));
        }
        if !job.full {
            let what = format!("{path} is there, and what is salvaged may be less than it holds");
            return Err(Error::cannot_start(format!("{what}; name another target, or give it up with --full")));
        }
    }
    let zeros = Zeros::of(plan);
    ready::room(run, How::Full, 0, &zeros, &alone)?;
    let lost = Lost::default();
    if plan.claims.end() < plan.end {
        lost.note(plan.claims.end()..plan.end, "the index names no chunk for them".to_owned());
    }
    let written = full::restore(run, alone, &zeros, Some(&lost), &Nothing)?;
    let ours = Inode::look(&*written.file).map_err(run.failed("look at"))?.identity;
    let now = to.look(Some(target)).map_err(run.failed("look at"))?;
    still(to, target, now.is_some_and(|now| now.identity == ours))?;
    let lost = lost.finish();
    let gone: u64 = lost.iter().map(|gap| gap.range.end - gap.range.start).sum();
    Ok(outcome(How::Full, plan.end - gone - written.had, lost))
}
