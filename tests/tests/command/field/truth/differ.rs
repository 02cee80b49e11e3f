//! Sets with zero to five damages that Python makes and judges, and two threads that ask the binary about each.
//!
//! A failure names the seed of its set and what was done to it: `HIGHWATER_DIFFER_SEED=N` makes that one alone, says
//! where it lies and what Python makes of it, and keeps it.
#![expect(clippy::print_stdout, reason = "who plays one set again wants to see it")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use highwater_tests::binary::highwater;
use highwater_tests::python;
use highwater_tests::run::Run;
use highwater_tests::score::{self, Score};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// How many sets one process of Python makes.
const BATCH: u64 = 25;

/// How long it may take for them where much else is going on, or for the sound sets.
const PATIENCE: Duration = Duration::from_secs(300);

/// A damaged set, and what Python says of it.
pub(super) struct Case {
    pub(super) root: PathBuf,
    /// The folder of all sound sets, with their key.
    pub(super) shapes: PathBuf,
    /// What Python says.
    pub(super) told: Value,
    /// What differs.
    pub(super) faults: Vec<String>,
}

/// Makes sets by `script` and asks `check` about each. `more` is what the script wants to know for its sound sets.
pub(super) fn run(score: &mut Score, script: &str, more: &[&Path], check: impl Fn(&mut Case) + Sync) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let shapes = scratch.path().join("shapes");
    std::fs::create_dir(&shapes).expect("a folder");
    let mut command = python::command(script);
    Run::within(PATIENCE, command.arg("shapes").arg(&shapes).arg(highwater()).args(more)).expect(0);
    if let Some(seed) = std::env::var_os("HIGHWATER_DIFFER_SEED") {
        let seed = seed.to_str().and_then(|text| text.parse().ok()).expect("a number");
        for case in batch(script, &shapes, scratch.path(), seed, 1, &check) {
            println!("{}\n{:#}\n{}", case.root.display(), case.told, case.faults.join("\n"));
            case.faults.into_iter().for_each(|fault| score.fail(fault));
        }
        score.ran(1);
        println!("kept: {}", scratch.keep().display());
        return;
    }
    let (all, next) = (score::size(150, 5_000), AtomicU64::new(0));
    let score = Mutex::new(score);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                loop {
                    let first = next.fetch_add(BATCH, Ordering::Relaxed);
                    if first >= all {
                        return;
                    }
                    let work = scratch.path().join(first.to_string());
                    std::fs::create_dir(&work).expect("a folder");
                    let cases = batch(script, &shapes, &work, first, BATCH.min(all - first), &check);
                    let mut score = score.lock().expect("no other thread failed");
                    score.ran(cases.len() as u64);
                    for case in cases.into_iter().filter(|case| !case.faults.is_empty()) {
                        score.fail(format!("{}:\n  {}", case.named(), case.faults.join("\n  ")));
                    }
                    drop(score);
                    std::fs::remove_dir_all(&work).expect("it is removed");
                }
            });
        }
    });
}

fn batch(script: &str, shapes: &Path, work: &Path, first: u64, count: u64, check: &impl Fn(&mut Case)) -> Vec<Case> {
    let mut command = python::command(script);
    command.arg("sets").args([shapes, work]).args([first.to_string(), count.to_string()]);
    let made = Run::within(PATIENCE, &mut command);
    let text = made.expect(0).text();
    let cases: Vec<Case> = text
        .lines()
        .map(|line| {
            let told: Value = serde_json::from_str(line).expect("JSON");
            let root = work.join(told["seed"].to_string());
            let mut case = Case { root, shapes: shapes.to_owned(), told, faults: Vec::new() };
            check(&mut case);
            case
        })
        .collect();
    assert_eq!(cases.len() as u64, count, "{}", made.account());
    cases
}

impl Case {
    /// What it is and what was done to it.
    fn named(&self) -> String {
        let Value::Array(damages) = &self.told["damages"] else { panic!("no damages: {}", self.told) };
        let damages: Vec<&str> = damages.iter().map(|damage| damage.as_str().expect("a text")).collect();
        format!("HIGHWATER_DIFFER_SEED={} ({}; {})", self.told["seed"], text(&self.told["shape"]), damages.join("; "))
    }

    /// The seed, for a choice that is the same whenever it is played.
    pub(super) fn seed(&self) -> u64 {
        self.told["seed"].as_u64().expect("a number")
    }

    /// Says that something is not as Python says.
    pub(super) fn differs(&mut self, what: impl Into<String>) {
        self.faults.push(what.into());
    }

    /// Verifies it: the exit code, and the verdict on each point.
    pub(super) fn verify(&mut self, options: &[&str]) -> (i32, Vec<(String, String)>) {
        let run = Run::of(Command::new(highwater()).arg("verify").arg("--json").args(options).arg(&self.root));
        let report: Value =
            serde_json::from_str(&run.text()).unwrap_or_else(|_| panic!("no report: {}", run.account()));
        let sets = report["sets"].as_array().expect("a list").iter();
        (run.code, sets.map(|set| (text(&set["name"]).to_owned(), text(&set["verdict"]).to_owned())).collect())
    }

    /// What is sound is so at the depths that see less.
    pub(super) fn is_sound_at_lesser_depths(&mut self, sound: bool, options: &[&str]) {
        for depth in ["list", "size"].into_iter().filter(|_| sound) {
            let (code, sets) = self.verify(&[&["--depth", depth], options].concat());
            if code != 0 || sets.iter().any(|(_, verdict)| verdict != "sound") {
                self.differs(format!("what is sound is not so at depth {depth}: exit {code}, {sets:?}"));
            }
        }
    }

    /// Restores a point of it.
    pub(super) fn restore(&self, point: &str, options: &[&str], target: &Path) -> Run {
        let at = format!("{}{}{point}", self.root.display(), if point.is_empty() { "" } else { "@" });
        Run::of(Command::new(highwater()).arg("restore").args(options).arg(at).arg(target))
    }
}

/// A text out of JSON.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// The SHA-256 of some bytes, as Python writes it.
pub(super) fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
