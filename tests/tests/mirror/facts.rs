//! Every odd case of a bucket, and of how a run ends early, as a test; in brackets, what s3invsync makes of it.
//!
//! * The latest version changed (renamed, the new one fetched):
//!   `sync::every_version_is_kept_and_the_tree_is_the_bucket`.
//! * The latest is a mark of deletion (renamed): `sync::every_version_is_kept_and_the_tree_is_the_bucket`.
//! * An older version is the latest again (fetched again if a file is in its place):
//!   [`a_version_that_is_the_latest_again_is_moved_back_and_not_fetched`].
//! * A version is listed no more (deleted): `sync::what_the_inventory_lists_no_more_stays`.
//! * A file that no inventory lists (deleted): [`what_is_in_the_folder_and_in_no_inventory_stays`].
//! * A key is file and folder (fatal): `sync::a_key_that_is_file_and_folder_is_both_with_a_key_between_or_none`.
//! * The file is only an older version (fatal): [`an_older_version_of_what_is_a_folder_now_lies_beside_it`].
//! * A key between file and folder (the file is lost):
//!   `sync::a_key_that_is_file_and_folder_is_both_with_a_key_between_or_none`.
//! * `//`, `.`, `..`, `/` first, NUL, no UTF-8 (fatal, or passed over):
//!   `keys::keys_that_no_file_can_be_named_by_are_kept_in_all_versions`.
//! * `/` last, with bytes and without (passed over; with bytes invalid):
//!   `keys::a_key_with_a_slash_at_its_end_is_an_object_with_and_without_bytes`.
//! * `.s3invsync*`, `x.old.y.z` in a key (invalid):
//!   `keys::keys_that_no_file_can_be_named_by_are_kept_in_all_versions`.
//! * Names of more than 185 bytes (not handled): `keys::names_of_every_length_are_restored_under_their_keys`.
//! * An invalid row first in a list (fatal):
//!   `lists::a_row_first_in_a_list_that_is_invalid_is_passed_over_and_told_of`.
//! * A space in a key (fatal): `sync::every_version_is_kept_and_the_tree_is_the_bucket`.
//! * `+`, `%`, `=`, `"`, a line's end, Cyrillic (works): `sync::every_version_is_kept_and_the_tree_is_the_bucket`,
//!   and `every::`.
//! * The order of keys with such (nothing is known):
//!   `lists::every_row_of_every_list_comes_in_the_order_of_decoded_keys`.
//! * Lists that begin with one key (rows are lost):
//!   [`thirteen_versions_in_five_lists_that_begin_with_one_key_are_thirteen_files`].
//! * Rows in any order (fatal): `sync::lists_without_versions_out_of_order_and_filtered`.
//! * Columns in any order, and new ones (new ones are fatal):
//!   `lists::columns_come_in_any_order_and_new_ones_say_nothing`.
//! * A body is held against its MD5 (yes): `sync::what_cannot_be_had_is_wanted_and_tried_again`.
//! * An upload in parts (nothing is checked): `sync::an_upload_in_parts_is_known_by_its_etag`.
//! * KMS (nothing is checked): [`objects_under_a_key_of_kms_are_kept_as_received`].
//! * No IsMultipartUploaded, no EncryptionStatus (fatal): [`columns_that_say_how_it_was_uploaded_may_be_absent`].
//! * An inventory that lies (nothing is known): `sync::an_inventory_that_lies_gives_nothing_else_for_what_it_lists`.
//! * A manifest, or a list, with another MD5 (fatal): `inventories::a_manifest_is_proven_by_its_checksum`,
//!   `lists::a_list_with_another_md5_or_length_than_its_manifest_says_is_refused`.
//! * Short writes (bytes may be lost): [`writes_that_take_less_than_they_are_given_lose_nothing`].
//! * A body that breaks (fatal): `sync::bodies_that_break_come_whole_and_of_one_version`.
//! * An error anywhere (all ends): `sync::what_cannot_be_had_is_wanted_and_tried_again`.
//! * Ctrl-C (ends; the next run succeeds): [`an_interrupt_keeps_what_was_fetched_and_the_next_run_goes_on`].
//! * Kill -9 (may never run again; parts stay for ever): `killed::a_rerun_ends_right`, `cuts::`.
#![expect(clippy::print_stdout, reason = "what cannot run is said")]

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use highwater_tests::inject::short_library;
use highwater_tests::run::Run;
use highwater_tests::s3::{Fault, Recipe, Rule};
use rustix::process::{Pid, Signal, kill_process};

