//! Single forms of the format: gzip mixed into chains, indices of every shape, databases of Python 2, unfinished tails.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::python::original;
use highwater_tests::repository::{dat_lines, data_files, expect_same_bytes};
use highwater_tests::run::{Run, drop_in, ours};
use highwater_tests::scene::{Scene, bytes};
use serde_json::json;

/// Both recover `repo` with `-w` and both verify it; the bytes must be `wanted`.
#[track_caller]
fn expect_both(scene: &Scene, wanted: &[u8]) {
    let stamp = scene.clock.stamp();
    original(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(0);
    drop_in(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(0);
    let (run, got) = scene.original_recover(&scene.repo, &["-w"]);
    run.expect(0);
    expect_same_bytes(&got.expect("a file"), wanted, "recovered by the original");
    let target = scene.path("ours.fs");
    let _ = fs::remove_file(&target);
    drop_in(&stamp, &Scene::recover_arguments(&scene.repo, &target, &["-w"])).expect(0);
    expect_same_bytes(&bytes(&target), wanted, "recovered by ours");
}

#[test]
fn plain_and_gzip_alternate_in_one_chain() {
    let mut scene = Scene::new();
    for (round, flags) in [&["-z"][..], &[], &["-Qz"], &["-Q"], &["-z"], &[]].into_iter().enumerate() {
        let stamp = scene.later();
        let arguments = scene.backup_arguments(&scene.repo, flags);
        if round % 2 == 0 {
            drop_in(&stamp, &arguments).expect(0);
        } else {
            original(&stamp, &arguments).expect(0);
        }
        assert_eq!(data_files(&scene.repo).len(), round + 1, "one file a round");
        expect_both(&scene, &scene.source());
        scene.grow(2);
    }
    let suffixes: Vec<String> =
        data_files(&scene.repo).iter().map(|name| name.split('.').nth(1).expect("a suffix").to_owned()).collect();
    assert_eq!(suffixes, ["fsz", "deltafs", "deltafsz", "deltafs", "deltafsz", "deltafs"]);
}

#[test]
fn foreign_gzip_of_several_members_is_read() {
    let mut scene = Scene::new();
    let stamp = scene.original_backup(&["-z"]);
    let source = scene.source();
    let (front, back) = source.split_at(source.len() / 3);
    let mut members = Vec::new();
    for (part, level) in [(front, "-1"), (b"", "-9"), (back, "-6")] {
        let file = scene.path("part");
        fs::write(&file, part).expect("a part");
        members.extend(Run::of(Command::new("gzip").args([level, "-c"]).arg(&file)).expect(0).stdout.clone());
    }
    fs::write(scene.repo.join(format!("{stamp}.fsz")), members).expect("three members");
    expect_both(&scene, &source);
    ours(&stamp, &[Path::new("verify"), &scene.repo]).expect(0);
}

#[test]
fn a_large_gzip_of_ours_is_read_by_the_original() {
    let mut scene = Scene::new();
    // Large enough that ours is cut into several members.
    let big = json!({ "path": scene.data, "seed": 9, "count": 30, "shape": "many", "largest": 40_000 });
    scene.bench.ask("commit", big);
    let source = scene.source();
    assert!(source.len() > 8 << 20, "a database of {} bytes", source.len());
    let stamp = scene.later();
    drop_in(&stamp, &scene.backup_arguments(&scene.repo, &["-z"])).expect(0);
    expect_both(&scene, &source);
    let tested =
        Run::of(Command::new("gzip").arg("-t").arg("-S").arg(".fsz").arg(scene.repo.join(format!("{stamp}.fsz"))));
    tested.expect(0);
    let (index, kept) = (scene.repo.join(format!("{stamp}.index")), scene.data.clone());
    scene.bench.expect_index(&kept, &index);
}

#[test]
fn our_index_is_the_real_one_whatever_lies_beside_the_database() {
    let mut scene = Scene::new();
    let index = scene.path("Data.fs.index");
    let old = bytes(&index);
    let data = scene.data.clone();
    scene.bench.commit(&data, 77, 8, "many");
    let fresh = bytes(&index);
    let mut spoilt = fresh.clone();
    spoilt.truncate(fresh.len() / 2);
    let states: [(&str, Option<&[u8]>); 5] =
        [("fresh", Some(&fresh)), ("old", Some(&old)), ("none", None), ("cut", Some(&spoilt)), ("junk", Some(b"junk"))];
    for (state, content) in states {
        match content {
            Some(content) => fs::write(&index, content).expect("an index"),
            None => fs::remove_file(&index).expect("no index"),
        }
        let stamp = scene.later();
        drop_in(&stamp, &scene.backup_arguments(&scene.repo, &["-F"])).expect(0);
        let made = scene.repo.join(format!("{stamp}.index"));
        let source = scene.data.clone();
        let found = scene.bench.ask("index_against_scan", json!({ "data": source, "index": made }));
        assert_eq!(found, json!([]), "our index with {state} beside the database");
    }
    // An increment's index grows out of the newest one in the repository.
    for flags in [&[][..], &["-Q"][..], &["-Qz"][..]] {
        scene.grow(3);
        scene.bench.commit(&data, 78, 1, "many");
        let stamp = scene.later();
        drop_in(&stamp, &scene.backup_arguments(&scene.repo, flags)).expect(0);
        let made = scene.repo.join(format!("{stamp}.index"));
        let source = scene.data.clone();
        scene.bench.expect_index(&source, &made);
    }
}

#[test]
fn a_database_of_python_2_goes_through_unchanged() {
    let mut scene = Scene::new();
    let data = scene.data.clone();
    let make_old = |scene: &Scene| {
        let mut source = scene.source();
        source[..4].copy_from_slice(b"FS21");
        fs::write(&scene.data, &source).expect("the magic of Python 2");
        source
    };
    let make_new = |scene: &Scene| {
        let mut source = scene.source();
        source[..4].copy_from_slice(b"FS30");
        fs::write(&scene.data, &source).expect("the magic of Python 3");
    };
    let source = make_old(&scene);
    let (stamp, twin) = (scene.later(), scene.twin("twin"));
    original(&stamp, &scene.backup_arguments(&twin, &[])).expect(1).says("FileStorageFormatError");

    drop_in(&stamp, &scene.backup_arguments(&scene.repo, &[])).expect(0);
    expect_both(&scene, &source);
    for flags in [&["-Q"][..], &["-z"][..]] {
        make_new(&scene);
        scene.bench.commit(&data, 5, 3, "few");
        let source = make_old(&scene);
        let stamp = scene.later();
        drop_in(&stamp, &scene.backup_arguments(&scene.repo, flags)).expect(0);
        let newest = data_files(&scene.repo).pop().expect("a file");
        assert!(newest.contains("delta"), "an increment: {newest}");
        expect_both(&scene, &source);
        ours(&stamp, &[Path::new("verify"), &scene.repo, Path::new("--depth"), Path::new("deep")]).expect(0);
    }
}

#[test]
fn a_backup_ends_where_the_original_sees_the_last_transaction_end() {
    for kind in ["voted", "torn", "header", "stray", "zeros"] {
        let mut scene = Scene::new();
        let start = scene.bench.leave_tail(&scene.data, 3, kind);
        let stamp = scene.later();
        let twin = scene.twin("twin");
        original(&stamp, &scene.backup_arguments(&twin, &[])).expect(0);
        drop_in(&stamp, &scene.backup_arguments(&scene.repo, &[])).expect(0);
        for repo in [&twin, &scene.repo] {
            let line = dat_lines(&repo.join(format!("{stamp}.dat"))).pop().expect("a line");
            assert_eq!((line.start, line.end), (0, start), "{} with a tail {kind}", repo.display());
        }
        let own = scene.path("own");
        fs::create_dir(&own).expect("a folder");
        ours(&stamp, &[Path::new("backup"), &scene.data, &own]).expect(0);
        expect_same_bytes(
            &bytes(&own.join(format!("{stamp}.fs"))),
            &scene.source()[..usize::try_from(start).expect("small")],
            kind,
        );
    }
}

#[test]
fn our_own_verbs_write_what_the_original_reads() {
    let mut scene = Scene::new();
    let repo = scene.repo.to_str().expect("plain text").to_owned();
    let data = scene.data.to_str().expect("plain text").to_owned();
    for flags in [&["--gzip"][..], &[], &["--quick"], &["--gzip=1", "--quick"], &["--full", "--gzip=9"]] {
        let stamp = scene.later();
        ours(&stamp, &[&["backup", &data, &repo], flags].concat()).expect(0);
        assert!(data_files(&scene.repo).pop().is_some_and(|name| name.starts_with(&stamp)), "a file for {flags:?}");
        expect_both(&scene, &scene.source());
        scene.grow(2);
    }
    let stamp = scene.later();
    let before = data_files(&scene.repo);
    ours(&stamp, &["backup", &data, &repo, "--full", "--kill-old", "--dry-run"]).expect(0);
    assert_eq!(data_files(&scene.repo), before, "a dry run changes nothing");
    ours(&stamp, &["backup", &data, &repo, "--full", "--kill-old"]).expect(0);
    assert_eq!(data_files(&scene.repo), [format!("{stamp}.fs")], "--kill-old leaves the new full alone");
    expect_both(&scene, &scene.source());
}
