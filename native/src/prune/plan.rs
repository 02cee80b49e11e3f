//! The plan: which points stay and which go; and carrying it out.

use std::collections::{BTreeMap, BTreeSet};

use highwater_core::facts::Shape;
use highwater_core::finding::Code;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::keep::{Because, Dated, Decision, Keep, Moment, decide};
use highwater_core::key::Key;
use highwater_core::point::Point;
use highwater_core::report::{Depth, Report, Set, Soundness, series};
use highwater_core::survey::{Options, Survey};

use super::{Pruner, Removal, Spare, Sweep, pruner};
use crate::disk::{Disk, Held};
use crate::drive;
use crate::error::{Class, Error};
use crate::lock;
use crate::watch::Watch;

/// How to prune.
#[derive(Debug, Clone)]
pub struct PruneOptions<'a> {
    /// The rules.
    pub keep: Keep,
    /// What the repository is called in sentences.
    pub label: &'a str,
    /// Only what this stands for.
    pub under: Option<Point>,
    /// How deep to look before a point is called sound: at sizes at least.
    pub depth: Depth,
    /// What opens encrypted chunks.
    pub key: Option<Key>,
    /// Only plan.
    pub dry_run: bool,
}

/// A point, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// It stays: why, as a few words; none when it goes.
    pub kept: Option<String>,
    /// What is known of it.
    pub verdict: Soundness,
}

/// A plan, and whatever is needed to carry it out.
pub struct PrunePlan<'a> {
    /// Every point, by series, the oldest first.
    pub points: Vec<Planned>,
    /// The newest sound point of each series that has one.
    pub newest: Vec<String>,
    /// The series in which no point is sound, by a point of each: nothing of them is removed.
    pub unsound: Vec<String>,
    /// Objects of the pool that nobody needs once that is done; none where sweeping it is left to others.
    pub spare: Option<Spare>,
    /// What was found, before anything was removed.
    pub report: Report,
    format: &'static dyn Format,
    pruner: &'static dyn Pruner,
    disk: &'a dyn Disk,
    _lock: Option<Held>,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct PruneSummary {
    /// The points that are gone.
    pub removed: Vec<String>,
    /// Objects of the pool that are gone.
    pub swept: Spare,
    /// Why the others are not, if some are not.
    pub failed: Option<Error>,
}

/// Locks a repository against writers, looks at its points, and decides what becomes of each. Removes nothing.
///
/// # Errors
/// When there is no point, something cannot be read, or another writer holds the lock.
pub fn plan<'a>(
    job: &PruneOptions<'_>,
    format: &'static dyn Format,
    disk: &'a dyn Disk,
    watch: &Watch<'_>,
) -> Result<PrunePlan<'a>, Error> {
    let pruner = pruner(format).ok_or_else(|| Error::cannot_start("points of this kind are not removed"))?;
    if job.keep.is_nothing() {
        return Err(usage("rules that keep nothing would remove everything: say what is to stay".to_owned()));
    }
    job.under.as_ref().map_or(Ok(()), |point| pruner.narrows(point)).map_err(usage)?;
    let lock = if job.dry_run { None } else { Some(lock::write(disk, format.facts().lock)?) };
    let report = look(job, format, disk, watch)?;
    let names: Vec<&str> = report.sets.iter().map(|set| &*set.name).collect();
    let mut holds = pruner.holds(disk, &names).map_err(unread)?;
    for (set, hold) in report.sets.iter().zip(&mut holds) {
        if hold.is_none() && moment(&set.name).is_none() {
            *hold = Some("its name is no time".to_owned());
        }
    }
    let mut of_series: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, set) in report.sets.iter().enumerate() {
        of_series.entry(series(&set.name).0).or_default().push(at);
    }
    let builds_on = format.facts().shape == Shape::Append;
    let mut plan = PrunePlan {
        points: Vec::new(),
        newest: Vec::new(),
        unsound: Vec::new(),
        spare: None,
        format,
        pruner,
        disk,
        _lock: lock,
        report: Report::empty(job.depth, false),
    };
    for places in of_series.into_values() {
        let sets: Vec<&Set> = places.iter().map(|at| &report.sets[*at]).collect();
        let holds: Vec<Option<&str>> = places.iter().map(|at| holds[*at].as_deref()).collect();
        plan.add(&sets, &holds, &job.keep, builds_on);
    }
    plan.report = report;
    // Where nothing is known to be sound, nothing goes.
    if !plan.newest.is_empty() {
        plan.spare = plan.sweep(watch, |sweep| pruner.spare(sweep)).map_err(|error| match error {
            Error::Interrupted => error,
            error => unread(error),
        })?;
    }
    Ok(plan)
}

