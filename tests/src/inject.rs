//! Faults in the system calls of a real process: `strace` makes the n-th call on a file fail, or a small C library
//! makes calls short.
//!
//! A fault is aimed at the n-th call of a kind, counted per thread, among those that name one file or folder (`strace
//! -P`), by a descriptor or by a name. A draft's name differs in each run: what is done to one counts among the calls
//! on its folder, or else among all of its kind, those of the loader too; they are the same in each run. Which files
//! were really hit is read from the log.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::binary::highwater;
use crate::run::Run;

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

/// Calls that are given a name, after the folder that it lies in where they end with `at`.
const BY_NAME: [&str; 22] = [
    "openat",
    "openat2",
    "newfstatat",
    "statx",
    "readlinkat",
    "faccessat",
    "faccessat2",
    "unlinkat",
    "renameat",
    "renameat2",
    "mkdirat",
    "linkat",
    "symlinkat",
    "fchmodat",
    "fchownat",
    "utimensat",
    "rename",
    "unlink",
    "mkdir",
    "link",
    "readlink",
    "chmod",
];

/// Hexadecimal digits in the name of a draft.
const DIGITS: usize = 16;

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

/// One call of a log.
#[derive(Debug)]
struct Logged<'a> {
    thread: &'a str,
    call: &'a str,
    arguments: &'a str,
    /// Its number among all of its kind in the log, of its thread.
    number: u64,
    injected: bool,
}

/// The calls of a log, in the order in which they began.
fn logged(log: &str) -> Vec<Logged<'_>> {
    let mut calls: Vec<Logged<'_>> = Vec::new();
    let mut numbers: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let (rest, injected) = (rest.trim_start(), line.ends_with("(INJECTED)"));
        if rest.starts_with("<... ") {
            // The end of the last call that the thread began.
            if let Some(begun) = calls.iter_mut().rfind(|call| call.thread == thread) {
                begun.injected |= injected;
            }
            continue;
        }
        let Some((call, arguments)) = rest.split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let number = numbers.entry((thread, call)).or_default();
        *number += 1;
        calls.push(Logged { thread, call, arguments, number: *number, injected });
    }
    calls
}

/// The files below `folder` that a fault hit.
fn hit(log: &str, fault: &Fault, folder: &Path) -> Vec<PathBuf> {
    let killed = fault.kills() && log.contains("killed by SIGKILL");
    // A kill leaves no mark at its call: it is the one of the right number.
    let is_hit = |call: &Logged<'_>| call.injected || (killed && call.number.to_string() == fault.when);
    let mut files: Vec<PathBuf> =
        logged(log).iter().filter(|call| is_hit(call)).filter_map(|call| below(call, folder)).collect();
    files.dedup();
    files
}

/// What a call is about, below `folder`, with a star for the digits of a draft.
fn below(call: &Logged<'_>, folder: &Path) -> Option<PathBuf> {
    let path = path_named(call)?;
    path.strip_prefix(folder).ok().map(starred).filter(|path| !path.as_os_str().is_empty())
}

/// Sorts the calls of a log by kind and file.
fn occurrences(log: &str, folder: &Path) -> Vec<Occurrence> {
    let calls = logged(log);
    let is_folder = |call: &&Logged<'_>| call.arguments.contains("O_DIRECTORY") || call.call == "mkdirat";
    let folders: BTreeSet<PathBuf> = calls.iter().filter(is_folder).filter_map(|call| below(call, folder)).collect();
    let mut found: BTreeMap<(&str, PathBuf, Aim), Occurrence> = BTreeMap::new();
    let mut numbers: BTreeMap<(&str, &str, Aim), u64> = BTreeMap::new();
    let mut taken: BTreeSet<(&str, Aim, u64)> = BTreeSet::new();
    for call in calls.iter().filter(|call| !LEFT_ALONE.contains(&call.call)) {
        let mut number = None;
        let aim = below(call, folder).map(|_| aim(call, folder));
        for counted in counted(call, folder) {
            let count = numbers.entry((call.thread, call.call, counted.clone())).or_default();
            *count += 1;
            // Where another thread makes a call of this number before, that one is hit.
            let is_first = taken.insert((call.call, counted.clone(), *count));
            number = number.or((is_first && aim.as_ref() == Some(&counted)).then_some(*count));
        }
        let (Some(path), Some(aim)) = (below(call, folder), aim) else { continue };
        let occurrence = found.entry((call.call, path.clone(), aim.clone())).or_insert_with(|| Occurrence {
            call: call.call.to_owned(),
            folder: folders.contains(&path),
            path,
            times: 0,
            numbers: BTreeSet::new(),
            aim: aim.clone(),
            creates: false,
        });
        occurrence.times += 1;
        occurrence.creates |= call.arguments.contains("O_CREAT");
        occurrence.numbers.extend(number);
    }
    found.into_values().collect()
}

