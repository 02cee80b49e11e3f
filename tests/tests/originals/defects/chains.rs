//! Defects 3 and 4: chains with something missing, which the original glues together without a word.

use std::fs;
use std::path::Path;

use highwater_tests::python::original;
use highwater_tests::repository::data_files;
use highwater_tests::run::{drop_in, ours};
use highwater_tests::scene::{Scene, bytes};

/// A full and three increments; the stamps.
fn four_points(gzip: bool) -> (Scene, Vec<String>) {
    let flags: &[&str] = if gzip { &["-z"] } else { &[] };
    let mut scene = Scene::new();
    let mut stamps = vec![scene.original_backup(flags)];
    for _ in 0..3 {
        scene.grow(4);
        stamps.push(scene.original_backup(flags));
    }
    (scene, stamps)
}

/// Every way of recovering with ours must refuse in one line that names `culprit`, and leave the target as it was.
#[track_caller]
fn expect_refusals(scene: &Scene, repo: &Path, culprit: &str) {
    let target = scene.path("target.fs");
    fs::write(&target, b"FS30").expect("a target");
    let stamp = scene.clock.stamp();
    for flags in [&[][..], &["-w"][..], &["-F"][..], &["-Q"][..]] {
        let run = drop_in(&stamp, &Scene::recover_arguments(repo, &target, flags));
        let line = run.expect(1).one_line().to_owned();
        assert!(line.contains(culprit), "the line of {flags:?} names {culprit}: {line}");
        assert_eq!(bytes(&target), b"FS30", "the target after {flags:?}");
    }
    let own = ours(&stamp, &[Path::new("restore"), repo, &target]);
    own.expect(1).says(culprit);
    assert_eq!(bytes(&target), b"FS30", "the target after `restore`");
    let piped = ours(&stamp, &[Path::new("restore"), repo, Path::new("-")]);
    assert_ne!(piped.code, 0, "{}", piped.account());
}

#[test]
fn a_missing_middle_increment_recovers_to_garbage() {
    for gzip in [false, true] {
        let (scene, stamps) = four_points(gzip);
        let source = scene.source();
        let missing = data_files(&scene.repo).into_iter().find(|name| name.contains(&stamps[2])).expect("a file");
        fs::remove_file(scene.repo.join(&missing)).expect("it goes");

        for flags in [&[][..], &["-w"][..]] {
            let (run, got) = scene.original_recover(&scene.repo, flags);
            run.expect(0);
            assert!(got.expect("a file") != source, "the original recovers garbage with {flags:?}");
        }
        original(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[]))
            .expect(1)
            .says(&format!("{missing} is missing"));

        expect_refusals(&scene, &scene.repo, &stamps[2]);
        drop_in(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[]))
            .expect(1)
            .says(&format!("{missing} is missing"));
        ours(&scene.clock.stamp(), &[Path::new("verify"), &scene.repo]).expect(1);
    }
}

#[test]
fn points_before_the_gap_stay_recoverable() {
    let (scene, stamps) = four_points(false);
    let wanted: Vec<u8> = [format!("{}.fs", stamps[0]), format!("{}.deltafs", stamps[1])]
        .iter()
        .flat_map(|name| bytes(&scene.repo.join(name)))
        .collect();
    fs::remove_file(scene.repo.join(format!("{}.deltafs", stamps[2]))).expect("it goes");
    let target = scene.path("target.fs");
    drop_in(&scene.clock.stamp(), &Scene::recover_arguments(&scene.repo, &target, &["-D", &stamps[1]])).expect(0);
    assert!(bytes(&target) == wanted, "the point before the gap");
}

#[test]
fn a_missing_middle_with_its_line_is_a_gap_that_even_verify_passes() {
    let (scene, stamps) = four_points(false);
    let source = scene.source();
    fs::remove_file(scene.repo.join(format!("{}.deltafs", stamps[1]))).expect("it goes");
    let kept: String = scene
        .dat(&stamps[0])
        .lines()
        .filter(|line| !line.contains(&format!("{}.deltafs", stamps[1])))
        .map(|line| format!("{line}\n"))
        .collect();
    scene.write_dat(&stamps[0], &kept);

    original(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[])).expect(0);
    let (run, got) = scene.original_recover(&scene.repo, &["-w"]);
    run.expect(0);
    assert!(got.expect("a file") != source, "the original recovers garbage and calls it verified");

    // It is the `.dat` that has the gap, so the `.dat` is named.
    let dat = format!("{}.dat", stamps[0]);
    expect_refusals(&scene, &scene.repo, &dat);
    drop_in(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[])).expect(1).says(&dat);
    ours(&scene.clock.stamp(), &[Path::new("verify"), &scene.repo]).expect(1);
}

#[test]
fn increments_without_a_full_recover_to_garbage() {
    let (scene, stamps) = four_points(false);
    fs::remove_file(scene.repo.join(format!("{}.fs", stamps[0]))).expect("the full goes");

    let (run, got) = scene.original_recover(&scene.repo, &[]);
    run.expect(0);
    let got = got.expect("a file");
    assert!(!got.is_empty() && !got.starts_with(b"FS"), "the original recovers increments alone");

    expect_refusals(&scene, &scene.repo, "full");
    ours(&scene.clock.stamp(), &[Path::new("verify"), &scene.repo]).expect(1);
}
