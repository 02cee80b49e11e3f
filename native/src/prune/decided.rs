//! `Decided`: what becomes of each point that was looked at.

use std::collections::BTreeMap;

use highwater_core::facts::Shape;
use highwater_core::finding::Code;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::keep::{Because, Dated, Decision, Keep, Moment, decide};
use highwater_core::report::{Depth, Report, Set, Soundness, series};
use highwater_core::survey::{Options, Survey};

use super::plan::{PruneOptions, unread};
use crate::disk::Disk;
use crate::drive;
use crate::error::Error;
use crate::watch::Watch;

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

/// What becomes of all points.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// Every point, by series, the oldest first.
    pub(super) points: Vec<Planned>,
    /// The newest sound point of each series that has one.
    pub(super) newest: Vec<String>,
    /// The series in which no point is sound, by a point of each: nothing of them is removed.
    pub(super) unsound: Vec<String>,
}

/// Looks at every point; fails when anything could not be read.
pub(super) fn look(
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
    Ok(report)
}

/// When a point was made, by its name.
fn moment(name: &str) -> Option<Moment> {
    Moment::read(series(name).1)
}

impl Decided {
    /// Decides on the points of a report by rules. `holds` says of each, in their order, why it stays in any case.
    pub(super) fn of(report: &Report, format: &dyn Format, keep: &Keep, mut holds: Vec<Option<String>>) -> Self {
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
        let mut decided = Self::default();
        for places in of_series.into_values() {
            // What a newer one could not read, only an older one has.
            let sound = |at: &&usize| report.sets.get(**at).is_some_and(|set| set.verdict == Soundness::Sound);
            let whole = |at: &&usize| report.sets.get(**at).is_some_and(|set| set.left_out.is_nothing());
            let newest = places.iter().rfind(|at| sound(at) && whole(at));
            if newest != places.iter().rfind(sound)
                && let Some(hold) = newest.and_then(|at| holds.get_mut(*at))
            {
                hold.get_or_insert_with(|| "newest that left nothing out".to_owned());
            }
            let sets: Vec<&Set> = places.iter().map(|at| &report.sets[*at]).collect();
            let holds: Vec<Option<&str>> =
                places.iter().map(|at| holds.get(*at).and_then(|hold| hold.as_deref())).collect();
            decided.add(&sets, &holds, keep, builds_on);
        }
        decided
    }

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
}

/// What is said of a point that was not shown to be sound.
fn doubt(verdict: Soundness) -> &'static str {
    match verdict {
        Soundness::Damaged => "damaged",
        Soundness::Sound | Soundness::Inconclusive => "not shown to be sound",
    }
}
