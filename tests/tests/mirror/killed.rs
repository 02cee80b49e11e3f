//! A sync that is killed at any moment: the next one ends, and the tree is that of an undisturbed one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};

use crate::scene::{Scene, tree};

#[test]
fn a_rerun_ends_right() {
    let mut score = Score::part("mirrors killed", "sync");
    let scene = Scene::new();
    for number in 0..400 {
        scene.put(&format!("a/{}/{number}", number % 11), &format!("body {number}"));
    }
    scene.list(1);
    let begin = |name: &str| {
        let folder = scene.folder.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        folder
    };
    let first = begin("first");
    Run::of(&mut scene.syncing(&first, &[])).expect(0);
    for number in 0..400 {
        match number % 4 {
            0 => drop(scene.put(&format!("a/{}/{number}", number % 11), &format!("another {number}"))),
            1 => drop(scene.delete(&format!("a/{}/{number}", number % 11))),
            2 => drop(scene.put(&format!("a/{}/{number}/below", number % 11), "in a folder")),
            _ => {}
        }
    }
    scene.list(2);
    // How long an undisturbed one takes says when to kill.
    let undisturbed = begin("undisturbed");
    let from_first = |to: &Path| {
        fs::remove_dir_all(to).expect("removed");
        Run::of(std::process::Command::new("cp").arg("-a").arg(&first).arg(to)).expect(0);
    };
    from_first(&undisturbed);
    let started = Instant::now();
    Run::of(&mut scene.syncing(&undisturbed, &[])).expect(0);
    let whole = started.elapsed();
    let wanted = tree(&undisturbed);
    let (rounds, killed) = (size(16, 220), begin("killed"));
    let mut dead = 0;
    for round in 0..rounds {
        from_first(&killed);
        let rounds = u32::try_from(rounds).expect("few");
        let after: Duration = whole * u32::try_from(round).expect("few") / rounds;
        let mut child = scene.syncing(&killed, &[]);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
        thread::sleep(after);
        let _ = child.kill();
        dead += u64::from(!child.wait().expect("an end").success());
        score.ran(1);
        let rerun = Run::of(&mut scene.syncing(&killed, &[]));
        if rerun.code != 0 || tree(&killed) != wanted {
            score.fail(format!("killed after {after:?}: {}", rerun.account()));
        }
        let seen = scene.run(&["verify", killed.to_str().expect("text")]);
        if seen.code != 0 {
            score.fail(format!("killed after {after:?}: {}", seen.account()));
        }
        let left = fs::read_dir(killed.join(".highwater-mirror/stage")).expect("a folder").count();
        if left > 0 {
            score.fail(format!("killed after {after:?}: {left} files are left in the stage"));
        }
        let drafts = drafts(&killed);
        if !drafts.is_empty() {
            score.fail(format!("killed after {after:?}: {drafts:?} are left"));
        }
    }
    assert!(dead > rounds / 2, "{dead} of {rounds} were killed before their end");
    score.end();
}

#[test]
fn what_a_killed_run_was_writing_goes_with_the_next() {
    let scene = Scene::new();
    scene.put("a", "body");
    scene.list(1);
    scene.sync(&[]).expect(0);
    let area = scene.mirror().join(".highwater-mirror");
    let ours = ["applied.0123456789abcdef.highwater-tmp", "plan/steps.0123456789abcdef.highwater-tmp"];
    for name in ours {
        fs::write(area.join(name), "half of it").expect("a file");
    }
    scene.put("b", "body");
    scene.list(2);
    scene.sync(&[]).expect(0);
    assert_eq!(drafts(&scene.mirror()), Vec::<PathBuf>::new());
    scene.verify().expect(0);
}

/// Files that were being written, and have no name of their own yet.
fn drafts(mirror: &Path) -> Vec<PathBuf> {
    let (mut found, mut ahead) = (Vec::new(), vec![mirror.to_owned()]);
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                ahead.push(path);
            } else if path.to_string_lossy().ends_with(".highwater-tmp") {
                found.push(path);
            }
        }
    }
    found
}
