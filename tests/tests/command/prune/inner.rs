//! `prune` of sets that keep a `Data.fs` as a repository in the set: what no point needs goes from there, too.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use highwater::backup::repozo::{self, BackupOptions};
use highwater::backup::tree::{TreeOptions, Zodb, ZodbOptions, backup};
use highwater::disk;
use highwater::lock;
use highwater::store::{Locks, Place};
use highwater::watch::Watch;
use highwater_core::formats::tree::names;
use highwater_core::name::Name;
use highwater_tests::binary::highwater;
use highwater_tests::repo::{Data, Image, load};
use highwater_tests::run::Run;
use highwater_tests::specimens::repozo::plain_backup;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{as_nobody, points, whole};

/// Three chains of three; points of the set are called alike.
const DAYS: [(&str, bool); 9] = [
    ("2026-01-01", true),
    ("2026-01-02", false),
    ("2026-01-03", false),
    ("2026-02-01", true),
    ("2026-02-02", false),
    ("2026-02-03", false),
    ("2026-03-01", true),
    ("2026-03-02", false),
    ("2026-03-03", false),
];

struct Set {
    folder: TempDir,
    data: Data,
    /// What `Data.fs` was on each day.
    states: Vec<(&'static str, Vec<u8>)>,
}

impl Set {
    fn new() -> Self {
        let mut set =
            Self { folder: tempfile::tempdir().expect("a scratch folder"), data: Data::new(5), states: Vec::new() };
        for folder in ["set", "var/filestorage", "var/blobstorage"] {
            fs::create_dir_all(set.folder.path().join(folder)).expect("a folder");
        }
        fs::write(set.folder.path().join("var/blobstorage/.layout"), "bushy").expect("a file");
        DAYS.iter().for_each(|(day, full)| set.back_up(day, *full));
        set
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("set")
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("var")
    }

    /// `Data.fs` grows.
    fn grow(&mut self) {
        self.data.grow(2);
        fs::write(self.source().join("filestorage/Data.fs"), &self.data.bytes).expect("a file");
    }

    /// `Data.fs` grows, and a point is made.
    fn back_up(&mut self, day: &'static str, full: bool) {
        self.grow();
        let open = |path: &Path| disk::open(path, Locks::Needed).expect("a folder");
        let options = ZodbOptions { full, ..ZodbOptions::default() };
        let found = Zodb::find(Arc::new(open(&self.source())), options, true).expect("it can be looked at");
        let job = TreeOptions { now: Some(format!("{day}-00-00-00")), ..TreeOptions::default() };
        let mut source = found.expect("a database");
        backup(&job, &mut source, &open(&self.path()), &Watch::silent()).expect("a point");
        self.states.push((day, self.data.bytes.clone()));
    }

    /// What a run does that is killed before there is a point of the set.
    fn back_up_half(&mut self, day: &str, full: bool) {
        self.grow();
        let open = |path: &Path| disk::open(path, Locks::Needed).expect("a folder");
        let place = Place {
            root: Arc::new(open(&self.source())) as _,
            name: Name::new(b"filestorage/Data.fs").expect("a name"),
        };
        let job = BackupOptions { full, ..plain_backup(&format!("{day}-00-00-00")) };
        repozo::backup(&job, &place, &open(&self.path().join("repozo")), &Watch::silent()).expect("a backup");
    }

    fn list(&self, day: &str) -> PathBuf {
        self.path().join(names::list(&point(day)).expect("a point").to_string())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join("repozo").join(name)
    }

    /// The days of data files of the repository.
    fn kept(&self) -> Vec<String> {
        let files = load(&self.path().join("repozo")).into_keys();
        let data = files.filter(|name| name.contains("fs") && !name.contains("marks"));
        data.map(|name| name[..10].to_owned()).collect()
    }

    fn image(&self) -> Image {
        whole(&self.path())
    }

    fn prune(&self, words: &[&str]) -> Run {
        Run::of(Command::new(highwater()).arg("prune").arg(self.path()).args(words))
    }

