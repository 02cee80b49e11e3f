//! Two runs at the same object at once.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;

use highwater_tests::run::Run;

use crate::trust::record::Record;
use crate::trust::stage::{Stage, chunks, damage, in_store, stamp};
use crate::trust::traced::{can_trace, delayed, traced};

/// Runs two commands, the second as soon as `when` says so, or the first has ended.
#[track_caller]
pub(crate) fn both(stage: &Stage, first: &mut Command, second: &mut Command, when: impl Fn() -> bool) -> [Run; 2] {
    thread::scope(|scope| {
        let first = scope.spawn(|| stage.run(first));
        while !when() && !first.is_finished() {
            thread::yield_now();
        }
        let second = stage.run(second);
        [first.join().expect("it ends"), second]
    })
}

#[test]
fn in_place_holds_the_lock_before_it_gives_the_target_up() {
    if !can_trace("in_place_holds_the_lock_before_it_gives_the_target_up") {
        return;
    }
    // Of two that begin together, the one is slow in what takes names, and the other in what makes them durable.
    // Whichever way they meet, who ends well leaves a whole target.
    let (names, all) = ("?rename,?renameat,renameat2", "?rename,?renameat,renameat2,?unlink,unlinkat,flock");
    let pairs = [
        (names, 950_000, "fsync", 300_000),
        (names, 1_050_000, "fsync", 300_000),
        (names, 1_150_000, "fsync", 300_000),
        ("?unlink,unlinkat", 300_000, "flock", 200_000),
        ("flock", 200_000, names, 200_000),
        (all, 20_000, all, 50_000),
        (all, 50_000, all, 20_000),
    ];
    for (calls, micros, others, slower) in pairs {
        let stage = Stage::new();
        let folder = stage.path("standby");
        fs::create_dir(&folder).expect("a folder");
        let target = folder.join("Data.fs");
        fs::write(&target, rotten(&stage)).expect("an old target");
        // With an index, a run would notice afterwards that somebody took its target away.
        (0..3).for_each(|point| fs::remove_file(stage.file(point, "index")).expect("an index goes"));
        let mut command = stage.command(&["restore", "--in-place"]);
        command.args([&stage.fixture.repo, &target]);
        let log = stage.path("log");
        let mut first = traced(&command, calls, &format!("delay_enter={micros}"), &log);
        // When the first is about to make one of its calls.
        let begins = || fs::metadata(&log).is_ok_and(|meta| meta.len() > 0);
        let [one, two] = both(&stage, &mut first, &mut delayed(&command, others, slower), begins);
        let told = format!("{calls} {micros}, {others} {slower}\n{}\n{}", one.account(), two.account());
        let now = fs::read(&target).ok();
        if one.code == 0 || two.code == 0 {
            assert!(
                now.as_ref() == Some(&stage.fixture.data.bytes),
                "one ended well, and there is no whole target: {told}"
            );
        } else {
            let has_part = fs::read_dir(&folder)
                .expect("a folder")
                .any(|entry| entry.expect("an entry").path().extension().is_some_and(|end| end == "part"));
            assert!(now.is_some() || has_part, "both gave up, and nothing is left: {told}");
        }
        // Whatever came of it, the next run ends it.
        stage.run(&mut command).expect(0);
        assert!(fs::read(&target).expect("a target") == stage.fixture.data.bytes, "{told}");
    }
}

#[test]
fn in_place_holds_the_lock_or_leaves_all_as_it_was() {
    // Another restore holds its part, or the target itself.
    for name in ["Data.fs.0123456789abcdef.part", "Data.fs"] {
        let stage = Stage::new();
        let folder = stage.path("standby");
        fs::create_dir(&folder).expect("a folder");
        let (target, held) = (folder.join("Data.fs"), folder.join(name));
        fs::write(&target, rotten(&stage)).expect("an old target");
        let held = OpenOptions::new().create(true).append(true).mode(0o600).open(held).expect("a file");
        held.lock().expect("a lock");
        let before = Record::of(&folder);
        let run = stage.restore(&stage.fixture.repo, &target, &["--in-place"]);
        run.expect(4).says("another restore");
        assert_eq!(before.changed(&Record::of(&folder), &folder).len(), 0, "{}", run.account());
        // Closing it is not enough: a process that another test starts has it open for a moment, too.
        held.unlock().expect("it is let go of");
        stage.restore(&stage.fixture.repo, &target, &["--in-place"]).expect(0);
        assert!(fs::read(&target).expect("a target") == stage.fixture.data.bytes, "{name}");
    }
}

/// A database that is known by its newest transaction, and must be written anew.
fn rotten(stage: &Stage) -> Vec<u8> {
    let mut bytes = stage.fixture.data.bytes.clone();
    bytes[300] ^= 1;
    bytes
}

