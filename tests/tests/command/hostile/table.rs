//! Runs every verb over a hostile tree, watches everything around it, and compares the exit codes with a table.

#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use highwater_tests::measured::{Measured, measured};
use highwater_tests::score::Score;

use super::stage::{NEXT, Stage, is_clean};

/// The most that a run may take of memory, over what the smallest run takes.
const MOST_KIB: u64 = 64 * 1024;

/// Seconds of processor time that any run may take, and for each gibibyte that it reads or inflates. Without
/// optimisation the splitting of an index into lines takes that long. What these guard against takes minutes or never
/// ends; cores that are shared are slow.
const CPU: (f64, f64) = if cfg!(debug_assertions) { (5.0, 60.0) } else { (5.0, 4.0) };

/// A hostile thing to do to a repository or its surroundings.
pub(crate) struct Case {
    pub(crate) name: String,
    /// False where this user may not make such a thing.
    pub(crate) make: Box<dyn Fn(&mut Stage) -> bool + Send + Sync>,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, make: impl Fn(&mut Stage) + Send + Sync + 'static) -> Self {
        Self::where_it_can_be(name, move |stage| {
            make(stage);
            true
        })
    }

    pub(crate) fn where_it_can_be(
        name: impl Into<String>,
        make: impl Fn(&mut Stage) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), make: Box::new(make) }
    }
}

/// A case that is being run.
pub(crate) struct Trial {
    pub(crate) stage: Stage,
    name: String,
    baseline: u64,
    /// KiB that a command may take besides, for a reason.
    pub(crate) held_kib: u64,
    pub(crate) told: Vec<String>,
    wrong: Vec<String>,
    ran: u64,
}

impl Trial {
    pub(crate) fn new(name: &str, baseline: u64) -> Self {
        let (told, wrong) = (Vec::new(), Vec::new());
        Self { stage: Stage::new(), name: name.to_owned(), baseline, held_kib: 0, told, wrong, ran: 0 }
    }

    pub(crate) fn wrong(&mut self, what: impl AsRef<str>) {
        self.wrong.push(format!("{}: {}", self.name, what.as_ref()));
    }

    /// Runs a command that may change what lies below `may`, and nothing else.
    pub(crate) fn run<S: AsRef<OsStr>>(&mut self, verb: &str, arguments: &[S], may: Option<&Path>) -> Measured {
        self.run_ending(&[0, 1, 3, 4], verb, arguments, may)
    }

    /// The same for a command that may end with these codes.
    pub(crate) fn run_ending<S: AsRef<OsStr>>(
        &mut self,
        codes: &[i32],
        verb: &str,
        arguments: &[S],
        may: Option<&Path>,
    ) -> Measured {
        let before = self.stage.snapshot(may);
        let done = measured(NEXT, arguments);
        let after = self.stage.snapshot(may);
        self.ran += 1;
        let run = &done.run;
        let differ =
            |(path, text): (&std::path::PathBuf, &String)| (before.get(path) != Some(text)).then(|| path.clone());
        let touched =
            after.iter().find_map(differ).or_else(|| before.keys().find(|path| !after.contains_key(*path)).cloned());
        if let Some(path) = touched {
            self.wrong(format!("{verb} touched {}\n{}", super::stage::short(&path), run.account()));
        }
        if !codes.contains(&run.code) || run.stderr.contains("panicked") {
            self.wrong(format!("{verb} ended with {}\n{}", run.code, run.account()));
        }
        let said = if run.stderr.is_empty() { run.text() } else { run.stderr.clone() };
        let sentence = said.lines().any(|line| line.split(' ').count() >= 3);
        if run.code != 0 && (!sentence || run.stderr.lines().count() > 10) {
            self.wrong(format!("{verb} has no clear word for it\n{}", run.account()));
        }
        if !is_clean(&run.stdout) || !is_clean(run.stderr.as_bytes()) {
            self.wrong(format!("{verb} prints what a terminal obeys\n{}", run.account()));
        }
        if done.peak_kib > self.baseline + MOST_KIB + self.held_kib {
            self.wrong(format!("{verb} took {} KiB of memory, over a baseline of {}", done.peak_kib, self.baseline));
        }
        #[expect(clippy::cast_precision_loss, reason = "some gibibytes")]
        let allowed = CPU.0 + CPU.1 * self.stage.large as f64 / 1024.0;
        if done.cpu > allowed {
            self.wrong(format!("{verb} took {:.2} s of processor time, {allowed:.2} are allowed", done.cpu));
        }
        let first = said
            .trim()
            .lines()
            .next_back()
            .unwrap_or_default()
            .replace(&*self.stage.fixture.path("").to_string_lossy(), "");
        let words: String = first.chars().take(90).collect();
        let (peak, cpu) = (done.peak_kib / 1024, done.cpu);
        self.told.push(format!("{:<34} {verb:<9} {:>3}  {peak:>3} MiB {cpu:>5.2} s  {words}", self.name, run.code));
        done
    }

