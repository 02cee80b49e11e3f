//! `Both`: the same set as a folder and as a root that lies elsewhere, and commands over either.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::repo::Image;
use highwater_tests::run::Run;

/// The name that the set has either way: a report calls it so.
pub(crate) const NAME: &str = "set";

/// The clock of every run: after all that the sets hold.
pub(crate) const NOW: &str = "2026-03-01-01-00-00";

/// A set in two places.
pub(crate) trait Both {
    /// Makes both hold exactly these files.
    fn lay(&self, files: &Image);

    /// The folder.
    fn near(&self) -> PathBuf;

    /// The other.
    fn far(&self) -> PathBuf;

    /// Our command, which reaches the other.
    fn command(&self, words: &[&OsStr]) -> Command;

    /// Runs a verb over a root, with options before it and words behind it.
    fn run(&self, words: &[&str], root: &Path, more: &[&OsStr]) -> Run {
        let words: Vec<&OsStr> =
            words.iter().map(OsStr::new).chain([root.as_os_str()]).chain(more.iter().copied()).collect();
        Run::of(&mut self.command(&words))
    }
}

/// A root with a point.
pub(crate) fn at(root: &Path, point: &str) -> PathBuf {
    let mut text = root.as_os_str().to_owned();
    text.push(format!("@{point}"));
    PathBuf::from(text)
}
