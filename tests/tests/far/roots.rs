//! `Roots`: the same set as a folder and as a prefix of a bucket, and commands over either.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Image;
use highwater_tests::run::Run;
use highwater_tests::s3::{KEY, REGION, SECRET, Server};
use highwater_tests::specimens::lay;
use tempfile::TempDir;

/// The bucket, and the name that the set has in it and as a folder: a report calls it so.
const BUCKET: &str = "backups";
const NAME: &str = "set";

/// The clock of every run: after all that the sets hold.
const NOW: &str = "2026-03-01-01-00-00";

/// A server, and a folder.
pub(crate) struct Roots {
    pub(crate) server: Server,
    /// Another server, which is asked in its place.
    other: Option<String>,
    scratch: TempDir,
}

impl Roots {
    pub(crate) fn new() -> Self {
        let server = Server::start();
        server.shelves(|shelves| drop(shelves.bucket(BUCKET).clone()));
        Self { server, other: None, scratch: tempfile::tempdir().expect("a folder") }
    }

    /// A folder, and a bucket of the server at this address.
    pub(crate) fn at(endpoint: String) -> Self {
        Self { other: Some(endpoint), ..Self::new() }
    }

    /// Makes both hold exactly these files.
    pub(crate) fn lay(&self, files: &Image) {
        lay(files, &self.near());
        self.server.shelves(|shelves| {
            shelves.bucket(BUCKET).keys.clear();
            // What lies beside it is none of its business.
            shelves.put(BUCKET, b"set-2/index", b"other");
            for (name, bytes) in files {
                shelves.put(BUCKET, format!("{NAME}/{name}").as_bytes(), bytes);
            }
        });
    }

    /// The key of a file of the set.
    pub(crate) fn key(name: &str) -> Vec<u8> {
        format!("{NAME}/{name}").into_bytes()
    }

    pub(crate) fn bucket() -> &'static str {
        BUCKET
    }

    pub(crate) fn near(&self) -> PathBuf {
        self.scratch.path().join(NAME)
    }

    pub(crate) fn far() -> PathBuf {
        PathBuf::from(format!("s3://{BUCKET}/{NAME}"))
    }

    /// Our command, asking this server.
    pub(crate) fn command(&self, words: &[&OsStr]) -> Command {
        let mut command = Command::new(highwater());
        command
            .args(words)
            .env("HIGHWATER_NOW", NOW)
            .env("AWS_ENDPOINT_URL", self.other.clone().unwrap_or_else(|| self.server.endpoint()))
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("HOME", self.scratch.path())
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_CA_BUNDLE")
            .env_remove("AWS_SESSION_TOKEN");
        command
    }

    /// Runs a verb over a root, with options before it and words behind it.
    pub(crate) fn run(&self, words: &[&str], root: &Path, more: &[&OsStr]) -> Run {
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