    /// Every verb over the repository; gives the exit codes as they stand in the table.
    pub(crate) fn every_verb(&mut self) -> String {
        let repo = self.stage.repo.clone().into_os_string();
        let source = self.stage.fixture.source.clone().into_os_string();
        let out = self.stage.fixture.path("out");
        let mut codes = String::new();
        for depth in ["list", "size", "digest", "deep"] {
            let arguments = ["verify".as_ref(), "--depth".as_ref(), depth.as_ref(), repo.as_os_str()];
            codes.push_str(&format!("{} ", self.run(depth, &arguments, None).run.code));
        }
        for verb in ["list", "show"] {
            codes.push_str(&format!(
                "{}{} ",
                if verb == "list" { "| " } else { "" },
                self.run(verb, &[verb.as_ref(), repo.as_os_str()], None).run.code
            ));
        }
        codes.push('|');
        for name in ["new.fs", "standby.fs"] {
            let target = out.join(name);
            let done = self.run("restore", &["restore".as_ref(), repo.as_os_str(), target.as_os_str()], Some(&out));
            codes.push_str(&format!(" {}", done.run.code));
            self.judge_restored(&target, done.run.code, &done.run.text());
        }
        // The links of a repository that is one lead to the same folder.
        let inside = self.stage.fixture.repo.clone();
        let done = self.run("backup", &["backup".as_ref(), source.as_os_str(), repo.as_os_str()], Some(&inside));
        codes.push_str(&format!(" | {}", done.run.code));
        let deep = ["verify", "--depth", "deep"].map(OsString::from);
        let after = self.run("after", &[&deep[..], std::slice::from_ref(&repo)].concat(), None);
        codes.push_str(&format!(" {}", after.run.code));
        if done.run.code == 0 {
            let target = out.join("after.fs");
            let restored =
                self.run("restored", &["restore".as_ref(), repo.as_os_str(), target.as_os_str()], Some(&out));
            if restored.run.code != 0 || fs::read(&target).ok().as_ref() != Some(&self.stage.fixture.data.bytes) {
                self.wrong(format!("the backup ended with 0 and is not to be had\n{}", restored.run.account()));
            }
        }
        codes
    }

    /// A restore gives a point as it was, and says which, or leaves the target as it was.
    fn judge_restored(&mut self, target: &Path, code: i32, text: &str) {
        let (stage, got) = (&self.stage, fs::read(target));
        let point = |at: usize| &stage.backed_up[..stage.lengths[at]];
        let right = match (code, got) {
            (0, Ok(got)) => (0..3).any(|at| got == point(at) && text.contains(&stage.stamps[at])),
            (0, Err(_)) => false,
            (_, Ok(got)) => target.ends_with("standby.fs") && got == point(0),
            (_, Err(_)) => target.ends_with("new.fs"),
        };
        if !right {
            self.wrong(format!("a restore ended with {code} and left {}: {text}", super::stage::short(target)));
        }
    }
}

/// What the smallest run takes of memory.
pub(crate) fn baseline() -> u64 {
    measured(NEXT, &["--version"]).peak_kib
}

/// Runs all cases on all cores, and compares their rows with `expected`.
pub(crate) fn run_all(score: &mut Score, cases: &[Case], expected: &str) {
    let (baseline, work, done) = (baseline(), Mutex::new(cases.iter().enumerate()), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = work.lock().expect("no case panics").next();
                    let Some((at, case)) = next else { break };
                    let mut trial = Trial::new(&case.name, baseline);
                    let row = if (case.make)(&mut trial.stage) { trial.every_verb() } else { "not here".to_owned() };
                    let row = format!("{:<34} | {row}", case.name);
                    done.lock().expect("no case panics").push((at, row, trial));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no case panics");
    done.sort_by_key(|(at, ..)| *at);
    let wanted: Vec<&str> = expected.trim().lines().map(str::trim_end).collect();
    if wanted.len() != done.len() {
        score.fail(format!("{} rows were found, {} are expected", done.len(), wanted.len()));
    }
    for (at, row, trial) in done {
        println!("row: {row}");
        if row.ends_with("not here") {
            println!(
                "not run: '{}' cannot be made on this machine by this user",
                row.trim_end_matches(" | not here").trim_end()
            );
        }
        tell(score, trial);
        let wanted = wanted.get(at).copied().unwrap_or("no such row");
        if row != wanted && !row.ends_with("not here") {
            score.fail(format!("found  {row}\nwanted {wanted}"));
        }
    }
}

/// Prints and counts what a trial came to.
pub(crate) fn tell(score: &mut Score, trial: Trial) {
    trial.told.iter().for_each(|line| println!("{line}"));
    score.ran(trial.ran);
    trial.wrong.into_iter().for_each(|what| score.fail(what));
}
