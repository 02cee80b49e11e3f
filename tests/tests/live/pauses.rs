//! Every kind at every pace, with a writer that lives and one that is killed and comes back.

use highwater_tests::rounds::{Round, mean};
use highwater_tests::writers::Kind;

use super::support::run;

/// How many tries a checkpoint may take on average when it rests for 300 ms between its steps.
const TRIES: f64 = 3.0;

fn all_paces(kind: Kind) {
    let tallies = run(
        kind.name(),
        &[0, 30, 300].map(|pause| {
            let round = Round::new(kind, &[], pause, 3);
            [round.clone(), round.with_kills()]
        }),
    );
    let slow: Vec<u64> =
        tallies.iter().filter(|tally| tally.pause.as_millis() == 300).flat_map(|tally| tally.tries.clone()).collect();
    let mean = mean(&slow);
    assert!(mean <= TRIES, "{}: {slow:?} tries at 300 ms, {mean:.2} on average", kind.name());
}

#[test]
fn fjall() {
    all_paces(Kind::Fjall);
}

#[test]
fn rocksdb() {
    all_paces(Kind::Rocksdb);
}

#[test]
fn leveldb() {
    all_paces(Kind::Leveldb);
}

#[test]
fn git() {
    all_paces(Kind::Git);
}
