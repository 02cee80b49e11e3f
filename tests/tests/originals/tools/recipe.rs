//! The recipe of `web/docs/points.md`, word for word: a point comes back by `sed`, `bsdtar`, `tar` and `mtree` alone.

use std::fs;
use std::process::Command;

use highwater_tests::run::{Run, ours};

use super::tree::{TIMES, are_same, make};

/// The lines of the page that restore a point by hand.
fn recipe() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/docs/points.md");
    let text = fs::read_to_string(page).expect("the page");
    let begins = "$ cd SET; sed -E ";
    let block = text.split("```").find(|block| block.contains(begins)).expect("the recipe");
    let (_, script) = block.split_once("$ ").expect("a command");
    script.to_owned()
}

#[test]
fn the_recipe_restores_a_point_without_this_program() {
    let script = recipe();
    assert!(["sed -E", "bsdtar", "tar -xpf", "mtree -p"].iter().all(|word| script.contains(word)), "{script}");
    assert!(!script.contains("highwater"), "{script}");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let at = |name: &str| folder.path().join(name);
    // Both programs are wrong about times before 1970.
    make(&at("source"), false, &TIMES[..3]);
    fs::create_dir(at("set")).expect("a folder");
    let words = ["backup".into(), at("source").into_os_string(), at("set").into_os_string()];
    ours("2026-11-26-03-00-00", &words).expect(0);
    fs::create_dir(at("restored")).expect("a folder");
    let script = script
        .replace("SET", &at("set").display().to_string())
        .replace("DEST", &at("restored").display().to_string())
        .replace("POINT", "2026-11-26T03-00-00Z");
    Run::of(Command::new("bash").args(["-o", "pipefail", "-c", &script])).expect(0);
    are_same(&at("restored"), &at("source"), "the recipe");
}
