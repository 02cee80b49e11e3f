//! Power cuts, failing disks and kills at every moment of a prune: the mirror is sound at once, whichever verb comes
//! next goes on, and what is left is what an undisturbed prune leaves.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use highwater::disk::Disk;
use highwater::drive;
use highwater::error::Error;
use highwater::mirror::{Pruning, Sync, prune};
use highwater::watch::Watch;
use highwater_core::formats::mirror::Mirror;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::report::{Depth, Soundness};
use highwater_core::survey::{Options, Survey};
use highwater_tests::model::{Model, Survivors, Wrong};
use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};

use crate::cuts::{MIRROR, roll, sync, tree};
use crate::scene::{BUCKET, Scene};

/// What verify says of every byte.
fn verify(model: &Model) -> Result<(), String> {
    let options = Options::whole(&Mirror, "mirror", Depth::Digest);
    let survey = Survey::new(Mirror.inspect(&Scope::new(Of::All)), options);
    let survey = drive::run(&model.root(MIRROR), survey, Depth::Digest, &Watch::silent(), &mut |_, _| {});
    let report = survey.map_err(|error| error.to_string())?.finish();
    if report.verdict == Soundness::Sound { Ok(()) } else { Err(format!("{:?}", report.findings)) }
}

fn pruned(model: &Model) -> Result<Pruning, Error> {
    prune(&model.root(MIRROR), i64::MAX, false, &Watch::silent(), &mut |_, _| Ok(()))
}

/// A mirror with three points, which shows the second: versions of each kind go from it.
fn scene() -> (Scene, Model) {
    let scene = Scene::new();
    let model = Model::default();
    model.put_folder(MIRROR);
    for day in 1..4 {
        for key in ["a", "b/c", "b/d"] {
            scene.put(key, &format!("{key} of day {day}"));
        }
        let key = format!("deep/{day}/est");
        let expired = scene.put(&key, "for a day");
        scene.put("same", "the same");
        scene.list(day);
        sync(&scene, &model).expect("it ends");
        scene.server.shelves(|shelves| shelves.remove(BUCKET, key.as_bytes(), &expired));
    }
    roll(&model, "2024-11-02").expect("it ends");
    (scene, model.survive(Survivors::Nothing))
}

/// What a run left beside the tree that its end removes.
fn leftovers(model: &Model) -> Vec<PathBuf> {
    let parts = ["/plan/", "/stage/", "/found/"];
    let is_left = |path: &PathBuf| parts.iter().any(|part| path.to_string_lossy().contains(part));
    let indices = model.names(format!("{MIRROR}/.highwater-mirror/index"));
    model.names(MIRROR).into_iter().filter(is_left).chain(indices.into_iter().skip(2)).collect()
}

