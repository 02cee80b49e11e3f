//! `Report`: the one result of every verification. It merges, and renders in many ways.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(feature = "json")]
use serde::{Deserialize, Serialize};

use crate::finding::{Code, SAMPLE, Severity};
use crate::left_out::LeftOut;
use crate::origin::Origin;
use crate::shard::Shard;
use crate::sort;

/// The number of the report's shape; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 2;

/// How many sets that were removed a report names.
pub const REMOVED: usize = 100;

/// How many set names a finding lists; all are counted.
pub const SETS_NAMED: usize = 20;

/// How thoroughly a set is looked at, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "lowercase"))]
pub enum Depth {
    /// Indices are parsed and everything they name is there.
    List,
    /// Also, lengths are right (compressed objects are decompressed to know theirs).
    Size,
    /// Also, every byte gives its digest.
    Digest,
    /// Also, the records inside are consistent, and the OID indices fit them.
    Deep,
}

/// The answer to "is it whole?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "lowercase"))]
pub enum Soundness {
    /// Everything claimed was checked at the depth asked for and is sound.
    Sound,
    /// Something could not be read or judged, or nothing was claimed.
    Inconclusive,
    /// Something is damaged.
    Damaged,
}

/// The result of looking at one or more roots.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The answer, for everything in this report.
    pub verdict: Soundness,
    /// The depth that was reached everywhere: the least of the merged ones.
    pub depth: Depth,
    /// Warnings count as damage.
    pub strict: bool,
    /// It is, or was put together to be, the whole: a shard that is not in it makes it inconclusive.
    pub whole: bool,
    /// How much was looked at, over all roots.
    pub coverage: Coverage,
    /// The roots looked at, by label.
    pub roots: Vec<Root>,
    /// Every set (point in time), by root and in the order of the index.
    pub sets: Vec<Set>,
    /// How many findings there are of each code's name.
    pub tallies: BTreeMap<String, u64>,
    /// The smallest [`SAMPLE`] findings, by code (damage first), root, object and offset.
    pub findings: Vec<Note>,
    /// Shards that a merged report lacks or has twice, as `label 3/8`; any makes it inconclusive.
    pub lacking: Vec<String>,
    /// Sets, or folders of them, that were removed while they were looked at, as `label@name`: the report says nothing
    /// of them. The first [`REMOVED`].
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub removed: Vec<String>,
    /// The runs that it is of, in order, where somebody asked for them; else the same sets give the same bytes.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub origins: Vec<Origin>,
}

/// How many claims there are and how many were checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
pub struct Coverage {
    /// Claims and trails that the indices make.
    pub claims: u64,
    /// Claims and trails that were judged: found sound, or found damaged.
    pub checked: u64,
    /// Claims and trails of these parts that could not be judged: unreadable, encrypted without the key, never reached.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "is_none"))]
    pub unjudged: u64,
    /// Decoded bytes that were checked for it.
    pub bytes: u64,
    /// How many of them were checked by marks: in parallel, for the very digest on record ([`crate::marks`]).
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "is_none"))]
    pub marked: u64,
}

/// What there is nothing of is not spoken of, as in reports of before it was counted.
#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "as serde asks for it; where addresses have 32 bits, it is no copy less"
)]
fn is_none(number: &u64) -> bool {
    *number == 0
}

/// One folder or bucket that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
pub struct Root {
    /// What the host calls it.
    pub label: String,
    /// The format it was recognised as.
    pub format: String,
    /// The parts of it that this report covers, as `i/n`, sorted; twice when merged in twice.
    pub shards: Vec<String>,
    /// How much of it was looked at.
    pub coverage: Coverage,
    /// How many claims were found sound by a digest that proves this, where the format tells its digests apart.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "BTreeMap::is_empty"))]
    pub proven: BTreeMap<String, u64>,
    /// The newest sound point of each [series] of points, as far as something was checked.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub newest: Vec<String>,
    /// The depth that was asked for, where the format has nothing to look at so deep.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "Option::is_none"))]
    pub asked: Option<Depth>,
}

