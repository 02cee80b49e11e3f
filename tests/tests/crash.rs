//! Power cuts: every writing verb on the model of a disk, cut at every operation under every outcome, then again in the recovery.
//!
//! After each cut the repository is read back: every point that its indices name is sound, those from before the run are
//! all there, and the next run succeeds. A restored target is the old state or the new one to any FileStorage reader.
#![expect(clippy::print_stdout, reason = "how many cases ran is part of the result")]

use std::path::{Path, PathBuf};

use highwater::backup::{self, Outcome as Backup};
use highwater::disk::model::{Model, Outcome};
use highwater::drive;
use highwater::error::Error;
use highwater::restore;
use highwater::watch::Watch;
use highwater_core::claim::Shard;
use highwater_core::filestorage::{State, Walk};
use highwater_core::formats::repozo::Repozo;
use highwater_core::inspect::{Format, Scope};
use highwater_core::report::{Depth, Report, Verdict};
use highwater_core::survey::{Options, Survey};
use highwater_tests::repo::Data;

const SOURCE: &str = "/model/Data.fs";
const REPO: &str = "/model/repo";
const TARGET: &str = "/model/standby/Data.fs";

/// One writing verb, and the disk it starts from.
struct Scene {
    name: &'static str,
    start: fn() -> Model,
    verb: fn(&Model, &str) -> Result<(), Error>,
    restores: bool,
}

fn job(now: &str) -> backup::Job {
    backup::Job {
        source: PathBuf::from(SOURCE),
        repository: PathBuf::from(REPO),
        full: false,
        quick: false,
        gzip: None,
        kill_old: false,
        dry_run: false,
        now: Some(now.to_owned()),
        sums: false,
    }
}

fn back_up(model: &Model, job: &backup::Job) -> Result<(), Error> {
    match backup::backup(job, model, &Watch::silent())? {
        Backup::Nothing(_) | Backup::Made(_) => Ok(()),
    }
}

fn restore_with(model: &Model, full: bool, in_place: bool) -> Result<(), Error> {
    let watch = Watch::silent();
    let plan = restore::plan(model, Path::new(REPO), &Repozo, None)?;
    let repository = PathBuf::from(REPO);
    let quick = false;
    let job = restore::Job { repository, quick, full, in_place, dry_run: false, whole_sum: false, trust_index: false };
    restore::to_file(&job, &plan, Path::new(TARGET), model, &watch).map(|_| ())
}

/// A database that grows, the same each time.
fn states() -> [Vec<u8>; 4] {
    let mut data = Data::new(7);
    [0u64, 100, 200, 300].map(|base| {
        for oid in 0..3 {
            data.commit(&[(oid, 30), (base + oid, 20)]);
        }
        data.bytes.clone()
    })
}

fn with_source(step: usize) -> Model {
    let model = Model::default();
    model.put(SOURCE, &states()[step]);
    model
}

/// A repository with a full backup, an increment and a gzipped one; the source has grown since.
fn with_chain() -> Model {
    let model = with_source(0);
    back_up(&model, &job("2026-01-01-00-00-01")).expect("a full backup");
    model.put(SOURCE, &states()[1]);
    back_up(&model, &job("2026-01-01-00-00-02")).expect("an increment");
    model.put(SOURCE, &states()[2]);
    back_up(&model, &backup::Job { gzip: Some(6), ..job("2026-01-01-00-00-03") }).expect("a gzipped increment");
    model.put(SOURCE, &states()[3]);
    model.survive(Outcome::Everything)
}

fn with_target(step: usize) -> Model {
    let model = with_chain();
    model.put(TARGET, &states()[step]);
    model
}

const SCENES: &[Scene] = &[
    Scene { name: "full", start: || with_source(0), verb: |m, now| back_up(m, &job(now)), restores: false },
    Scene { name: "increment", start: with_chain, verb: |m, now| back_up(m, &job(now)), restores: false },
    Scene {
        name: "quick increment",
        start: with_chain,
        verb: |m, now| back_up(m, &backup::Job { quick: true, ..job(now) }),
        restores: false,
    },
    Scene {
        name: "gzipped increment",
        start: with_chain,
        verb: |m, now| back_up(m, &backup::Job { gzip: Some(6), ..job(now) }),
        restores: false,
    },
    Scene {
        name: "full, kill old",
        start: with_chain,
        verb: |m, now| back_up(m, &backup::Job { full: true, kill_old: true, ..job(now) }),
        restores: false,
    },
    Scene { name: "restore", start: with_chain, verb: |m, _| restore_with(m, false, false), restores: true },
    Scene {
        name: "restore over another file",
        start: || with_target(3),
        verb: |m, _| restore_with(m, true, false),
        restores: true,
    },
    Scene {
        name: "incremental restore",
        start: || with_target(0),
        verb: |m, _| restore_with(m, false, false),
        restores: true,
    },
];

