//! `Roots`: the same set as a folder and as a prefix of a bucket, and commands over either.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::repo::Image;
use highwater_tests::s3::{KEY, REGION, SECRET, Server};
use highwater_tests::specimens::lay;
use tempfile::TempDir;

use crate::both::{Both, NAME, NOW};

/// The bucket that the set lies in.
const BUCKET: &str = "backups";

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

    /// The key of a file of the set.
    pub(crate) fn key(name: &str) -> Vec<u8> {
        format!("{NAME}/{name}").into_bytes()
    }

    pub(crate) fn bucket() -> &'static str {
        BUCKET
    }

    pub(crate) fn far() -> PathBuf {
        PathBuf::from(format!("s3://{BUCKET}/{NAME}"))
    }
}

impl Both for Roots {
    fn lay(&self, files: &Image) {
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

    fn near(&self) -> PathBuf {
        self.scratch.path().join(NAME)
    }

    fn far(&self) -> PathBuf {
        Self::far()
    }

    fn command(&self, words: &[&OsStr]) -> Command {
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
}
