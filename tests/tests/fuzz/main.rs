//! Every fuzz target keeps its promises for the corpus and for inputs made by chance, within a second and 64 MiB each.
#![expect(clippy::print_stdout, reason = "the counts are part of the result")]

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use highwater_tests::fuzz::play::{Failure, generated, one};
use highwater_tests::fuzz::{Target, targets};
use highwater_tests::score::{Score, size};
use peak_alloc::PeakAlloc;

/// Counts what is allocated, by all threads together.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// How many inputs each target gets in CI and in the full run.
const INPUTS: (u64, u64) = (20_000, 10_000_000);

/// How large the checked-in corpus may be, in bytes.
const CORPUS: u64 = 200_000;

/// What was allocated when the measuring began: the inputs themselves, and what the test's own machinery keeps.
static BEFORE: AtomicUsize = AtomicUsize::new(0);

/// Only one test measures at a time, since the measure is that of the process.
static MEASURING: Mutex<()> = Mutex::new(());

fn measure() {
    BEFORE.store(MEMORY.current_usage(), Ordering::Relaxed);
    MEMORY.reset_peak_usage();
}

fn peak() -> usize {
    MEMORY.peak_usage().saturating_sub(BEFORE.load(Ordering::Relaxed))
}

/// What all threads used so far: on a busy machine, the clock says little about a rate.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    // The 14th and 15th fields of proc(5), in hundredths.
    let ticks = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / 100.0
}

fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target.name)
}

/// The files of the checked-in corpus, by path.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder(target))
        .unwrap_or_else(|error| panic!("no corpus of {}: {error}", target.name))
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), fs::read(&file).expect("a file of the corpus"))).collect()
}

/// Where failing inputs are saved.
fn found() -> &'static Path {
    Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/fuzz"))
}

#[test]
fn the_corpus_is_replayed() {
    let _alone = MEASURING.lock();
    let mut score = Score::new("fuzz corpus");
    let (mut total, mut known) = (0, BTreeSet::new());
    for target in &targets() {
        let files = corpus(target);
        assert!(!files.is_empty(), "{} has no corpus", target.name);
        measure();
        for (path, input) in files {
            total += input.len() as u64;
            score.ran(1);
            known.insert((target.name, input.clone()));
            if let Err(what) = one(target, &input, peak) {
                score.fail(Failure { from: path.display().to_string(), what, input }.told(target, found()));
            }
        }
        let lost = (target.seeds)().into_iter().filter(|seed| !known.contains(&(target.name, seed.clone()))).count();
        let again = "run `cargo run -p highwater-tests --example fuzz_seeds`";
        assert_eq!(lost, 0, "seeds of {} are not in the corpus: {again}", target.name);
        let dictionary = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/dictionaries").join(target.name);
        let written = fs::read_to_string(&dictionary).unwrap_or_default();
        assert_eq!(written, target.dictionary(), "{} is not that of its target: {again}", dictionary.display());
    }
    assert!(total < CORPUS, "the corpus has {total} bytes");
    score.end();
}

#[test]
fn generated_inputs_break_no_promise() {
    let _alone = MEASURING.lock();
    let mut score = Score::new("fuzz generated");
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get) as u64;
    // `HIGHWATER_FUZZ=fjall` is for the targets whose names begin so.
    let beginning = std::env::var("HIGHWATER_FUZZ").unwrap_or_default();
    let chosen: Vec<Target> = targets().into_iter().filter(|target| target.name.starts_with(&beginning)).collect();
    assert!(!chosen.is_empty(), "no target is called {beginning}…");
    for target in &chosen {
        let pool: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, input)| input).collect();
        measure();
        let before = cpu_seconds();
        let played = generated(target, &pool, size(INPUTS.0, INPUTS.1), threads, peak);
        score.ran(played.inputs);
        println!(
            "{:<8} {:>9} inputs, {} failed, {:>7.1} s, {:>7.0} a CPU second, slowest {:?}, peak {:.1} MiB",
            target.name,
            played.inputs,
            played.failed,
            played.took.as_secs_f64(),
            played.inputs as f64 / (cpu_seconds() - before).max(0.01),
            played.slowest,
            peak() as f64 / f64::from(1 << 20),
        );
        for failure in &played.failures {
            score.fail(failure.told(target, found()));
        }
        for _ in played.failures.len() as u64..played.failed {
            score.fail("");
        }
    }
    score.end();
}

#[test]
fn a_broken_promise_is_noticed() {
    fn run(bytes: &[u8]) {
        if bytes.len() == 7 {
            // A panic that is not told on the terminal.
            resume_unwind(Box::new("seven"));
        }
    }
    let broken = Target { name: "broken", run, seeds: Vec::new, words: &[] };
    assert_eq!(one(&broken, &[0; 7], || 0).expect_err("a panic"), "seven");
    assert!(one(&broken, &[0; 8], || 65 << 20).expect_err("too much memory").starts_with("68157440 bytes"));
    assert!(one(&broken, &[0; 8], || 0).is_ok());
    let played = generated(&broken, &[vec![0; 6]], 500, 1, || 0);
    assert!(played.failed > 0 && played.failures[0].input.len() == 7);
}
