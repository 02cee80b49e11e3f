//! Syncs, one after another: every version is kept, the tree is what the bucket is, and back in time it is what it was.

use std::fs;
use std::path::Path;

use highwater_tests::s3::{Fault, Recipe, Rule};

use crate::scene::{BUCKET, Scene};

/// Keys and bodies of some shapes.
fn fill(scene: &Scene) {
    for number in 0..40 {
        scene.put(&format!("a/{}/{number}", number % 7), &format!("body {number}"));
    }
    for key in ["a b", "a+b", "100%", "\u{43a}\u{43b}\u{44e}\u{447}", "x=y\"z", "tab\there", "deep/er/est/key"] {
        scene.put(key, key);
    }
    scene.put("a/1/1", "a second body");
    scene.put("gone", "for a while");
    scene.delete("gone");
}

/// Requests for bodies of the bucket since the last look.
fn bodies(scene: &Scene) -> usize {
    scene.server.log().iter().filter(|asked| asked.target.contains("versionId")).count()
}

#[test]
fn every_version_is_kept_and_the_tree_is_the_bucket() {
    let scene = Scene::new();
    fill(&scene);
    scene.list(1);
    scene.sync(&[]).expect(0).prints("at 2024-11-01T01-00Z: 49 versions fetched");
    scene.shows_the_bucket();
    let first = scene.tree();
    assert!(first.keys().any(|path| path.to_string_lossy().starts_with("gone.old.")), "{:?}", first.keys());
    scene.verify().expect(0);
    // Nothing new: nothing is asked for but the inventory.
    bodies(&scene);
    let before = scene.server.requests();
    scene.sync(&[]).expect(0).prints("already");
    assert!(scene.server.requests() - before <= 16 && bodies(&scene) == 0);
    // Another day: replaced, deleted, new, and brought back.
    scene.put("a/2/2", "another body");
    scene.put("new/one", "new");
    scene.delete("a b");
    scene.put("gone", "back again");
    scene.list(2);
    scene.sync(&[]).expect(0).prints("3 versions fetched");
    assert_eq!(bodies(&scene), 3);
    scene.shows_the_bucket();
    let second = scene.tree();
    scene.verify().expect(0);
    // Back and forward without a request.
    let before = scene.server.requests();
    scene.roll("2024-11-01").expect(0).prints("went from 2024-11-02T01-00Z to 2024-11-01T01-00Z");
    let shown = |tree: &crate::scene::Tree| -> Vec<_> {
        tree.iter()
            .filter(|(path, _)| !path.to_string_lossy().contains(".old."))
            .map(|(p, f)| (p.clone(), f.clone()))
            .collect()
    };
    assert_eq!(shown(&scene.tree()), shown(&first));
    scene.verify().expect(0);
    scene.roll("latest").expect(0);
    assert_eq!(scene.tree(), second);
    assert_eq!(scene.server.requests(), before);
    // Either is restored elsewhere, whichever of them is shown.
    for (point, tree) in [("2024-11-01", &first), ("2024-11-02", &second)] {
        let (of, to) = (scene.mirror().join(""), scene.folder.path().join(point));
        let of = format!("{}@{point}", of.to_str().expect("text").trim_end_matches('/'));
        scene.run(&["restore", &of, to.to_str().expect("text")]).expect(0);
        assert_eq!(crate::scene::tree(&to), shown(tree).into_iter().collect());
    }
    scene.verify().expect(0).prints("sound");
}

#[test]
fn what_the_inventory_lists_no_more_stays() {
    let scene = Scene::new();
    let old = scene.put("k", "old");
    scene.put("k", "new");
    scene.put("expired", "one");
    scene.list(1);
    scene.sync(&[]).expect(0);
    scene.server.shelves(|shelves| {
        shelves.remove(BUCKET, b"k", &old);
        shelves.bucket(BUCKET).keys.remove(b"expired".as_slice());
    });
    scene.list(2);
    scene.sync(&[]).expect(0);
    scene.shows_the_bucket();
    let bodies: Vec<Vec<u8>> = scene.tree().into_values().map(|(bytes, _)| bytes).collect();
    for body in [&b"old"[..], b"new", b"one"] {
        assert!(bodies.iter().any(|found| found == body), "{bodies:?}");
    }
    scene.verify().expect(0);
}