/// Whether somebody writes an object in a folder.
fn is_being_written(folder: &Path) -> bool {
    let names = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
    names.into_iter().any(|name| name.to_string_lossy().ends_with(".highwater-tmp"))
}

#[test]
fn two_heals_at_once_heal() {
    if !can_trace("two_heals_at_once_heal") {
        return;
    }
    // The first is about to put its chunk in place; the second copies from a store whose own chunk is damaged as well,
    // or from a sound one.
    for (calls, spoiled) in
        [("?rename,?renameat,renameat2", true), ("?rename,?renameat,renameat2", false), ("fsync", true)]
    {
        let stage = Stage::new();
        let (store, good, bad) = (stage.store("store"), stage.store("good"), stage.store("bad"));
        let chunk = chunks(&store)[1].clone();
        let folder = chunk.parent().expect("a folder").to_owned();
        let sound = fs::read(&chunk).expect("a chunk");
        damage(&chunk);
        if spoiled {
            damage(&chunks(&bad)[1]);
        }
        let heal = |from: &Path| {
            let mut command = stage.command(&["heal"]);
            command.arg(&store).arg("--from").arg(from);
            command
        };
        let (mut first, mut second) =
            (delayed(&heal(&good), calls, 500_000), delayed(&heal(&bad), "pwrite64", 900_000));
        let [one, two] = both(&stage, &mut first, &mut second, || is_being_written(&folder));
        let told = format!("{}\n{}", one.account(), two.account());
        assert!(one.code == 0 || two.code == 0, "one of them has a sound chunk to copy: {told}");
        assert!(fs::read(&chunk).expect("a chunk") == sound, "the chunk is not whole: {told}");
        let left: Vec<_> =
            fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        assert_eq!(left, std::slice::from_ref(&chunk), "{told}");
    }
}

#[test]
fn an_index_that_changes_during_a_backup_gets_no_line() {
    if !can_trace("an_index_that_changes_during_a_backup_gets_no_line") {
        return;
    }
    let mut stage = Stage::new();
    stage.fixture.grow(2);
    let (repo, dat) = (stage.fixture.repo.clone(), stage.file(0, "dat"));
    let index = fs::read(&dat).expect("an index");
    let mut command = stage.command(&["backup", "--quick"]);
    command.args([&stage.fixture.source, &repo]).env("HIGHWATER_NOW", stamp(1));
    // It has read the index when it begins to write.
    let run = thread::scope(|scope| {
        let run = scope.spawn(|| stage.run(&mut delayed(&command, "?rename,?renameat,renameat2", 200_000)));
        while !is_being_written(&repo) && !run.is_finished() {
            thread::yield_now();
        }
        fs::write(&dat, "what somebody else wrote\n").expect("it is written over");
        run.join().expect("it ends")
    });
    run.expect(3).says("somebody else changed");
    assert_eq!(fs::read(&dat).expect("an index"), b"what somebody else wrote\n");
    // With the index as it was, the next run finishes what this one has copied.
    fs::write(&dat, index).expect("it is put back");
    stage.run(command.env("HIGHWATER_NOW", stamp(2))).expect(0).says("finished");
    stage.verify(&repo, &[]).expect(0).prints("4 points");
}

#[test]
fn two_new_groups_at_once_are_made() {
    if !can_trace("two_new_groups_at_once_are_made") {
        return;
    }
    // The first has made the folder of its group and not locked it yet, or not named it yet, when the second looks for
    // what interrupted runs have left.
    for calls in ["flock", "?rename,?renameat,renameat2", "fsync"] {
        let stage = Stage::new();
        let store = stage.store("store");
        let types = store.join("vm");
        let backup = |group: &str| {
            let mut command = stage.command(&["backup", "--chunk-size=64K"]);
            command.arg(stage.path("disk.img")).arg(in_store(&store, &format!("vm/{group}/disk.img")));
            command
        };
        let begun = || {
            let names = fs::read_dir(&types).expect("a folder").map(|entry| entry.expect("an entry").file_name());
            names.into_iter().any(|name| name.to_string_lossy().starts_with(".highwater-folder"))
        };
        let (mut first, mut second) =
            (delayed(&backup("11"), calls, 120_000), delayed(&backup("12"), "unlinkat", 50_000));
        let runs = both(&stage, &mut first, &mut second, begun);
        for run in &runs {
            run.expect(0);
        }
        stage.verify(&store, &[]).expect(0).prints("3 points");
        assert!(!begun(), "work folders are left: {}\n{}", runs[0].account(), runs[1].account());
    }
}