/// Splits a point's name into its series and its time: points whose names differ only after the last `/` are of one
/// thing at different times, and sort by them.
#[must_use]
pub fn series(point: &str) -> (&str, &str) {
    point.rsplit_once('/').unwrap_or(("", point))
}

/// One restorable point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
pub struct Set {
    /// The root's label.
    pub root: String,
    /// The point's name, as `REPO@POINT` takes it.
    pub name: String,
    /// Its number within its root, from 0.
    pub ordinal: u64,
    /// The chain it belongs to within its root, from 0.
    pub group: u64,
    /// How long what it restores is, in bytes.
    pub bytes: u64,
    /// What a restore takes one of, named as `REPO@POINT/ARCHIVE`; none where it takes the point itself.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub archives: Vec<String>,
    /// The fingerprint of the key that it was encrypted or signed with, if it names one.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "Option::is_none"))]
    pub key: Option<String>,
    /// What it left out, by its own account: it is no damage, and is told.
    #[cfg_attr(feature = "json", serde(default, skip_serializing_if = "LeftOut::is_nothing"))]
    pub left_out: LeftOut,
    /// What is known of it.
    pub verdict: Soundness,
}

/// One finding, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "json", derive(Serialize, Deserialize))]
pub struct Note {
    /// The stable code; first, so that the worst findings are the ones kept.
    pub code: Code,
    /// The root's label.
    pub root: String,
    /// The code's name.
    pub name: String,
    /// The code's severity.
    pub severity: Severity,
    /// The object that shows it; empty when it is the whole root.
    pub object: String,
    /// Where in the object, in bytes.
    pub offset: Option<u64>,
    /// One sentence with the evidence.
    pub message: String,
    /// One sentence that says what to do.
    pub advice: String,
    /// The points in time that it hurts: the first [`SETS_NAMED`] names.
    pub sets: Vec<String>,
    /// How many points in time it hurts.
    pub sets_total: u64,
}

/// The places of the sets of a report that another, which looked at their roots as well, does not have.
fn unseen(report: &Report, other: &Report) -> Vec<usize> {
    let roots: BTreeSet<&str> = other.roots.iter().map(|root| &*root.label).collect();
    let key = |set: &Set| (set.root.clone(), set.ordinal, set.name.clone());
    let sets: BTreeSet<_> = other.sets.iter().filter(|set| roots.contains(&*set.root)).map(key).collect();
    let is_unseen = |set: &Set| roots.contains(&*set.root) && !sets.contains(&key(set));
    let numbered = report.sets.iter().enumerate();
    numbered.filter(|(_, set)| is_unseen(set)).map(|(at, _)| at).collect()
}

impl Report {
    /// A report of nothing, which merges with any other.
    #[must_use]
    pub fn empty(depth: Depth, strict: bool) -> Self {
        Self {
            schema: SCHEMA,
            verdict: Soundness::Inconclusive,
            depth,
            strict,
            whole: false,
            coverage: Coverage::default(),
            roots: Vec::new(),
            sets: Vec::new(),
            tallies: BTreeMap::new(),
            findings: Vec::new(),
            lacking: Vec::new(),
            removed: Vec::new(),
            origins: Vec::new(),
        }
    }

