//! Targets as people type them: with the slash that tab completion adds, as the folder at hand, in a folder that is
//! missing, and a folder where a file is wanted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::specimens::{Specimen, lay, rocksdb};
use tempfile::TempDir;

/// Runs the command in a folder.
#[track_caller]
fn run_in(folder: &Path, words: &[&str]) -> Run {
    Run::of(Command::new(highwater()).args(words).current_dir(folder).env("HIGHWATER_NOW", "2026-11-28-08-00-00"))
}

/// A folder with a set of one point, which has the file `a`, and a live store.
#[track_caller]
fn scene() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["notes", "set", "store"] {
        fs::create_dir(folder.path().join(name)).expect("a folder");
    }
    fs::write(folder.path().join("notes/a"), "one").expect("a file");
    lay(&rocksdb::Stores::LEVELDB.small().files, &folder.path().join("store"));
    run_in(folder.path(), &["backup", "notes", "set"]).expect(0);
    folder
}

#[track_caller]
fn expect_point(folder: PathBuf) {
    assert_eq!(fs::read_to_string(folder.join("a")).expect("what was restored"), "one", "{}", folder.display());
}

#[test]
fn a_folder_to_restore_to_may_end_with_a_slash() {
    let folder = scene();
    for target in ["new/", "again//", "dotted/."] {
        run_in(folder.path(), &["restore", "set", target]).expect(0).prints("restored to");
        run_in(folder.path(), &["restore", "set/", target]).expect(0).prints("already");
        expect_point(folder.path().join(target));
    }
}

#[test]
fn the_folder_at_hand_can_be_restored_to_and_its_user_is_told_how_to_see_it() {
    let folder = scene();
    for (here, target) in [("at hand", "."), ("dotted", "./"), ("around/inner", "..")] {
        let here = folder.path().join(here);
        fs::create_dir_all(&here).expect("a folder");
        let set = folder.path().join("set").to_string_lossy().into_owned();
        let full = if target == ".." { &["--full"][..] } else { &[] };
        let run = run_in(&here, &[&["restore", &set, target], full].concat());
        run.expect(0).says("cd \"$PWD\"");
        expect_point(if target == ".." { folder.path().join("around") } else { here });
    }
    run_in(folder.path(), &["restore", "set", "elsewhere"]).expect(0).never_says("PWD");
}

#[test]
fn a_checkpoint_may_end_with_a_slash_and_is_removed_by_that_name_too() {
    let folder = scene();
    run_in(folder.path(), &["checkpoint", "store/", "snap/"]).expect(0);
    assert!(folder.path().join("snap/CURRENT").is_file() && folder.path().join("snap.mtree").is_file());
    run_in(folder.path(), &["verify", "-q", "snap/"]).expect(0);
    run_in(folder.path(), &["checkpoint", "store", "brief/", "--", "test", "-f", "brief/CURRENT"]).expect(0);
    assert!(!folder.path().join("brief").exists() && !folder.path().join("brief.mtree").exists());
    run_in(folder.path(), &["replicate", "--checkpoint", "store/", "copy/"]).expect(0);
    assert!(folder.path().join("copy/CURRENT").is_file());
}

#[test]
fn a_folder_where_a_file_is_written_is_refused_as_one() {
    let (fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    for target in ["out/", "out/.", ".", "..", "/"] {
        let run = run_in(fixture.folder(), &["restore", &repo, target]);
        assert!(run.expect(4).one_line().contains(&format!("'{target}' names a folder")), "{}", run.account());
        let junit = format!("--junit={target}");
        run_in(fixture.folder(), &["verify", "-q", &junit, &repo]).expect(4).says("names a folder");
    }
    assert!(!fixture.path("out").exists());
}

#[test]
fn a_target_in_a_folder_that_is_missing_cannot_be_started_with() {
    let folder = scene();
    let (fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    for words in [
        ["restore", "set", "no/where"],
        ["restore", &repo, "no/where"],
        ["checkpoint", "store", "no/where"],
        ["replicate", "set", "no/where"],
    ] {
        let run = run_in(folder.path(), &words);
        let line = run.expect(4).one_line();
        assert!(line.contains("no'") && line.contains("No such file"), "{line}");
        assert!(words[0] == "replicate" || line.contains("mkdir -p"), "{line}");
    }
    assert!(!folder.path().join("no").exists());
}