#[test]
fn a_key_that_is_file_and_folder_is_both_with_a_key_between_or_none() {
    let scene = Scene::new();
    scene.put("a", "a file");
    scene.put("c", "another");
    scene.list(1);
    scene.sync(&[]).expect(0);
    scene.shows_the_bucket();
    scene.put("a-x", "between");
    scene.put("a/b", "in the folder");
    scene.put("c/d", "in the other");
    scene.list(2);
    scene.sync(&[]).expect(0);
    let tree = scene.tree();
    let body = |path: &str| tree.get(Path::new(path)).map(|(bytes, _)| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(body("%hwfa").as_deref(), Some("a file"), "{:?}", tree.keys());
    assert_eq!(body("a/b").as_deref(), Some("in the folder"));
    assert_eq!(body("a-x").as_deref(), Some("between"));
    assert_eq!((body("%hwfc").as_deref(), body("c/d").as_deref()), (Some("another"), Some("in the other")));
    scene.verify().expect(0);
    scene.roll("2024-11-01").expect(0);
    scene.verify().expect(0);
    scene.roll("latest").expect(0);
    assert_eq!(scene.tree(), tree);
    // All at once gives the same tree.
    let other = scene.folder.path().join("other");
    fs::create_dir(&other).expect("a folder");
    highwater_tests::run::Run::of(&mut scene.syncing(&other, &[])).expect(0);
    assert_eq!(crate::scene::tree(&other), tree);
}

#[test]
fn what_cannot_be_had_is_wanted_and_tried_again() {
    let scene = Scene::new();
    for key in ["denied", "archived", "flipped", "fine"] {
        scene.put(key, &format!("the body of {key}"));
    }
    let gone = scene.put("gone", "soon");
    scene.list(1);
    scene.server.shelves(|shelves| shelves.remove(BUCKET, b"gone", &gone));
    let refusal = |code| Fault::Status(403, code, Vec::new());
    scene.server.plan(Rule::next(refusal("AccessDenied")).to("/denied"));
    scene.server.plan(Rule::next(refusal("InvalidObjectState")).to("/archived"));
    scene.server.plan(Rule::next(Fault::Flip(3)).to("/flipped").times(3));
    scene.sync(&[]).expect(3).says("4 versions could not be had");
    assert_eq!(scene.server.left(), 0);
    let mirror = scene.mirror();
    let status = scene.run(&["mirror", "status", mirror.to_str().expect("text")]);
    status.expect(3).prints("  wanted  gone (").prints("): denied: ").prints("): archived: ").prints("): other: ");
    let status = scene.run(&["mirror", "status", "--quick", mirror.to_str().expect("text")]);
    status.expect(3).prints("wanted  gone  gone (").prints("wanted  denied  denied (");
    status.prints("wanted  archived  archived (").prints("wanted  other  flipped (");
    assert_eq!(scene.tree().len(), 1);
    // The same inventory once more: only what is wanted is asked for.
    scene.server.log();
    scene.sync(&[]).expect(3).says("1 versions could not be had").prints("3 versions fetched");
    assert_eq!(bodies(&scene), 4);
    scene.shows_the_bucket();
    scene.list(2);
    scene.sync(&[]).expect(0);
    scene.verify();
}

#[test]
fn bodies_that_break_come_whole_and_of_one_version() {
    let scene = Scene::new();
    let body = "0123456789abcdef".repeat(20_000);
    for number in 0..6 {
        scene.put(&format!("k{number}"), &format!("{number}{body}"));
    }
    scene.server.plan(Rule::next(Fault::Cut(1000)).to("/k0"));
    scene.server.plan(Rule::next(Fault::Reset(70_000)).to("/k1"));
    scene.server.plan(Rule::next(Fault::Flip(5)).to("/k2"));
    scene.server.plan(Rule::next(Fault::Closed).to("/k3"));
    scene.server.plan(Rule::next(Fault::Status(503, "SlowDown", Vec::new())).to("/k4"));
    scene.list(1);
    scene.sync(&[]).expect(0);
    assert_eq!(scene.server.left(), 0);
    scene.shows_the_bucket();
    scene.verify().expect(0);
}

#[test]
fn an_upload_in_parts_is_known_by_its_etag() {
    let scene = Scene::new();
    let body: Vec<u8> = (0..(5 << 20) + 4321).map(|number: u32| number.to_le_bytes()[0] ^ 0x5a).collect();
    scene.server.shelves(|shelves| shelves.put_parts(BUCKET, b"big", &body, 5 << 20));
    scene.server.shelves(|shelves| shelves.put_parts(BUCKET, b"odd", &body, 1_234_567));
    scene.list(1);
    scene.sync(&[]).expect(0);
    let mirror = scene.mirror();
    let status = scene.run(&["mirror", "status", mirror.to_str().expect("text")]);
    status.expect(0).prints("1 as S3 recorded them, 1 as received");
    scene.verify().expect(0);
    let mut bytes = fs::read(mirror.join("big")).expect("a file");
    bytes[4 << 20] ^= 1;
    fs::write(mirror.join("big"), bytes).expect("written");
    scene.verify().expect(1).prints("big");
}

#[test]
fn keys_that_no_file_can_be_named_by_are_there_under_other_names() {
    let scene = Scene::new();
    let long = "x".repeat(300);
    let keys =
        ["../up", "a//b", "/top", "folder/", ".", "nul\0byte", ".highwater-mirror/applied", "k.old.v.e", &long, "%hwf"];
    for key in keys {
        scene.put(key, key);
    }
    scene.list(1);
    scene.sync(&[]).expect(0);
    let mut found: Vec<Vec<u8>> = scene.tree().into_values().map(|(bytes, _)| bytes).collect();
    let mut wanted: Vec<Vec<u8>> = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    assert_eq!(fs::read_dir(scene.folder.path()).expect("a folder").count(), 1, "something left the mirror");
    scene.verify().expect(0);
}

#[test]
fn lists_without_versions_out_of_order_and_filtered() {
    let scene = Scene::new();
    scene.server.shelves(|shelves| shelves.bucket(BUCKET).versioned = false);
    for number in 0..300 {
        scene.put(&format!("k/{number}"), &format!("body {number}"));
    }
    let columns = "Bucket, Key, Size, LastModifiedDate, ETag";
    Recipe { columns, lists: 3, shuffled: Some(7), ..Recipe::default() }.publish(&scene.server);
    scene.sync(&["--path-filter", "^k/1"]).expect(0).says("is sorted").prints("111 versions fetched");
    scene.sync(&[]).expect(0).prints("189 versions fetched");
    scene.shows_the_bucket();
    scene.verify().expect(0);
}

#[test]
fn a_mirror_of_another_program_is_taken_over_without_fetching_a_body() {
    let scene = Scene::new();
    fill(&scene);
    scene.list(1);
    scene.sync(&[]).expect(0);
    let before = scene.tree();
    fs::remove_dir_all(scene.mirror().join(".highwater-mirror")).expect("removed");
    scene.sync(&[]).expect(4).says("--take-over");
    fs::write(scene.mirror().join(".s3invsync.state.json"), "{}").expect("written");
    scene.server.log();
    scene.sync(&[]).expect(0).prints("0 versions fetched").prints("49 there already");
    assert_eq!(bodies(&scene), 0);
    fs::remove_file(scene.mirror().join(".s3invsync.state.json")).expect("removed");
    assert_eq!(scene.tree(), before);
    scene.verify().expect(0);
}

#[test]
fn what_lies_in_the_way_is_kept() {
    let scene = Scene::new();
    scene.put("a/b", "the bucket's");
    scene.put("c", "the bucket's too");
    scene.list(1);
    fs::write(scene.mirror().join("a"), "somebody's file").expect("written");
    fs::write(scene.mirror().join("c"), "somebody's other").expect("written");
    scene.sync(&["--take-over"]).expect(0).says(".highwater-mirror/found/");
    scene.shows_the_bucket();
    let found = scene.mirror().join(".highwater-mirror/found");
    let mut kept: Vec<String> = fs::read_dir(found)
        .expect("a folder")
        .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("text"))
        .collect();
    kept.sort();
    assert_eq!(kept, ["somebody's file", "somebody's other"]);
}

