//! `Scene`: a bucket on our own server, its inventories, and a mirror of it; and what the mirror should be.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::run::Run;
use highwater_tests::s3::{KEY, REGION, Recipe, SECRET, Server};
use tempfile::TempDir;

/// The names of what a test puts there.
pub(crate) const BUCKET: &str = "archive";

/// A server, and a folder.
pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
}

/// Every file of a mirror but those of its hidden part: by its path, what it holds and when it was changed.
pub(crate) type Tree = BTreeMap<PathBuf, (Vec<u8>, i64)>;

impl Scene {
    pub(crate) fn new() -> Self {
        let scene = Self { server: Server::start(), folder: tempfile::tempdir().expect("a folder") };
        scene.server.shelves(|shelves| {
            shelves.bucket(BUCKET).versioned = true;
            shelves.bucket("inventories").versioned = false;
        });
        fs::create_dir(scene.mirror()).expect("a folder");
        scene
    }

    pub(crate) fn mirror(&self) -> PathBuf {
        self.folder.path().join("mirror")
    }

    pub(crate) fn put(&self, key: &str, body: &str) -> String {
        self.server.shelves(|shelves| shelves.put(BUCKET, key.as_bytes(), body.as_bytes()))
    }

    pub(crate) fn delete(&self, key: &str) -> String {
        self.server.shelves(|shelves| shelves.delete(BUCKET, key.as_bytes()))
    }

    /// Writes the inventory of a day in November.
    pub(crate) fn list(&self, day: u32) -> String {
        let date: &'static str = format!("2024-11-{day:02}T01-00Z").leak();
        Recipe { date, ..Recipe::default() }.publish(&self.server).url
    }

    /// Our command, asking this server.
    pub(crate) fn command(&self, words: &[&OsStr]) -> Command {
        asking(&self.server.endpoint(), self.folder.path(), words)
    }

    pub(crate) fn run(&self, words: &[&str]) -> Run {
        Run::of(&mut self.command(&words.iter().map(OsStr::new).collect::<Vec<_>>()))
    }

    /// Syncs to the newest inventory.
    pub(crate) fn sync(&self, more: &[&str]) -> Run {
        Run::of(&mut self.syncing(&self.mirror(), more))
    }

    /// The command that syncs another folder.
    pub(crate) fn syncing(&self, mirror: &Path, more: &[&str]) -> Command {
        let mut words =
            vec![OsStr::new("mirror"), OsStr::new("sync"), OsStr::new("s3://inventories/of/archive/daily/")];
        words.push(mirror.as_os_str());
        words.extend(more.iter().map(OsStr::new));
        self.command(&words)
    }

    pub(crate) fn roll(&self, to: &str) -> Run {
        let mirror = self.mirror();
        let words = ["mirror", "rollback", mirror.to_str().expect("text"), "--to", to];
        self.run(&words)
    }

    pub(crate) fn verify(&self) -> Run {
        self.run(&["verify", self.mirror().to_str().expect("text")])
    }

    pub(crate) fn tree(&self) -> Tree {
        tree(&self.mirror())
    }

    /// What a reader of the bucket gets now, by key.
    pub(crate) fn bucket(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.server.shelves(|shelves| {
            let keys = &shelves.bucket(BUCKET).keys;
            let latest = |(key, versions): (&Vec<u8>, &Vec<highwater_tests::s3::Version>)| {
                let body = versions.last()?.body.as_ref()?;
                Some((key.clone(), body.to_vec()))
            };
            keys.iter().filter_map(latest).collect()
        })
    }

    /// Fails unless the files that bear no old name are what a reader of the bucket gets now.
    #[track_caller]
    pub(crate) fn shows_the_bucket(&self) {
        let shown: BTreeMap<Vec<u8>, Vec<u8>> = self
            .tree()
            .into_iter()
            .map(|(path, (bytes, _))| (path.as_os_str().as_bytes().to_vec(), bytes))
            .filter(|(path, _)| !path.windows(5).any(|some| some == b".old."))
            .collect();
        assert_eq!(shown, self.bucket());
    }
}

/// Our command, asking the server at an address, of a user at home in a folder.
pub(crate) fn asking(endpoint: &str, home: &Path, words: &[&OsStr]) -> Command {
    let mut command = Command::new(highwater());
    command
        .args(words)
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_REGION", REGION)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", home)
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_CA_BUNDLE")
        .env_remove("AWS_SESSION_TOKEN");
    command
}

/// Reads a mirror.
pub(crate) fn tree(mirror: &Path) -> Tree {
    let (mut found, mut ahead) = (Tree::new(), vec![mirror.to_owned()]);
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let (path, meta) = (entry.path(), entry.metadata().expect("a look"));
            if entry.file_name() == ".highwater-mirror" {
                continue;
            }
            if meta.is_dir() {
                ahead.push(path);
                continue;
            }
            let within = path.strip_prefix(mirror).expect("within").to_owned();
            found.insert(within, (fs::read(&path).expect("a file"), meta.mtime()));
        }
    }
    found
}
