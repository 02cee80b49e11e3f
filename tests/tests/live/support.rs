//! Runs rounds side by side and counts what came of them.

use std::thread;

use highwater_tests::rounds::{Round, Tally};
use highwater_tests::score::Score;

/// The line of the scoreboard.
pub(crate) const LINE: &str = "checkpoints of live stores";

/// Run pairs of rounds one after another, the two of a pair side by side as most of their time is pauses; count every
/// bad copy.
pub(crate) fn run(part: &str, pairs: &[[Round; 2]]) -> Vec<Tally> {
    let mut score = Score::part(LINE, part);
    let tallies: Vec<Tally> = pairs
        .iter()
        .flat_map(|[one, other]| {
            thread::scope(|scope| {
                let other = scope.spawn(|| in_scratch(other));
                [in_scratch(one), other.join().expect("the round ends")]
            })
        })
        .collect();
    println!("{}", Tally::HEAD);
    for tally in &tallies {
        println!("{}", tally.row());
        score.ran(tally.copies);
        for what in &tally.bad {
            score.fail(format!("{}, {} ms: {what}", tally.name, tally.pause.as_millis()));
        }
    }
    score.end();
    tallies
}

fn in_scratch(round: &Round) -> Tally {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    round.run(scratch.path())
}
