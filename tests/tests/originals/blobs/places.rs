//! Where a database and its blobs lie, and what is refused.

use std::fs;

use serde_json::json;

use super::{Site, files_below};

#[test]
fn every_layout_is_known_and_restored() {
    for (plone, layout) in [(true, "bushy"), (false, "bushy"), (true, "lawn"), (false, "lawn")] {
        let mut site = Site::new(json!({ "plone": plone, "layout": layout, "seed": 21 }));
        site.commit(10);
        site.back_up().expect(0);
        let point = site.points().pop().expect("a point");
        assert!(site.expect_good(&point, "out") > 3);
        assert!(site.list(&point).contains(" · store zodb · at transaction 0x"));
    }
}

#[test]
fn other_places_are_named() {
    let mut site = Site::plone(22);
    site.ask("close", json!({}));
    let move_to =
        |from: &str, to: &str| fs::rename(site.path("var").join(from), site.path("var").join(to)).expect("moved");
    move_to("filestorage/Data.fs", "filestorage/Site.fs");
    move_to("blobstorage", "data of blobs");
    let words = ["backup", ":var", ":set", "--data-fs", "filestorage/Site.fs", "--blobs", "data of blobs"];
    site.ours(&words).expect(0);
    site.ours(&["restore", ":set", ":out"]).expect(0);
    let same = |name: &str| {
        let (source, out) = (site.path("var").join(name), site.path("out").join(name));
        assert_eq!(fs::read(source).expect("a file"), fs::read(out).expect("a file"), "{name}");
    };
    same("filestorage/Site.fs");
    files_below(&site.path("out").join("data of blobs")).iter().for_each(|file| {
        same(file.strip_prefix(site.path("out")).expect("below").to_str().expect("text"));
    });
    for (words, says) in [
        (["--data-fs", "filestorage/No.fs"], "has no 'filestorage/No.fs' that begins as a FileStorage does"),
        (["--blobs", "nothing"], "has no"),
        (["--blobs", "../x"], "is no path below the folder"),
        (["--kind", "zodb"], "has no 'filestorage/Data.fs' or 'Data.fs'"),
    ] {
        let run = site.ours(&[&["backup", ":var", ":set"], &words[..]].concat());
        assert!(run.code != 0 && run.stderr.contains(says), "{words:?}: {}", run.stderr);
    }
}

#[test]
fn what_does_not_hold_for_it_is_refused() {
    let mut site = Site::plone(23);
    site.ours(&["backup", "--kill-old", ":var", ":set"]).expect(2).says("--kill-old would remove what older points");
    site.ours(&["backup", "--damaged-source", ":var", ":set"]).expect(2).says("nobody knows which blobs");
    let inside = site.path("var").join("set");
    fs::create_dir(&inside).expect("a folder");
    site.ours(&["backup", ":var", ":var/set"]).expect(4).says("would hold itself");
    fs::remove_dir(inside).expect("no folder");
    fs::rename(site.path("var"), site.path("set").join("var")).expect("moved");
    fs::create_dir(site.path("set").join("objects")).expect("a folder");
    fs::create_dir(site.path("set").join("points")).expect("a folder");
    site.ours(&["backup", ":set/var", ":set"]).expect(4).says("lies in the set");
    assert_eq!(site.points(), Vec::<String>::new());
}

#[test]
fn a_dry_run_writes_nothing_and_a_second_run_nothing_new() {
    let mut site = Site::plone(24);
    let everything = |site: &Site| {
        let files = files_below(&site.path("set"));
        files.into_iter().map(|file| (fs::read(&file).expect("a file"), file)).collect::<Vec<_>>()
    };
    let run = site.ours(&["backup", "--dry-run", ":var", ":set"]);
    run.expect(0);
    let would = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(would.starts_with("would make point 2026-11-27T00-01-00Z at transaction 0x"), "{would}");
    assert_eq!(everything(&site), Vec::new());
    let run = site.back_up();
    let made = String::from_utf8_lossy(&run.stdout).into_owned();
    let counts = |text: &str| text.split_once(": ").expect("counts").1.to_owned();
    assert_eq!(counts(&would), counts(&made));
    site.commit(2);
    let before = everything(&site);
    site.ours(&["backup", "--dry-run", ":var", ":set"]).expect(0);
    assert_eq!(everything(&site), before);
    site.back_up().expect(0);
    let count = before.len();
    let before = files_below(&site.path("set"));
    assert!(before.len() > count);
    let run = site.back_up();
    assert!(String::from_utf8_lossy(&run.stdout).contains("0 bytes new in 0 objects"), "{run:?}");
    // One list more, and nothing else.
    assert_eq!(files_below(&site.path("set")).len(), before.len() + 1);
}

#[test]
fn an_older_copy_is_brought_to_a_point_only_when_what_it_has_beside_may_go() {
    let mut site = Site::plone(25);
    site.back_up().expect(0);
    let older = site.points().pop().expect("a point");
    site.commit(8);
    site.back_up().expect(0);
    let newer = site.points().pop().expect("a point");
    site.ours(&["restore", &format!(":set@{older}"), ":out"]).expect(0);
    // ZODB leaves an index, a lock and work files where it opens it.
    site.expect_opens(&older, "out");
    let run = site.ours(&["restore", ":set", ":out"]);
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("--full"), "{}", run.stderr);
    site.ours(&["restore", "--full", ":set", ":out"]).expect(0);
    assert!(!site.path("out").join("filestorage/Data.fs.index").exists(), "an index of another state is gone");
    site.expect_opens(&newer, "out");
    // Back again.
    site.expect_good(&older, "out");
    let run = site.ours(&["restore", "--full", &format!(":set@{older}"), ":out"]);
    run.expect(0);
    let run = site.ours(&["restore", &format!(":set@{older}"), ":out"]);
    assert!(String::from_utf8_lossy(&run.stdout).contains("already"), "{run:?}");
}
