//! Faults in the system calls of a real process: `strace` makes the n-th call on a file fail, or a small C library makes calls short.
//!
//! A fault is aimed at one file (`strace -P`) and at the n-th call of a kind on it, counted per thread. That leaves out
//! whatever the loader does, and says in a message what went wrong. Whether it was injected is read from the log.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::binary::highwater;
use crate::run::Run;

/// Calls that are left alone: an error of `close` leaves nothing to do, and `fcntl` asks whether a handle is valid, in debug builds only.
pub const LEFT_ALONE: [&str; 3] = ["close", "fcntl", "execve"];

/// Calls that change something, or make it durable.
pub const WRITING: [&str; 22] = [
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
    "link",
    "linkat",
    "copy_file_range",
    "sync_file_range",
    "ioctl",
];

/// How often a scene makes one kind of call on one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The call.
    pub call: String,
    /// The file or folder.
    pub path: PathBuf,
    /// How many times, by all threads.
    pub times: u64,
    /// How many times by the thread that does it most.
    pub most: u64,
    /// Whether it makes new files.
    pub creates: bool,
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
}

impl Fault {
    /// Whether it ends the process.
    pub fn kills(&self) -> bool {
        self.what.starts_with("signal=")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} {} of {}, time {}", self.call, self.what, self.path.display(), self.when)
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

    /// Runs it with a fault; says whether the fault came to pass.
    #[track_caller]
    pub fn run_with(&self, fault: &Fault, folder: &Path, log: &Path) -> (Run, bool) {
        let path = folder.join(&fault.path);
        let mut before: Vec<OsString> = ["strace", "-f", "-o"].map(OsString::from).into();
        before.extend([log.into(), "-P".into(), path.into(), "-e".into(), format!("trace={}", fault.call).into()]);
        before.extend(["-e".into(), format!("inject={}:{}:when={}", fault.call, fault.what, fault.when).into()]);
        let run = self.run(&before, &[]);
        let log = fs::read_to_string(log).unwrap_or_default();
        let came = if fault.kills() { log.contains("killed by SIGKILL") } else { log.contains("(INJECTED)") };
        (run, came)
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

/// The calls of one kind on one file.
#[derive(Debug, Default)]
struct Counted<'a> {
    threads: BTreeMap<&'a str, u64>,
    creates: bool,
}

/// Counts the calls of a log by kind and file.
fn occurrences(log: &str, folder: &Path) -> Vec<Occurrence> {
    let mut counts: BTreeMap<(String, PathBuf), Counted<'_>> = BTreeMap::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
        let plain = call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let Some(path) = plain.then(|| first_path(arguments)).flatten() else { continue };
        let Ok(path) = Path::new(path).strip_prefix(folder) else { continue };
        if LEFT_ALONE.contains(&call) || path.as_os_str().is_empty() {
            continue;
        }
        let counted = counts.entry((call.to_owned(), path.to_owned())).or_default();
        *counted.threads.entry(thread).or_default() += 1;
        counted.creates |= arguments.contains("O_CREAT");
    }
    let counted = counts.into_iter().map(|((call, path), counted)| Occurrence {
        call,
        path,
        times: counted.threads.values().sum(),
        most: counted.threads.values().copied().max().unwrap_or(0),
        creates: counted.creates,
    });
    counted.collect()
}

/// The path that a call is about: that of the handle in its first argument, or the first one in quotes.
fn first_path(arguments: &str) -> Option<&str> {
    let handle = arguments.trim_start_matches(|c: char| c.is_ascii_digit());
    if handle.len() < arguments.len() && handle.starts_with('<') {
        return handle[1..].split('>').next();
    }
    let named = if arguments.starts_with("AT_FDCWD") { arguments.split_once(", ")?.1 } else { arguments };
    named.strip_prefix('"')?.split('"').next()
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
    use super::{Path, first_path, occurrences};

    #[test]
    fn a_call_is_about_its_first_path() {
        assert_eq!(first_path("5</x/repo/a.dat>, \"/x/b 0 62\"..., 9, 0) = 9"), Some("/x/repo/a.dat"));
        assert_eq!(first_path("AT_FDCWD</home>, \"/x/a\", O_RDONLY) = 3"), Some("/x/a"));
        assert_eq!(first_path("\"/x/a\", \"/x/b\") = 0"), Some("/x/a"));
        assert_eq!(first_path("NULL, 7, PROT_READ) = 0"), None);
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
        let short: Vec<_> = found.iter().map(|o| (o.call.as_str(), o.times, o.most, o.creates)).collect();
        assert_eq!(short, [("openat", 1, 1, true), ("pread64", 3, 2, false)]);
    }
}
