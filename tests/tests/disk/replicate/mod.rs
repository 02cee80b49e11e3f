//! Replicas on the model of a disk: every kind of set, sound and damaged, cut off and disturbed at every step.

mod cuts;
mod same;
mod sources;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use highwater::drive;
use highwater::error::Error;
use highwater::replicate::{ReplicateOptions, ReplicateSummary, replicate};
use highwater::store::Store;
use highwater::watch::Watch;
use highwater_core::formats::by_name;
use highwater_core::inspect::{Of, Scope};
use highwater_core::key::Key;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::survey::{Options, Survey};
use highwater_tests::model::Model;
use highwater_tests::specimens::crash::{Judgement, REPO, must};

/// What the folder of whatever has no name yet is called.
const WORK: &str = ".highwater-replica";

const REPLICA: &str = "/model/replica";

/// A source, and its kind.
#[derive(Clone)]
struct Source {
    kind: &'static str,
    model: Model,
    key: Option<Key>,
}

/// How a replica is made when nothing is asked for.
fn plain() -> ReplicateOptions<'static> {
    ReplicateOptions { label: "set", key: None, check: false, related: false, dry_run: false }
}

/// An empty folder for a replica.
fn empty() -> Model {
    let model = Model::default();
    model.put_folder(REPLICA);
    model
}

impl Source {
    fn to(&self, replica: &Model) -> Result<ReplicateSummary, Error> {
        self.with(&plain(), replica)
    }

    fn with(&self, job: &ReplicateOptions<'_>, replica: &Model) -> Result<ReplicateSummary, Error> {
        self.from(&self.model.root(REPO), job, replica)
    }

    fn from(&self, store: &dyn Store, job: &ReplicateOptions<'_>, replica: &Model) -> Result<ReplicateSummary, Error> {
        let job = ReplicateOptions { key: self.key.clone(), ..job.clone() };
        replicate(&job, by_name(self.kind).expect("a kind"), store, &replica.root(REPLICA), &Watch::silent())
    }

    fn verify(&self, model: &Model, at: &str, depth: Depth) -> Report {
        let format = by_name(self.kind).expect("a kind");
        let scope = Scope::new(Of::All).trailing(depth == Depth::Deep).keyed(self.key.clone());
        let survey = Survey::new(format.inspect(&scope), Options::whole(format, "set", depth));
        let survey = drive::run(&model.root(at), survey, depth, &Watch::silent(), &mut |_, _| {});
        survey.expect("a verification").finish()
    }

    /// Everything in the replica that has a name is sound. Gives its points.
    fn holds(&self, replica: &Model) -> Result<BTreeSet<String>, String> {
        let is_index =
            |name: &String| [".dat", "index.json.blob", ".mtree", "applied"].iter().any(|end| name.ends_with(end));
        if !files(replica).keys().any(is_index) {
            return Ok(BTreeSet::new());
        }
        // Files that go with a point, and have no digest, are copied as they are.
        let report = self.verify(replica, REPLICA, Depth::Digest);
        let damaged = report.sets.iter().find(|set| set.verdict == Soundness::Damaged);
        let grave = report.findings.iter().find(|note| note.severity == highwater_core::finding::Severity::Damage);
        must(damaged.is_none() && grave.is_none(), || format!("{damaged:?}, {grave:?}, {:?}", files(replica).keys()))?;
        Ok(report.sets.into_iter().map(|set| set.name).collect())
    }

    /// The replica has what the source has, and is judged as that is.
    fn is_whole(&self, replica: &Model) -> Judgement {
        let (source, copy) = (self.verify(&self.model, REPO, Depth::Deep), self.verify(replica, REPLICA, Depth::Deep));
        let sets = |report: &Report| -> Vec<(String, Soundness)> {
            report.sets.iter().map(|set| (set.name.clone(), set.verdict)).collect()
        };
        must(sets(&source) == sets(&copy), || format!("{:?} is not {:?}", sets(&copy), sets(&source)))?;
        let left = replica.names(REPLICA).into_iter().find(|name| name.to_string_lossy().contains(WORK));
        must(left.is_none(), || format!("{left:?} is left"))
    }
}

/// The files of a replica, but for its lock and what has no name yet.
fn files(model: &Model) -> BTreeMap<String, Vec<u8>> {
    let names = model.names(REPLICA).into_iter().filter_map(|path| Some((path.clone(), model.get(path)?)));
    let named = names.map(|(path, bytes)| (path.to_string_lossy().into_owned(), bytes));
    named.filter(|(name, _)| !name.ends_with("lock") && name != REPLICA && !name.contains(WORK)).collect()
}
