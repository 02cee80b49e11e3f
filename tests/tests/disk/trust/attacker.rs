//! The second user: a process that swaps, as fast as it can, whatever a run of root puts into a folder of his.
//!
//! It is this very test binary, started once more as another user. What it takes away it puts back, unless the run has
//! put something else there by then; so what has a name when it has ended is what the run left under that name.
#![expect(clippy::print_stdout, reason = "it tells its parent how often it swapped")]

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use highwater_tests::dice::Dice;
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use serde_json::{Value, json};

use crate::trust::stage::{NOBODY, Stage};

/// Names the plan of an attack. Without it, this is no attacker.
const PLAN: &str = "HIGHWATER_TEST_ATTACK";

/// What all names of the attacker's own begin with. The program takes them for what interrupted runs left.
const OURS: &str = ".highwater-evil";

/// What is attacked, and how.
pub(crate) struct Plan<'a> {
    /// The folder that root writes in.
    pub(crate) root: &'a Path,
    /// The folders below it in which work files are looked for.
    pub(crate) folders: Vec<String>,
    /// What is swapped even though it is no work file, by its path below the root; what is not there is put there.
    pub(crate) names: Vec<String>,
    /// How long at most something else has the name, in microseconds.
    pub(crate) hold: u64,
    /// What to begin the dice with.
    pub(crate) seed: u64,
}

/// The running attacker.
pub(crate) struct Attacker {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    stop: PathBuf,
}

impl Attacker {
    /// Starts it, and returns when it is at work.
    #[track_caller]
    pub(crate) fn start(stage: &Stage, plan: &Plan<'_>) -> Self {
        // The test may lie where he may not go.
        let program = stage.path("attacker");
        let test = std::env::current_exe().expect("a running test has a path");
        if !program.exists() && fs::hard_link(&test, &program).is_err() {
            fs::copy(&test, &program).expect("a copy of the test");
        }
        let stop = stage.path("stop");
        let _ = fs::remove_file(&stop);
        let text = json!({
            "root": plan.root, "folders": plan.folders, "names": plan.names, "hold": plan.hold, "seed": plan.seed,
            "stop": stop, "file": stage.outside().join("plain"), "folder": stage.outside().join("folder"),
        });
        let mut command = Command::new(program);
        let (_, module) = module_path!().split_once("::").expect("a crate and a module");
        command
            .args(["--exact", &format!("{module}::the_second_user_at_work"), "--nocapture"])
            .env(PLAN, text.to_string());
        command.uid(NOBODY).gid(NOBODY).current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the attacker starts");
        let said = BufReader::new(child.stdout.take().expect("a piped stdout")).lines();
        let mut attacker = Self { child, said, stop };
        attacker.hears("at work");
        attacker
    }