/// What verify says of the repository, and the whole report.
fn verify(model: &Model) -> Report {
    let options = Options {
        label: "repo".to_owned(),
        format: Repozo.name().to_owned(),
        depth: Depth::Deep,
        strict: false,
        shard: Shard::WHOLE,
    };
    let survey = Survey::new(Repozo.inspect(&Scope::All { trails: true }), options);
    let survey = drive::run(model, Path::new(REPO), survey, Depth::Deep, &Watch::silent(), &mut |_, _| {});
    survey.expect("a verification").finish()
}

/// The points of a report, each of which must be sound.
fn points(report: &Report, case: &str) -> Vec<String> {
    for set in &report.sets {
        assert_eq!(set.verdict, Verdict::Sound, "{case}: {} is named and not sound: {:#?}", set.name, report.findings);
    }
    report.sets.iter().map(|set| set.name.clone()).collect()
}

/// The invariant after a cut.
fn expect_whole(scene: &Scene, before: &[String], model: &Model, case: &str) {
    let points = points(&verify(model), case);
    let kills = scene.name.contains("kill");
    for point in before.iter().filter(|_| !kills) {
        assert!(points.contains(point), "{case}: {point} was there before and is lost");
    }
    assert!(!points.is_empty() || before.is_empty(), "{case}: no point is left");
    if let (true, Some(bytes)) = (scene.restores, model.get(TARGET)) {
        let tail = bytes.last_chunk().copied();
        let mut walk = Walk::new(0, bytes.len() as u64).with_tail(tail);
        walk.push(&bytes, &mut ());
        let state = walk.state();
        assert!(!matches!(state, State::Corrupt { .. }), "{case}: a database would refuse the target: {state:?}");
        let end = usize::try_from(walk.end()).expect("small");
        let known = states().iter().any(|state| *state == bytes[..end]);
        assert!(known, "{case}: a database would see neither the old state nor the new one, but {end} bytes");
    }
}

/// After the verb has run to its end, everything is there and sound.
fn expect_done(scene: &Scene, model: &Model, case: &str) {
    let report = verify(model);
    let points = points(&report, case);
    assert_eq!(report.verdict, Verdict::Sound, "{case}: {:#?}", report.findings);
    let source = model.get(SOURCE).expect("the source");
    if scene.restores {
        assert_eq!(model.get(TARGET).expect("the target"), states()[2], "{case}: the target");
        assert!(model.get(format!("{TARGET}.part")).is_none(), "{case}: the work file is left");
    } else {
        let newest = report.sets.last().map(|set| set.bytes);
        assert_eq!(newest, Some(source.len() as u64), "{case}: the newest point is not the source; points: {points:?}");
    }
}

/// Cuts a scene everywhere, and its recovery at every `stride`th operation. Returns how many cases ran.
fn cut_everywhere(scene: &Scene, stride: u64) -> u64 {
    let whole = (scene.start)();
    let before = points(&verify(&whole), scene.name);
    let started = whole.operations();
    (scene.verb)(&whole, "2026-01-02-00-00-00").unwrap_or_else(|error| panic!("{}: {error}", scene.name));
    let operations = whole.operations() - started;
    expect_done(scene, &whole.survive(Outcome::Nothing), &format!("{}: all done, then a power cut", scene.name));
    let mut cases = 0;
    for (cut, outcome) in (0..operations).flat_map(|cut| Outcome::ALL.map(|outcome| (cut, outcome))) {
        let case = format!("{}, cut before operation {cut} of {operations}, {outcome:?} survives", scene.name);
        let model = (scene.start)();
        model.cut_at(cut);
        assert!((scene.verb)(&model, "2026-01-02-00-00-00").is_err(), "{case}: the verb did not notice");
        let survivor = model.survive(outcome);
        expect_whole(scene, &before, &survivor, &case);
        cases += 1;
        // A second cut, in the run that recovers; then a run to the end.
        let mut second = cut % stride;
        loop {
            let again = survivor.survive(Outcome::Everything);
            again.cut_at(second);
            let done = (scene.verb)(&again, "2026-01-03-00-00-00").is_ok();
            for other in if done { &[Outcome::Nothing][..] } else { &Outcome::ALL } {
                let case = format!("{case}; then before operation {second}, {other:?} survives");
                let last = again.survive(*other);
                expect_whole(scene, &before, &last, &case);
                let ran = (scene.verb)(&last, "2026-01-04-00-00-00");
                ran.unwrap_or_else(|error| panic!("{case}: the next run fails: {error}"));
                expect_done(scene, &last.survive(Outcome::Nothing), &case);
                cases += 1;
            }
            if done {
                break;
            }
            second += stride;
        }
    }
    cases
}

#[test]
fn no_power_cut_leaves_a_half_made_set_or_target() {
    let stride = std::env::var("HIGHWATER_CRASH_STRIDE").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let mut all = 0;
    for scene in SCENES {
        let cases = cut_everywhere(scene, stride);
        println!("{:<28} {cases:>7} power cuts", scene.name);
        all += cases;
    }
    println!("{:<28} {all:>7} power cuts, 0 failures", "all");
    assert!(all > 2_000, "only {all} cases ran");
}
