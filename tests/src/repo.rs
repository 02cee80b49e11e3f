//! Builds small repositories without Python: a `Data.fs` composed here byte by byte, and backups of it by the binary
//! under test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::dice::Dice;
use crate::run::{Run, ours};
use crate::stamps::Clock;

pub use highwater_tests_wasm::Image;

/// A `Data.fs` in memory that grows by whole transactions.
#[derive(Debug, Clone)]
pub struct Data {
    /// Its bytes.
    pub bytes: Vec<u8>,
    last: BTreeMap<u64, u64>,
    tid: u64,
    dice: Dice,
}

impl Data {
    /// One without transactions; the same seed gives the same bytes.
    pub fn new(seed: u64) -> Self {
        Self { bytes: b"FS30".to_vec(), last: BTreeMap::new(), tid: 0x03f0_0000_0000_0000, dice: Dice::new(seed) }
    }

    /// Appends a transaction that writes `records` of (object, payload length), with right links to what was there
    /// before.
    pub fn commit(&mut self, records: &[(u64, usize)]) {
        let at = self.bytes.len();
        self.tid += 1 + self.dice.below(1000);
        self.bytes.extend(self.tid.to_be_bytes());
        self.bytes.extend([0; 8]);
        self.bytes.push(b' ');
        for text in [&b"user"[..], b"why", b""] {
            self.bytes.extend(u16::try_from(text.len()).expect("a short text").to_be_bytes());
        }
        self.bytes.extend(b"userwhy");
        let mut written = Vec::new();
        for &(oid, length) in records {
            let start = self.bytes.len() as u64;
            let previous = self.last.get(&oid).copied().unwrap_or(0);
            for number in [oid, self.tid, previous, at as u64] {
                self.bytes.extend(number.to_be_bytes());
            }
            self.bytes.extend([0; 2]);
            self.bytes.extend((length as u64).to_be_bytes());
            if length == 0 {
                self.bytes.extend(previous.to_be_bytes());
            }
            for _ in 0..length {
                // Half of the bytes are zero, so that gzip has something to do.
                let throw = self.dice.below(512);
                self.bytes.push(u8::try_from(throw & 0xff).expect("a byte") * u8::from(throw > 255));
            }
            written.push((oid, start));
        }
        self.last.extend(written);
        let length = (self.bytes.len() - at) as u64;
        self.bytes[at + 8..at + 16].copy_from_slice(&length.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
    }

    /// Appends `count` transactions of one record of a mebibyte that gzip gains nothing from.
    pub fn grow_large(&mut self, count: u64) {
        for _ in 0..count {
            let at = self.bytes.len();
            self.commit(&[(7, 1 << 20)]);
            let payload = self.bytes.len() - 8 - (1 << 20);
            assert!(payload > at, "the payload lies in the transaction");
            for word in self.bytes[payload..payload + (1 << 20)].chunks_exact_mut(8) {
                word.copy_from_slice(&self.dice.bits().to_le_bytes());
            }
        }
    }

    /// Appends `count` transactions of one to three records among 40 objects.
    pub fn grow(&mut self, count: u64) {
        for _ in 0..count {
            let records: Vec<(u64, usize)> = (0..1 + self.dice.below(3))
                .map(|_| (self.dice.below(40), usize::try_from(self.dice.below(90)).expect("a short payload")))
                .collect();
            let unique: BTreeMap<u64, usize> = records.into_iter().collect();
            self.commit(&unique.into_iter().collect::<Vec<_>>());
        }
    }
}

/// A scratch folder with a source and a repository, and a clock that each backup moves on.
#[derive(Debug)]
pub struct Fixture {
    folder: TempDir,
    /// The database.
    pub source: PathBuf,
    /// The repository.
    pub repo: PathBuf,
    /// What `source` holds.
    pub data: Data,
    /// Time.
    pub clock: Clock,
}

/// The file of a folder whose name begins and ends so, as work files do, which nobody can guess.
pub fn work_file(folder: &Path, begins: &str, ends: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let is = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
            name.starts_with(begins) && name.ends_with(ends) && name.len() > begins.len() + ends.len()
        })
    };
    entries.into_iter().find(is)
}

