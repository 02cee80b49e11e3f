//! The real command, whose calls fail or whose process is killed: exit code and repository are right each time.
#![expect(clippy::print_stdout, reason = "what cannot run here is told")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use highwater::backup::tree::{self, Folder, TreeOptions, Zodb, ZodbOptions};
use highwater::disk;
use highwater::store::Locks;
use highwater::watch::Watch;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::{self, Sample};
use highwater_tests::inject::cannot_trace;
use highwater_tests::repo::{self, Data, Fixture, Image};
use highwater_tests::run::Run;
use highwater_tests::score::{Score, full};
use serde_json::Value;
use tempfile::TempDir;

/// A set in a folder of its own, made anew for each run, and the rules.
struct Set {
    folder: TempDir,
    fill: Box<dyn Fn(&Path)>,
    rules: [&'static str; 2],
}

impl Set {
    fn path(&self) -> PathBuf {
        self.folder.path().join("set")
    }

    fn fresh(&self) -> PathBuf {
        let path = self.path();
        let _ = std::fs::remove_dir_all(&path);
        (self.fill)(&path);
        path
    }

    fn all() -> [Self; 4] {
        let mut fixture = Fixture::new();
        for flags in [&["-F"][..], &[], &["-F"], &[], &["-F", "-z"], &[]] {
            fixture.clock.tick(86_400);
            fixture.grow(1);
            fixture.backup(flags);
        }
        let image: Image = repo::load(&fixture.repo);
        let sample = Sample::made().store();
        let folder = || tempfile::tempdir().expect("a scratch folder");
        let chains = Box::new(move |path: &Path| repo::store(&image, path));
        let store = Box::new(move |path: &Path| datastore::copy(&sample, path));
        [
            Self { folder: folder(), fill: chains, rules: ["--keep-last", "1"] },
            Self { folder: folder(), fill: store, rules: ["--keep-last", "1"] },
            Self { folder: folder(), fill: Box::new(points), rules: ["--keep-last", "1"] },
            Self { folder: folder(), fill: Box::new(databases), rules: ["--keep-last", "1"] },
        ]
    }
}

/// Three points of a folder, of which each has files of its own.
fn points(set: &Path) {
    let files = tempfile::tempdir().expect("a scratch folder");
    std::fs::create_dir_all(set).expect("a folder");
    for day in 1..=3 {
        for number in 0..4 {
            std::fs::write(files.path().join(number.to_string()), format!("{day} {number}")).expect("a file");
        }
        let job = TreeOptions { now: Some(format!("2026-01-0{day}-00-00-00")), ..TreeOptions::default() };
        let open = |path: &Path| disk::open(path, Locks::Needed).expect("a folder");
        tree::backup(&job, &mut Folder(Arc::new(open(files.path()))), &open(set), &Watch::silent()).expect("a point");
    }
}

/// Points of a database whose states are chains of a repository in the set.
fn databases(set: &Path) {
    let (files, mut data) = (tempfile::tempdir().expect("a scratch folder"), Data::new(3));
    for folder in [set.to_owned(), files.path().join("filestorage"), files.path().join("blobstorage")] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    std::fs::write(files.path().join("blobstorage/.layout"), "bushy").expect("a file");
    for (day, full) in [(1, true), (2, false), (3, true), (4, false)] {
        data.grow(1);
        std::fs::write(files.path().join("filestorage/Data.fs"), &data.bytes).expect("a file");
        let job = TreeOptions { now: Some(format!("2026-01-0{day}-00-00-00")), ..TreeOptions::default() };
        let open = |path: &Path| disk::open(path, Locks::Needed).expect("a folder");
        let options = ZodbOptions { full, ..ZodbOptions::default() };
        let found = Zodb::find(Arc::new(open(files.path())), options, true).expect("it can be looked at");
        tree::backup(&job, &mut found.expect("a database"), &open(set), &Watch::silent()).expect("a point");
    }
}

fn prune(set: &Path, rules: [&str; 2], inject: Option<String>) -> Run {
    let mut command = match &inject {
        None => Command::new(highwater()),
        Some(inject) => {
            let mut command = Command::new("strace");
            let call = inject.split(':').next().unwrap_or_default();
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
            command.arg("-e").arg(format!("inject={inject}")).arg(highwater());
            command
        }
    };
    Run::of(command.arg("prune").arg(set).args(rules).env("RAYON_NUM_THREADS", "1"))
}

/// The points, and whether anything is wrong with them or with what lies there.
fn look(set: &Path) -> (Vec<String>, bool) {
    let run = Run::of(Command::new(highwater()).args(["verify", "--json", "--depth", "size"]).arg(set));
    let report: Value = serde_json::from_slice(&run.stdout).expect("a report");
    let names = report["sets"].as_array().expect("a list").iter().map(|set| set["name"].as_str().expect("text").into());
    (names.collect(), run.code != 0)
}

#[test]
fn whatever_call_fails_or_kills_it_the_next_run_ends_right() {
    let mut score = Score::part("injected faults", "prune");
    if let Some(why) = cannot_trace() {
        println!("not run: {why}");
        score.ran(1);
        return score.end();
    }
    for set in Set::all() {
        let before = look(&set.fresh()).0;
        let path = set.fresh();
        prune(&path, set.rules, None).expect(0);
        let after = look(&path).0;
        assert!(after.len() < before.len(), "{before:?}");
        for (call, wrong) in [
            ("unlinkat", "error=EIO"),
            ("unlinkat", "error=EACCES"),
            ("unlinkat", "signal=KILL"),
            ("renameat2", "error=EIO"),
            ("renameat2", "signal=KILL"),
            ("fsync", "error=EIO"),
            ("fsync", "signal=KILL"),
            ("getdents64", "error=EIO"),
            ("getdents64", "error=EACCES"),
        ] {
            for number in (1..=40).step_by(if full() { 1 } else { 3 }) {
                let path = set.fresh();
                let run = prune(&path, set.rules, Some(format!("{call}:{wrong}:when={number}")));
                if run.code == 0 {
                    break;
                }
                score.ran(1);
                let case = format!("{call} {number}, {wrong}");
                let killed = wrong.starts_with("signal");
                if !killed && ![3, 4].contains(&run.code) {
                    score.fail(format!("{case}: {}", run.account()));
                }
                let (points, wrong) = look(&path);
                let whole = after.iter().all(|point| points.contains(point));
                if wrong || !whole || !points.iter().all(|point| before.contains(point)) {
                    score.fail(format!("{case}: {points:?} are left, wrong: {wrong}\n{}", run.account()));
                }
                let again = prune(&path, set.rules, None);
                let strict = Run::of(Command::new(highwater()).args(["verify", "--strict", "-d", "size"]).arg(&path));
                if again.code != 0 || look(&path) != (after.clone(), false) || is_left(&path) {
                    score.fail(format!("{case}: then {}\n{}", again.account(), strict.account()));
                }
            }
        }
    }
    score.end();
}

/// Whether something of a prune lies in the root, or in a repository there that nobody needs.
fn is_left(set: &Path) -> bool {
    let inner = set.join("repozo");
    let folders = [set, &inner].into_iter().filter(|folder| folder.is_dir());
    let mut names = folders.flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    names.any(|entry| {
        let (name, is_inner) = (entry.expect("an entry").file_name(), inner.is_dir());
        let old = is_inner.then_some(["2026-01-01", "2026-01-02"]).into_iter().flatten();
        ["pruned", "highwater-tmp"].into_iter().chain(old).any(|word| name.to_string_lossy().contains(word))
    })
}
