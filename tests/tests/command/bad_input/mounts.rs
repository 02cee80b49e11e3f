//! A folder that is replaced or removed takes along what is in it, but never what is mounted there.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::mounted::Mounted;
use highwater_tests::run::{Run, ours};
use tempfile::TempDir;

const NOW: &str = "2026-11-27-03-00-00";

fn run(words: &[&dyn AsRef<OsStr>]) -> Run {
    ours(NOW, &words.iter().map(|word| word.as_ref()).collect::<Vec<_>>())
}

/// A folder `db` with a file and a folder `blobs`, the set `set` with a point of it, and `elsewhere`.
fn scene() -> (TempDir, impl Fn(&str) -> PathBuf) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let base = folder.path().to_owned();
    let at = move |name: &str| base.join(name);
    fs::create_dir_all(at("db/blobs")).expect("folders");
    fs::write(at("db/data"), b"data").expect("a file");
    fs::write(at("db/blobs/one"), b"one").expect("a file");
    fs::create_dir(at("set")).expect("a folder");
    run(&[&"backup", &at("db"), &at("set")]).expect(0);
    (folder, at)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_restore_replaces_no_folder_in_which_something_is_mounted() {
    // On a folder of the point, on one that it does not have, deep in such a one, and on a file.
    for (place, is_file) in [("db/blobs", false), ("db/more", false), ("db/x/y", false), ("db/data", true)] {
        for full in [&[][..], &["--full"], &["--full", "--dry-run"]] {
            let (_folder, at) = scene();
            fs::create_dir(at("elsewhere")).expect("a folder");
            let precious = at(if is_file { "elsewhere" } else { "elsewhere/precious" });
            if is_file {
                fs::remove_dir(&precious).expect("nothing");
            }
            fs::write(&precious, b"the only copy").expect("a file");
            let mounted = if is_file {
                let bound = Command::new("mount").arg("--bind").args([&at("elsewhere"), &at(place)]).status();
                bound.is_ok_and(|status| status.success())
            } else {
                let mounted = Mounted::bound(&at("elsewhere"), &at(place));
                let is_there = mounted.is_some();
                std::mem::forget(mounted);
                is_there
            };
            if !mounted {
                println!("not run: restores around a mount: nothing can be mounted here");
                return;
            }
            let mut words: Vec<&dyn AsRef<OsStr>> = vec![&"restore"];
            words.extend(full.iter().map(|word| word as &dyn AsRef<OsStr>));
            let (set, target) = (at("set"), at("db"));
            words.extend([&set as &dyn AsRef<OsStr>, &target]);
            let restored = run(&words);
            let unmounted = Command::new("umount").arg(at(place)).status();
            assert!(unmounted.is_ok_and(|status| status.success()), "{place} is no mount any more");
            assert_eq!(fs::read(&precious).expect("what was mounted"), b"the only copy", "{place} {full:?}");
            let told = restored.expect(4).one_line().contains("mounted");
            assert_eq!(told, !full.is_empty() || place != "db/x/y", "{}", restored.account());
            assert_eq!(names(&at("")), ["db", "elsewhere", "set"], "{place} {full:?}: nothing else is left");
        }
    }
}

#[test]
fn a_replica_of_a_store_that_is_given_up_leaves_what_is_mounted_in_it() {
    let (_folder, at) = scene();
    let git = |words: &[&str]| {
        let named = ["-c", "user.name=n", "-c", "user.email=e"];
        assert!(Command::new("git").args(named).args(words).status().expect("git").success(), "{words:?}");
    };
    let (store, replica) = (at("store"), at("replica"));
    git(&["init", "-q", "--bare", store.to_str().expect("text")]);
    run(&[&"replicate", &"--checkpoint", &store, &replica]).expect(0);
    fs::create_dir(at("elsewhere")).expect("a folder");
    fs::write(at("elsewhere/precious"), b"the only copy").expect("a file");
    let Some(_mounted) = Mounted::bound(&at("elsewhere"), &at("replica/x")) else {
        println!("not run: replicas around a mount: nothing can be mounted here");
        return;
    };
    for related in [false, true] {
        let mut words: Vec<&dyn AsRef<OsStr>> = vec![&"replicate", &"--checkpoint", &store, &replica];
        words.extend(related.then_some(&"--related" as &dyn AsRef<OsStr>));
        let run = run(&words);
        assert_eq!(run.expect(4).one_line().contains("mounted"), related, "{}", run.account());
        assert_eq!(names(&at("elsewhere")), ["precious"]);
    }
}
