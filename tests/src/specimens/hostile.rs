//! Hostile sets: what somebody prepared, the commands that run over it, and the exit codes that they must end with.

use std::ffi::{OsStr, OsString};
use std::fmt::{self, Debug};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::crash::{Judgement, must};
use crate::run::Run;

/// The clock of every command.
pub const NOW: &str = "2026-03-01-00-04-00";

/// The content of a file of somebody else, which no command may tell.
pub const SECRET: &str = "precious";

/// A hostile thing to do to a set or to its surroundings.
pub struct Case {
    /// What it is.
    pub name: String,
    /// The exit codes of the commands in their order; `|` stands between groups.
    pub codes: String,
    make: Box<dyn Fn() -> Option<Box<dyn Set>> + Send + Sync>,
}

impl Case {
    /// Takes a new set each time; `make` gives none where this user may not make such a thing.
    pub fn new(
        name: impl Into<String>,
        codes: impl Into<String>,
        make: impl Fn() -> Option<Box<dyn Set>> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), codes: codes.into(), make: Box::new(make) }
    }

    /// Makes the set, unless this user may not.
    pub fn make(&self) -> Option<Box<dyn Set>> {
        (self.make)()
    }
}

impl Debug for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Case").field("name", &self.name).field("codes", &self.codes).finish_non_exhaustive()
    }
}

/// A hostile set in a scratch folder of its own, among files of somebody else that nothing may touch.
pub trait Set: Send {
    /// The scratch folder.
    fn folder(&self) -> &Path;

    /// The commands in their order, in groups.
    fn commands(&self) -> Vec<Vec<Step>>;

    /// Mebibytes that a command may have to read or inflate, for its share of processor time.
    fn large(&self) -> u64 {
        0
    }

    /// KiB that a command may take besides, for a reason.
    fn held_kib(&self) -> u64 {
        0
    }

    /// KiB of address space that a command may take, where that is limited.
    fn space_kib(&self) -> Option<u64> {
        None
    }

    /// What a command left is right.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    fn judge(&self, step: &Step, run: &Run) -> Judgement;

    /// A command that proves the one that ran; its exit code is judged here, not by the case.
    fn proof(&self, _: &Step, _: &Run) -> Option<Step> {
        None
    }
}

/// A command over a hostile set.
#[derive(Debug, Clone)]
pub struct Step {
    /// What it is called in messages.
    pub name: &'static str,
    /// The words of the command line.
    pub words: Vec<OsString>,
    /// The only folder in which it may change anything.
    pub may: Option<PathBuf>,
}

impl Step {
    /// A command that may change nothing.
    pub fn reads(name: &'static str, words: &[&OsStr]) -> Self {
        Self { name, words: words.iter().map(|word| (*word).to_owned()).collect(), may: None }
    }

    /// A command that may change what lies in a folder.
    pub fn writes(name: &'static str, words: &[&OsStr], may: &Path) -> Self {
        Self { may: Some(may.to_owned()), ..Self::reads(name, words) }
    }

    /// Its last word, as a path.
    pub fn target(&self) -> &Path {
        self.words.last().map(Path::new).expect("a command has words")
    }
}

/// What runs over a store that nothing is restored of: verify at three depths; list and show; a restore into `out`.
pub fn over_a_store(store: &Path, out: &Path) -> Vec<Vec<Step>> {
    let (store, target) = (store.as_os_str(), out.join("new"));
    let word = |text: &'static str| OsStr::new(text);
    let verify = |depth| Step::reads(depth, &[word("verify"), word("--depth"), word(depth), store]);
    vec![
        ["list", "size", "digest"].map(verify).to_vec(),
        ["list", "show"].map(|verb| Step::reads(verb, &[word(verb), store])).to_vec(),
        vec![Step::writes("restore", &[word("restore"), store, target.as_os_str()], out)],
    ]
}

/// Nothing was restored.
///
/// # Errors
/// Something was.
pub fn restores_nothing(step: &Step) -> Judgement {
    must(step.name != "restore" || !step.target().exists(), || "something was restored".to_owned())
}

/// Makes a FIFO, a socket or a device. False where this user may not.
pub fn special(what: &str, path: &Path) -> bool {
    let run = |command: &mut Command| command.output().is_ok_and(|done| done.status.success());
    match what {
        "FIFO" => run(Command::new("mkfifo").arg(path)),
        "socket" => UnixListener::bind(path).is_ok(),
        "null" => run(Command::new("mknod").arg(path).args(["c", "1", "3"])),
        "zero" => run(Command::new("mknod").arg(path).args(["c", "1", "5"])),
        _ => unreachable!("no such thing: {what}"),
    }
}

/// Makes a symbolic link.
#[track_caller]
pub fn link(to: impl AsRef<Path>, at: impl AsRef<Path>) {
    symlink(to, at).expect("a link");
}

/// A name of any bytes.
pub fn name(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}
