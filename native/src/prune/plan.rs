//! The plan: which points stay and which go; and carrying it out.

use std::collections::{BTreeMap, BTreeSet};

use highwater_core::inspect::Format;
use highwater_core::keep::Keep;
use highwater_core::key::Key;
use highwater_core::point::Point;
use highwater_core::report::{Depth, Report, series};

use super::decided::{Decided, Planned, look};
use super::inner::{Inner, Needed};
use super::needs::Needs;
use super::{Pruner, Removal, Spare, Sweep, pruner};
use crate::disk::{Disk, Held};
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
    /// The points that stay, whatever the rules say; then they need keep nothing.
    pub only: Option<&'a BTreeSet<String>>,
    /// Only what this stands for.
    pub under: Option<Point>,
    /// How deep to look before a point is called sound: at sizes at least.
    pub depth: Depth,
    /// What opens encrypted chunks.
    pub key: Option<Key>,
    /// Only plan.
    pub dry_run: bool,
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
    /// Other repositories in the root, and what nobody needs of them then.
    pub inner: Vec<Inner>,
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
    /// Files that are gone of each of the other repositories.
    pub of_inner: Vec<Spare>,
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
    if job.keep.is_nothing() && job.only.is_none() {
        return Err(usage("rules that keep nothing would remove everything: say what is to stay".to_owned()));
    }
    job.under.as_ref().map_or(Ok(()), |point| pruner.narrows(point)).map_err(usage)?;
    let lock = if job.dry_run { None } else { Some(lock::write(disk, format.facts().lock)?) };
    let report = look(job, format, disk, watch)?;
    if report.sets.is_empty() {
        return Err(Error::failed(format!("{} has no point in time, so there is nothing to remove", job.label)));
    }
    let names: Vec<&str> = report.sets.iter().map(|set| &*set.name).collect();
    let mut holds = pruner.holds(disk, &names).map_err(unread)?;
    for (name, hold) in names.iter().zip(&mut holds) {
        if job.only.is_some_and(|only| only.contains(*name)) {
            hold.get_or_insert_with(|| "it was asked to stay".to_owned());
        }
    }
    let Decided { points, newest, unsound } = Decided::of(&report, format, &job.keep, holds);
    let mut plan = PrunePlan {
        points,
        newest,
        unsound,
        spare: None,
        inner: Vec::new(),
        report,
        format,
        pruner,
        disk,
        _lock: lock,
    };
    // Where nothing is known to be sound, nothing goes.
    if !plan.newest.is_empty() {
        plan.look_around(job.dry_run, watch)?;
    }
    Ok(plan)
}

impl PrunePlan<'_> {
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
        let mut summary =
            PruneSummary { of_inner: vec![Spare::default(); self.inner.len()], ..PruneSummary::default() };
        let done = self.remove(watch, &mut |point| summary.removed.push(point.to_owned()));
        summary.failed = done.and_then(|()| self.sweep(&mut summary, watch)).err();
        summary
    }

    /// Finds out what nobody needs any more once the points are gone that go.
    fn look_around(&mut self, dry_run: bool, watch: &Watch<'_>) -> Result<(), Error> {
        let look = |sweep: &Sweep<'_>| {
            let needs = self.pruner.needs(sweep, true)?;
            let spare = needs.as_ref().map(|needs| self.pruner.spare(sweep, needs)).transpose()?;
            Ok((needs, spare))
        };
        let (needs, spare) = self.with_sweep(watch, look).map_err(|error| match error {
            Error::Interrupted => error,
            error => unread(error),
        })?;
        self.spare = spare;
        for ((kind, folder), needed) in needs.iter().flat_map(Needs::inner) {
            self.inner.extend(Inner::plan(self.disk, (kind, folder), needed, dry_run, watch)?);
        }
        Ok(())
    }

    /// Removes what nobody needs any more, now that the points are gone.
    fn sweep(&self, summary: &mut PruneSummary, watch: &Watch<'_>) -> Result<(), Error> {
        if self.spare.is_none() {
            return Ok(());
        }
        self.with_sweep(watch, |sweep| {
            let needs = self.pruner.needs(sweep, false).map_err(|error| match error {
                Error::Interrupted => error,
                error => Error::failed(format!("{error}; nothing more is removed")),
            })?;
            let Some(needs) = needs else { return Ok(()) };
            self.pruner.sweep(sweep, &needs, &mut summary.swept)?;
            let none = Needed::default();
            for (inner, gone) in self.inner.iter().zip(&mut summary.of_inner) {
                watch.go_on()?;
                inner.sweep(needs.of_inner(inner.kind(), &inner.folder).unwrap_or(&none), watch, gone)?;
            }
            Ok(())
        })
    }

    fn with_sweep<T>(&self, watch: &Watch<'_>, look: impl FnOnce(&Sweep<'_>) -> Result<T, Error>) -> Result<T, Error> {
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

/// Why nothing is removed where something could not be read.
pub(super) fn unread(what: impl std::fmt::Display) -> Error {
    Error::failed(format!("{what}; what cannot be read may be needed, so nothing is removed"))
}

fn usage(what: String) -> Error {
    Error::Refused { class: Class::Usage, what }
}
