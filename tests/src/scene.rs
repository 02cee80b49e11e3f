//! A scratch folder with a small real database and a repozo repository, and the moves that most tests make on them.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::python::original;
use crate::repository;
use crate::run::Run;
use crate::stamps::Clock;
use crate::workbench::Workbench;

/// The database, the repository of the original, and the clock both programs are given.
#[derive(Debug)]
pub struct Scene {
    folder: TempDir,
    /// The live database.
    pub data: PathBuf,
    /// The repository.
    pub repo: PathBuf,
    /// Python at hand.
    pub bench: Workbench,
    /// Time, which every backup moves on.
    pub clock: Clock,
    seed: u64,
}

impl Scene {
    /// A database of a few dozen transactions and an empty repository.
    #[track_caller]
    pub fn new() -> Self {
        Self::in_repository("repo")
    }

    /// The same with a repository of another name.
    #[track_caller]
    pub fn in_repository(name: impl AsRef<Path>) -> Self {
        let folder = tempfile::Builder::new().prefix("highwater-test-").tempdir().expect("a scratch folder");
        let (data, repo) = (folder.path().join("Data.fs"), folder.path().join(name));
        fs::create_dir(&repo).expect("a new repository");
        let clock = Clock::at("2026-01-31-23-59-30");
        let mut scene = Self { folder, data, repo, bench: Workbench::open(), clock, seed: 1 };
        scene.bench.create(&scene.data, 1);
        scene.grow(12);
        scene
    }

    /// A path in the scratch folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Commit some transactions.
    #[track_caller]
    pub fn grow(&mut self, transactions: u64) {
        self.seed += 1;
        self.bench.commit(&self.data, self.seed, transactions, "few");
    }

    /// Let a minute pass.
    pub fn later(&mut self) -> String {
        self.clock.tick(60)
    }

    /// Back up with the original, which must succeed, a minute after the last; give the stamp.
    #[track_caller]
    pub fn original_backup(&mut self, flags: &[&str]) -> String {
        let stamp = self.later();
        original(&stamp, &self.backup_arguments(&self.repo, flags)).expect(0);
        stamp
    }

    /// `-B` with flags into a repository.
    pub fn backup_arguments(&self, repo: &Path, flags: &[&str]) -> Vec<PathBuf> {
        let fixed = ["-B".into(), "-f".into(), self.data.clone(), "-r".into(), repo.into()];
        fixed.into_iter().chain(flags.iter().map(PathBuf::from)).collect()
    }

    /// `-R` with flags from a repository to a file.
    pub fn recover_arguments(repo: &Path, to: &Path, flags: &[&str]) -> Vec<PathBuf> {
        let fixed = ["-R".into(), "-r".into(), repo.into(), "-o".into(), to.into()];
        fixed.into_iter().chain(flags.iter().map(PathBuf::from)).collect()
    }

    /// `-V` with flags of a repository.
    pub fn verify_arguments(repo: &Path, flags: &[&str]) -> Vec<PathBuf> {
        let fixed = ["-V".into(), "-r".into(), repo.into()];
        fixed.into_iter().chain(flags.iter().map(PathBuf::from)).collect()
    }

    /// An identical copy of the repository under another name.
    #[track_caller]
    pub fn twin(&self, name: &str) -> PathBuf {
        let twin = self.path(name);
        repository::copy(&self.repo, &twin);
        twin
    }

    /// The live database's bytes.
    #[track_caller]
    pub fn source(&self) -> Vec<u8> {
        bytes(&self.data)
    }

    /// The text of the `.dat` file that belongs to a full backup's stamp.
    #[track_caller]
    pub fn dat(&self, stamp: &str) -> String {
        fs::read_to_string(self.repo.join(format!("{stamp}.dat"))).expect("a .dat file")
    }

    /// Replace the `.dat` file of a full backup's stamp.
    #[track_caller]
    pub fn write_dat(&self, stamp: &str, text: &str) {
        fs::write(self.repo.join(format!("{stamp}.dat")), text).expect("a .dat file is written");
    }

    /// Recover with the original from `repo` and give the run and the bytes, if any came.
    #[track_caller]
    pub fn original_recover(&self, repo: &Path, flags: &[&str]) -> (Run, Option<Vec<u8>>) {
        let to = self.path("recovered-by-the-original.fs");
        let run = original(&self.clock.stamp(), &Self::recover_arguments(repo, &to, flags));
        let got = fs::read(&to).ok();
        let _ = fs::remove_file(&to);
        (run, got)
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

/// The bytes of a file that must be there.
#[track_caller]
pub fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
