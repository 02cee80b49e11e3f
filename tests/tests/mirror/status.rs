//! `mirror status`: every difference between the index and the tree is told, with its reason, and nothing else is.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Rule};
use serde_json::Value;

use crate::scene::{BUCKET, Scene};

fn status(scene: &Scene, more: &[&str]) -> Run {
    let mirror = scene.mirror();
    scene.run(&[&["mirror", "status", mirror.to_str().expect("text")], more].concat())
}

/// Counts by kind, and the paths of each.
fn told(scene: &Scene, code: i32) -> (BTreeMap<String, u64>, BTreeMap<String, Vec<String>>) {
    let run = status(scene, &["--json"]);
    run.expect(code);
    let document: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let counts = document["counts"].as_object().expect("counts").iter();
    let counts: BTreeMap<String, u64> =
        counts.map(|(kind, of)| (kind.clone(), of["count"].as_u64().expect("a number"))).collect();
    let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in document["differences"].as_array().expect("a list") {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        paths.entry(text("kind")).or_default().push(text("path"));
    }
    paths.values_mut().for_each(|paths| paths.sort());
    for (kind, count) in &counts {
        assert_eq!(paths[kind].len() as u64, *count, "{kind}");
    }
    assert_eq!(paths.len(), counts.len());
    (counts, paths)
}

fn set_time(path: &std::path::Path, back: u64) {
    let file = File::options().write(true).open(path).expect("a file");
    file.set_modified(SystemTime::now() - Duration::from_secs(back)).expect("a time");
}

#[test]
fn a_mirror_that_is_right_has_nothing_to_tell() {
    let scene = Scene::new();
    status(&scene, &[]).expect(4).says("is no mirror");
    for number in 0..30 {
        scene.put(&format!("a/{}/{number}", number % 4), "a body");
    }
    scene.put("a/1/1", "a second body");
    scene.delete("a/2/2");
    scene.list(1);
    scene.sync(&[]).expect(0);
    assert_eq!(told(&scene, 0), (BTreeMap::new(), BTreeMap::new()));
    status(&scene, &[]).expect(0).prints("31 files are as the index says, of 31 in the tree");
    // Nothing is changed by looking, and nothing asked.
    let (tree, before) = (scene.tree(), scene.server.requests());
    status(&scene, &["--quick"]).expect(0).prints("mirror of archive, which shows 2024-11-01T01-00Z");
    assert_eq!((scene.tree(), scene.server.requests()), (tree, before));
}

