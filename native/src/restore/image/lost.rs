//! `Lost`: which ranges of a salvaged image are lost, and why.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;

use crate::restore::plan;
use crate::shown::quoted;
use crate::store::Store;

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
pub(in crate::restore) struct Lost(Mutex<BTreeMap<u64, Gap>>);

impl Lost {
    /// Notes that a range is lost. Neighbours become one.
    pub(in crate::restore) fn note(&self, range: Range<u64>, why: String) {
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

    pub(super) fn finish(self) -> Vec<Gap> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }
}

/// Why a chunk is lost, as a clause.
pub(in crate::restore) fn why(from: &dyn Store, claim: &Claim, verdict: Verdict) -> Option<String> {
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
