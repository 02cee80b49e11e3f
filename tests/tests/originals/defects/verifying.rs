//! Defect 8: what the original's `-V` passes.

use std::fs;
use std::path::Path;

use highwater_tests::python::original;
use highwater_tests::repository::data_files;
use highwater_tests::run::{Run, drop_in, ours};
use highwater_tests::scene::{Scene, bytes};

fn original_verify(scene: &Scene) -> Run {
    original(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[]))
}

fn our_drop_in(scene: &Scene) -> Run {
    drop_in(&scene.clock.stamp(), &Scene::verify_arguments(&scene.repo, &[]))
}

fn our_verify(scene: &Scene, arguments: &[&str]) -> Run {
    let arguments = std::iter::once("verify").chain(arguments.iter().copied()).collect::<Vec<_>>();
    ours(&scene.clock.stamp(), &arguments)
}

/// Flip one bit in the middle of a file.
fn spoil(path: &Path) {
    let mut spoilt = bytes(path);
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 4;
    fs::write(path, spoilt).expect("a damaged file");
}

#[test]
fn an_empty_dat_passes() {
    let mut scene = Scene::new();
    let full = scene.original_backup(&["-F"]);
    scene.write_dat(&full, "");
    spoil(&scene.repo.join(format!("{full}.fs")));

    original_verify(&scene).expect(0);
    our_drop_in(&scene).expect(1).says(&format!("{full}.dat"));
    let repo = scene.repo.to_str().expect("a plain path");
    let own = our_verify(&scene, &[repo]);
    assert!(own.code == 1 || own.code == 3, "never sound: {}", own.account());
}

#[test]
fn an_unlisted_data_file_passes() {
    let mut scene = Scene::new();
    let full = scene.original_backup(&["-F"]);
    let listed = scene.dat(&full);
    scene.grow(3);
    let orphan = scene.original_backup(&[]);
    scene.write_dat(&full, &listed);
    spoil(&scene.repo.join(format!("{orphan}.deltafs")));

    original_verify(&scene).expect(0);
    // What no line names cannot be judged, so it is neither sound nor damage.
    let own = our_verify(&scene, &[scene.repo.to_str().expect("a plain path")]);
    own.expect(3);
    assert!(own.text().contains(&orphan), "the report names the file: {}", own.account());
    our_drop_in(&scene).expect(1).says(&orphan);
}

#[test]
fn damage_in_an_older_chain_passes() {
    let mut scene = Scene::new();
    let older = scene.original_backup(&["-F"]);
    scene.grow(3);
    let newer = scene.original_backup(&["-F"]);
    spoil(&scene.repo.join(format!("{older}.fs")));

    original_verify(&scene).expect(0);
    let repo = scene.repo.to_str().expect("a plain path");
    let own = our_verify(&scene, &[repo]);
    own.expect(1);
    assert!(own.text().contains(&format!("{older}.fs")), "the report names the file: {}", own.account());

    // There is no date for the original's -V; we can look at one point.
    our_verify(&scene, &[&format!("{repo}@{newer}")]).expect(0);
    our_verify(&scene, &[&format!("{repo}@{older}")]).expect(1);
}

#[test]
fn overlapping_lines_pass() {
    let mut scene = Scene::new();
    let full = scene.original_backup(&["-F"]);
    let listed = scene.dat(&full);
    scene.grow(3);
    scene.original_backup(&[]);
    let twice = scene.dat(&full);
    scene.write_dat(&full, &listed);
    scene.original_backup(&["-Q"]);
    let again = scene.dat(&full);
    let last = again.lines().last().expect("a line");
    scene.write_dat(&full, &format!("{twice}{last}\n"));
    assert_eq!(data_files(&scene.repo).len(), 3, "a full and two copies of one increment");

    original_verify(&scene).expect(0);
    our_drop_in(&scene).expect(1).says(&format!("{full}.dat"));
    our_verify(&scene, &[scene.repo.to_str().expect("a plain path")]).expect(1);
}

#[test]
fn a_repository_with_nothing_in_it_is_not_sound() {
    let scene = Scene::new();
    original_verify(&scene).expect(1).says("No files in repository");
    our_drop_in(&scene).expect(1).says("No files in repository");
    let own = our_verify(&scene, &[scene.repo.to_str().expect("a plain path")]);
    assert!(own.code == 3 || own.code == 4, "nothing to claim is never sound: {}", own.account());
}
