//! `Removal`: which sets were removed while they were looked at, so that nothing of them is called missing.
//!
//! A server that prunes removes a manifest, then the rest; a collection of garbage takes the chunks later. Whoever
//! reads meanwhile finds indices and objects gone that a moment ago were named. So when something is not there, the
//! indices are read a second time: a set that is not named again was removed, and what was missing of it is taken back.
//! Sets are known by their names, as their numbers change.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{Batch, Set};

/// How many findings are kept that may have to be taken back.
const DOUBTS: usize = 10_000;

/// What is known of removals.
#[derive(Debug, Default)]
pub(crate) struct Removal {
    /// Findings of what is not there, and whether each is on a claim.
    doubts: Vec<(Finding, bool)>,
    /// What was gone when it was to be listed.
    names: BTreeSet<String>,
    /// What could not be read in the first walk.
    unreadable: HashSet<String>,
    second: Option<Second>,
    /// The numbers of the sets that are gone.
    gone: HashSet<u64>,
}

/// The second walk.
#[derive(Debug, Default)]
struct Second {
    /// The number that each set had in the first.
    numbers: HashMap<String, u64>,
    /// The same for the sets of this walk, in their order; none for those that came since.
    first: Vec<Option<u64>>,
    /// Something cannot be read that could before: whom it names, nobody knows.
    torn: bool,
}

impl Removal {
    /// Takes note of what an answer of the first walk gave.
    pub(crate) fn note(&mut self, batch: &Batch) {
        self.names.extend(batch.removed.iter().cloned());
        self.unreadable.extend(unreadable(batch));
    }

    /// Keeps a finding of something that is not there, which may be taken back.
    pub(crate) fn doubt(&mut self, finding: &Finding, claim: bool) {
        if set_of(finding.hurts).is_some() && self.doubts.len() < DOUBTS {
            self.doubts.push((finding.clone(), claim));
        }
    }

    /// Whether a second walk should tell what was removed.
    pub(crate) fn asks(&self) -> bool {
        !self.doubts.is_empty()
    }

    /// Begins the second walk.
    pub(crate) fn begin(&mut self, sets: &[Set]) {
        let numbers = sets.iter().zip(0u64..).map(|(set, number)| (set.name.clone(), number)).collect();
        self.second = Some(Second { numbers, ..Second::default() });
    }

    /// Takes note of what an answer of the second walk gave.
    pub(crate) fn again(&mut self, batch: &Batch) {
        self.names.extend(batch.removed.iter().cloned());
        let Some(second) = &mut self.second else { return };
        for set in &batch.sets {
            second.first.push(second.numbers.get(&set.name).copied());
        }
        second.torn |= unreadable(batch).any(|name| !self.unreadable.contains(&name));
    }

    /// Whom something in the second walk hurts, by the numbers of the first; none for a set that came since.
    pub(crate) fn first(&self, hurts: Hurts) -> Option<Hurts> {
        let (Hurts::One(number), Some(second)) = (hurts, &self.second) else { return Some(hurts) };
        let number = usize::try_from(number).ok().and_then(|number| second.first.get(number).copied());
        number.flatten().map(Hurts::One)
    }

    /// Whether the second walk could not read what the first one could, so that it does not tell all.
    pub(crate) fn is_torn(&self) -> bool {
        self.second.as_ref().is_some_and(|second| second.torn)
    }

    /// Finds out which of the sets are gone. Says whether a second walk told.
    pub(crate) fn forget(&mut self, sets: &[Set]) -> bool {
        let Some(second) = self.second.as_ref().filter(|second| !second.torn) else { return false };
        let there: HashSet<u64> = second.first.iter().copied().flatten().collect();
        let numbered = sets.iter().zip(0u64..);
        for (set, number) in numbered.filter(|(_, number)| !there.contains(number)) {
            self.gone.insert(number);
            self.names.insert(set.name.clone());
        }
        true
    }

    /// Takes out the findings on sets that are gone.
    pub(crate) fn withdrawn(&mut self) -> Vec<(Finding, bool)> {
        let gone = |hurts: Hurts| set_of(hurts).is_some_and(|number| self.gone.contains(&number));
        self.doubts.drain(..).filter(|(finding, _)| gone(finding.hurts)).collect()
    }

    /// Whether the set of this number is gone.
    pub(crate) fn is_gone(&self, number: u64) -> bool {
        self.gone.contains(&number)
    }

    /// What was removed, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// The number of the set that a finding is of, where it is of one, whomever it hurts besides.
fn set_of(hurts: Hurts) -> Option<u64> {
    match hurts {
        Hurts::One(number) | Hurts::Onward { from: number, .. } => Some(number),
        _ => None,
    }
}

/// What an answer says cannot be read.
fn unreadable(batch: &Batch) -> impl Iterator<Item = String> {
    let found = batch.findings.iter().filter(|finding| finding.code == Code::Unreadable);
    found.map(|finding| finding.object.as_ref().map(ToString::to_string).unwrap_or_default())
}