#[test]
fn every_inventory_between_two_dates_is_applied_once() {
    let scene = Scene::new();
    for day in 1..5 {
        scene.put("k", &format!("body {day}"));
        scene.list(day);
    }
    scene.sync(&["--date", "2024-11-02"]).expect(0);
    scene.sync(&["--start-date", "2024-11-01", "--end-date", "2024-11-03"]).expect(0).prints("at 2024-11-03T01-00Z");
    scene.sync(&["--start-date", "2024-11-01"]).expect(0).prints("at 2024-11-04T01-00Z");
    let mirror = scene.mirror();
    let listed = scene.run(&["list", mirror.to_str().expect("text")]);
    listed.expect(0).prints("2024-11-02").prints("2024-11-03").prints("2024-11-04");
    assert!(!listed.text().contains("2024-11-01"), "{}", listed.text());
    scene.sync(&["--date", "2024-11-01"]).expect(4).says("no newer than 2024-11-04T01-00Z");
    scene.verify().expect(0);
}

#[test]
fn an_inventory_that_lies_gives_nothing_else_for_what_it_lists() {
    let scene = Scene::new();
    for key in ["size", "etag", "fine"] {
        scene.put(key, "a body");
    }
    scene.list(1);
    scene.server.shelves(|shelves| {
        for (key, body) in [("size", "a longer body"), ("etag", "a bodY")] {
            let version = shelves.bucket(BUCKET).keys.get_mut(key.as_bytes()).and_then(|all| all.last_mut());
            version.expect("a version").body = Some(body.as_bytes().into());
        }
    });
    scene.sync(&[]).expect(3).says("2 versions could not be had");
    assert_eq!(scene.tree().into_keys().collect::<Vec<_>>(), [Path::new("fine")]);
    assert_eq!(scene.verify().code, 3);
}