#[test]
fn a_cut_leaves_a_sound_mirror_and_any_verb_goes_on() {
    let mut score = Score::part("power cuts", "mirrors, prune");
    let (scene, start) = scene();
    let before = tree(&start);
    let whole = start.survive(Survivors::Nothing);
    let told = pruned(&whole).expect("it ends");
    let (after, operations) = (tree(&whole), whole.operations());
    assert_eq!((told.applied.removed, told.applied.lost), (told.pruned.versions, 0));
    assert!(told.pruned.versions == 5 && operations > 20, "{told:?}, {operations} operations");
    assert_eq!(tree(&whole.survive(Survivors::Nothing)), after, "what is done is durable");
    verify(&whole).expect("sound");
    let again = |model: &Model, verb: u64| -> Result<(), Error> {
        match verb % 3 {
            0 => Ok(()),
            1 => {
                let disk: Arc<dyn Disk> = Arc::new(model.root(MIRROR));
                Sync::begin(&*disk, false)?.go_on(&scene.server.client(), 1, &Watch::silent()).map(drop)
            }
            _ => roll(model, "2024-11-02"),
        }
    };
    let outcomes = || Survivors::ALL.map(Some).into_iter().chain([None]);
    let cases = (0..operations).flat_map(|at| outcomes().map(move |outcome| (at, outcome)));
    for ((at, outcome), verb) in cases.zip(0..) {
        let model = start.survive(Survivors::Nothing);
        match outcome {
            Some(_) => model.cut_at(at),
            None => model.go_wrong(at, Wrong::Fail),
        }
        let ran = pruned(&model).map(|pruning| pruning.applied);
        let left = outcome.map_or_else(|| model.killed(), |outcome| model.survive(outcome));
        let case = format!("operation {at} of {operations}, {outcome:?}: {ran:?}");
        score.ran(1);
        let judge = || -> Result<(), String> {
            verify(&left).map_err(|what| format!("the mirror is not sound: {what}"))?;
            let held = tree(&left);
            let is_kept = |(path, body): (&PathBuf, &Vec<u8>)| held.get(path) == Some(body);
            if !after.iter().filter(|(path, _)| !path.ends_with("applied")).all(is_kept) {
                return Err("something is lost".to_owned());
            }
            again(&left, verb).map_err(|error| format!("what comes next fails: {error}"))?;
            let (now, told) = (tree(&left), "what comes next leaves a part undone");
            if verb % 3 != 0 && now != before && now != after {
                return Err(told.to_owned());
            }
            verify(&left).map_err(|what| format!("{told}: {what}"))?;
            pruned(&left).map_err(|error| format!("the next prune fails: {error}"))?;
            let left_over = leftovers(&left);
            if tree(&left) != after || !left_over.is_empty() {
                return Err(format!("the next prune makes {:?}, {left_over:?}", tree(&left).keys()));
            }
            for point in ["latest", "2024-11-02"] {
                roll(&left, point).map_err(|error| format!("no way to {point}: {error}"))?;
                verify(&left).map_err(|what| format!("at {point}: {what}"))?;
            }
            if tree(&left) == after { Ok(()) } else { Err("forward and back is another tree".to_owned()) }
        };
        if let Err(what) = judge() {
            score.fail(format!("{case}: {what}"));
        }
    }
    score.end();
}

#[test]
fn a_prune_that_is_killed_is_gone_on_with() {
    let mut score = Score::part("mirrors killed", "prune");
    let scene = Scene::new();
    for day in 1..3 {
        for number in 0..400 {
            scene.put(&format!("a/{}/{number}", number % 11), &format!("body {number} of day {day}"));
        }
        scene.list(day);
        scene.sync(&[]).expect(0);
    }
    let folder = |name: &str| scene.folder.path().join(name);
    let copy = |to: &PathBuf| {
        _ = std::fs::remove_dir_all(to);
        Run::of(std::process::Command::new("cp").arg("-a").arg(scene.mirror()).arg(to)).expect(0);
    };
    let command = |mirror: &PathBuf| {
        let words = ["mirror", "prune", mirror.to_str().expect("text"), "--older-than", "2030"];
        scene.command(&words.map(std::ffi::OsStr::new))
    };
    let (undisturbed, killed) = (folder("undisturbed"), folder("killed"));
    copy(&undisturbed);
    let started = Instant::now();
    Run::of(&mut command(&undisturbed)).expect(0).prints("and 400 versions");
    let whole = started.elapsed();
    let wanted = crate::scene::tree(&undisturbed);
    let rounds = u32::try_from(size(16, 120)).expect("few");
    for round in 0..rounds {
        copy(&killed);
        let mut child = command(&killed).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
        thread::sleep(whole * round / rounds);
        let _ = child.kill();
        child.wait().expect("an end");
        score.ran(1);
        let text = killed.to_str().expect("text");
        let (seen, rerun) = (scene.run(&["verify", text]), Run::of(&mut command(&killed)));
        if seen.code != 0 || rerun.code != 0 || crate::scene::tree(&killed) != wanted {
            score.fail(format!("killed in round {round}: {}{}", seen.account(), rerun.account()));
        }
    }
    score.end();
}