/// How a call is aimed at.
fn aim(call: &Logged<'_>, folder: &Path) -> Aim {
    let (held, name) = held_and_name(call);
    let below = |path: &Path| path.strip_prefix(folder).ok().filter(|path| starred(path) == *path).map(Path::to_owned);
    let plain = name.filter(|name| !matches!(name.to_str(), Some("" | ".")));
    match plain {
        Some(name) if name.is_absolute() => below(&name).map(Aim::File),
        Some(name) if starred(&name) == name => Some(Aim::Name(name)),
        _ => held.and_then(|held| below(&held)).map(Aim::File),
    }
    .unwrap_or(Aim::Kind)
}

/// All the ways in which a call counts.
fn counted(call: &Logged<'_>, folder: &Path) -> Vec<Aim> {
    let mut found = vec![Aim::Kind];
    let mut rest = call.arguments;
    let by_name = BY_NAME.contains(&call.call);
    while !rest.is_empty() {
        let end = rest.find(", ").unwrap_or(rest.len());
        let one = &rest[..end];
        let held = one.trim_start_matches(|c: char| c.is_ascii_digit());
        let held = held.strip_prefix('<').filter(|_| held.len() < one.len()).and_then(|held| held.split('>').next());
        let name = one.strip_prefix('"').filter(|_| by_name).and_then(|name| name.split('"').next());
        for path in held.into_iter().chain(name).map(Path::new) {
            let below = path.strip_prefix(folder).map(|path| Aim::File(path.to_owned()));
            let aim = below.unwrap_or_else(|_| Aim::Name(path.to_owned()));
            found.extend((!found.contains(&aim)).then_some(aim));
        }
        // What a call gives back is no argument of it; only its first ones are paths.
        if one.contains(" = ") || !by_name {
            break;
        }
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    found
}

/// The path that a call is about: that of the handle in its first argument, joined with the name that follows, or the
/// first one in quotes.
fn path_named(call: &Logged<'_>) -> Option<PathBuf> {
    match held_and_name(call) {
        // Also what is no more than a dot, or nothing.
        (Some(held), Some(name)) => Some(held.join(name).components().collect()),
        (None, Some(name)) => Some(name),
        (Some(_), None) if call.arguments.starts_with("AT_FDCWD") => None,
        (held, None) => held,
    }
}

/// The file or folder of the handle in the first argument of a call, and the name in the one after it, or in the first.
fn held_and_name(call: &Logged<'_>) -> (Option<PathBuf>, Option<PathBuf>) {
    let quoted = |text: &str| Some(PathBuf::from(text.strip_prefix('"')?.split('"').next()?));
    let handle = call.arguments.strip_prefix("AT_FDCWD");
    let handle = handle.unwrap_or_else(|| call.arguments.trim_start_matches(|c: char| c.is_ascii_digit()));
    let Some((held, rest)) = handle.strip_prefix('<').and_then(|handle| handle.split_once('>')) else {
        return (None, quoted(call.arguments));
    };
    let name = rest.split_once(", ").filter(|_| BY_NAME.contains(&call.call)).and_then(|(_, rest)| quoted(rest));
    (Some(held.into()), name)
}

/// A path with a star for the digits of each draft.
fn starred(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    let mut pieces: Vec<String> = Vec::new();
    for part in text.split('/') {
        let pieced: Vec<&str> = part
            .split('.')
            .enumerate()
            .map(|(at, piece)| {
                let is_digits = piece.len() == DIGITS && piece.bytes().all(|byte| byte.is_ascii_hexdigit());
                if at > 0 && is_digits { "*" } else { piece }
            })
            .collect();
        pieces.push(pieced.join("."));
    }
    pieces.join("/").into()
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

#[cfg(test)]
mod tests {
    use super::{Aim, Fault, Logged, Path, PathBuf, hit, occurrences, path_named, starred};

    fn about(call: &str, arguments: &str) -> Option<String> {
        let logged = Logged { thread: "1", call, arguments, number: 1, injected: false };
        path_named(&logged).map(|path| path.to_string_lossy().into_owned())
    }

    #[test]
    fn a_call_is_about_its_first_path() {
        let is = |path: &str| Some(path.to_owned());
        assert_eq!(about("pwrite64", "5</x/repo/a.dat>, \"/x/b 0 62\"..., 9, 0) = 9"), is("/x/repo/a.dat"));
        assert_eq!(about("fstat", "5</x/repo/a.dat>(deleted), {}) = 0"), is("/x/repo/a.dat"));
        assert_eq!(about("openat", "AT_FDCWD</home>, \"/x/a\", O_RDONLY) = 3"), is("/x/a"));
        assert_eq!(about("rename", "\"/x/a\", \"/x/b\") = 0"), is("/x/a"));
        assert_eq!(about("mmap", "NULL, 7, PROT_READ) = 0"), None);
    }

    #[test]
    fn a_name_is_looked_up_in_the_folder_before_it() {
        let is = |path: &str| Some(path.to_owned());
        assert_eq!(
            about("openat2", "5</x/repo>, \"a.dat\", {flags=O_RDWR}, 24) = 6</x/repo/a.dat>"),
            is("/x/repo/a.dat")
        );
        assert_eq!(about("openat2", "5</x>, \"repo/a.dat\",  <unfinished ...>"), is("/x/repo/a.dat"));
        assert_eq!(about("renameat", "5</x/repo>, \"a\", 5</x/repo>, \"b\") = 0"), is("/x/repo/a"));
        assert_eq!(about("openat", "5</x/repo>, \".\", O_RDONLY) = 6</x/repo>"), is("/x/repo"));
        assert_eq!(about("newfstatat", "5</x/repo>, \"\", {}, AT_EMPTY_PATH) = 0"), is("/x/repo"));
        assert_eq!(about("openat2", "AT_FDCWD</home>, \".\", {flags=O_PATH}, 24) = 3</home>"), is("/home"));
    }

    #[test]
    fn the_digits_of_a_draft_are_a_star() {
        let shown = |path: &str| starred(Path::new(path)).to_string_lossy().into_owned();
        assert_eq!(shown("a/Data.fs.0123456789abcdef.old.part"), "a/Data.fs.*.old.part");
        assert_eq!(shown(".highwater-folder.0123456789abcdef/b"), ".highwater-folder.*/b");
        assert_eq!(shown("0123456789abcdef/Data.fs.0123456789abcdeg"), "0123456789abcdef/Data.fs.0123456789abcdeg");
    }

    #[test]
    fn calls_are_counted_by_thread_and_file_and_foreign_ones_are_not() {
        let log = "1  pread64(3</x/a>, \"\", 4, 0) = 4\n\
                   1  pread64(3</x/a>,  <unfinished ...>\n\
                   2  pread64(3</x/a>, \"\", 4, 0) = 4\n\
                   1  <... pread64 resumed>\"\", 4, 0) = 4\n\
                   1  pread64(3</lib/libc.so>, \"\", 4, 0) = 4\n\
                   1  openat(AT_FDCWD</>, \"/x/b\", O_RDWR|O_CREAT, 0666) = 5</x/b>\n\
                   1  close(3</x/a>) = 0\n";
        let found = occurrences(log, Path::new("/x"));
        let numbers = |o: &super::Occurrence| o.numbers.iter().copied().collect::<Vec<_>>();
        let short: Vec<_> = found.iter().map(|o| (o.call.as_str(), o.times, numbers(o), o.creates)).collect();
        assert_eq!(short, [("openat", 1, vec![1], true), ("pread64", 3, vec![1, 2], false)]);
        assert!(found[0].aim == Aim::File("b".into()) && found[1].aim == Aim::File("a".into()));
    }

    #[test]
    fn what_is_done_to_a_draft_counts_among_the_calls_on_its_folder_or_all_of_its_kind() {
        let log = "1  openat(AT_FDCWD</>, \"/lib/libc.so\", O_RDONLY) = 3</lib/libc.so>\n\
                   1  openat(4</x/r>, \".\", O_RDONLY|O_DIRECTORY) = 5</x/r>\n\
                   1  fsync(6</x/other>) = 0\n\
                   1  fsync(5</x/r>) = 0\n\
                   1  fsync(7</x/r/a.0123456789abcdef.part>) = 0\n\
                   1  renameat(4</x/r>, \"b\", 4</x/r>, \"c\") = 0\n\
                   1  renameat(4</x/r>, \"a.0123456789abcdef.part\", 4</x/r>, \"a\") = 0\n\
                   2  fsync(6</x/b.0123456789abcdef.part>) = 0\n\
                   2  renameat(4</x/r>, \"a\", 4</x/r>, \"b\") = 0\n";
        let found = occurrences(log, Path::new("/x"));
        let of = |call: &str, path: &str| {
            let one = found.iter().find(|o| o.call == call && o.path == Path::new(path)).expect(path);
            (one.numbers.first().copied(), one.aim.clone(), one.folder)
        };
        assert_eq!(of("openat", "r"), (Some(1), Aim::File("r".into()), true));
        assert_eq!(of("fsync", "r"), (Some(1), Aim::File("r".into()), true));
        assert_eq!(of("fsync", "r/a.*.part"), (Some(3), Aim::Kind, false));
        assert_eq!(of("renameat", "r/a.*.part"), (Some(2), Aim::File("r".into()), false));
        // The first thread is given that name before, as its second.
        assert_eq!(of("renameat", "r/a"), (None, Aim::Name("a".into()), false));
        // The first thread's first is before it.
        assert_eq!(of("fsync", "b.*.part"), (None, Aim::Kind, false));
    }

    #[test]
    fn the_log_tells_which_files_were_hit() {
        let fault = |what: &str, when: &str| Fault {
            call: "fsync".to_owned(),
            path: PathBuf::from("a.*.part"),
            what: what.to_owned(),
            when: when.to_owned(),
            aim: Aim::Kind,
            hit: Vec::new(),
        };
        let failed = "1  fsync(6</x/b>) = 0\n\
                      1  fsync(7</x/a.0123456789abcdef.part> <unfinished ...>\n\
                      2  fsync(6</x/b>) = 0\n\
                      1  <... fsync resumed>) = -1 EIO (Input/output error) (INJECTED)\n";
        assert_eq!(hit(failed, &fault("error=EIO", "2"), Path::new("/x")), [Path::new("a.*.part")]);
        let killed = "1  fsync(6</x/b>) = 0\n\
                      1  fsync(7</x/a.0123456789abcdef.part> <unfinished ...>\n\
                      1  +++ killed by SIGKILL +++\n";
        assert_eq!(hit(killed, &fault("signal=KILL", "2"), Path::new("/x")), [Path::new("a.*.part")]);
        assert!(
            hit(failed, &fault("signal=KILL", "2"), Path::new("/x")).iter().all(|path| path == Path::new("a.*.part"))
        );
        let named = Fault { hit: vec!["r/Data.fs.*.part".into()], ..fault("error=EIO", "1") };
        assert!(named.is_named_in("cannot write '/x/r/Data.fs'") && !named.is_named_in("cannot write"));
    }
}
