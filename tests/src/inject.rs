//! Faults in the system calls of a real process: `strace` makes the n-th call on a file fail, or a small C library
//! makes calls short.
//!
//! A fault is aimed at the n-th call of a kind, counted per thread, among those that name one file or folder (`strace
//! -P`), by a descriptor or by a name. A draft's name differs in each run: what is done to one counts among the calls
//! on its folder, or else among all of its kind, those of the loader too; they are the same in each run. Which files
//! were really hit is read from the log.

mod log;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::binary::highwater;
use crate::run::Run;
use log::{hit, occurrences};

/// Calls that are left alone: an error of `close` leaves nothing to do, and `fcntl` asks whether a handle is valid, in
/// debug builds only.
pub const LEFT_ALONE: [&str; 3] = ["close", "fcntl", "execve"];

/// Calls that change something, or make it durable.
pub const WRITING: [&str; 24] = [
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "ftruncate",
    "fallocate",
    "unlink",
    "unlinkat",
    "flock",
    "fchmod",
    "fchown",
    "chmod",
    "mkdir",
    "mkdirat",
    "syncfs",
    "link",
    "linkat",
    "copy_file_range",
    "sync_file_range",
    "ioctl",
];

/// Among which calls of its kind the number of a call counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aim {
    /// Those that hold this file or folder, or are given its whole path. It is below the scene's own.
    File(PathBuf),
    /// Those that are given this name in whatever folder.
    Name(PathBuf),
    /// All.
    Kind,
}

/// One kind of call on one file, as a scene makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The call.
    pub call: String,
    /// The file or folder, below the scene's own; a star stands for the digits of a draft.
    pub path: PathBuf,
    /// How many times, by all threads.
    pub times: u64,
    /// The number of each, of whatever thread; without those that another call has before.
    pub numbers: BTreeSet<u64>,
    /// What is counted for that.
    pub aim: Aim,
    /// Whether it makes new files.
    pub creates: bool,
    /// Whether it is about a folder.
    pub folder: bool,
}

impl Occurrence {
    /// This error, or this end, at the call of this number, or from it on.
    pub fn fault(&self, what: &str, number: u64, on: bool) -> Fault {
        let when = if on { format!("{number}+") } else { number.to_string() };
        let (call, path, aim) = (self.call.clone(), self.path.clone(), self.aim.clone());
        Fault { call, path, what: what.to_owned(), when, aim, hit: Vec::new() }
    }
}

/// What is to happen, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The call.
    pub call: String,
    /// The file or folder, below the scene's own.
    pub path: PathBuf,
    /// `error=EIO`, `signal=KILL`.
    pub what: String,
    /// `3` is the third call of any thread, `3+` it and all after it.
    pub when: String,
    /// What is counted for that.
    pub aim: Aim,
    /// The files that were hit, known when it came to pass: more than one where all calls of a kind count.
    pub hit: Vec<PathBuf>,
}

impl Fault {
    /// Whether it ends the process.
    pub fn kills(&self) -> bool {
        self.what.starts_with("signal=")
    }

    /// Whether some words name a file that it hit. A work file may be called by the name that it was to have. A work
    /// folder has none that anybody knows: what is named is what was to come of it, in the same tree.
    pub fn is_named_in(&self, text: &str) -> bool {
        let names = |path: &PathBuf| {
            let path = path.to_string_lossy();
            if path.contains("/.highwater-") && path.contains(".*") {
                return path.split_inclusive('/').next().is_some_and(|tree| text.contains(tree));
            }
            let name = path.rsplit('/').next().unwrap_or_default();
            let stem = name.split_once(".*").map_or(name, |(stem, _)| stem);
            let stem = stem.strip_suffix(".part").unwrap_or(stem);
            text.contains(if name == "stdout" { "output" } else { stem })
        };
        self.hit.iter().any(names)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, what, path, when, aim, .. } = self;
        let among = match aim {
            Aim::File(file) if file == path => String::new(),
            Aim::File(file) => format!(" of those on {}", file.display()),
            Aim::Name(name) => format!(" of those on {}", name.display()),
            Aim::Kind => " of all of that kind".to_owned(),
        };
        write!(to, "{call} {what} of {}, time {when}{among}", path.display())
    }
}

/// A run of the binary in a folder.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The clock.
    pub now: &'a str,
    /// Its standard output goes to this file.
    pub out: PathBuf,
    /// How many threads work.
    pub threads: u64,
}