use crate::scene::{BUCKET, Scene};

/// Requests for bodies since the last look.
fn bodies(scene: &Scene) -> usize {
    scene.server.log().iter().filter(|asked| asked.target.contains("versionId")).count()
}

fn names(scene: &Scene) -> Vec<String> {
    scene.tree().into_keys().map(|path| path.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_version_that_is_the_latest_again_is_moved_back_and_not_fetched() {
    let scene = Scene::new();
    scene.put("undeleted", "its only body");
    let mark = scene.delete("undeleted");
    scene.put("k", "one");
    let second = scene.put("k", "two");
    scene.list(1);
    scene.sync(&[]).expect(0).prints("3 versions fetched");
    bodies(&scene);
    scene.server.shelves(|shelves| {
        shelves.remove(BUCKET, b"undeleted", &mark);
        shelves.remove(BUCKET, b"k", &second);
    });
    scene.list(2);
    scene.sync(&[]).expect(0).prints("0 versions fetched").prints("3 files moved");
    assert_eq!(bodies(&scene), 0);
    scene.shows_the_bucket();
    assert_eq!(scene.tree().len(), 3, "what vanished stays: {:?}", names(&scene));
    scene.verify().expect(0);
}

#[test]
fn what_is_in_the_folder_and_in_no_inventory_stays() {
    let scene = Scene::new();
    for key in ["a/b", "c"] {
        scene.put(key, key);
    }
    scene.list(1);
    scene.sync(&[]).expect(0);
    let theirs = ["notes", "a/notes", "other/deep/file", "c.old.mine", "a.old.v.e"];
    for path in theirs {
        let path = scene.mirror().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, "theirs").expect("a file");
    }
    scene.put("c", "another");
    scene.delete("a/b");
    scene.list(2);
    scene.sync(&[]).expect(0);
    scene.roll("2024-11-01").expect(0);
    scene.roll("latest").expect(0);
    for path in theirs {
        assert_eq!(fs::read_to_string(scene.mirror().join(path)).expect("it is there"), "theirs", "{path}");
    }
    scene.verify().expect(0);
}

#[test]
fn an_older_version_of_what_is_a_folder_now_lies_beside_it() {
    let scene = Scene::new();
    scene.put("a", "a file, once");
    scene.delete("a");
    scene.put("a/b", "in the folder");
    scene.list(1);
    scene.sync(&[]).expect(0).prints("2 versions fetched");
    scene.shows_the_bucket();
    assert!(names(&scene).iter().any(|name| name.starts_with("a.old.")), "{:?}", names(&scene));
    scene.verify().expect(0);
}

#[test]
fn thirteen_versions_in_five_lists_that_begin_with_one_key_are_thirteen_files() {
    let scene = Scene::new();
    for number in 0..13 {
        scene.put("same", &format!("body {number}"));
    }
    Recipe { lists: 5, ..Recipe::default() }.publish(&scene.server);
    scene.sync(&[]).expect(0).prints("13 versions fetched");
    assert_eq!(scene.tree().len(), 13);
    scene.shows_the_bucket();
    scene.verify().expect(0);
}

/// Puts what KMS encrypts: its ETag is none of its bytes. One is replaced.
fn encrypted(scene: &Scene) {
    for (key, body) in [("kms", "under a key"), ("kms", "another under a key"), ("plain", "under none")] {
        let version = scene.put(key, body);
        if key == "kms" {
            scene.server.shelves(|shelves| {
                let version = shelves.version(BUCKET, key.as_bytes(), &version);
                version.etag = format!("{:032x}", body.len());
                version.encryption = "SSE-KMS";
            });
        }
    }
}

#[test]
fn objects_under_a_key_of_kms_are_kept_as_received() {
    let scene = Scene::new();
    encrypted(&scene);
    scene.list(1);
    scene.sync(&[]).expect(0).prints("3 versions fetched");
    let mirror = scene.mirror();
    let status = scene.run(&["mirror", "status", mirror.to_str().expect("text")]);
    status.expect(0).prints("1 as S3 recorded them, 2 as received");
    scene.shows_the_bucket();
    scene.verify().expect(0);
    fs::write(mirror.join("kms"), "Another under a key").expect("written");
    scene.verify().expect(1).prints("kms").prints("HW103");
}

#[test]
fn columns_that_say_how_it_was_uploaded_may_be_absent() {
    let scene = Scene::new();
    encrypted(&scene);
    let body = vec![7; (5 << 20) + 1];
    scene.server.shelves(|shelves| shelves.put_parts(BUCKET, b"parts", &body, 5 << 20));
    let columns = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag";
    Recipe { columns, ..Recipe::default() }.publish(&scene.server);
    scene.sync(&[]).expect(0).prints("4 versions fetched");
    let status = scene.run(&["mirror", "status", scene.mirror().to_str().expect("text")]);
    status.expect(0).prints("2 as S3 recorded them, 2 as received");
    scene.verify().expect(0);
}

#[test]
fn writes_that_take_less_than_they_are_given_lose_nothing() {
    let scene = Scene::new();
    for number in 0..5 {
        scene.put(&format!("k{number}"), &format!("{number} and more ").repeat(50_000));
    }
    scene.list(1);
    let library = match short_library() {
        Ok(library) => library,
        Err(why) => {
            println!("not run: mirrors with short writes: {why}");
            return;
        }
    };
    let told = scene.folder.path().join("told");
    let mut command = scene.syncing(&scene.mirror(), &[]);
    command.env("LD_PRELOAD", library).env("SHORT_TOLD", &told);
    command.env("SHORT_MOST", "4095").env("SHORT_SEED", "0").env("SHORT_EINTR", "3");
    Run::of(&mut command).expect(0).prints("5 versions fetched");
    let told = fs::read_to_string(told).expect("calls came through the library");
    assert!(!told.contains("shortened 0 "), "{told}");
    scene.shows_the_bucket();
    scene.verify().expect(0);
}

/// A run of which a body comes so slowly that it is under way until it is told to end.
#[test]
fn an_interrupt_keeps_what_was_fetched_and_the_next_run_goes_on() {
    let scene = Scene::new();
    for number in 0..30 {
        scene.put(&format!("k{number:02}"), &format!("body {number}"));
    }
    scene.put("z", &"slow ".repeat(100_000));
    scene.list(1);
    scene.server.plan(Rule::next(Fault::Slow(10, Duration::from_millis(20))).to("/z"));
    let mut child = scene.syncing(&scene.mirror(), &["--jobs", "1"]);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
    let started = Instant::now();
    let mut asked = Vec::new();
    while !asked.iter().any(|target: &String| target.contains("/z?")) {
        asked.extend(scene.server.log().into_iter().map(|asked| asked.target));
        assert!(child.try_wait().expect("a child").is_none(), "it ended before it was to");
        assert!(started.elapsed() < Duration::from_secs(60), "it asks for nothing: {asked:?}");
        thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::INT).expect("a signal");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert_eq!(scene.tree().len(), 30, "{:?}", names(&scene));
    bodies(&scene);
    scene.sync(&[]).expect(0).prints("1 versions fetched").prints("30 there already");
    assert_eq!(bodies(&scene), 1, "what was there was asked for again");
    scene.shows_the_bucket();
    assert_eq!(fs::read_dir(scene.mirror().join(".highwater-mirror/stage")).expect("a folder").count(), 0);
    assert!(!scene.mirror().join(".highwater-mirror/plan/begun").exists());
    scene.verify().expect(0);
}
