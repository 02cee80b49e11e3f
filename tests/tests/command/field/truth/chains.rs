//! A chain is damaged by what is wrong with it, and by nothing else: a line that names a point of another chain is
//! damage of its own only, and a chain whose full backup is gone is not passed over.

use std::fs;

use highwater_tests::datastore::{by_verdict, report};
use highwater_tests::repo::Fixture;
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::drop_in;
use highwater_tests::score::Score;

use super::LINE;

/// Before, such a first line made a second, damaged point of that name, so that the sound one was called damaged as
/// well.
#[test]
fn a_point_that_the_index_of_another_chain_names_stays_sound() {
    let mut score = Score::part(LINE, "a point that another chain names");
    let (fixture, stamps) = Fixture::with_chain();
    let text = fs::read_to_string(fixture.file(&format!("{}.dat", stamps[0]))).expect("an index");
    let lines: Vec<&str> = text.lines().collect();
    let (before, behind) = ("0001-01-01-00-00-00", "2027-01-01-00-00-00");
    for (other, line) in [(behind, lines[1]), (behind, lines[2]), (before, lines[0]), (before, lines[1])] {
        let lone = fixture.file(&format!("{other}.dat"));
        fs::write(&lone, format!("{line}\n")).expect("it is written");
        let (code, report) = report(&fixture.repo, &[]);
        let found = by_verdict(&report);
        assert_eq!((code, found.get("damaged")), (1, None), "{other}: {report:#}");
        assert_eq!(found["sound"].iter().map(String::as_str).collect::<Vec<_>>(), stamps, "{other}");
        fs::remove_file(lone).expect("it is removed");
        score.ran(1);
    }
    score.end();
}

/// The original, and the drop-in before, gave and verified the chain before the one whose full backup is gone, with
/// exit 0.
#[test]
fn the_drop_in_passes_over_no_chain_whose_full_backup_is_gone() {
    let mut score = Score::part(LINE, "a full backup that is gone");
    let (mut fixture, stamps) = Fixture::with_chain();
    let before = fixture.data.bytes.clone();
    fixture.grow(2);
    let lost = fixture.backup(&["--full"]);
    fs::remove_file(fixture.file(&format!("{lost}.fs"))).expect("it is removed");
    let (repo, target, now) = (fixture.repo.clone(), fixture.path("target"), fixture.clock.stamp());
    let (repo, target) = (repo.to_str().expect("text"), target.to_str().expect("text"));
    let recover = ["-R", "-r", repo, "-o", target];
    for arguments in [&recover[..], &[&recover[..], &["-D", &lost]].concat(), &["-V", "-r", repo]] {
        let run = drop_in(&now, arguments);
        run.expect(1).says(&format!("{lost}.dat is the index of a full backup that is not there")).says(&stamps[2]);
        assert!(fs::read(target).is_err(), "{}", run.account());
        score.ran(1);
    }
    drop_in(&now, &[&recover[..], &["-D", &stamps[2]]].concat()).expect(0);
    expect_same_bytes(&fs::read(target).expect("a target"), &before, "the point before");
    score.ran(1);
    score.end();
}
