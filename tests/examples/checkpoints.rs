//! Takes checkpoints of all kinds of live stores by the thousand and prints what came of them; `tests/checkpoints` runs
//! it.
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use highwater_tests::rounds::{Round, Tally, mean};
use highwater_tests::writers::Kind;

/// How many tries a checkpoint may take on average when it rests for 300 ms between its steps.
const TRIES: f64 = 3.0;

/// What makes writers harsher, and which of them it is for.
const HARSH: [(Kind, &[&str]); 6] = [
    (Kind::Fjall, &["--ingest"]),
    (Kind::Fjall, &["--churn"]),
    (Kind::Rocksdb, &["--merged"]),
    (Kind::Rocksdb, &["--blobs"]),
    (Kind::Rocksdb, &["--ingest", "--churn"]),
    (Kind::Rocksdb, &["--merged", "--blobs", "--ingest", "--churn"]),
];

fn main() -> ExitCode {
    let mut count = 1_000;
    let mut jobs = 3;
    let mut only = String::new();
    let mut rate = None;
    let mut pause = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_default();
        let number = value.parse::<usize>();
        match (word.as_str(), number) {
            ("--count", Ok(number)) => count = number,
            ("--jobs", Ok(number)) => jobs = number.max(1),
            ("--rate", Ok(number)) => rate = Some(number as u64),
            ("--pause", Ok(number)) => pause = Some(number as u128),
            ("--only", _) => only = value,
            _ => {
                println!("usage: tests/checkpoints [--count N] [--jobs N] [--only WORD] [--rate N] [--pause MS]");
                return ExitCode::from(2);
            }
        }
    }
    let is_wanted =
        |round: &Round| round.name().contains(&only) && pause.is_none_or(|pause| round.pause.as_millis() == pause);
    let mut rounds: Vec<Round> = rounds(count).into_iter().filter(is_wanted).collect();
    for round in &mut rounds {
        round.rate = rate.unwrap_or(round.rate);
    }
    println!("{}", Tally::HEAD);
    let tallies = side_by_side(rounds, jobs);
    let copies: u64 = tallies.iter().map(|tally| tally.copies).sum();
    let bad: Vec<String> = tallies
        .iter()
        .flat_map(|tally| {
            tally.bad.iter().map(|what| format!("{}, {} ms: {what}", tally.name, tally.pause.as_millis()))
        })
        .collect();
    // Whoever makes and drops families all the time, or ingests, changes what no later log can tell: such a store is
    // only caught between two changes, however often that takes.
    let tries = |is_harsh: bool| {
        let slow =
            tallies.iter().filter(|tally| tally.pause.as_millis() == 300 && tally.name.contains(' ') == is_harsh);
        mean(&slow.flat_map(|tally| tally.tries.clone()).collect::<Vec<_>>())
    };
    let (plain, harsh) = (tries(false), tries(true));
    println!(
        "\n{copies} checkpoints, {} bad; at 300 ms {plain:.2} tries on average, {harsh:.2} with harsh writers",
        bad.len()
    );
    for what in &bad {
        println!("bad: {what}");
    }
    if bad.is_empty() && copies > 0 && plain <= TRIES { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// At least `count` checkpoints: of every kind at every pace, with a writer that lives and one that is killed.
fn rounds(count: usize) -> Vec<Round> {
    let kinds = Kind::QUICK.into_iter().chain([Kind::Tantivy]).map(|kind| (kind, &[] as &[&str])).chain(HARSH);
    let mut rounds = Vec::new();
    for (kind, flags) in kinds {
        for (pause, weight) in [(0, 3), (30, 3), (300, 1)] {
            let round = Round::new(kind, flags, pause, weight);
            rounds.extend([round.clone(), round.with_kills()]);
        }
    }
    let parts: u64 = rounds.iter().map(|round| round.copies).sum();
    for round in &mut rounds {
        round.copies = (round.copies * count as u64).div_ceil(parts);
    }
    rounds
}

/// Run so many rounds at a time, and tell each row as it comes.
fn side_by_side(mut rounds: Vec<Round>, jobs: usize) -> Vec<Tally> {
    rounds.reverse();
    let (waiting, done) = (Mutex::new(rounds), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let Some(round) = waiting.lock().expect("no panic").pop() else { break };
                    let scratch = tempfile::tempdir().expect("a scratch folder");
                    let tally = round.run(scratch.path());
                    println!("{}", tally.row());
                    done.lock().expect("no panic").push(tally);
                }
            });
        }
    });
    done.into_inner().expect("no panic")
}
