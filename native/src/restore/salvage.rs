//! A salvage: what is left of an image, with zeros where nothing sound is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::name::Name;

use super::alone::Alone;
use super::zeros::Zeros;
use super::{How, Job, Outcome, Plan, Run, full, plan, ready, target};
use crate::disk::{Disk, Inode, What};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Store;
use crate::watch::Watch;

/// A range of a target that holds zeros, as what belongs there is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Its bytes, half-open.
    pub range: Range<u64>,
    /// Why the first of them are lost.
    pub why: String,
}

/// What is lost, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Lost(Mutex<BTreeMap<u64, Gap>>);

impl Lost {
    /// Notes that a range is lost. Neighbours become one.
    pub(super) fn note(&self, range: Range<u64>, why: String) {
        let mut gaps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gap = Gap { range, why };
        if let Some(next) = gaps.remove(&gap.range.end) {
            gap.range.end = next.range.end;
        }
        match gaps.range_mut(..gap.range.start).next_back() {
            Some((_, before)) if before.range.end == gap.range.start => before.range.end = gap.range.end,
            _ => _ = gaps.insert(gap.range.start, gap),
        }
    }

    fn finish(self) -> Vec<Gap> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }
}

/// Restores what is left of the plan to the file `target`. One that is there is replaced only if the job says so by
/// `full`, and never if it is whole; of a chunk that is lost here, what it holds is taken.
///
/// # Errors
/// Whatever stands in the way, and when nothing at all is left; the target is then as it was.
pub fn salvage(
    job: &Job,
    plan: &Plan,
    from: &dyn Store,
    (to, target): (&dyn Disk, &Name),
    watch: &Watch<'_>,
) -> Result<Outcome, Error> {
    let run = Run { job, plan, from, to, target, watch };
    if target::refuse_what_is_no_target(from, plan, to, target)? == Some(What::Block) {
        let path = quoted(&run.told());
        return Err(Error::cannot_start(format!("{path} is a block device; salvage to a file, and look at it first")));
    }
    let alone = Alone::take(to, target, false, watch)?;
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    let path = quoted(&run.told());
    let outcome = |how, written, lost| Outcome { lost, ..Outcome::new(plan, how, 0, written) };
    if let Some(old) = &alone.old {
        if target::is_already(&run, old.file.as_object())? {
            return Ok(outcome(How::Nothing, 0, Vec::new()));
        }
        if !job.full {
            let what = format!("{path} is there, and what is salvaged may be less than it holds");
            return Err(Error::cannot_start(format!("{what}; name another target, or give it up with --full")));
        }
    }
    let zeros = Zeros::of(plan);
    ready::room(&run, How::Full, 0, &zeros, &alone)?;
    let lost = Lost::default();
    if plan.claims.end() < plan.end {
        lost.note(plan.claims.end()..plan.end, "the index names no chunk for them".to_owned());
    }
    let written = full::write(&run, alone, &zeros, Some(&lost))?;
    let ours = Inode::look(&*written.file).map_err(run.failed("look at"))?.identity;
    let now = to.look(Some(target)).map_err(run.failed("look at"))?;
    super::still(to, target, now.is_some_and(|now| now.identity == ours))?;
    let lost = lost.finish();
    let gone: u64 = lost.iter().map(|gap| gap.range.end - gap.range.start).sum();
    Ok(outcome(How::Full, plan.end - gone - written.had, lost))
}

/// Why a chunk is lost, as a clause.
pub(super) fn why(from: &dyn Store, claim: &Claim, verdict: Verdict) -> Option<String> {
    Some(match verdict {
        Verdict::Sound => return None,
        Verdict::Damaged(damage) => plan::damaged(from, claim, &damage),
        Verdict::Unreadable(fault) => format!("{}: {fault}", quoted(&from.told(Some(&claim.object)))),
        Verdict::Unverifiable(why) => format!("{}: {why}", quoted(&from.told(Some(&claim.object)))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_gap() {
        let lost = Lost::default();
        for (start, end) in [(10, 20), (30, 40), (0, 5), (20, 30), (50, 60), (45, 50)] {
            lost.note(start..end, format!("at {start}"));
        }
        let ranges: Vec<_> = lost.finish().into_iter().map(|gap| (gap.range, gap.why)).collect();
        let wanted = [(0..5, "at 0"), (10..40, "at 10"), (45..60, "at 45")];
        assert_eq!(ranges, wanted.map(|(range, why)| (range, why.to_owned())));
    }
}
