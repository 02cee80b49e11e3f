//! A set of points of a database with blobs on the model: its repository has chains, ends of chains and the leavings of
//! killed runs that no point needs.

use std::sync::Arc;

use highwater::backup::repozo::{self, BackupOptions};
use highwater::backup::tree::{TreeOptions, Zodb, ZodbOptions, backup};
use highwater::drive;
use highwater::watch::Watch;
use highwater_core::finding::Severity;
use highwater_core::formats::by_name;
use highwater_core::inspect::{Of, Scope};
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::survey::{Options, Survey};
use highwater_tests::model::{Model, Survivors};
use highwater_tests::repo::Data;
use highwater_tests::specimens::crash::{Judgement, OF_REPO, REPO, must};
use highwater_tests::specimens::repozo::plain_backup;

/// The database.
const STORE: &str = "/model/var";

/// Its repository.
const INNER: &str = "/model/repo/repozo";

/// What becomes of a day: a point, and whether it begins a chain; or what a run leaves that is killed before its point.
enum Day {
    Point(&'static str, bool),
    Half(&'static str, bool),
}

const DAYS: [Day; 11] = [
    Day::Point("2024-12-30", true),
    Day::Point("2024-12-31", false),
    Day::Half("2025-01-01", false),
    Day::Half("2025-01-02", true),
    Day::Half("2025-01-03", false),
    Day::Point("2025-01-04", true),
    Day::Point("2025-01-05", false),
    Day::Point("2025-01-06", true),
    Day::Point("2025-01-07", false),
    Day::Half("2025-01-08", false),
    Day::Half("2025-01-09", false),
];

/// What stays of the repository where the set keeps the newest point, and the last one of 2024.
const STAY: [&str; 6] = ["2024-12-30", "2024-12-31", "2025-01-06", "2025-01-07", "2025-01-08", "2025-01-09"];

pub(super) fn set() -> Model {
    let (model, mut data) = (Model::default(), Data::new(11));
    model.put_folder_with(REPO, OF_REPO);
    for folder in ["", "/filestorage", "/blobstorage"] {
        model.put_folder(format!("{STORE}{folder}"));
    }
    model.put(format!("{STORE}/blobstorage/.layout"), b"bushy");
    for day in &DAYS {
        data.grow(1);
        model.put(format!("{STORE}/filestorage/Data.fs"), &data.bytes);
        match *day {
            Day::Point(day, full) => {
                let options = ZodbOptions { full, ..ZodbOptions::default() };
                let found = Zodb::find(Arc::new(model.root(STORE)), options, true).expect("it can be looked at");
                let job = TreeOptions { now: Some(format!("{day}-00-00-00")), ..TreeOptions::default() };
                let mut source = found.expect("a database");
                backup(&job, &mut source, &model.root(REPO), &Watch::silent()).expect("a point");
            }
            Day::Half(day, full) => {
                let job = BackupOptions { full, ..plain_backup(&format!("{day}-00-00-00")) };
                let place = model.place(format!("{STORE}/filestorage/Data.fs"));
                repozo::backup(&job, &place, &model.root(INNER), &Watch::silent()).expect("a backup");
            }
        }
    }
    model.survive(Survivors::Everything)
}

fn verify(model: &Model) -> Report {
    let format = by_name("repozo").expect("a known format");
    let scope = Scope::new(Of::All).trailing(true);
    let survey = Survey::new(format.inspect(&scope), Options::whole(format, "repo", Depth::Deep));
    let survey = drive::run(&model.root(INNER), survey, Depth::Deep, &Watch::silent(), &mut |_, _| {});
    survey.expect("a verification").finish()
}

/// At any moment, what the repository names is sound, and the newest of it is there.
pub(super) fn is_sound(model: &Model) -> Judgement {
    let report = verify(model);
    let damaged = report.sets.iter().find(|set| set.verdict != Soundness::Sound);
    let grave = report.findings.iter().find(|note| note.severity > Severity::Warning);
    must(damaged.is_none() && grave.is_none(), || format!("of the repository: {damaged:?}, {grave:?}"))?;
    let points: Vec<&str> = report.sets.iter().map(|set| &set.name[..10]).collect();
    let lost = STAY.iter().find(|day| !points.contains(*day));
    must(lost.is_none(), || format!("{lost:?} is lost of {points:?}"))?;
    // Whatever a list that is left names is there: the set was looked at. What none names goes last.
    let lists: Vec<String> =
        model.names(format!("{REPO}/points")).iter().map(|path| path.display().to_string()).collect();
    let is_listed = |day: &str| lists.iter().any(|list| list.contains(day));
    let needed = ["2025-01-04", "2025-01-05"].iter().find(|day| is_listed(day) && !points.contains(day));
    must(needed.is_none(), || format!("{needed:?} went from the repository before its list"))
}

/// Nothing is there but what stays.
pub(super) fn has_what_stays(model: &Model) -> Judgement {
    let report = verify(model);
    let points: Vec<&str> = report.sets.iter().map(|set| &set.name[..10]).collect();
    must(points == STAY, || format!("{points:?} are in the repository"))?;
    must(report.findings.is_empty(), || format!("the run is done and the repository has: {:?}", report.findings))?;
    let names: Vec<String> = model.names(INNER).iter().map(|path| path.display().to_string()).collect();
    let is_gone = |name: &&String| {
        let days = DAYS.iter().map(|day| match day {
            Day::Point(day, _) | Day::Half(day, _) => *day,
        });
        let mut gone = days.filter(|day| !STAY.contains(day));
        name.contains("pruned") || name.contains("highwater-tmp") || gone.any(|day| name.contains(day))
    };
    let left = names.iter().find(is_gone);
    must(left.is_none(), || format!("the run is done and has left {left:?}"))
}