    /// Every point is sound and gives its `Data.fs` back, and so does the repository by itself.
    #[track_caller]
    fn is_whole(&self) {
        for set in [self.path(), self.path().join("repozo")] {
            Run::of(Command::new(highwater()).args(["verify", "--strict", "--depth", "deep"]).arg(set)).expect(0);
        }
        for name in points(&self.path()) {
            let to = tempfile::tempdir().expect("a scratch folder");
            let from = format!("{}@{name}", self.path().display());
            Run::of(Command::new(highwater()).arg("restore").arg(from).arg(to.path())).expect(0);
            let (_, state) = self.states.iter().find(|(day, _)| point(day) == name).expect("one of ours");
            assert!(fs::read(to.path().join("filestorage/Data.fs")).expect("a file") == *state, "{name}");
        }
    }
}

fn point(day: &str) -> String {
    format!("{day}T00-00-00Z")
}

/// The files that one image has and another lacks, in number and bytes.
fn lacks(before: &Image, after: &Image) -> (u64, u64) {
    let gone = before.iter().filter(|(name, _)| name.starts_with("repozo/") && !after.contains_key(*name));
    gone.fold((0, 0), |(files, bytes), (_, file)| (files + 1, bytes + file.len() as u64))
}

#[test]
fn chains_and_ends_of_chains_go_that_no_point_needs_and_a_dry_run_says_so_before() {
    let mut set = Set::new();
    // Somebody gave a point up: of its chain, only what the one before it needs stays.
    fs::remove_file(set.list("2026-02-03")).expect("a list");
    let before = set.image();
    let rules = ["--keep-last", "1", "--keep-monthly", "1"];
    let dry = set.prune(&[&rules[..], &["--json", "-n"]].concat());
    assert_eq!(set.image(), before);
    let dry: Value = serde_json::from_slice(&dry.expect(0).stdout).expect("JSON");
    let told = set.prune(&[&rules[..], &["-n"]].concat());
    let wet = set.prune(&rules);
    let (files, bytes) = lacks(&before, &set.image());
    let spare = json!({ "files": files, "bytes": bytes });
    assert_eq!(
        dry["inner"],
        json!([{ "folder": "repozo", "format": "repozo", "spare": spare, "swept": { "files": 0, "bytes": 0 } }])
    );
    let counted = format!("{files} files of {} in repozo", highwater_core::render::bytes(bytes));
    told.expect(0).prints(&format!("sweep   {counted}, which no other point needs\n"));
    told.prints(&format!("would remove 6 of 8 points and 0 objects of 0 bytes and {counted}; the newest"));
    wet.expect(0).prints(&format!("removed 6 of 8 points and 0 objects of 0 bytes and {counted}; the newest"));
    assert_eq!(points(&set.path()), [point("2026-02-02"), point("2026-03-03")]);
    assert_eq!(set.kept(), ["2026-02-01", "2026-02-02", "2026-03-01", "2026-03-02", "2026-03-03"]);
    // Three of a chain with its index, and one of an end: each with an index of its objects.
    assert!(files >= 9, "{files}");
    set.is_whole();
    set.prune(&rules)
        .expect(0)
        .prints("removed 0 of 2 points and 0 objects of 0 bytes and 0 files of 0 bytes in repozo");
    // The next backup goes on from there.
    set.back_up("2026-03-04", false);
    assert!(set.file("2026-03-04-00-00-00.deltafs").exists());
    set.is_whole();
}

#[test]
fn what_a_killed_backup_left_there_goes_unless_it_is_the_newest() {
    let mut set = Set::new();
    set.back_up_half("2026-03-04", true);
    set.back_up_half("2026-03-05", false);
    set.back_up_half("2026-03-06", true);
    let run = set.prune(&["--keep-last", "1", "--json"]);
    let document: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
    assert_eq!(document["inner"][0]["spare"], document["inner"][0]["swept"]);
    assert_eq!(set.kept(), ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-06"]);
    set.is_whole();
    set.back_up("2026-03-07", false);
    assert!(set.file("2026-03-07-00-00-00.deltafs").exists());
    // Of the newest chain nothing goes, though no point needs its end.
    fs::remove_file(set.list("2026-03-07")).expect("a list");
    set.prune(&["--keep-last", "1"]).expect(0).prints("and 0 files of 0 bytes in repozo");
    assert_eq!(set.kept(), ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-06", "2026-03-07"]);
    set.is_whole();
}

#[test]
fn where_something_cannot_be_read_nothing_goes_from_either() {
    let dat = "2026-01-01-00-00-00.dat";
    let set = Set::new();
    let bytes = fs::read(set.list("2026-02-02")).expect("a list");
    fs::write(set.list("2026-02-02"), &bytes[..bytes.len() - 80]).expect("a shorter one");
    let before = set.image();
    set.prune(&["--keep-last", "1"]).expect(3).says("so nothing is removed");
    assert_eq!(set.image(), before);
    fs::write(set.list("2026-02-02"), bytes).expect("the list");
    let closed = [set.file(dat), set.file("2026-02-03-00-00-00.deltafs"), set.path().join("repozo")];
    for (at, path) in closed.iter().enumerate() {
        // Also where no list names what is closed any more.
        let days = DAYS.iter().filter(|(day, _)| at == 0 && day.starts_with("2026-01") || *day == "2026-02-03");
        days.for_each(|(day, _)| _ = fs::remove_file(set.list(day)));
        let before = set.image();
        let mode = fs::metadata(path).expect("it is there").permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("ours");
        as_nobody(&set.path(), &["prune", "--keep-last", "1"]).expect(3).says("so nothing is removed");
        as_nobody(&set.path(), &["prune", "--keep-last", "1", "-n"]).expect(3).says("so nothing is removed");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
        assert_eq!(set.image(), before, "{}", path.display());
    }
    as_nobody(&set.path(), &["prune", "--keep-last", "1"]).expect(0);
    assert_eq!(set.kept(), ["2026-03-01", "2026-03-02", "2026-03-03"]);
}

#[test]
fn beside_a_writer_of_the_repository_nothing_is_removed() {
    let set = Set::new();
    let before = set.image();
    let held = disk::open(&set.path().join("repozo"), Locks::Needed).expect("the repository");
    let alone = lock::take(&held, highwater_core::formats::repozo::names::LOCK).expect("the lock is free");
    let run = set.prune(&["--keep-last", "1"]);
    assert!(run.expect(4).stderr.contains("repozo': pid"), "{}", run.account());
    set.prune(&["--keep-last", "1", "-n"]).expect(0);
    assert_eq!(set.image(), before);
    drop(alone);
    set.prune(&["--keep-last", "1"]).expect(0);
}

#[test]
fn what_is_damaged_there_stays_and_so_does_what_a_lost_point_went_on_from() {
    let set = Set::new();
    let cut = |name: &str| {
        let bytes = fs::read(set.file(name)).expect("a file");
        fs::write(set.file(name), &bytes[..bytes.len() - 1]).expect("a shorter one");
    };
    // Nobody needs the first chain; its middle is damaged. Of the second, a point of the set needs what is lost.
    for day in ["2026-01-01", "2026-01-02", "2026-01-03", "2026-02-01", "2026-02-02"] {
        fs::remove_file(set.list(day)).expect("a list");
    }
    cut("2026-01-02-00-00-00.deltafs");
    let dat = fs::read_to_string(set.file("2026-02-01-00-00-00.dat")).expect("an index");
    let lines: Vec<&str> = dat.split_inclusive('\n').collect();
    fs::write(set.file("2026-02-01-00-00-00.dat"), lines[..2].concat()).expect("without its last line");
    fs::remove_file(set.file("2026-02-03-00-00-00.deltafs")).expect("a file");
    let before = set.kept();
    let run = set.prune(&["--keep-last", "1"]);
    run.expect(1).prints("keep    2026-02-03T00-00-00Z  damaged").prints("removed 2 of 4 points");
    assert_eq!(set.kept(), before);
}

#[test]
fn a_set_whose_repository_is_gone_or_empty_is_pruned_all_the_same() {
    let mut set = Set::new();
    let data = fs::read(set.source().join("filestorage/Data.fs")).expect("a file");
    for name in ["one", "two"] {
        let folder = set.folder.path().join("files");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(name), &data).expect("a file");
    }
    // Points of a plain folder, which need no repository, go on in the same set.
    let open = |path: &Path| disk::open(path, Locks::Needed).expect("a folder");
    let job = TreeOptions { now: Some("2026-04-01-00-00-00".to_owned()), ..TreeOptions::default() };
    let mut source = highwater::backup::tree::Folder(Arc::new(open(&set.folder.path().join("files"))));
    backup(&job, &mut source, &open(&set.path()), &Watch::silent()).expect("a point");
    set.states.clear();
    let rules = ["--keep-last", "1"];
    set.prune(&rules).expect(0).prints("removed 9 of 10 points");
    assert_eq!(set.kept(), ["2026-03-01", "2026-03-02", "2026-03-03"], "the newest chain stays");
    set.prune(&rules).expect(0).prints("removed 0 of 1 points");
    for lost in [true, false] {
        let set = Set::new();
        let job = TreeOptions { now: Some("2026-04-01-00-00-00".to_owned()), ..TreeOptions::default() };
        backup(&job, &mut source, &open(&set.path()), &Watch::silent()).expect("a point");
        fs::remove_dir_all(set.path().join("repozo")).expect("a folder");
        if !lost {
            fs::create_dir(set.path().join("repozo")).expect("a folder");
        }
        set.prune(&rules).expect(1).prints("removed 0 of 10 points");
    }
}
