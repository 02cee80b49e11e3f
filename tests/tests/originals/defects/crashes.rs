//! What an interrupted run leaves behind (the crash table of the study), and two runs at once.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use highwater_tests::binary::highwater;
use highwater_tests::python::{command, original};
use highwater_tests::repository::{dat_lines, data_files, expect_same_bytes};
use highwater_tests::run::{Run, drop_in, ours};
use highwater_tests::scene::{Scene, bytes};

use super::with_an_unlisted_increment;

#[test]
fn a_full_without_its_dat_is_built_upon_and_never_checked() {
    let mut scene = Scene::new();
    let full = scene.original_backup(&["-F"]);
    fs::remove_file(scene.repo.join(format!("{full}.dat"))).expect("the crash came before the .dat");
    scene.grow(5);
    let source = scene.source();
    let twin = scene.twin("twin");

    scene.original_backup(&[]);
    assert_eq!(scene.dat(&full).lines().count(), 1, "the original's new .dat holds the increment alone");
    let file = scene.repo.join(format!("{full}.fs"));
    let mut spoilt = bytes(&file);
    spoilt[100] ^= 1;
    fs::write(&file, spoilt).expect("a damaged full");
    original(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[])).expect(0);
    let (run, _) = scene.original_recover(&scene.repo, &["-w"]);
    run.expect(1).says("Traceback").says("KeyError");

    let stamp = scene.clock.stamp();
    drop_in(&stamp, &scene.backup_arguments(&twin, &[])).expect(0);
    let newest = data_files(&twin).into_iter().rfind(|name| name.ends_with(".fs")).expect("a full");
    let lines = dat_lines(&twin.join(newest.replace(".fs", ".dat")));
    assert_eq!((lines[0].name.as_str(), lines[0].start), (newest.as_str(), 0), "the .dat begins with the full");
    let (run, got) = scene.original_recover(&twin, &["-w"]);
    run.expect(0);
    expect_same_bytes(&got.expect("a file"), &source, "our chain, recovered by the original with -w");
    let file = twin.join(&newest);
    let mut spoilt = bytes(&file);
    spoilt[100] ^= 1;
    fs::write(&file, spoilt).expect("a damaged full");
    drop_in(&stamp, &Scene::verify_arguments(&twin, &[])).expect(1).says(&newest);
}

#[test]
fn an_unlisted_newest_increment_is_recovered_unchecked() {
    let (mut scene, _, orphan) = with_an_unlisted_increment();
    let source = scene.source();
    let (run, got) = scene.original_recover(&scene.repo, &[]);
    run.expect(0);
    expect_same_bytes(&got.expect("a file"), &source, "the original takes the file that no line names");
    scene.original_recover(&scene.repo, &["-w"]).0.expect(1).says("KeyError");

    // Ours may take it, or refuse, or give the listed state: but never an older state without a word.
    let target = scene.path("ours.fs");
    for flags in [&[][..], &["-w"][..]] {
        let run = drop_in(&scene.clock.stamp(), &Scene::recover_arguments(&scene.repo, &target, flags));
        let complete = run.code == 0 && bytes(&target) == source;
        assert!(complete || run.stderr.contains(&orphan), "an older state in silence: {}", run.account());
    }
    let own = ours(&scene.clock.stamp(), &[Path::new("restore"), &scene.repo, &scene.path("own.fs")]);
    assert!(own.stderr.contains(&orphan), "an older state in silence: {}", own.account());

    // The next backup finishes what was interrupted.
    let stamp = scene.later();
    drop_in(&stamp, &scene.backup_arguments(&scene.repo, &["-Q"])).expect(0);
    let (run, got) = scene.original_recover(&scene.repo, &["-w"]);
    run.expect(0);
    expect_same_bytes(&got.expect("a file"), &source, "our chain, recovered by the original with -w");
}

