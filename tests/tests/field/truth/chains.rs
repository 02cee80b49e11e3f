//! A line of a chain's index that names a point of another chain is damage of its own chain only.

use std::fs;

use highwater_tests::datastore::{by_verdict, report};
use highwater_tests::repo::Ground;
use highwater_tests::score::Score;

use super::LINE;

/// Before, such a first line made a second, damaged point of that name, so that the sound one was called damaged as well.
#[test]
fn a_point_that_the_index_of_another_chain_names_stays_sound() {
    let mut score = Score::part(LINE, "a point that another chain names");
    let (ground, stamps) = Ground::with_chain();
    let text = fs::read_to_string(ground.file(&format!("{}.dat", stamps[0]))).expect("an index");
    let lines: Vec<&str> = text.lines().collect();
    let (before, behind) = ("0001-01-01-00-00-00", "2027-01-01-00-00-00");
    for (other, line) in [(behind, lines[1]), (behind, lines[2]), (before, lines[0]), (before, lines[1])] {
        let lone = ground.file(&format!("{other}.dat"));
        fs::write(&lone, format!("{line}\n")).expect("it is written");
        let (code, report) = report(&ground.repo, &[]);
        let found = by_verdict(&report);
        assert_eq!((code, found.get("damaged")), (1, None), "{other}: {report:#}");
        assert_eq!(found["sound"].iter().map(String::as_str).collect::<Vec<_>>(), stamps, "{other}");
        fs::remove_file(lone).expect("it is removed");
        score.ran(1);
    }
    score.end();
}