#[test]
fn a_row_that_cannot_be_read_is_no_success() {
    let scene = Scene::new();
    scene.put("k", "a body");
    Recipe { first: vec![(0, "\"archive\",\"half a row\"\n")], ..Recipe::default() }.publish(&scene.server);
    scene.sync(&[]).expect(3).says("1 rows of the inventory cannot be read").prints("1 versions fetched");
    scene.shows_the_bucket();
}

#[test]
fn a_row_that_cannot_be_read_is_told_by_the_run_that_goes_on_too() {
    let scene = Scene::new();
    scene.put("k", "a body");
    Recipe { first: vec![(0, "\"archive\",\"half a row\"\n")], ..Recipe::default() }.publish(&scene.server);
    scene.server.plan(Rule::next(Fault::Status(403, "InvalidAccessKeyId", Vec::new())).to("/k?"));
    scene.sync(&[]).expect(4);
    let run = scene.sync(&[]);
    run.expect(3).says("1 rows of the inventory cannot be read").prints("which an earlier run began");
    scene.shows_the_bucket();
    // It is known until a newer inventory has none.
    scene.sync(&[]).expect(3).says("1 rows of the inventory cannot be read");
    let mirror = scene.mirror();
    let mirror = mirror.to_str().expect("text");
    scene.run(&["mirror", "status", mirror]).expect(3).prints("1 rows of the newest inventory cannot be read");
    scene.run(&["mirror", "prune", mirror, "--older-than", "1d"]).expect(4).says("sync to a newer one first");
    scene.list(7);
    scene.sync(&[]).expect(0);
    scene.run(&["mirror", "status", mirror]).expect(0);
    scene.run(&["mirror", "prune", mirror, "--older-than", "1d"]).expect(0);
}

