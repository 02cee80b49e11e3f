//! Points of a real ZODB with blobs, each opened by ZODB itself: every blob that its records name must be there with
//! the bytes that were committed, and no other.

mod damage;
mod live;
mod moments;
mod places;
mod recipe;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater::backup::tree::{Source, TreeMade, TreeOptions, Zodb, ZodbOptions, backup};
use highwater::disk;
use highwater::error::Error;
use highwater::store::{Files, Links, Locks};
use highwater::watch::Watch;
use highwater_tests::run::{Run, ours};
use highwater_tests::stamps::Clock;
use highwater_tests::workbench::Workbench;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A database that is open in Python, its blobs, and a set.
struct Site {
    bench: Workbench,
    scratch: TempDir,
    clock: Clock,
}

impl Site {
    /// A database with some commits and an empty set.
    #[track_caller]
    fn new(details: Value) -> Self {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let mut site = Self { bench: Workbench::open(), scratch, clock: Clock::at("2026-11-27-00-00-00") };
        fs::create_dir(site.path("set")).expect("a folder");
        fs::create_dir(site.path("var")).expect("a folder");
        let mut details = details;
        details["notebook"] = json!(site.path("notes"));
        site.ask("open", details);
        site.commit(12);
        site
    }

    /// The same as Plone has it.
    #[track_caller]
    fn plone(seed: u64) -> Self {
        Self::new(json!({ "seed": seed }))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    #[track_caller]
    fn ask(&mut self, action: &str, mut details: Value) -> Value {
        details["folder"] = json!(self.path("var"));
        self.bench.ask(&format!("blobs_{action}"), details)
    }

    /// Commits; gives the id of the last transaction.
    #[track_caller]
    fn commit(&mut self, count: u64) -> String {
        text(&self.ask("commit", json!({ "count": count })))
    }

    /// Runs a verb of ours on the set, a minute after the last.
    #[track_caller]
    fn ours(&mut self, words: &[&str]) -> Run {
        let stamp = self.clock.tick(60);
        let path = |word: &&str| match word.strip_prefix(':') {
            Some(name) => self.path(name),
            None => PathBuf::from(word),
        };
        ours(&stamp, &words.iter().map(path).collect::<Vec<_>>())
    }

    /// Makes a point.
    #[track_caller]
    fn back_up(&mut self) -> Run {
        self.ours(&["backup", ":var", ":set"])
    }

    /// The points of the set, the oldest first.
    fn points(&self) -> Vec<String> {
        let lists = fs::read_dir(self.path("set").join("points")).into_iter().flatten();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name().into_string().ok();
        let mut points: Vec<String> =
            lists.filter_map(|entry| Some(name(entry)?.strip_suffix(".mtree")?.to_owned())).collect();
        points.sort();
        points
    }

    /// The list of a point.
    #[track_caller]
    fn list(&self, point: &str) -> String {
        fs::read_to_string(self.path("set").join("points").join(format!("{point}.mtree"))).expect("a list")
    }

    /// The transaction that a point says it is of, as ZODB writes ids.
    #[track_caller]
    fn transaction(&self, point: &str) -> String {
        let list = self.list(point);
        let (_, rest) = list.split_once(" · at transaction 0x").expect("a position");
        rest.split_once(' ').expect("more").0.to_owned()
    }

    /// Restores a point into a new folder, or onto what is there, and has ZODB judge it. Gives how many blobs it has.
    #[track_caller]
    fn expect_good(&mut self, point: &str, to: &str) -> u64 {
        let from = format!(":set@{point}");
        self.ours(&["restore", "--full", &from, &format!(":{to}")]).expect(0);
        self.expect_opens(point, to)
    }

    /// Has ZODB judge what was restored of a point.
    #[track_caller]
    fn expect_opens(&mut self, point: &str, to: &str) -> u64 {
        let plone = self.path("var").join("filestorage").exists();
        let details = json!({ "folder": self.path(to), "notebook": self.path("notes"), "plone": plone });
        let found = self.bench.ask("blobs_judge", details);
        assert_eq!(found["bad"], json!([]), "{point}");
        assert_eq!(text(&found["last"]), self.transaction(point), "{point}");
        found["blobs"].as_u64().expect("a number")
    }

    /// The files in the repository of `Data.fs` with this ending.
    fn kept(&self, ending: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path("set").join("repozo")).into_iter().flatten();
        let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|file| file.extension().is_some_and(|found| found == ending));
        files.sort();
        files
    }

    /// Every blob file of the source.
    fn blobs(&self) -> Vec<PathBuf> {
        files_below(&self.path("var").join("blobstorage"))
            .into_iter()
            .filter(|file| file.extension().is_some_and(|ending| ending == "blob"))
            .collect()
    }
}

/// A source as the library has it.
#[track_caller]
fn source(var: &Path, options: ZodbOptions) -> Zodb {
    let root = Files::open(var, Links::Beneath).expect("the source opens");
    Zodb::find(Arc::new(root), options, true).expect("it can be looked at").expect("it is one")
}

/// Makes a point of a source by the library, whose clock is the system's for what lies in the set.
fn make(source: &mut dyn Source, set: &Path, stamp: &str) -> Result<TreeMade, Error> {
    let disk = disk::open(set, Locks::Needed).expect("the set opens");
    backup(&TreeOptions { now: Some(stamp.to_owned()), ..TreeOptions::default() }, source, &disk, &Watch::silent())
}

/// All plain files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() { ahead.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
