//! Room is looked for before the first body is asked for, in bytes and in files; what lies there already needs none.

#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::run::Run;
use serde_json::Value;

use crate::scene::{Scene, tree};

/// A file system of so many bytes and files that ends with this value; none where this user may mount none.
struct Small(PathBuf);

impl Small {
    fn new(at: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir(&at).expect("a folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at).output();
        if mount.is_ok_and(|done| done.status.success()) {
            return Some(Self(at));
        }
        println!("not run: this user may not mount a tmpfs");
        None
    }

    fn widen(&self, options: &str) {
        let remount = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).output();
        assert!(remount.is_ok_and(|done| done.status.success()), "remount with {options}");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a child that another thread is just starting may hold a file of it for a moment.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn sync(scene: &Scene, mirror: &Path, more: &[&str]) -> Run {
    Run::of(&mut scene.syncing(mirror, more))
}

/// Requests for bodies of the bucket since the last look.
fn bodies(scene: &Scene) -> usize {
    scene.server.log().iter().filter(|asked| asked.target.contains("versionId")).count()
}

#[test]
fn a_sync_that_has_no_room_is_refused_before_any_body() {
    let scene = Scene::new();
    for number in 0..20 {
        scene.put(&format!("k/{number}"), &"x".repeat(100_000));
    }
    scene.list(1);
    let Some(small) = Small::new(scene.folder.path().join("small"), "size=1m,nr_inodes=1000") else { return };
    let mirror = small.0.join("mirror");
    fs::create_dir(&mirror).expect("a folder");
    let run = sync(&scene, &mirror, &[]);
    run.expect(4).says("there is no room for the sync to 2024-11-01T01-00Z in").says("1.9 MiB are needed, and");
    run.says("nothing more is fetched: make room, and sync again");
    assert_eq!((bodies(&scene), tree(&mirror).len()), (0, 0));
    let told = sync(&scene, &mirror, &["--dry-run", "--json"]);
    let told: Value = serde_json::from_slice(&told.expect(0).stdout).expect("JSON");
    let number = |of: &str, what: &str| told[of][what].as_u64().expect("a number");
    assert!((2_048_000..2_100_000).contains(&number("need", "bytes")), "{told}");
    assert!(number("room", "bytes") < 1 << 20 && number("need", "files") >= 20, "{told}");
    // Twenty bodies of 25 pages each need 500; what little else there is needs less than 100.
    small.widen("size=2400k");
    sync(&scene, &mirror, &[]).expect(0);
    // What lies there already needs no room.
    fs::remove_dir_all(mirror.join(".highwater-mirror")).expect("removed");
    bodies(&scene);
    sync(&scene, &mirror, &["--take-over"]).expect(0).prints("20 there already");
    assert_eq!(bodies(&scene), 0);
}

#[test]
fn files_are_counted_too() {
    let scene = Scene::new();
    for number in 0..100 {
        scene.put(&format!("{number}/k"), "a body");
    }
    scene.list(1);
    let Some(small) = Small::new(scene.folder.path().join("small"), "size=64m,nr_inodes=150") else { return };
    let mirror = small.0.join("mirror");
    fs::create_dir(&mirror).expect("a folder");
    sync(&scene, &mirror, &[]).expect(4).says("files and folders are to be made, and");
    assert_eq!((bodies(&scene), tree(&mirror).len()), (0, 0));
    sync(&scene, &mirror, &["--dry-run"]).expect(0).prints("needs ").prints("there is room for");
    // A hundred files in a hundred folders, and some of our own.
    small.widen("nr_inodes=250");
    sync(&scene, &mirror, &[]).expect(0);
    assert_eq!(tree(&mirror).len(), 100);
}