#[test]
fn a_torn_dat_line_kills_every_later_run() {
    let mut scene = Scene::new();
    let full = scene.original_backup(&["-F"]);
    scene.grow(5);
    scene.original_backup(&[]);
    let whole = scene.dat(&full);
    let last = whole.trim_end().rfind('\n').expect("two lines") + 1;
    let fields: Vec<&str> = whole[last..].split(' ').collect();
    scene.write_dat(&full, &format!("{}{} {}", &whole[..last], fields[0], fields[1]));
    scene.grow(5);
    let source = scene.source();
    let stamp = scene.later();

    original(&stamp, &scene.backup_arguments(&scene.twin("quick"), &["-Q"])).expect(1).says("ValueError");
    original(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(1).says("ValueError");
    scene.original_recover(&scene.repo, &["-w"]).0.expect(1).says("ValueError");

    let line = drop_in(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(1).one_line().to_owned();
    assert!(line.contains(&format!("{full}.dat")), "the line names the .dat: {line}");
    for flags in [&["-Q"][..], &[][..]] {
        let twin = scene.twin(&format!("twin{}", flags.len()));
        drop_in(&stamp, &scene.backup_arguments(&twin, flags)).expect(0);
        drop_in(&stamp, &Scene::verify_arguments(&twin, &[])).expect(0);
        let (run, got) = scene.original_recover(&twin, &["-w"]);
        run.expect(0);
        expect_same_bytes(&got.expect("a file"), &source, "our chain after the torn line");
    }
}

#[test]
fn a_cut_sum_in_the_last_line_is_safe_in_both() {
    let mut scene = Scene::new();
    let full = scene.original_backup(&["-F"]);
    let whole = scene.dat(&full);
    scene.write_dat(&full, &whole[..whole.len() - 12]);
    scene.grow(5);
    let source = scene.source();
    let twin = scene.twin("twin");
    scene.original_backup(&["-Q"]);
    assert_eq!(data_files(&scene.repo).len(), 2, "the original makes a new full");
    drop_in(&scene.clock.stamp(), &scene.backup_arguments(&twin, &["-Q"])).expect(0);
    for repo in [&scene.repo, &twin] {
        let (run, got) = scene.original_recover(repo, &["-w"]);
        run.expect(0);
        expect_same_bytes(&got.expect("a file"), &source, &repo.display().to_string());
    }
}

#[test]
fn two_runs_at_once_mix_one_file() {
    let mut scene = Scene::new();
    let stamp = scene.later();
    // A plain full is under way when a gzip full of the same file starts and ends: both use one work file.
    let doubled = Run::of(command("interleaved.py").arg(&scene.data).arg(&scene.repo));
    assert_eq!(doubled.expect(0).text().trim(), "inner 0 outer 1", "{}", doubled.account());
    original(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(1);

    let twin = scene.path("twin");
    fs::create_dir(&twin).expect("a folder");
    let mut running = Vec::new();
    for second in 0..8 {
        let flags: &[&str] = if second % 2 == 0 { &["-F"] } else { &["-Fz"] };
        let child = Command::new(highwater())
            .arg("repozo")
            .args(scene.backup_arguments(&twin, flags))
            .env("HIGHWATER_NOW", format!("2026-03-01-00-00-{second:02}"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("a backup starts");
        running.push(child);
    }
    let mut made = 0;
    for child in running {
        let ended = child.wait_with_output().expect("a backup ends");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        match ended.status.code() {
            Some(0) => made += 1,
            Some(1) => {
                // One that comes to the lock after a run with a later stamp is refused for that.
                let why = ["pid", "process", "would sort before"].iter().any(|word| said.contains(word));
                assert!(why, "a refusal names who is at work, or the newer stamp: {said}")
            }
            other => panic!("a doubled backup ended with {other:?}: {said}"),
        }
    }
    assert!(made >= 1, "at least one of eight runs made a backup");
    assert_eq!(data_files(&twin).len(), made, "each run that said 0 left one full");
    let source = scene.source();
    for name in data_files(&twin) {
        let date = name.split('.').next().expect("a stamp");
        let (run, got) = scene.original_recover(&twin, &["-w", "-D", date]);
        run.expect(0);
        expect_same_bytes(&got.expect("a file"), &source, &name);
    }
}