impl Fixture {
    /// A database of six transactions and an empty repository.
    #[track_caller]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("highwater-fixture-").tempdir().expect("a scratch folder");
        let (source, repo) = (folder.path().join("Data.fs"), folder.path().join("repo"));
        fs::create_dir(&repo).expect("a new repository");
        let mut fixture = Self { folder, source, repo, data: Data::new(1), clock: Clock::at("2026-03-01-00-00-00") };
        fixture.grow(6);
        fixture
    }

    /// The same with a full backup and two increments in the repository; gives their stamps.
    #[track_caller]
    pub fn with_chain() -> (Self, [String; 3]) {
        let mut fixture = Self::new();
        let full = fixture.backup(&[]);
        fixture.grow(2);
        let second = fixture.backup(&[]);
        fixture.grow(2);
        let third = fixture.backup(&[]);
        (fixture, [full, second, third])
    }

    /// The scratch folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in the scratch folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of the repository.
    pub fn file(&self, name: &str) -> PathBuf {
        self.repo.join(name)
    }

    /// Commits some transactions.
    #[track_caller]
    pub fn grow(&mut self, transactions: u64) {
        self.data.grow(transactions);
        fs::write(&self.source, &self.data.bytes).expect("the source is written");
    }

    /// Runs the binary with the clock as it stands.
    #[track_caller]
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Run {
        ours(&self.clock.stamp(), arguments)
    }

    /// Tries a backup a minute later.
    #[track_caller]
    pub fn try_backup(&mut self, flags: &[&str]) -> Run {
        self.clock.tick(60);
        let paths = [self.source.as_os_str(), self.repo.as_os_str()];
        let flags = flags.iter().map(std::ffi::OsStr::new);
        self.run(&std::iter::once(std::ffi::OsStr::new("backup")).chain(flags).chain(paths).collect::<Vec<_>>())
    }

    /// Backs up a minute later, which must succeed; gives the stamp.
    #[track_caller]
    pub fn backup(&mut self, flags: &[&str]) -> String {
        self.try_backup(flags).expect(0);
        self.clock.stamp()
    }

    /// Verifies at a depth.
    #[track_caller]
    pub fn verify(&self, depth: &str) -> Run {
        self.run(&["verify".as_ref(), "--depth".as_ref(), depth.as_ref(), self.repo.as_os_str()])
    }

    /// Restores the repository, or `@point` of it, to a file.
    #[track_caller]
    pub fn restore(&self, point: &str, target: &Path, flags: &[&str]) -> Run {
        let mut from = self.repo.as_os_str().to_owned();
        from.push(point);
        let mut arguments = vec![std::ffi::OsString::from("restore")];
        arguments.extend(flags.iter().map(Into::into));
        arguments.extend([from, target.as_os_str().to_owned()]);
        self.run(&arguments)
    }
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads a flat folder.
#[track_caller]
pub fn load(folder: &Path) -> Image {
    let names = crate::repository::names(folder).into_iter().filter(|name| folder.join(name).is_file());
    names.map(|name| (name.clone(), fs::read(folder.join(&name)).expect("a readable file"))).collect()
}

/// Makes a folder hold exactly these files.
#[track_caller]
pub fn store(image: &Image, folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a new folder");
    for (name, bytes) in image {
        fs::write(folder.join(name), bytes).expect("a file is written");
    }
}

/// A repository of two chains in which every kind of data file occurs, with the source that it came from.
///
/// First chain: `.fsz`, `.deltafsz`, `.deltafs`. Second chain: `.fs`, `.deltafs`, `.deltafsz`, `.deltafs`.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The repository's files, without the lock.
    pub files: Image,
    /// The source after the last backup; each point is a prefix of it.
    pub source: Vec<u8>,
    /// Every point with its length.
    pub points: Vec<(String, usize)>,
}

/// Makes the [`Sample`] with the binary under test.
#[track_caller]
pub fn sample() -> Sample {
    let mut fixture = Fixture::new();
    let mut points = Vec::new();
    for flags in [&["-z"][..], &["-z=9"], &[], &["-F"], &[], &["-z"], &[]] {
        fixture.grow(2);
        let stamp = fixture.backup(flags);
        points.push((stamp, fixture.data.bytes.len()));
    }
    let mut files = load(&fixture.repo);
    files.remove(".highwater.lock");
    Sample { files, source: fixture.data.bytes.clone(), points }
}
