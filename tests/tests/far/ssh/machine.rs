//! `Machine`: a folder, and the same folder as another machine has it, reached by a command of our own.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::python;
use highwater_tests::repo::Image;
use highwater_tests::specimens::lay;
use tempfile::TempDir;

use crate::both::{Both, NAME, NOW};

/// A machine, reached by `tests/python/line.py` in the place of ssh.
pub(crate) struct Machine {
    pub(crate) scratch: TempDir,
    /// What happens on the line.
    pub(crate) line: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self { scratch: tempfile::tempdir().expect("a folder"), line: "count /dev/null".to_owned() }
    }

    /// The same machine with another line.
    pub(crate) fn by(&mut self, line: impl Into<String>) -> &Self {
        self.line = line.into();
        self
    }
}

/// Words in a shell's quotes.
pub(crate) fn quoted(words: &[&OsStr]) -> String {
    words.iter().map(|word| format!("'{}'", word.display())).collect::<Vec<_>>().join(" ")
}

impl Both for Machine {
    fn lay(&self, files: &Image) {
        lay(files, &self.near());
    }

    fn near(&self) -> PathBuf {
        self.scratch.path().join(NAME)
    }

    fn far(&self) -> PathBuf {
        PathBuf::from(format!("ssh://backup@elsewhere{}", self.near().display()))
    }

    fn command(&self, words: &[&OsStr]) -> Command {
        let mut command = Command::new(highwater());
        let script = python::script("line.py");
        let ssh = quoted(&[python::interpreter().as_os_str(), "-BSE".as_ref(), script.as_os_str()]);
        command
            .args(words)
            .env("HIGHWATER_NOW", NOW)
            .env("HIGHWATER_SSH", ssh)
            .env("HIGHWATER_FAR", quoted(&[highwater().as_os_str()]))
            .env("HIGHWATER_SSH_STALL", "20")
            .env("LINE", &self.line);
        command
    }
}
