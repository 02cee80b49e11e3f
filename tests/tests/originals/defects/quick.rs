//! Defects 1 and 2: `--quick` trusts one line of the `.dat`, and two ordinary accidents make that line worthless.

use highwater_tests::python::original;
use highwater_tests::repository::{dat_lines, data_files, decoded, expect_same_bytes};
use highwater_tests::run::{drop_in, ours};
use highwater_tests::scene::{Scene, bytes};

use super::with_an_unlisted_increment;

/// A run during an unfinished commit; then a pack; then growth past the old end.
struct AfterAnEmptyIncrement {
    scene: Scene,
    full: String,
}

fn after_an_empty_increment() -> AfterAnEmptyIncrement {
    let mut scene = Scene::new();
    let full = scene.original_backup(&["-F"]);
    let old_end = scene.source().len() as u64;
    let start = scene.bench.leave_tail(&scene.data, 7, "voted");
    assert_eq!(start, old_end, "the tail lies behind the last transaction");
    scene.original_backup(&["-Q"]);
    let last = dat_lines(&scene.repo.join(format!("{full}.dat"))).pop().expect("a line");
    assert_eq!((last.start, last.end), (old_end, old_end), "the original wrote an empty increment");
    assert!(scene.bench.finish_tail(&scene.data, start), "the transaction is finished");
    assert!(scene.bench.pack(&scene.data), "the pack changes the file");
    while scene.source().len() as u64 <= old_end + 5000 {
        scene.grow(5);
    }
    AfterAnEmptyIncrement { scene, full }
}

#[test]
fn quick_after_an_empty_increment_builds_on_the_wrong_base() {
    let AfterAnEmptyIncrement { mut scene, full } = after_an_empty_increment();
    let twin = scene.twin("twin");
    let source = scene.source();

    scene.original_backup(&["-Q"]);
    let newest = data_files(&scene.repo).pop().expect("a data file");
    assert!(newest.ends_with(".deltafs"), "the original appended {newest} to a chain the pack had ended");
    original(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[])).expect(0);
    for flags in [&[][..], &["-w"][..]] {
        let (run, got) = scene.original_recover(&scene.repo, flags);
        run.expect(0);
        assert!(got.expect("a recovered file") != source, "the original's recovery is corrupt");
    }

    let stamp = scene.clock.stamp();
    drop_in(&stamp, &scene.backup_arguments(&twin, &["-Q"])).expect(0);
    let newest = data_files(&twin).pop().expect("a data file");
    assert_eq!(newest, format!("{stamp}.fs"), "after a pack a full backup is due");
    drop_in(&stamp, &Scene::verify_arguments(&twin, &[])).expect(0);
    let (run, got) = scene.original_recover(&twin, &["-w"]);
    run.expect(0);
    expect_same_bytes(&got.expect("a recovered file"), &source, "our chain, recovered by the original");

    // The chain the original corrupted is consistent in every size and sum; only its records tell.
    let deep = ours(&stamp, &[&"verify".into(), &scene.repo, &"--depth".into(), &"deep".into()]);
    deep.expect(1);
    assert!(deep.text().contains(&full[..10]) || deep.stderr.contains(&full[..10]), "{}", deep.account());
}

#[test]
fn a_run_during_an_unfinished_commit_writes_an_empty_increment() {
    let mut scene = Scene::new();
    let full = scene.original_backup(&["-F"]);
    let twin = scene.twin("twin");
    let kinds = ["voted", "torn", "header", "stray", "zeros"];
    for (number, kind) in kinds.into_iter().enumerate() {
        scene.bench.leave_tail(&scene.data, 7, kind);
        scene.original_backup(&[]);
        let lines = dat_lines(&scene.repo.join(format!("{full}.dat")));
        assert_eq!(lines.len(), number + 2, "the original wrote a line for the tail {kind}");
        assert_eq!(lines[number + 1].start, lines[number + 1].end, "an empty increment for {kind}");

        for flags in [&[][..], &["-Q"][..]] {
            drop_in(&scene.clock.stamp(), &scene.backup_arguments(&twin, flags)).expect(0);
            assert_eq!(data_files(&twin), [format!("{full}.fs")], "nothing new before the tail {kind}");
            assert_eq!(dat_lines(&twin.join(format!("{full}.dat"))).len(), 1, "no line for the tail {kind}");
        }
    }
}

#[test]
fn quick_after_a_crash_before_the_dat_line_makes_increments_overlap() {
    let (mut scene, _, orphan) = with_an_unlisted_increment();
    scene.grow(5);
    let twin = scene.twin("twin");
    let source = scene.source();

    scene.original_backup(&["-Q"]);
    original(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[])).expect(0);
    let (run, got) = scene.original_recover(&scene.repo, &[]);
    run.expect(0);
    let twice = decoded(&scene.repo.join(format!("{orphan}.deltafs"))).len();
    assert_eq!(got.expect("a file").len(), source.len() + twice, "the original recovers the increment twice");

    let stamp = scene.clock.stamp();
    drop_in(&stamp, &scene.backup_arguments(&twin, &["-Q"])).expect(0);
    for flags in [&[][..], &["-w"][..]] {
        let (run, got) = scene.original_recover(&twin, flags);
        run.expect(0);
        expect_same_bytes(&got.expect("a file"), &source, "our chain, recovered by the original");
    }
    drop_in(&stamp, &Scene::verify_arguments(&twin, &[])).expect(0);

    // The repository that the original spoilt holds the right bytes too, for one who goes by the lines and not by the
    // names: ours recovers them, and says that a file is there which no line names.
    let target = scene.path("standby.fs");
    drop_in(&stamp, &Scene::recover_arguments(&scene.repo, &target, &[])).expect(0).says(&orphan);
    expect_same_bytes(&bytes(&target), &source, "the chain the original spoilt, recovered by ours");
    drop_in(&stamp, &Scene::verify_arguments(&scene.repo, &[])).expect(1).says(&orphan);
    let own = ours(&stamp, &[&"verify".into(), &scene.repo]);
    own.expect(3);
    assert!(own.text().contains(&orphan), "the report names the file: {}", own.account());
}

#[test]
fn a_default_run_after_that_crash_leaves_the_increment_unverified() {
    let (mut scene, full, orphan) = with_an_unlisted_increment();
    scene.grow(5);
    let twin = scene.twin("twin");
    let source = scene.source();
    let spoil = |repo: &std::path::Path| {
        let file = repo.join(format!("{orphan}.deltafs"));
        let mut spoilt = bytes(&file);
        let middle = spoilt.len() / 2;
        spoilt[middle] ^= 1;
        std::fs::write(file, spoilt).expect("a damaged increment");
    };

    scene.original_backup(&[]);
    spoil(&scene.repo);
    original(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[])).expect(0);
    let (run, got) = scene.original_recover(&scene.repo, &[]);
    run.expect(0);
    assert!(got.expect("a file") != source, "the original recovers the damaged increment");

    let stamp = scene.clock.stamp();
    drop_in(&stamp, &scene.backup_arguments(&twin, &[])).expect(0);
    let (run, got) = scene.original_recover(&twin, &["-w"]);
    run.expect(0);
    expect_same_bytes(&got.expect("a file"), &source, "our chain, recovered by the original");
    let newest_full = data_files(&twin).into_iter().rfind(|name| name.ends_with(".fs")).expect("a full");
    if newest_full == format!("{full}.fs") {
        spoil(&twin);
        drop_in(&stamp, &Scene::verify_arguments(&twin, &[])).expect(1).says(&orphan);
    }
}
