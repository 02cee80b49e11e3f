//! Prune on the model of a disk: cut off, refused or failed at any step, it leaves sound points and leftovers, and the
//! next run ends it.

mod cuts;
mod databases;
mod injected;
pub(crate) mod scenes;

use std::collections::BTreeSet;

use highwater::drive;
use highwater::error::Error;
use highwater::prune::{self, PruneOptions};
use highwater::watch::Watch;
use highwater_core::finding::Severity;
use highwater_core::formats::by_name;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::keep::Keep;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::survey::{Options, Survey};
use highwater_tests::model::{Model, Survivors};
use highwater_tests::specimens::crash::{Judgement, REPO, must, names};

/// A repository, the rules, and what must stay.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) start: fn() -> Model,
    pub(crate) keep: Keep,
    /// The points that stay.
    pub(crate) stays: &'static [&'static str],
    /// What else must hold at any moment.
    pub(crate) holds: fn(&Model) -> Judgement,
    /// What else must hold when it is done.
    pub(crate) done: fn(&Model) -> Judgement,
}

impl Scene {
    fn format(&self) -> &'static dyn Format {
        by_name(self.kind).expect("a known format")
    }

    /// Prunes; whatever was not removed is an error.
    fn prune(&self, model: &Model) -> Result<(), Error> {
        let job = PruneOptions {
            keep: self.keep,
            label: "repo",
            only: None,
            under: None,
            depth: Depth::Size,
            key: None,
            dry_run: false,
        };
        let (disk, watch) = (model.root(REPO), Watch::silent());
        let plan = prune::plan(&job, self.format(), &disk, &watch)?;
        plan.carry_out(&watch).failed.map_or(Ok(()), Err)
    }

    fn verify(&self, model: &Model) -> Report {
        let scope = Scope::new(Of::All).trailing(true);
        let survey = Survey::new(self.format().inspect(&scope), Options::whole(self.format(), "repo", Depth::Deep));
        let survey = drive::run(&model.root(REPO), survey, Depth::Deep, &Watch::silent(), &mut |_, _| {});
        survey.expect("a verification").finish()
    }

    /// At any moment: what must stay is there, and everything that is named is sound.
    fn still_holds(&self, before: &BTreeSet<String>, model: &Model) -> Judgement {
        let report = self.verify(model);
        let points: BTreeSet<&str> = report.sets.iter().map(|set| &*set.name).collect();
        let lost = self.stays.iter().find(|point| !points.contains(*point));
        must(lost.is_none(), || format!("{lost:?} is lost of {points:?}"))?;
        must(points.iter().all(|point| before.contains(*point)), || format!("{points:?}"))?;
        let damaged = report.sets.iter().find(|set| set.verdict != Soundness::Sound);
        let grave = report.findings.iter().find(|note| note.severity > Severity::Warning);
        must(damaged.is_none() && grave.is_none(), || format!("{damaged:?}, {grave:?}, {:?}", names(model)))?;
        (self.holds)(model)
    }

    /// After a run that went to its end: what must stay is there and nothing else, for good.
    fn is_done(&self, live: &Model) -> Judgement {
        let model = &live.survive(Survivors::Nothing);
        let report = self.verify(model);
        let points: Vec<&str> = report.sets.iter().map(|set| &*set.name).collect();
        must(points == self.stays, || format!("{points:?} are there"))?;
        must(report.findings.is_empty(), || format!("the run is done and: {:?}", report.findings))?;
        let left = |name: &String| ["pruned", "highwater-tmp"].iter().any(|word| name.contains(word));
        let left = names(model).into_iter().find(left);
        must(left.is_none(), || format!("the run is done and has left {left:?}"))?;
        (self.holds)(model)?;
        (self.done)(model)
    }

    fn before(&self) -> BTreeSet<String> {
        self.verify(&(self.start)()).sets.into_iter().map(|set| set.name).collect()
    }
}