    /// Reads on until a line begins so; gives the rest of it.
    #[track_caller]
    fn hears(&mut self, begin: &str) -> String {
        loop {
            let line = self.said.next().expect("the attacker says more").expect("text");
            // The test harness may have begun the line.
            if let Some((_, rest)) = line.split_once(begin) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Ends it, once it has put back what it took. Gives how often it swapped.
    #[track_caller]
    pub(crate) fn end(mut self) -> u64 {
        fs::write(&self.stop, "").expect("the sign to stop");
        let swaps = self.hears("swaps:").parse().expect("a number");
        assert!(self.child.wait().expect("it ends").success(), "the attacker failed");
        swaps
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        // After a failure it is still at work; it is our own child, and not waited for yet.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is put in the place of something.
const EVILS: u64 = 9;

/// The second user at work.
struct Work {
    plan: Value,
    root: PathBuf,
    dice: Dice,
    swaps: u64,
    made: u64,
}

#[test]
fn the_second_user_at_work() {
    let Some(plan) = std::env::var_os(PLAN) else { return };
    let plan: Value = serde_json::from_str(plan.to_str().expect("text")).expect("a plan");
    let root = PathBuf::from(plan["root"].as_str().expect("a path"));
    let dice = Dice::new(plan["seed"].as_u64().expect("a number"));
    let mut work = Work { plan, root, dice, swaps: 0, made: 0 };
    println!("at work");
    let stop = PathBuf::from(work.plan["stop"].as_str().expect("a path"));
    // A test that was killed leaves nobody behind who swaps on.
    let parent = parent_id();
    while !stop.exists() && parent_id() == parent {
        work.round();
    }
    println!("swaps: {}", work.swaps);
}

impl Work {
    /// Swaps once each thing that can be swapped now.
    fn round(&mut self) {
        let strings = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        };
        for folder in strings(&self.plan["folders"]) {
            let folder = self.root.join(folder);
            let Ok(listed) = fs::read_dir(&folder) else { continue };
            let names = listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            for name in names.filter(|name| is_work(name)).collect::<Vec<_>>() {
                self.swap(&folder.join(name));
            }
        }
        for name in strings(&self.plan["names"]) {
            let path = self.root.join(name);
            self.swap(&path);
        }
    }

    /// Puts something else in the place of `path` for a moment.
    fn swap(&mut self, path: &Path) {
        let Some(folder) = path.parent() else { return };
        self.made += 1;
        let mine = folder.join(format!("{OURS}-{}", self.made));
        let choice = self.dice.below(EVILS + 1);
        if choice == EVILS {
            // It is away for a moment.
            if rename(path, &mine, RenameFlags::NOREPLACE) {
                self.wait();
                if rename(&mine, path, RenameFlags::NOREPLACE) {
                    self.swaps += 1;
                }
                remove(&mine);
            }
            return;
        }
        if !self.make(choice, &mine) {
            return;
        }
        let evil = identity(&mine);
        if rename(&mine, path, RenameFlags::EXCHANGE) {
            self.swaps += 1;
            self.wait();
            // Where the run has put something else meanwhile, that stays.
            if identity(path) == evil && rename(&mine, path, RenameFlags::EXCHANGE) && identity(&mine) != evil {
                // In the very moment between.
                rename(&mine, path, RenameFlags::EXCHANGE);
            }
        } else if rename(&mine, path, RenameFlags::NOREPLACE) {
            self.swaps += 1;
            self.wait();
            if identity(path) == evil && rename(path, &mine, RenameFlags::NOREPLACE) && identity(&mine) != evil {
                rename(&mine, path, RenameFlags::NOREPLACE);
            }
        }
        remove(&mine);
    }

    /// Makes what is put in the place of others.
    fn make(&self, choice: u64, at: &Path) -> bool {
        let text = |name: &str| self.plan[name].as_str().unwrap_or_default().to_owned();
        let (file, folder) = (text("file"), text("folder"));
        let own = at.with_extension("own");
        match choice {
            0 | 1 => symlink(file, at).is_ok(),
            2 | 3 => symlink(folder, at).is_ok(),
            4 => symlink(Path::new(&folder).join("new"), at).is_ok(),
            5 => fs::write(at, "a file of the second user\n").is_ok(),
            6 => {
                // To the victim, where the kernel allows it, or to a file of his own.
                fs::hard_link(&file, at).is_ok()
                    || (fs::write(&own, "a file with two names\n").is_ok() && fs::hard_link(&own, at).is_ok())
            }
            7 => mknodat(CWD, at, FileType::Fifo, Mode::from_raw_mode(0o666), 0).is_ok(),
            _ => fs::create_dir(at).is_ok(),
        }
    }

    /// Lets a moment pass, without giving up the processor.
    fn wait(&mut self) {
        let hold = self.plan["hold"].as_u64().unwrap_or(0);
        let until = Instant::now() + Duration::from_micros(self.dice.below(hold + 1));
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
}

/// Whether a name is one that the program gives to what it has not finished.
fn is_work(name: &str) -> bool {
    let digits = |part: &str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let known = name.ends_with(".part") || name.ends_with(".highwater-tmp") || name.starts_with(".highwater-");
    !name.starts_with(OURS) && (known || name.rsplit('.').any(digits))
}

fn rename(from: &Path, to: &Path, flags: RenameFlags) -> bool {
    renameat_with(CWD, from, CWD, to, flags).is_ok()
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_dir(path);
    let _ = fs::remove_file(path.with_extension("own"));
}