    /// Both reports as one. Associative and commutative, so shards may come in any order. A set that only one of them
    /// has, though both looked at its root, was not checked by all: nobody knows whether it is sound.
    #[must_use]
    pub fn merge(mut self, mut other: Self) -> Self {
        let (ours, theirs) = (unseen(&self, &other), unseen(&other, &self));
        let doubt = |sets: &mut [Set], unseen: Vec<usize>| {
            for at in unseen {
                if let Some(set) = sets.get_mut(at) {
                    set.verdict = set.verdict.max(Soundness::Inconclusive);
                }
            }
        };
        doubt(&mut self.sets, ours);
        doubt(&mut other.sets, theirs);
        self.depth = self.depth.min(other.depth);
        self.strict |= other.strict;
        self.whole |= other.whole;
        self.roots.extend(other.roots);
        self.sets.extend(other.sets);
        self.sort();
        self.roots.dedup_by(|again, mine| {
            // Under one label, another kind is another root: somebody said --kind, or moved the reports about.
            let same = (&again.label, &again.format) == (&mine.label, &mine.format);
            if same {
                mine.add(again);
            }
            same
        });
        self.sets.dedup_by(|again, mine| {
            let same = (&again.root, again.ordinal, &again.name) == (&mine.root, mine.ordinal, &mine.name);
            if same {
                mine.verdict = mine.verdict.max(again.verdict);
                // Parts that saw different indices may disagree; which of them came first must not show.
                mine.group = mine.group.max(again.group);
                mine.bytes = mine.bytes.max(again.bytes);
                if again.archives > mine.archives {
                    mine.archives = std::mem::take(&mut again.archives);
                }
                if again.key > mine.key {
                    mine.key = again.key.take();
                }
                if again.left_out > mine.left_out {
                    mine.left_out = std::mem::take(&mut again.left_out);
                }
            }
            same
        });
        for (name, count) in other.tallies {
            let tally = self.tallies.entry(name).or_default();
            *tally = tally.saturating_add(count);
        }
        self.removed.extend(other.removed);
        sort::all(&mut self.removed);
        self.removed.dedup();
        self.removed.truncate(REMOVED);
        self.origins.extend(other.origins);
        sort::all(&mut self.origins);
        self.origins.dedup();
        self.findings.extend(other.findings);
        sort::all(&mut self.findings);
        self.findings.truncate(SAMPLE);
        self.judge();
        self
    }

    /// The report as that of everything: every shard must be in it. When every one is, it is the report, byte for byte,
    /// of a run that did not divide the work.
    #[must_use]
    pub fn into_whole(mut self) -> Self {
        self.whole = true;
        self.judge();
        self.roots.iter_mut().for_each(Root::join);
        self
    }

    /// Works out coverage and verdict from the parts.
    pub(crate) fn judge(&mut self) {
        self.coverage = Coverage::default();
        for root in &self.roots {
            self.coverage.add(root.coverage);
        }
        self.find_newest();
        self.lacking = self.roots.iter().flat_map(|root| root.lacking(self.whole)).collect();
        let mut verdict = Soundness::Sound;
        let counted = self.tallies.keys().map(|name| name.parse().map_or(Severity::Damage, Code::severity));
        // A report from elsewhere may list what it does not count; nothing that lists damage is called sound.
        let listed = self.findings.iter().map(|note| note.code.severity());
        for severity in counted.chain(listed) {
            verdict = verdict.max(match severity {
                Severity::Damage => Soundness::Damaged,
                Severity::Inconclusive => Soundness::Inconclusive,
                Severity::Warning if self.strict => Soundness::Damaged,
                Severity::Warning => Soundness::Sound,
            });
        }
        if self.roots.is_empty()
            || !self.lacking.is_empty()
            || self.roots.iter().any(|root| root.is_unchecked(&self.sets))
            || self.sets.iter().any(|set| set.verdict == Soundness::Inconclusive)
        {
            verdict = verdict.max(Soundness::Inconclusive);
        }
        self.verdict = verdict;
    }

    /// Finds the newest sound point of each series.
    fn find_newest(&mut self) {
        let mut newest: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for set in self.sets.iter().filter(|set| set.verdict == Soundness::Sound) {
            let (series, _) = series(&set.name);
            let latest = newest.entry((&set.root, series)).or_insert(&set.name);
            *latest = set.name.as_str().max(latest);
        }
        for root in &mut self.roots {
            let any = if root.coverage.checked > 0 { Some(&newest) } else { None };
            let own = any.into_iter().flat_map(|newest| newest.range((&*root.label, "")..));
            let own = own.take_while(|((label, _), _)| *label == root.label);
            root.newest = own.map(|(_, name)| (*name).to_owned()).collect();
        }
    }

