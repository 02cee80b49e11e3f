//! Defect 11 and other tracebacks: white space and odd bytes in paths, damaged gzip, an empty database.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use highwater_tests::python::original;
use highwater_tests::repository::{data_files, expect_same_bytes, names};
use highwater_tests::run::{drop_in, ours};
use highwater_tests::scene::{Scene, bytes};

/// Ours backs up, verifies and recovers in a repository whose path breaks the original.
#[track_caller]
fn ours_lives_there(scene: &mut Scene) {
    let target = scene.path("ours.fs");
    for flags in [&["-Q"][..], &[][..], &["-Qz"][..]] {
        scene.grow(2);
        let stamp = scene.later();
        drop_in(&stamp, &scene.backup_arguments(&scene.repo, flags)).expect(0);
        let newest = data_files(&scene.repo).pop().expect("a data file");
        assert!(newest.starts_with(&stamp) && newest.contains("delta"), "an increment with {flags:?}: {newest}");
        drop_in(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(0);
        drop_in(&stamp, &Scene::recover_arguments(&scene.repo, &target, &["-w"])).expect(0);
        expect_same_bytes(&bytes(&target), &scene.source(), "recovered with -w");
        ours(&stamp, &[Path::new("verify"), &scene.repo]).expect(0);
    }
}

#[test]
fn white_space_in_the_path_kills_the_original() {
    for name in ["my repo", "two  spaces and\ta tab", "no\u{a0}break"] {
        let mut scene = Scene::in_repository(name);
        scene.original_backup(&[]);
        scene.grow(2);
        let stamp = scene.later();
        let quick = scene.backup_arguments(&scene.repo, &["-Q"]);
        original(&stamp, &quick).expect(1).says("Traceback").says("ValueError");
        original(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(1).says("ValueError");
        scene.original_recover(&scene.repo, &["-w"]).0.expect(1).says("ValueError");

        ours_lives_there(&mut scene);
    }
}

#[test]
fn what_we_write_under_such_a_path_the_original_can_read_again() {
    for name in ["my repo", "no\u{a0}break", "a\nline end"] {
        let mut scene = Scene::in_repository(name);
        for flags in [&[][..], &["-Q"], &["-z"]] {
            let stamp = scene.later();
            drop_in(&stamp, &scene.backup_arguments(&scene.repo, flags)).expect(0);
            original(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(0);
            let (run, got) = scene.original_recover(&scene.repo, &["-w"]);
            run.expect(0);
            expect_same_bytes(
                &got.expect("a file"),
                &scene.source(),
                &format!("in {name:?}, recovered by the original"),
            );
            scene.grow(2);
        }
        let stamp = scene.later();
        original(&stamp, &scene.backup_arguments(&scene.repo, &["-Q"])).expect(0);
    }
}

#[test]
fn a_path_that_is_no_text_kills_the_original_after_the_copy() {
    let mut scene = Scene::in_repository(OsStr::from_bytes(b"caf\xe9"));
    let stamp = scene.later();
    let arguments = scene.backup_arguments(&scene.repo, &[]);
    original(&stamp, &arguments).expect(1).says("UnicodeEncodeError");
    assert_eq!(data_files(&scene.repo), [format!("{stamp}.fs")], "the original's copy is in place");
    assert_eq!(scene.dat(&stamp), "", "and its .dat is empty");
    for name in names(&scene.repo) {
        fs::remove_file(scene.repo.join(name)).expect("a clean start");
    }

    let stamp = scene.later();
    drop_in(&stamp, &scene.backup_arguments(&scene.repo, &[])).expect(0);
    ours_lives_there(&mut scene);
    // What we wrote there, the original reads when the repository is moved under a plain name.
    let (run, got) = scene.original_recover(&scene.twin("plain"), &[]);
    run.expect(0);
    expect_same_bytes(&got.expect("a file"), &scene.source(), "recovered by the original under a plain name");
}

/// A full and a gzip increment that `damage` spoils; `-V` and `-R -w` of the original must say `wrong`.
fn damaged_gzip(damage: impl Fn(&mut Vec<u8>), wrong: &str) {
    let mut scene = Scene::new();
    scene.original_backup(&[]);
    scene.grow(4);
    let stamp = scene.original_backup(&["-z"]);
    let file: PathBuf = scene.repo.join(format!("{stamp}.deltafsz"));
    let mut spoilt = bytes(&file);
    damage(&mut spoilt);
    fs::write(&file, spoilt).expect("a damaged file");

    original(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(1).says(wrong);
    let target = scene.path("target.fs");
    fs::write(&target, b"FS30").expect("a target");
    let verify = drop_in(&stamp, &Scene::verify_arguments(&scene.repo, &[]));
    let recover = drop_in(&stamp, &Scene::recover_arguments(&scene.repo, &target, &[]));
    for run in [verify, recover] {
        let line = run.expect(1).never_says("is missing").one_line().to_owned();
        assert!(line.contains(&format!("{stamp}.deltafsz")), "the line names the file: {line}");
    }
    assert_eq!(bytes(&target), b"FS30");
    let own = ours(&stamp, &[Path::new("verify"), &scene.repo]);
    own.expect(1);
    assert!(own.text().contains(&format!("{stamp}.deltafsz")), "{}", own.account());
}

#[test]
fn gzip_with_a_wrong_sum_is_called_missing() {
    damaged_gzip(
        |stored| {
            let at = stored.len() - 6;
            stored[at] ^= 1;
        },
        "is missing",
    );
}

#[test]
fn gzip_with_a_wrong_magic_is_called_missing() {
    damaged_gzip(|stored| stored[0] ^= 1, "is missing");
}

#[test]
fn gzip_cut_short_is_a_traceback() {
    // A power cut after the rename: the last ten bytes were never synced.
    damaged_gzip(|stored| stored.truncate(stored.len() - 10), "EOFError");
}

#[test]
fn gzip_with_a_broken_stream_is_a_traceback() {
    damaged_gzip(|stored| stored[18..40].fill(0xff), "zlib.error");
}

#[test]
fn an_empty_database_leaves_litter_and_a_traceback() {
    let mut scene = Scene::new();
    fs::write(&scene.data, b"").expect("an empty file");
    fs::remove_file(scene.path("Data.fs.index")).expect("no index");
    let twin = scene.twin("twin");
    let stamp = scene.later();
    original(&stamp, &scene.backup_arguments(&scene.repo, &[])).expect(1).says("AssertionError");
    assert_eq!(names(&scene.repo), [format!("{stamp}.index"), "tmp.tmp".to_owned()]);

    drop_in(&stamp, &scene.backup_arguments(&twin, &[])).expect(1).one_line();
    assert_eq!(highwater_tests::repository::contents(&twin).len(), 0, "nothing is left: {:?}", names(&twin));
}