impl Call<'_> {
    /// Runs it, with words before the binary's own and more of an environment.
    #[track_caller]
    pub fn run(&self, before: &[OsString], environment: &[(&str, OsString)]) -> Run {
        let mut command = Command::new("env");
        let threads = format!("RAYON_NUM_THREADS={}", self.threads);
        let mut words: Vec<OsString> = vec![threads.into(), format!("HIGHWATER_NOW={}", self.now).into()];
        // The environment is part of the line, so that a message shows a command that can be run again.
        words.extend(environment.iter().map(|(name, value)| {
            let mut word = OsString::from(format!("{name}="));
            word.push(value);
            word
        }));
        words.extend(["sh", "-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh"].map(OsString::from));
        words.push(self.out.clone().into());
        words.extend_from_slice(before);
        words.push(highwater().into());
        words.extend_from_slice(&self.arguments);
        let mut run = Run::of(command.args(words));
        run.stdout = fs::read(&self.out).unwrap_or_default();
        run
    }

    /// Runs it with a fault. Gives the fault with the files that it hit, if it hit the one that was meant.
    #[track_caller]
    pub fn run_with(&self, fault: &Fault, folder: &Path, log: &Path) -> (Run, Option<Fault>) {
        let mut before: Vec<OsString> = ["strace", "-f", "-y", "-o"].map(OsString::from).into();
        before.push(log.into());
        match &fault.aim {
            Aim::File(path) => before.extend(["-P".into(), folder.join(path).into()]),
            Aim::Name(name) => before.extend(["-P".into(), name.into()]),
            Aim::Kind => {}
        }
        before.extend(["-e".into(), format!("trace={}", fault.call).into()]);
        before.extend(["-e".into(), format!("inject={}:{}:when={}", fault.call, fault.what, fault.when).into()]);
        let run = self.run(&before, &[]);
        let log = fs::read(log).unwrap_or_default();
        let hit = hit(&String::from_utf8_lossy(&log), fault, folder);
        let came = hit.contains(&fault.path);
        (run, came.then(|| Fault { hit, ..fault.clone() }))
    }

    /// Runs it where a kind of call always fails: on these files, or where there are none on all. Says whether it was
    /// made.
    #[track_caller]
    pub fn run_without(&self, call: &str, error: &str, only: &[PathBuf], log: &Path) -> (Run, bool) {
        let mut before: Vec<OsString> = ["strace", "-f", "-o"].map(OsString::from).into();
        before.push(log.into());
        before.extend(only.iter().flat_map(|path| ["-P".into(), path.into()]));
        before.extend(["-e".into(), format!("trace={call}").into()]);
        before.extend(["-e".into(), format!("inject={call}:error={error}:when=1+").into()]);
        let run = self.run(&before, &[]);
        let log = fs::read(log).unwrap_or_default();
        (run, String::from_utf8_lossy(&log).contains("(INJECTED)"))
    }

    /// Runs it undisturbed and gives every kind of call that it makes on each file below `folder`.
    #[track_caller]
    pub fn trace(&self, folder: &Path, log: &Path) -> (Run, Vec<Occurrence>) {
        let before: Vec<OsString> = vec!["strace".into(), "-f".into(), "-y".into(), "-o".into(), log.into()];
        let run = self.run(&before, &[]);
        let text = fs::read(log).expect("a log");
        (run, occurrences(&String::from_utf8_lossy(&text), folder))
    }
}

/// Why `strace` cannot be used here; none when it can.
pub fn cannot_trace() -> Option<String> {
    let tried =
        Command::new("strace").args(["-f", "-o", "/dev/null", "-e", "inject=rename:error=EIO", "true"]).output();
    match tried {
        Err(error) => Some(format!("there is no strace ({error}); tests/run installs it")),
        Ok(done) if !done.status.success() => {
            Some(format!("strace may not trace here: {}", String::from_utf8_lossy(&done.stderr).trim()))
        }
        Ok(_) => None,
    }
}

/// The compiled library that makes calls short; why there is none where there is none.
pub fn short_library() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = std::env::current_exe().map_err(|error| error.to_string())?;
        let library = folder.with_file_name("short.so");
        let fresh = folder.with_file_name(format!("short-{}.so", std::process::id()));
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-w", "-x", "c", "-o"]).arg(&fresh).arg("-");
        let piped = std::process::Stdio::piped;
        let mut child = command.stdin(piped()).stderr(piped()).spawn().map_err(|error| format!("no cc: {error}"))?;
        let mut source = child.stdin.take().expect("a piped stdin");
        std::io::Write::write_all(&mut source, include_bytes!("inject/short.c")).map_err(|error| error.to_string())?;
        drop(source);
        let done = child.wait_with_output().map_err(|error| error.to_string())?;
        assert!(done.status.success(), "short.c does not compile: {}", String::from_utf8_lossy(&done.stderr));
        fs::rename(&fresh, &library).map_err(|error| error.to_string())?;
        Ok(library)
    });
    built.as_deref().map_err(Clone::clone)
}