    /// Brings roots and sets into their order, wherever they came from.
    fn sort(&mut self) {
        sort::by(&mut self.roots, |a, b| (&a.label, &a.format).cmp(&(&b.label, &b.format)));
        sort::by(&mut self.sets, |a, b| (&a.root, a.ordinal, &a.name).cmp(&(&b.root, b.ordinal, &b.name)));
    }
}

impl Coverage {
    /// Counts what was looked at elsewhere as well.
    fn add(&mut self, other: Self) {
        let Self { claims, checked, unjudged, bytes, marked } = other;
        self.claims = self.claims.saturating_add(claims);
        self.checked = self.checked.saturating_add(checked);
        self.unjudged = self.unjudged.saturating_add(unjudged);
        self.bytes = self.bytes.saturating_add(bytes);
        self.marked = self.marked.saturating_add(marked);
    }
}

impl Root {
    /// Takes in another part of the same root.
    fn add(&mut self, other: &mut Self) {
        self.shards.append(&mut other.shards);
        sort::all(&mut self.shards);
        self.coverage.add(other.coverage);
        for (proves, count) in std::mem::take(&mut other.proven) {
            let all = self.proven.entry(proves).or_default();
            *all = all.saturating_add(count);
        }
        self.asked = self.asked.max(other.asked);
    }

    /// Writes all parts of one division as the whole that they are.
    fn join(&mut self) {
        let count = |shard: &str| shard.split_once('/').and_then(|(_, count)| count.parse::<u64>().ok());
        let first = self.shards.first().and_then(|shard| count(shard));
        let alike = first.is_some() && self.shards.iter().all(|shard| count(shard) == first);
        if alike && self.lacking(true).is_empty() {
            self.shards = vec![Shard::WHOLE.to_string()];
        }
    }

    /// It covers no part, nothing is claimed, something could not be judged, or another number of claims was judged
    /// than there is. A single part to which no claim falls lacks nothing, where there are sets.
    fn is_unchecked(&self, sets: &[Set]) -> bool {
        let is_part = matches!(self.shards.as_slice(), [shard] if shard != "1/1");
        let Coverage { claims, checked, unjudged, .. } = self.coverage;
        let has_sets = || sets.iter().any(|set| set.root == self.label);
        let is_empty = claims == 0 && !(is_part && has_sets());
        self.shards.is_empty() || is_empty || unjudged > 0 || checked != claims
    }

    /// The shards that are missing, doubled or none: `label 3/8`, `label 3/8 twice`. A report of a single
    /// part, unless it is to be the `whole`, speaks for that part alone and lacks nothing.
    fn lacking(&self, whole: bool) -> Vec<String> {
        let mut counts: BTreeMap<u64, BTreeMap<u64, u64>> = BTreeMap::new();
        for shard in &self.shards {
            let (i, n) = shard.split_once('/').unwrap_or((shard, ""));
            let (i, n) = (i.parse().unwrap_or(0), n.parse().unwrap_or(0));
            let count = counts.entry(n).or_default().entry(i).or_default();
            *count += 1;
        }
        let label = &self.label;
        let strange = self.shards.iter().filter(|shard| shard.parse::<Shard>().is_err());
        let strange = strange.map(|shard| format!("{label} {shard}, which is no shard"));
        let counts = counts.iter().filter(|_| whole || self.shards.len() > 1);
        let lacking = counts.flat_map(|(n, parts)| {
            let missing = (1..=*n).filter(|i| !parts.contains_key(i)).map(move |i| format!("{label} {i}/{n}"));
            let doubled = parts.iter().filter(|(_, count)| **count > 1);
            missing.take(SAMPLE).chain(doubled.map(move |(i, _)| format!("{label} {i}/{n} twice")))
        });
        // Not more for many different numbers of shards: a file of them may come from anywhere.
        strange.chain(lacking).take(SAMPLE).collect()
    }
}

#[cfg(test)]
mod tests;
