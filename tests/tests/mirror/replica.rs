//! A replica of a mirror: it is a mirror itself, follows the first from point to point, and ends right when it is
//! killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use highwater_core::formats::mirror::applied::Applied;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};

use crate::scene::{Scene, tree};

fn words<'a>(mirror: &'a Path, replica: &'a Path) -> [&'a std::ffi::OsStr; 3] {
    ["replicate".as_ref(), mirror.as_os_str(), replica.as_os_str()]
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// A replica is what the mirror is, by every verb.
fn is_right(scene: &Scene, replica: &Path) -> Result<(), String> {
    if tree(replica) != tree(&scene.mirror()) {
        let (ours, theirs) = (tree(replica), tree(&scene.mirror()));
        let more: Vec<&PathBuf> = ours.keys().filter(|path| !theirs.contains_key(*path)).collect();
        let other: Vec<&PathBuf> =
            theirs.iter().filter(|(path, of)| ours.get(*path) != Some(of)).map(|of| of.0).collect();
        return Err(format!("{more:?} are there, {other:?} are others"));
    }
    for words in [&["verify", text(replica)][..], &["mirror", "status", text(replica)]] {
        let run = scene.run(words);
        if run.code != 0 {
            return Err(run.account());
        }
    }
    Ok(())
}

fn changed(scene: &Scene, number: u32) {
    match number % 4 {
        0 => drop(scene.put(&format!("a/{}/{number}", number % 11), &format!("another {number}"))),
        1 => drop(scene.delete(&format!("a/{}/{number}", number % 11))),
        2 => drop(scene.put(&format!("a/{}/{number}/below", number % 11), "in a folder")),
        _ => {}
    }
}

#[test]
fn a_replica_follows_its_mirror_and_ends_right_when_it_is_killed() {
    let mut score = Score::part("mirrors killed", "replicas");
    let scene = Scene::new();
    (0..200).for_each(|number| drop(scene.put(&format!("a/{}/{number}", number % 11), &format!("body {number}"))));
    scene.list(1);
    scene.sync(&[]).expect(0);
    let [first, killed] = ["first", "killed"].map(|name| scene.folder.path().join(name));
    scene.run(&["replicate", text(&scene.mirror()), text(&first)]).expect(0);
    is_right(&scene, &first).expect("the first replica");
    (0..200).for_each(|number| changed(&scene, number));
    scene.list(2);
    scene.sync(&[]).expect(0);
    let from_first = |to: &Path| {
        let _ = fs::remove_dir_all(to);
        Run::of(Command::new("cp").arg("-a").arg(&first).arg(to)).expect(0);
    };
    from_first(&killed);
    let started = Instant::now();
    scene.run(&["replicate", text(&scene.mirror()), text(&killed)]).expect(0);
    let whole = started.elapsed();
    is_right(&scene, &killed).expect("an undisturbed run");
    let again = scene.run(&["replicate", text(&scene.mirror()), text(&killed)]);
    again.expect(0).prints("copied 0 objects of 0 bytes and 0 indices");
    let rounds = u32::try_from(size(16, 100)).expect("few");
    for round in 0..rounds {
        from_first(&killed);
        let mut child = scene.command(&words(&scene.mirror(), &killed));
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
        thread::sleep(whole * round / rounds);
        let _ = child.kill();
        let _ = child.wait();
        score.ran(1);
        let rerun = scene.run(&["replicate", text(&scene.mirror()), text(&killed)]);
        if rerun.code != 0 {
            score.fail(format!("round {round}: {}", rerun.account()));
        } else if let Err(why) = is_right(&scene, &killed) {
            score.fail(format!("round {round}: {why}"));
        }
    }
    score.end();
}

#[test]
fn a_mirror_of_another_bucket_is_refused_and_one_body_that_is_damaged_holds_the_point_back() {
    let scene = Scene::new();
    scene.put("a", "a body");
    scene.list(1);
    scene.sync(&[]).expect(0);
    let replica = scene.folder.path().join("replica");
    scene.run(&["replicate", text(&scene.mirror()), text(&replica)]).expect(0);
    let before = tree(&replica);
    scene.put("b", "another body");
    scene.put("a", "a newer body");
    scene.list(2);
    scene.sync(&[]).expect(0);
    let whole = fs::read(scene.mirror().join("b")).expect("a body");
    fs::write(scene.mirror().join("b"), b"another bodY").expect("written");
    let run = scene.run(&["replicate", text(&scene.mirror()), text(&replica)]);
    run.expect(1).says("not carried over");
    scene.run(&["verify", text(&replica)]).expect(0);
    assert!(before.iter().all(|(path, of)| tree(&replica).get(path) == Some(of)), "something else was changed");
    fs::write(scene.mirror().join("b"), whole).expect("written");
    scene.run(&["replicate", text(&scene.mirror()), text(&replica)]).expect(0);
    scene.run(&["verify", text(&replica)]).expect(0);
    // The replica is said to be of another bucket.
    let pointer = replica.join(".highwater-mirror/applied");
    let applied = Applied::parse(&fs::read(&pointer).expect("a pointer")).expect("a pointer");
    let other = Applied { bucket: "another".to_owned(), ..applied };
    fs::write(&pointer, other.line()).expect("written");
    let run = scene.run(&["replicate", text(&scene.mirror()), text(&replica)]);
    run.expect(4).says("is of archive, and").says("of another: it is another set");
    assert_eq!(fs::read_to_string(&pointer).expect("a pointer"), other.line());
}
