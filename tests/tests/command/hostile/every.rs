//! The hostile sets of every format, and every verb of the binary over each of them.

use std::fs;

use highwater::disk::{self, Disk};
use highwater::store::Locks;
use highwater_core::digest::md5_of;
use highwater_core::name::Name;
use highwater_tests::score::{Score, is_asked_for};
use highwater_tests::specimens::hostile::{Case, Set, link, special};
use highwater_tests::specimens::repozo::hostile::Stage;
use highwater_tests::specimens::{self, Specimen};

use super::folder::snapshot;
use super::table::run_all;

#[test]
fn a_hostile_set_is_called_so_and_leads_nobody_out_of_it() {
    let mut score = Score::new("hostile sets");
    let of = |specimen: &'static dyn Specimen| (specimen.name(), specimen.hostile());
    let all: Vec<(&str, Vec<Case>)> = specimens::all().into_iter().map(of).collect();
    // As many as there were when this was written.
    for (name, least) in [("repozo", 103), ("datastore", 16), ("fjall", 30), ("dirstorage", 30)] {
        let found = all.iter().find(|(of, _)| *of == name).map_or(0, |(_, cases)| cases.len());
        assert!(found >= least, "{name}: {found} of {least} hostile sets");
    }
    let cases: Vec<Case> = all.into_iter().flat_map(|(_, cases)| cases).collect();
    let asked: Vec<Case> = cases.into_iter().filter(|case| is_asked_for(&case.name)).collect();
    run_all(&mut score, &asked);
    score.end();
}

#[test]
fn a_hostile_target_or_report_leads_nobody_astray() {
    let mut score = Score::new("hostile targets and reports");
    super::targets::run(&mut score);
    super::merging::run(&mut score);
    score.end();
}

#[test]
fn the_oracle_of_the_scratch_folder_sees_what_changes() {
    let stage = Stage::new();
    let before = snapshot(stage.folder(), None);
    assert_eq!(snapshot(stage.folder(), None), before);
    let victim = stage.outside("victim");
    let time = fs::metadata(&victim).and_then(|meta| meta.modified()).expect("a time");
    fs::write(&victim, "PRECIOUS").expect("a change of the same length");
    fs::File::options().write(true).open(&victim).and_then(|file| file.set_modified(time)).expect("the old time");
    assert_ne!(snapshot(stage.folder(), None), before, "other bytes, {}", md5_of(b"PRECIOUS"));
    assert_eq!(snapshot(stage.folder(), Some(&stage.fixture.path("outside"))).len(), before.len() - 2);
}

#[test]
fn a_hostile_tree_that_changes_under_a_run_is_not_written_through() {
    // What is planted before a run is removed or refused by it; what comes after that look must fail where it is
    // opened.
    let stage = Stage::new();
    let victim = stage.outside("victim");
    let before = snapshot(stage.folder(), Some(&stage.fixture.repo));
    let at = |name: &str| stage.fixture.file(name);
    link(&victim, at("link"));
    link(stage.outside("nowhere"), at("dangling"));
    link(at("loop"), at("loop"));
    fs::write(at("file"), "precious").expect("a file");
    fs::hard_link(&victim, at("hard")).expect("a hard link");
    assert!(special("FIFO", &at("fifo")), "a FIFO");
    let disk = disk::open(&stage.fixture.repo, Locks::Needed).expect("the repository");
    let below = |name: &str| Name::new(name.as_bytes()).expect("a name");
    let exists =
        |result: std::io::Result<()>| result.is_err_and(|error| error.kind() == std::io::ErrorKind::AlreadyExists);
    for name in ["link", "dangling", "loop", "file", "hard", "fifo"] {
        assert!(exists(disk.create(&below(name)).map(drop)), "{name} is not created anew");
        fs::write(at("new"), "new").expect("a new file");
        assert!(exists(disk.rename_new(&below("new"), &below(name))), "{name} is not renamed over");
    }
    for name in ["link", "dangling", "loop", "fifo"] {
        assert!(disk.open_for_writing(&below(name)).is_err(), "{name} is not opened for writing");
    }
    for name in ["link", "dangling", "loop", "fifo"] {
        assert!(disk.lock(&below(name), "held").is_err(), "{name} is no lock");
    }
    drop(disk.lock(&below("hard"), "held").expect("a lock"));
    assert_eq!(snapshot(stage.folder(), Some(&stage.fixture.repo)), before);
    assert_eq!(fs::read(at("file")).expect("a file"), b"precious");
}
