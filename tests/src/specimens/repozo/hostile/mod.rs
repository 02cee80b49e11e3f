//! Hostile repositories: a repository with its source and targets, and every verb over what is done to it.

mod cases;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use highwater_core::digest::md5_of;

use crate::repo::Fixture;
use crate::run::Run;
use crate::score::size;
use crate::specimens::crash::{Judgement, must};
use crate::specimens::hostile::{Case, NOW, SECRET, Set, Step};

/// Every case. The codes are those of verify at the depths list, size, digest and deep; of list and show; of restores
/// to a new file and onto a standby; of a backup into it, and a deep verify after that.
pub(super) fn cases() -> Vec<Case> {
    cases::all()
}

/// A repository of a full backup and two increments.
#[derive(Debug)]
pub struct Stage {
    /// The repository and its source.
    pub fixture: Fixture,
    /// The stamps of its points.
    pub stamps: [String; 3],
    /// The lengths of the source at each point.
    pub lengths: [usize; 3],
    /// What the source held at the last of them.
    pub backed_up: Vec<u8>,
    /// The repository as the commands name it.
    pub repo: PathBuf,
    /// Mebibytes that a command may have to read or inflate, for its share of processor time.
    pub large: u64,
}

impl Stage {
    /// The sound repository.
    #[track_caller]
    pub fn new() -> Self {
        let mut fixture = Fixture::new();
        let mut lengths = [0; 3];
        let stamps = std::array::from_fn(|at| {
            if at > 0 {
                fixture.grow(2);
            }
            lengths[at] = fixture.data.bytes.len();
            fixture.backup(&[])
        });
        let (out, outside) = (fixture.path("out"), fixture.path("outside"));
        for folder in [&out, &outside] {
            fs::create_dir(folder).expect("a folder");
        }
        fs::write(outside.join("victim"), SECRET).expect("a file of somebody else");
        fs::write(out.join("standby.fs"), &fixture.data.bytes[..lengths[0]]).expect("a standby at the first point");
        let backed_up = fixture.data.bytes.clone();
        fixture.grow(1);
        fixture.clock.tick(60);
        assert_eq!(fixture.clock.stamp(), NOW);
        Self { repo: fixture.repo.clone(), fixture, stamps, lengths, backed_up, large: 0 }
    }

    /// A file of the repository by its point and suffix.
    pub fn file(&self, point: usize, suffix: &str) -> PathBuf {
        self.fixture.file(&format!("{}.{suffix}", self.stamps[point]))
    }

    /// Puts something in the place of a file of the repository.
    pub fn instead(&self, path: &Path, make: impl FnOnce(&Path)) {
        fs::remove_file(path).expect("the file goes");
        make(path);
    }

    /// A path among the files of somebody else.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.fixture.path("outside").join(name)
    }

    /// The index's bytes.
    pub fn dat(&self) -> Vec<u8> {
        fs::read(self.file(0, "dat")).expect("an index")
    }

    /// Writes the index anew.
    pub fn write_dat(&self, bytes: &[u8]) {
        fs::write(self.file(0, "dat"), bytes).expect("an index is written");
    }

    /// Gives the last line of the index another path; range and sum stay right.
    pub fn rename_in_last_line(&self, path: impl FnOnce(&str) -> Vec<u8>) {
        let dat = self.dat();
        let start = dat[..dat.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1;
        let end = start + dat[start..].iter().position(|byte| *byte == b' ').expect("fields");
        let name = format!("{}.deltafs", self.stamps[2]);
        self.write_dat(&[&dat[..start], &path(&name), &dat[end..]].concat());
    }

    /// Puts a line after those of the index, right about `bytes` unless it says another end.
    pub fn add_line(&self, name: &str, bytes: &[u8], end: Option<&str>) {
        let start = self.lengths[2];
        let end = end.map_or_else(|| (start + bytes.len()).to_string(), str::to_owned);
        let line = format!("/repo/{name} {start} {end} {}\n", md5_of(bytes));
        self.write_dat(&[self.dat(), line.into_bytes()].concat());
    }

    /// A file with a hole of a gibibyte after what it holds; a part of that in CI.
    pub fn grow_sparse(&mut self, path: &Path, end: &[u8]) {
        let mut file = fs::OpenOptions::new().append(true).open(path).expect("a file");
        let length = file.metadata().expect("a file").len();
        let mebibytes = size(128, 1024);
        file.set_len(length + (mebibytes << 20)).expect("a hole");
        file.write_all(end).expect("an end");
        self.large = mebibytes;
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Set for Stage {
    fn folder(&self) -> &Path {
        self.fixture.folder()
    }

    fn commands(&self) -> Vec<Vec<Step>> {
        let (repo, out) = (self.repo.as_os_str(), self.fixture.path("out"));
        let word = |text: &'static str| OsStr::new(text);
        let verify = |name, depth| Step::reads(name, &[word("verify"), word("--depth"), word(depth), repo]);
        let restore = |target| Step::writes("restore", &[word("restore"), repo, out.join(target).as_os_str()], &out);
        // The links of a repository that is one lead to the same folder.
        let backup = [word("backup"), self.fixture.source.as_os_str(), repo];
        vec![
            ["list", "size", "digest", "deep"].map(|depth| verify(depth, depth)).to_vec(),
            ["list", "show"].map(|verb| Step::reads(verb, &[word(verb), repo])).to_vec(),
            ["new.fs", "standby.fs"].map(restore).to_vec(),
            vec![Step::writes("backup", &backup, &self.fixture.repo), verify("after", "deep")],
        ]
    }

    fn large(&self) -> u64 {
        self.large
    }

    /// A restore gives a point as it was, and says which, or leaves the target as it was.
    fn judge(&self, step: &Step, run: &Run) -> Judgement {
        let (target, text) = (step.target(), run.text());
        let point = |at: usize| &self.backed_up[..self.lengths[at]];
        match step.name {
            "restore" => {
                let right = match (run.code, fs::read(target)) {
                    (0, Ok(got)) => (0..3).any(|at| got == point(at) && text.contains(&self.stamps[at])),
                    (0, Err(_)) => false,
                    (_, Ok(got)) => target.ends_with("standby.fs") && got == point(0),
                    (_, Err(_)) => target.ends_with("new.fs"),
                };
                must(right, || format!("a restore ended with {} and left {}: {text}", run.code, target.display()))
            }
            "restored" => {
                let right = run.code == 0 && fs::read(target).ok().as_ref() == Some(&self.fixture.data.bytes);
                must(right, || format!("the backup ended with 0 and is not to be had\n{}", run.account()))
            }
            _ => Ok(()),
        }
    }

    fn proof(&self, step: &Step, run: &Run) -> Option<Step> {
        let out = self.fixture.path("out");
        let words = ["restore".as_ref(), self.repo.as_os_str(), out.join("after.fs").as_os_str()].map(OsStr::to_owned);
        (step.name == "backup" && run.code == 0).then(|| Step {
            name: "restored",
            words: words.to_vec(),
            may: Some(out),
        })
    }
}

/// Gzip of `length` zeros, in members of at most 64 MiB.
pub fn bomb(length: u64) -> Vec<u8> {
    let zeros = vec![0; 1 << 20];
    let mut out = Vec::new();
    let mut left = length >> 20;
    while left > 0 {
        let mut member = GzEncoder::new(&mut out, Compression::best());
        (0..left.min(64)).for_each(|_| member.write_all(&zeros).expect("memory"));
        member.finish().expect("memory");
        left = left.saturating_sub(64);
    }
    out
}