/// A stray has the older name of a file that is replaced: it is kept, and said, and what is replaced has its name.
#[test]
fn a_taken_older_name_is_said_and_what_had_it_is_kept() {
    let scene = Scene::new();
    let version = scene.put("a", "a body");
    scene.list(1);
    scene.sync(&[]).expect(0);
    scene.delete("a");
    scene.list(2);
    let etag = scene.server.shelves(|shelves| shelves.version(BUCKET, b"a", &version).etag.clone());
    let older = scene.mirror().join(format!("a.old.{version}.{etag}"));
    fs::write(&older, "a stray").expect("a file");
    scene.sync(&[]).expect(3).says("found/");
    assert!(!scene.mirror().join("a").exists());
    assert_eq!(fs::read_to_string(&older).expect("a file"), "a body");
    scene.roll("2024-11-01").expect(0);
    assert_eq!(fs::read_to_string(scene.mirror().join("a")).expect("a file"), "a body");
    scene.verify().expect(0);
}

/// What has the place of a file whose time is to be set is said, and ends nothing.
#[test]
fn a_time_that_cannot_be_set_ends_nothing() {
    let scene = Scene::new();
    scene.server.shelves(|shelves| shelves.bucket(BUCKET).versioned = false);
    for key in ["a", "b"] {
        scene.put(key, "the same");
    }
    scene.list(1);
    scene.sync(&[]).expect(0);
    for key in ["a", "b"] {
        scene.put(key, "the same");
    }
    scene.list(2);
    let path = scene.mirror().join("a");
    fs::remove_file(&path).expect("a file");
    fs::create_dir(&path).expect("a folder");
    scene.sync(&[]).expect(3).says("'a' is no file any more");
    scene.sync(&[]).expect(0);
    assert_eq!(scene.verify().code, 3);
}

#[test]
fn a_folder_that_was_filled_before_the_first_sync_came_to_anything_is_not_mixed() {
    let scene = Scene::new();
    scene.put("k", "a body");
    scene.list(1);
    scene.sync(&["--dry-run"]).expect(0);
    fs::write(scene.mirror().join("mine"), "mine").expect("a file");
    scene.sync(&[]).expect(4).says("not empty: 'mine' is in it");
    scene.sync(&["--take-over"]).expect(0);
    scene.sync(&[]).expect(0);
}

#[test]
fn a_file_that_is_not_where_it_should_be_is_no_success() {
    let scene = Scene::new();
    // What file systems make for themselves is in nobody's way.
    fs::create_dir(scene.mirror().join("lost+found")).expect("a folder");
    let mut versions = Vec::new();
    for day in 1..3 {
        versions.push(scene.put("k", &format!("body {day}")));
        scene.put("other", &format!("other {day}"));
        scene.list(day);
        scene.sync(&[]).expect(0);
    }
    let etag = scene.server.shelves(|shelves| shelves.version(BUCKET, b"k", &versions[1]).etag.clone());
    let taken = scene.mirror().join(format!("k.old.{}.{etag}", versions[1]));
    fs::write(&taken, "somebody's").expect("written");
    // Somebody's file has the name that the newer version is to have: that is kept, and said.
    scene.roll("2024-11-01").expect(3).says("held other bytes");
    assert_eq!(fs::read_to_string(scene.mirror().join("k")).expect("text"), "body 1");
    assert_eq!(fs::read_to_string(scene.mirror().join(".highwater-mirror/found/0")).expect("text"), "somebody's");
    assert_eq!(fs::read_to_string(&taken).expect("text"), "body 2");
    fs::remove_file(scene.mirror().join("other")).expect("removed");
    scene.roll("latest").expect(3).says("'other' is not there, and was to be moved");
    scene.verify().expect(1);
}

#[test]
fn a_dry_run_tells_and_does_nothing() {
    let scene = Scene::new();
    fill(&scene);
    scene.list(1);
    let told = scene.sync(&["--dry-run"]);
    told.expect(0)
        .prints("would fetch a b (")
        .prints("would bring the mirror to 2024-11-01T01-00Z: 50 versions listed, 49 to fetch");
    assert!(scene.tree().is_empty());
    scene.sync(&[]).expect(0);
    let mirror = scene.mirror();
    scene.run(&["list", mirror.to_str().expect("text")]).expect(0).prints("2024-11-01");
    scene.run(&["mirror", "rollback", mirror.to_str().expect("text"), "--to", "2023-01-01"]).expect(4);
}
