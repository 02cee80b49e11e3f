//! Runs a command to its end and hands back what it said as data.

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::binary::highwater;

/// No single command of these tests may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a finished command left.
#[derive(Debug, Clone)]
pub struct Run {
    /// The command line, for messages.
    pub line: String,
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// The bytes it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error, as text; without the line that says where the clock is from, as nearly
    /// every test sets it.
    pub stderr: String,
}

/// A standard error as text, without the line that says that the clock is not the system's.
pub fn without_clock(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let is_clock = |line: &&str| line.starts_with("highwater: the clock is HIGHWATER_NOW");
    text.split_inclusive('\n').filter(|line| !is_clock(line)).collect()
}

impl Run {
    /// Run a command with nothing on its standard input; one that hangs is killed and the test fails.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        Self::within(PATIENCE, command)
    }

    /// The same with another patience.
    #[track_caller]
    pub fn within(patience: Duration, command: &mut Command) -> Self {
        let line = described(command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {line}: {error}"));
        let out = child.stdout.take().expect("a piped stdout");
        let err = child.stderr.take().expect("a piped stderr");
        let (sender, receiver) = mpsc::channel();
        let other = sender.clone();
        thread::spawn(move || drop(sender.send((true, read_all(out)))));
        thread::spawn(move || drop(other.send((false, read_all(err)))));
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            match receiver.recv_timeout(patience) {
                Ok((true, bytes)) => stdout = bytes,
                Ok((false, bytes)) => stderr = bytes,
                Err(_) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    panic!("{line} did not end within {patience:?}");
                }
            }
        }
        let code = child.wait().expect("a child can be waited for").code().unwrap_or(-1);
        Self { line, code, stdout, stderr: without_clock(&stderr) }
    }

    /// The standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Fail unless the command ended with `code`.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert!(self.code == code, "expected exit {code}\n{}", self.account());
        self
    }

    /// Fail unless the standard error contains `part`.
    #[track_caller]
    pub fn says(&self, part: &str) -> &Self {
        assert!(self.stderr.contains(part), "expected {part:?} on stderr\n{}", self.account());
        self
    }

    /// The standard output must have `part` in it.
    #[track_caller]
    pub fn prints(&self, part: &str) -> &Self {
        assert!(self.text().contains(part), "expected {part:?} on stdout\n{}", self.account());
        self
    }

    /// Fail if the standard error contains `part`.
    #[track_caller]
    pub fn never_says(&self, part: &str) -> &Self {
        assert!(!self.stderr.contains(part), "did not expect {part:?} on stderr\n{}", self.account());
        self
    }

    /// The last line of what it printed: a report's verdict.
    pub fn last_line(&self) -> String {
        self.text().lines().next_back().unwrap_or_default().to_owned()
    }

    /// Fail unless the standard error is one line of at least a few words; give that line.
    #[track_caller]
    pub fn one_line(&self) -> &str {
        let line = self.stderr.trim_end_matches('\n');
        assert!(
            !line.contains('\n') && line.split(' ').count() >= 3,
            "expected one line on stderr\n{}",
            self.account()
        );
        line
    }

    /// Everything about the run, for a message.
    pub fn account(&self) -> String {
        let readable = std::str::from_utf8(&self.stdout).ok().filter(|text| !text.contains('\0'));
        let shown: String = readable.unwrap_or("no text").chars().take(2000).collect();
        format!(
            "$ {}\nexit {}\nstdout ({} bytes): {shown}\nstderr: {}",
            self.line,
            self.code,
            self.stdout.len(),
            self.stderr
        )
    }
}

/// Run `highwater` with the clock at `stamp`.
#[track_caller]
pub fn ours<S: AsRef<OsStr>>(stamp: &str, arguments: &[S]) -> Run {
    Run::of(Command::new(highwater()).args(arguments).env("HIGHWATER_NOW", stamp))
}

/// Run the drop-in, `highwater repozo …`, with the clock at `stamp`.
#[track_caller]
pub fn drop_in<S: AsRef<OsStr>>(stamp: &str, arguments: &[S]) -> Run {
    Run::of(Command::new(highwater()).arg("repozo").args(arguments).env("HIGHWATER_NOW", stamp))
}

fn read_all(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    bytes
}

fn described(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
