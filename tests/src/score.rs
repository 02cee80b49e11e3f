//! `Score`: one line of the scoreboard: how many cases an instrument ran, how many failed, and how long it took.
//!
//! A line without a case is a failure. `tests/scoreboard` collects the lines from the folder that `HIGHWATER_SCORES`
//! names and knows which must be there, so that an instrument that was lost on the way is noticed as well.
#![expect(clippy::print_stdout, reason = "the lines are the result")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// How many failures are told in full; the others are only counted.
const TOLD: usize = 20;

/// The script that names each line.
const KNOWN: &str = include_str!("../scoreboard");

/// A line that is being counted. Ending it, or a panic while it lives, writes it down.
#[derive(Debug)]
pub struct Score {
    line: &'static str,
    part: String,
    started: Instant,
    cases: u64,
    failures: Vec<String>,
    failed: u64,
    written: bool,
}

/// Whether this is the full run, which takes as long as it takes; otherwise the size for CI.
pub fn full() -> bool {
    std::env::var_os("HIGHWATER_FULL").is_some_and(|value| value == "1")
}

/// A number of cases: the first in CI, the second in the full run.
pub fn size(ci: u64, whole: u64) -> u64 {
    if full() { whole } else { ci }
}

/// Whether a row of an instrument's table is to run: all are, unless `HIGHWATER_ROW` names one, as `tests/planted`
/// does.
pub fn is_asked_for(row: &str) -> bool {
    std::env::var("HIGHWATER_ROW").map_or(true, |asked| asked == row)
}

/// Whether one row alone is to run.
pub fn is_narrow() -> bool {
    std::env::var_os("HIGHWATER_ROW").is_some()
}

impl Score {
    /// Begins the line called `line`, whole.
    pub fn new(line: &'static str) -> Self {
        Self::part(line, "")
    }

    /// Begins the part called `part` of a line that several tests write; `tests/scoreboard` adds them up.
    ///
    /// # Panics
    /// On a line that `tests/scoreboard` does not know: no run of the scoreboard would pass.
    pub fn part(line: &'static str, part: &str) -> Self {
        assert!(KNOWN.contains(&format!("\"{line}\"")), "tests/scoreboard does not know the line '{line}'");
        Self {
            line,
            part: part.to_owned(),
            started: Instant::now(),
            cases: 0,
            failures: Vec::new(),
            failed: 0,
            written: false,
        }
    }

    /// Counts cases that ran, well or not.
    pub fn ran(&mut self, cases: u64) {
        self.cases += cases;
    }

    /// Counts one of the cases that ran as failed, and goes on.
    pub fn fail(&mut self, what: impl Into<String>) {
        let what = what.into();
        if std::env::var_os("HIGHWATER_HASTE").is_some() {
            // `tests/planted` wants to know whether anything fails, not how much.
            // Past the test harness, which would keep it to itself.
            let told = writeln!(std::io::stderr(), "seen at once by: {}: {what}", self.line);
            std::process::exit(if told.is_ok() { 101 } else { 102 });
        }
        self.failed += 1;
        if self.failures.len() < TOLD {
            self.failures.push(what);
        }
    }

    /// How many cases ran so far.
    pub fn cases(&self) -> u64 {
        self.cases
    }

    /// Ends the line; the test fails if a case failed, or if none ran.
    #[track_caller]
    pub fn end(mut self) {
        self.write();
        assert!(
            self.failed == 0,
            "{}: {} of {} cases failed:\n{}",
            self.line,
            self.failed,
            self.cases,
            self.failures.join("\n")
        );
        assert!(self.cases > 0, "{}: no case ran", self.line);
    }

    fn write(&mut self) {
        self.written = true;
        let Self { line, part, cases, failed, .. } = self;
        let seconds = self.started.elapsed().as_secs_f64();
        println!("score: {line}: {cases} cases, {failed} failures, {seconds:.1} s");
        if let Some(folder) = std::env::var_os("HIGHWATER_SCORES") {
            let file = PathBuf::from(folder)
                .join(format!("{line} {part}").trim_end().replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
            let text = format!("{line}\t{cases}\t{failed}\t{seconds:.1}\n");
            fs::write(&file, text).unwrap_or_else(|error| panic!("{} cannot be written: {error}", file.display()));
        }
    }
}

impl Drop for Score {
    fn drop(&mut self) {
        if !self.written {
            // Reached by a panic, or by a test that forgot to end its line: a failure either way.
            self.failed += 1;
            self.write();
        }
    }
}