/// Looks at every point; fails when anything could not be read.
fn look(
    job: &PruneOptions<'_>,
    format: &'static dyn Format,
    disk: &dyn Disk,
    watch: &Watch<'_>,
) -> Result<Report, Error> {
    let depth = job.depth.max(Depth::Size);
    let of = job.under.clone().map_or(Of::All, Of::Under);
    let scope = Scope::new(of).trailing(depth >= format.facts().trails).keyed(job.key.clone());
    let survey = Survey::new(format.inspect(&scope), Options::whole(format, job.label, depth));
    let survey = drive::run(disk.as_store(), survey, depth, watch, &mut |_, _| {})?;
    if let Some(absent) = survey.absent() {
        return Err(Error::cannot_start(absent.to_owned()));
    }
    let report = survey.finish();
    if report.tallies.contains_key(Code::Unreadable.name()) {
        let note = report.findings.iter().find(|note| note.code == Code::Unreadable);
        let what = note.map_or_else(
            || "something cannot be read".to_owned(),
            |note| format!("{}: {}", if note.object.is_empty() { &note.root } else { &note.object }, note.message),
        );
        return Err(unread(what));
    }
    if report.sets.is_empty() {
        return Err(Error::failed(format!("{} has no point in time, so there is nothing to remove", job.label)));
    }
    Ok(report)
}

/// When a point was made, by its name.
fn moment(name: &str) -> Option<Moment> {
    Moment::read(series(name).1)
}

impl PrunePlan<'_> {
    /// Decides on the points of one series.
    fn add(&mut self, sets: &[&Set], holds: &[Option<&str>], keep: &Keep, builds_on: bool) {
        // One whose time nobody knows is held.
        let never = Moment { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        let dated = |(at, set): (usize, &&Set)| Dated {
            at: moment(&set.name).unwrap_or(never),
            sound: set.verdict == Soundness::Sound,
            held: holds.get(at).is_some_and(Option::is_some),
            needs: at.checked_sub(1).filter(|before| builds_on && sets[*before].group == set.group),
        };
        let dated: Vec<Dated> = sets.iter().enumerate().map(dated).collect();
        let decisions = decide(&dated, keep);
        let newest = dated.iter().zip(sets).filter(|(point, _)| point.sound).max_by_key(|(point, _)| point.at);
        match (newest, sets.first()) {
            (Some((_, set)), _) => self.newest.push(set.name.clone()),
            (None, Some(set)) => self.unsound.push(set.name.clone()),
            (None, None) => {}
        }
        for ((set, decision), hold) in sets.iter().zip(decisions).zip(holds) {
            let kept = match decision {
                Decision::Removed => None,
                Decision::Kept(Because::Rule(rule, number)) => Some(format!("{} {number}", rule.word())),
                Decision::Kept(Because::Newest) => Some("the newest that is sound".to_owned()),
                Decision::Kept(Because::Held) => Some(hold.unwrap_or_default().to_owned()),
                Decision::Kept(Because::Unproven | Because::NoneSound) => Some(doubt(set.verdict).to_owned()),
                Decision::Kept(Because::Needed(by)) => Some(format!("{} needs it", series(&sets[by].name).1)),
            };
            self.points.push(Planned { name: set.name.clone(), kept, verdict: set.verdict });
        }
    }

    /// The points that go.
    pub fn goes(&self) -> impl Iterator<Item = &str> {
        self.points.iter().filter(|point| point.kept.is_none()).map(|point| &*point.name)
    }

    /// What is left to others, in a sentence; empty where nothing is.
    #[must_use]
    pub fn leaves(&self) -> &'static str {
        self.pruner.leaves()
    }

    /// Ends what an interrupted run has begun, then removes what is to go, one series after another.
    #[must_use]
    pub fn carry_out(&self, watch: &Watch<'_>) -> PruneSummary {
        let (mut removed, mut swept) = (Vec::new(), Spare::default());
        let done = self.remove(watch, &mut |point| removed.push(point.to_owned()));
        let done = done.and_then(|()| match self.spare {
            Some(_) => self.sweep(watch, |sweep| self.pruner.sweep(sweep, &mut swept)),
            None => Ok(()),
        });
        PruneSummary { removed, swept, failed: done.err() }
    }

    /// Has the pool looked at.
    fn sweep<T>(&self, watch: &Watch<'_>, look: impl FnOnce(&Sweep<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let goes: Vec<&str> = self.goes().collect();
        let stays: Vec<&str> =
            self.points.iter().filter(|point| point.kept.is_some()).map(|point| &*point.name).collect();
        look(&Sweep { disk: self.disk, format: self.format, goes: &goes, stays: &stays, watch })
    }

    fn remove(&self, watch: &Watch<'_>, gone: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let kept: BTreeSet<&str> = self.newest.iter().map(|newest| series(newest).0).collect();
        let mut of_series: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for point in self.goes().filter(|point| kept.contains(series(point).0)) {
            of_series.entry(series(point).0).or_default().push(point);
        }
        self.pruner.finish(self.disk, watch)?;
        for (of, goes) in of_series {
            watch.go_on()?;
            let newest = self.newest.iter().find(|newest| series(newest).0 == of).map_or("", String::as_str);
            self.pruner.remove(&Removal { disk: self.disk, goes: &goes, newest, watch }, gone)?;
        }
        Ok(())
    }
}

/// What is said of a point that was not shown to be sound.
fn doubt(verdict: Soundness) -> &'static str {
    match verdict {
        Soundness::Damaged => "damaged",
        Soundness::Sound | Soundness::Inconclusive => "not shown to be sound",
    }
}

/// Why nothing is removed where something could not be read.
fn unread(what: impl std::fmt::Display) -> Error {
    Error::failed(format!("{what}; what cannot be read may be needed, so nothing is removed"))
}

fn usage(what: String) -> Error {
    Error::Refused { class: Class::Usage, what }
}
