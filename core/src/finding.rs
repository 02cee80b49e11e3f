//! `Finding`: what is wrong with a set, where, and which sets it hurts; and a bounded heap of them.

pub mod code;
mod pages;

use std::collections::BTreeMap;

pub use code::{Code, Severity};
pub(crate) use pages::fill;

use crate::name::Name;

/// How many findings a report keeps in words; all are counted.
pub const SAMPLE: usize = 100;

/// Which sets (restorable points in time) a piece of damage hurts.
///
/// Sets are numbered in the order in which an inspection names them; a *group* is a run of sets that
/// build on each other, such as one full backup with its increments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hurts {
    /// No set: a stray file, for example.
    Nothing,
    /// One set, by its number within the root.
    One(u64),
    /// Every set of a group from one on, as a damaged increment does.
    Onward {
        /// The group.
        group: u64,
        /// The first set's number within the root.
        from: u64,
    },
    /// The sets of these numbers, half-open.
    Span {
        /// The first.
        from: u64,
        /// The first behind them.
        to: u64,
    },
    /// Every set of a group.
    Group(u64),
    /// Every set of the root.
    All,
    /// Whoever makes the claim of this key, which many may do: [`crate::inspect::Batch::shared`].
    Shared(u128),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The stable code: what kind of thing is wrong, how bad it is, what to do.
    pub code: Code,
    /// The object that shows it; none when it is the whole root.
    pub object: Option<Name>,
    /// Where in the object, in bytes of what is stored there.
    pub offset: Option<u64>,
    /// One sentence with the evidence.
    pub message: String,
    /// The sets that cannot be trusted because of it.
    pub hurts: Hurts,
}

/// What decides which findings are kept: code, object as printed, offset, message.
type Shown = (Code, String, Option<u64>, String);

/// Exact counts for each code, the smallest [`SAMPLE`] findings, and every hurt set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    tallies: BTreeMap<Code, u64>,
    /// By what a report shows of them: the order of escaped names is not that of the names.
    sample: BTreeMap<Shown, Finding>,
    hurts: BTreeMap<Hurts, Severity>,
}

impl Findings {
    /// Counts a finding and keeps it if it is among the smallest.
    pub fn push(&mut self, finding: Finding) {
        let tally = self.tallies.entry(finding.code).or_default();
        *tally = tally.saturating_add(1);
        self.hurt(finding.hurts, finding.code.severity());
        self.keep(finding);
    }

    /// Notes that sets are in doubt for a reason that another finding tells.
    pub fn doubt(&mut self, hurts: Hurts) {
        self.hurt(hurts, Severity::Inconclusive);
    }

    /// Takes a finding back that was pushed: what it hurts is no more.
    pub(crate) fn withdraw(&mut self, finding: &Finding) {
        self.discount(finding.code, 1);
        self.hurts.remove(&finding.hurts);
        let object = finding.object.as_ref().map(ToString::to_string).unwrap_or_default();
        self.sample.remove(&(finding.code, object, finding.offset, finding.message.clone()));
    }

    /// Takes back so many findings of a code, of which those that are kept are known by what they hurt.
    pub(crate) fn withdraw_shared(&mut self, code: Code, count: u64, is_gone: impl Fn(Hurts) -> bool) {
        self.discount(code, count);
        self.sample.retain(|_, finding| finding.code != code || !is_gone(finding.hurts));
    }

    fn discount(&mut self, code: Code, count: u64) {
        if let Some(tally) = self.tallies.get_mut(&code) {
            *tally = tally.saturating_sub(count);
            if *tally == 0 {
                self.tallies.remove(&code);
            }
        }
    }

    /// Takes in all of `other`. Associative and commutative.
    pub fn merge(&mut self, other: Self) {
        for (code, count) in other.tallies {
            let tally = self.tallies.entry(code).or_default();
            *tally = tally.saturating_add(count);
        }
        for (hurts, severity) in other.hurts {
            self.hurt(hurts, severity);
        }
        for finding in other.sample.into_values() {
            self.keep(finding);
        }
    }

    /// How many findings there are of each code.
    #[must_use]
    pub fn tallies(&self) -> &BTreeMap<Code, u64> {
        &self.tallies
    }

    /// The findings kept, smallest first.
    pub fn sample(&self) -> impl Iterator<Item = &Finding> {
        self.sample.values()
    }

    /// What is hurt, and the worst severity of what hurts it.
    #[must_use]
    pub fn hurts(&self) -> &BTreeMap<Hurts, Severity> {
        &self.hurts
    }

    /// Nothing was found at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tallies.is_empty()
    }

    fn hurt(&mut self, hurts: Hurts, severity: Severity) {
        // Whom a shared claim hurts, those know who handed it out.
        if !matches!(hurts, Hurts::Nothing | Hurts::Shared(_)) {
            let worst = self.hurts.entry(hurts).or_insert(severity);
            *worst = severity.max(*worst);
        }
    }

    fn keep(&mut self, finding: Finding) {
        let object = finding.object.as_ref().map(ToString::to_string).unwrap_or_default();
        let hurts = finding.hurts;
        let shown = (finding.code, object, finding.offset, finding.message.clone());
        // Two that look alike, as when two lines name one file, are shown as the one that hurts from the earliest set
        // on, whichever comes first.
        let kept = self.sample.entry(shown).or_insert(finding);
        kept.hurts = kept.hurts.min(hurts);
        if self.sample.len() > SAMPLE {
            self.sample.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: Code, object: u32) -> Finding {
        Finding {
            code,
            object: Name::new(format!("f{object:04}").as_bytes()).ok(),
            offset: None,
            message: String::new(),
            hurts: Hurts::Onward { group: 0, from: u64::from(object) },
        }
    }

    #[test]
    fn of_two_findings_that_look_alike_the_same_is_kept_in_any_order() {
        let [one, other] =
            [3, 8].map(|from| Finding { hurts: Hurts::Onward { group: 0, from }, ..finding(Code::Missing, 1) });
        for order in [[&one, &other], [&other, &one]] {
            let (mut pushed, mut merged) = (Findings::default(), Findings::default());
            for finding in order {
                pushed.push(finding.clone());
                let mut single = Findings::default();
                single.push(finding.clone());
                merged.merge(single);
            }
            for findings in [pushed, merged] {
                assert!(findings.sample().eq([&one]));
                assert_eq!(findings.tallies().get(&Code::Missing), Some(&2));
            }
        }
    }

    #[test]
    fn the_sample_does_not_depend_on_the_order() {
        let all: Vec<Finding> = (0..500).map(|i| finding(Code::Digest, i * 7 % 500)).collect();
        let mut forward = Findings::default();
        all.iter().cloned().for_each(|f| forward.push(f));
        let (mut left, mut right) = (Findings::default(), Findings::default());
        all.iter().rev().cloned().enumerate().for_each(|(i, f)| if i % 3 == 0 { left.push(f) } else { right.push(f) });
        right.merge(left);
        assert_eq!(right.tallies(), forward.tallies());
        assert_eq!(right.tallies().get(&Code::Digest), Some(&500));
        assert!(right.sample().eq(forward.sample()));
        assert_eq!(forward.sample().count(), SAMPLE);
        assert_eq!(forward.sample().last().unwrap().object, Name::new(b"f0099").ok());
    }
}
