//! What file systems, storage boxes and desktops put into folders is left in peace, by every verb.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::run::{Run, ours};
use highwater_tests::score::Score;

use super::LINE;

const FOLDERS: [&str; 7] =
    ["lost+found", ".zfs", ".snapshot", "System Volume Information", "@eaDir", ".Trash-1000", "$RECYCLE.BIN"];
const FILES: [&str; 2] = [".DS_Store", "Thumbs.db"];

/// Puts all of them into a folder; some may be entered by nobody.
fn settle(folder: &Path) {
    for name in FOLDERS {
        fs::create_dir(folder.join(name)).expect("it is made");
        fs::write(folder.join(name).join("#1234"), "what was found").expect("it is written");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o000)).expect("it is set");
    }
    for name in FILES {
        fs::write(folder.join(name), "of a desktop").expect("it is written");
    }
}

fn run(arguments: &[&str], path: &Path) -> Run {
    Run::of(Command::new(highwater()).args(arguments).arg(path))
}

#[test]
fn lost_and_found_and_its_like_are_no_strays_in_a_store() {
    let mut score = Score::part(LINE, "lost_and_found_and_its_like_are_no_strays_in_a_store");
    let sample = Sample::made();
    let key = sample.truth("key.json");
    for place in ["", "vm", "vm/100", "vm/100/2025-06-16T15:06:40Z", "ns", "ns/team", ".chunks"] {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        copy(&sample.store(), fixture.path());
        settle(&fixture.path().join(place));
        let verify = run(&["verify", "--strict", "--keyfile", key.to_str().expect("text")], fixture.path());
        let strays = run(&["strays"], fixture.path());
        if verify.code != 0 || strays.code != 0 || !strays.text().starts_with("0 strays") {
            score.fail(format!("in '{place}': {}\n{}", verify.account(), strays.account()));
        }
        score.ran(2);
    }
    score.end();
}

#[test]
fn they_are_no_strays_in_a_repository() {
    let mut score = Score::part(LINE, "they_are_no_strays_in_a_repository");
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (source, repository) = (fixture.path().join("Data.fs"), fixture.path().join("repo"));
    fs::write(&source, source_bytes()).expect("it is written");
    fs::create_dir(&repository).expect("it is made");
    let backup = [Path::new("backup"), &source, &repository];
    ours("2026-01-01-00-00-00", &backup).expect(0);
    settle(&repository);
    run(&["verify", "--strict", "--depth", "deep"], &repository).expect(0);
    fs::write(repository.join("notes"), "of somebody").expect("it is written");
    run(&["verify", "--strict"], &repository).expect(1).prints("notes");
    score.ran(2);
    score.end();
}

/// A small database.
fn source_bytes() -> Vec<u8> {
    let mut data = highwater_tests::repo::Data::new(7);
    data.grow(4);
    data.bytes
}
