//! Runs every verb over a hostile tree, watches everything around it, and compares the exit codes with a table.

#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use highwater_tests::measured::{Measured, measured, measured_within};
use highwater_tests::score::Score;
use highwater_tests::specimens::hostile::{Case, NOW, SECRET, Set, Step};

use super::folder::{is_clean, short, snapshot};

/// The most that a run may take of memory, over what the smallest run takes.
const MOST_KIB: u64 = 64 * 1024;

/// Seconds of processor time that any run may take, and for each gibibyte that it reads or inflates. Without
/// optimisation the splitting of an index into lines takes that long. What these guard against takes minutes or never
/// ends; cores that are shared are slow, and some cases make 25,000 files.
const CPU: (f64, f64) = if cfg!(debug_assertions) { (10.0, 60.0) } else { (5.0, 4.0) };

/// A case that is being run.
pub(crate) struct Trial {
    name: String,
    baseline: u64,
    folder: PathBuf,
    /// Mebibytes that a command may have to read or inflate.
    pub(crate) large: u64,
    /// KiB that a command may take besides, for a reason.
    pub(crate) held_kib: u64,
    space_kib: Option<u64>,
    pub(crate) told: Vec<String>,
    wrong: Vec<String>,
    ran: u64,
}

impl Trial {
    pub(crate) fn new(name: &str, baseline: u64, set: &dyn Set) -> Self {
        let (told, wrong) = (Vec::new(), Vec::new());
        let (large, held_kib, space_kib) = (set.large(), set.held_kib(), set.space_kib());
        let (name, folder) = (name.to_owned(), set.folder().to_owned());
        Self { name, baseline, folder, large, held_kib, space_kib, told, wrong, ran: 0 }
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
        let before = snapshot(&self.folder, may);
        let done = measured_within(NOW, arguments, self.space_kib);
        let after = snapshot(&self.folder, may);
        self.ran += 1;
        let run = &done.run;
        let differ = |(path, text): (&PathBuf, &String)| (before.get(path) != Some(text)).then(|| path.clone());
        let touched =
            after.iter().find_map(differ).or_else(|| before.keys().find(|path| !after.contains_key(*path)).cloned());
        if let Some(path) = touched {
            self.wrong(format!("{verb} touched {}\n{}", short(&path), run.account()));
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
        let all = format!("{}{}", run.text(), run.stderr);
        if all.contains(SECRET) || all.contains("root:x:") {
            self.wrong(format!("{verb} tells what is outside\n{}", run.account()));
        }
        if done.peak_kib > self.baseline + MOST_KIB + self.held_kib {
            self.wrong(format!("{verb} took {} KiB of memory, over a baseline of {}", done.peak_kib, self.baseline));
        }
        #[expect(clippy::cast_precision_loss, reason = "some gibibytes")]
        let allowed = CPU.0 + CPU.1 * self.large as f64 / 1024.0;
        if done.cpu > allowed {
            self.wrong(format!("{verb} took {:.2} s of processor time, {allowed:.2} are allowed", done.cpu));
        }
        let first =
            said.trim().lines().next_back().unwrap_or_default().replace(&*format!("{}/", self.folder.display()), "");
        let words: String = first.chars().take(90).collect();
        let (peak, cpu) = (done.peak_kib / 1024, done.cpu);
        self.told.push(format!("{:<34} {verb:<9} {:>3}  {peak:>3} MiB {cpu:>5.2} s  {words}", self.name, run.code));
        done
    }

    /// Every command over a set; gives the exit codes as they stand in the case.
    pub(crate) fn every_command(&mut self, set: &dyn Set) -> String {
        let group = |steps: Vec<Step>| steps.iter().map(|step| self.step(set, step)).collect::<Vec<_>>().join(" ");
        set.commands().into_iter().map(group).collect::<Vec<_>>().join(" | ")
    }

    /// A command, what it left, and what proves it; gives its exit code.
    fn step(&mut self, set: &dyn Set, step: &Step) -> String {
        let run = self.run(step.name, &step.words, step.may.as_deref()).run;
        if let Err(why) = set.judge(step, &run) {
            self.wrong(why);
        }
        if let Some(proof) = set.proof(step, &run) {
            self.step(set, &proof);
        }
        run.code.to_string()
    }
}

/// What the smallest run takes of memory.
pub(crate) fn baseline() -> u64 {
    measured(NOW, &["--version"]).peak_kib
}

/// Runs all cases on all cores, and compares their exit codes with those that they name.
pub(crate) fn run_all(score: &mut Score, cases: &[Case]) {
    let (baseline, work, done) = (baseline(), Mutex::new(cases.iter().enumerate()), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = work.lock().expect("no case panics").next();
                    let Some((at, case)) = next else { break };
                    let ended = case.make().map(|set| {
                        let mut trial = Trial::new(&case.name, baseline, &*set);
                        (trial.every_command(&*set), trial)
                    });
                    done.lock().expect("no case panics").push((at, case, ended));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no case panics");
    done.sort_by_key(|(at, ..)| *at);
    for (_, Case { name, codes: wanted, .. }, ended) in done {
        let Some((codes, trial)) = ended else {
            println!("not run: '{name}' cannot be made on this machine by this user");
            continue;
        };
        println!("row: {name:<34} | {codes}");
        tell(score, trial);
        if codes != *wanted {
            score.fail(format!("{name}: found {codes}, wanted {wanted}"));
        }
    }
}

/// Prints and counts what a trial came to.
pub(crate) fn tell(score: &mut Score, trial: Trial) {
    trial.told.iter().for_each(|line| println!("{line}"));
    score.ran(trial.ran);
    trial.wrong.into_iter().for_each(|what| score.fail(what));
}
