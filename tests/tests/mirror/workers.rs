//! Workers that fetch segments and are killed at any moment, have no room, or are held to a rate.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::Instant;

use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};

use crate::scene::Scene;
use crate::segments::{begin, change, folder, large, run, same};

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    Run::of(Command::new("cp").arg("-a").arg(from).arg(to)).expect(0);
}

/// A worker whose disk is full ends; the others do not notice, and its rerun goes on.
#[test]
fn a_full_disk_ends_one_worker_and_its_rerun_goes_on() {
    let scene = large();
    let (mirror, one) = (folder(&scene, "parted"), folder(&scene, "one"));
    scene.put("a/big", &"x".repeat(3 << 20));
    scene.list(2);
    run(&scene, "plan", &mirror, &[]).expect(0);
    // No file may grow further than a megabyte: what the worker is told is what a full disk tells it, in a moment.
    let fetch = scene.command(&["mirror".as_ref(), "fetch".as_ref(), mirror.as_os_str()]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$@\"", "sh"]).arg(fetch.get_program());
    limited.args(fetch.get_args());
    for (name, value) in fetch.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let full = Run::of(&mut limited);
    full.expect(3).says("make room");
    run(&scene, "apply", &mirror, &["--segments", "2"]).expect(4);
    run(&scene, "fetch", &mirror, &[]).expect(0);
    run(&scene, "apply", &mirror, &[]).expect(0);
    Run::of(&mut scene.syncing(&one, &[])).expect(0);
    same(&one, &mirror);
}

/// A rate has its time, whoever is faster: that is no matter of how fast the machine is.
#[test]
fn a_worker_takes_no_more_bytes_a_second_than_it_may() {
    let scene = Scene::new();
    scene.put("a", &"x".repeat(600_000));
    scene.list(1);
    let mirror = scene.mirror();
    run(&scene, "plan", &mirror, &["--max-bandwidth", "20M"]).expect(0);
    let started = Instant::now();
    run(&scene, "fetch", &mirror, &["--max-bandwidth", "300k"]).expect(0);
    // Two seconds, less a burst of a quarter of one.
    assert!(started.elapsed().as_millis() >= 1750, "{:?}", started.elapsed());
    run(&scene, "fetch", &mirror, &["--max-bandwidth", "1.5M"]).expect(2).says("20M");
    scene.run(&["verify", "--max-bandwidth", "0", "s3://archive/x"]).expect(2).says("a number of bytes a second");
}

/// As the first sync of a mirror is killed, so is each worker, at any moment.
#[test]
fn killed_workers_are_run_again() {
    let mut score = Score::part("mirrors killed", "segments");
    let scene = large();
    let (first, one, whole) = (folder(&scene, "first"), folder(&scene, "one"), folder(&scene, "whole"));
    Run::of(&mut scene.syncing(&first, &[])).expect(0);
    change(&scene, true);
    run(&scene, "plan", &first, &[]).expect(0);
    copy(&first, &one);
    Run::of(&mut scene.syncing(&one, &[])).expect(0).says("goes on with the plan");
    copy(&first, &whole);
    // How long an undisturbed one takes says when to kill.
    let started = Instant::now();
    run(&scene, "fetch", &whole, &["--jobs", "2"]).expect(0);
    let took = started.elapsed();
    let (rounds, killed) = (u32::try_from(size(8, 100)).expect("few"), scene.folder.path().join("killed"));
    let mut dead = 0;
    for round in 0..rounds {
        copy(&first, &killed);
        let segments = ["1/2", "2/2", "2/2"];
        let mut workers: Vec<Child> =
            segments.map(|segment| begin(&scene, "fetch", &killed, &["--segment", segment, "--jobs", "2"])).into();
        thread::sleep(took * round / rounds);
        for worker in &mut workers {
            let _ = worker.kill();
            dead += u32::from(!worker.wait().expect("an end").success());
        }
        score.ran(1);
        for segment in ["2/2", "1/2"] {
            let rerun = run(&scene, "fetch", &killed, &["--segment", segment]);
            if rerun.code != 0 {
                score.fail(format!("round {round}: {}", rerun.account()));
            }
        }
        let applied = run(&scene, "apply", &killed, &["--segments", "2"]);
        if applied.code != 0 {
            score.fail(format!("round {round}: {}", applied.account()));
        }
        same(&one, &killed);
    }
    assert!(dead > rounds, "{dead} of {} were killed before their end", 3 * rounds);
    score.end();
}