#[test]
fn each_difference_is_told_once_with_its_reason() {
    let scene = Scene::new();
    for key in ["cut", "folder", "gone", "late", "link", "right", "a//b", "f", "f/x", "skip/1", "skip/2"] {
        scene.put(key, &format!("the body of {key}"));
    }
    let long = "x".repeat(200);
    scene.put(&long, "under a digest");
    let old = scene.put("aged", "old");
    scene.put("aged", "new");
    let lost = scene.put("never", "had");
    let soon = scene.put("soon", "expired before it was had");
    scene.list(1);
    scene.server.shelves(|shelves| {
        shelves.remove(BUCKET, b"never", &lost);
        shelves.remove(BUCKET, b"soon", &soon);
    });
    scene.sync(&["--path-filter", "^[^s]|soon"]).expect(3).says("2 versions could not be had");
    let (counts, paths) = told(&scene, 3);
    assert_eq!(paths["wanted"], ["never", "soon"]);
    assert_eq!(paths["filtered"], ["skip/1", "skip/2"]);
    assert_eq!(paths["renamed"].len(), 3, "{paths:?}");
    assert_eq!(counts.len(), 3, "{counts:?}");
    status(&scene, &[]).expect(3).prints("  wanted  never (").prints("gone: ").prints("a/%hw/b  a//b (");
    // The next inventory lists neither the old version, nor what was never had.
    scene.server.shelves(|shelves| shelves.remove(BUCKET, b"aged", &old));
    scene.list(2);
    scene.server.plan(Rule::next(Fault::Status(403, "AccessDenied", Vec::new())).to("/skip/2"));
    scene.sync(&[]).expect(3).says("1 versions could not be had");
    let (counts, paths) = told(&scene, 3);
    assert_eq!((paths["past"].len(), paths["wanted"].as_slice()), (2, &["skip/2".to_owned()][..]));
    assert!(paths["stays"].len() == 1 && paths["stays"][0].starts_with("aged.old."), "{paths:?}");
    assert_eq!(counts.len(), 4, "{counts:?}");
    // What somebody does to the tree.
    let mirror = scene.mirror();
    fs::remove_file(mirror.join("gone")).expect("removed");
    fs::write(mirror.join("cut"), "the").expect("written");
    set_time(&mirror.join("late"), 1000);
    fs::remove_file(mirror.join("folder")).expect("removed");
    fs::create_dir(mirror.join("folder")).expect("a folder");
    fs::remove_file(mirror.join("link")).expect("removed");
    symlink("right", mirror.join("link")).expect("a link");
    fs::create_dir_all(mirror.join("f/deeper/still")).expect("folders");
    symlink("..", mirror.join("f/deeper/up")).expect("a link");
    for stray in ["f/deeper/still/stray", "right.old.VERSION.ETAG", "%hwk-none", "f/Thumbs.db"] {
        fs::write(mirror.join(stray), "somebody's").expect("written");
    }
    for hidden in ["found/7", "stage/3"] {
        fs::write(mirror.join(".highwater-mirror").join(hidden), "ten bytes.").expect("written");
    }
    let (counts, paths) = told(&scene, 1);
    for (kind, wanted) in [
        ("missing", &["gone"][..]),
        ("no-file", &["folder", "link"]),
        ("length", &["cut"]),
        ("time", &["late"]),
        ("stray", &["%hwk-none", "f/deeper/still/stray", "f/deeper/up", "right.old.VERSION.ETAG"]),
        ("foreign", &["f/Thumbs.db"]),
        ("aside", &[".highwater-mirror/found/7"]),
        ("staged", &[".highwater-mirror/stage/3"]),
        ("wanted", &["skip/2"]),
    ] {
        assert_eq!(paths.get(kind).map(Vec::as_slice).unwrap_or_default(), wanted, "{kind}");
    }
    assert_eq!((counts.len(), counts["past"], counts["stays"], counts["renamed"]), (12, 2, 1, 3));
    let run = status(&scene, &[]);
    run.expect(1).prints("it has 3 bytes, and the index says 15").prints("like an older version of 'right'");
    run.prints("missing: 1, 16 bytes: somebody removed or changed it since");
    // All that is told needs no more than to be counted where there is much of it.
    for number in 0..25 {
        fs::write(mirror.join(format!("more-{number}")), "").expect("written");
    }
    status(&scene, &[]).expect(1).prints("stray: 29, ").prints("  and 19 more, which --verbose tells");
    let all = status(&scene, &["--verbose"]).text();
    assert_eq!(all.lines().filter(|line| line.starts_with("  stray  ")).count(), 29, "{all}");
}

#[test]
fn a_stray_alone_is_no_fault_and_another_time_is_a_doubt() {
    let scene = Scene::new();
    scene.put("k", "a body");
    scene.list(1);
    scene.sync(&[]).expect(0);
    fs::write(scene.mirror().join("mine"), "somebody's").expect("written");
    status(&scene, &[]).expect(0).prints("stray: 1, 10 bytes: no row names it");
    set_time(&scene.mirror().join("k"), 7);
    status(&scene, &[]).expect(3).prints("time: 1, ");
}

#[test]
fn it_looks_at_the_point_that_is_shown() {
    let scene = Scene::new();
    for day in 1..4 {
        scene.put("k", &format!("body {day}"));
        scene.put(&format!("new/{day}"), "new");
        scene.list(day);
        scene.sync(&[]).expect(0);
    }
    for to in ["2024-11-01", "2024-11-02", "latest"] {
        scene.roll(to).expect(0);
        assert_eq!(told(&scene, 0).0, BTreeMap::new(), "{to}");
    }
}
