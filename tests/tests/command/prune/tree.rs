//! `prune` of sets of points of folders: lists go, and then the objects that no list names.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use highwater::backup::tree::{Folder, TreeOptions, backup};
use highwater::disk;
use highwater::lock;
use highwater::store::Locks;
use highwater::watch::Watch;
use highwater_core::formats::tree::{BYTES, TITLE, Within, names};
use highwater_core::mtree::{SIGNATURE, seal};
use highwater_core::name::Name;
use highwater_tests::binary::highwater;
use highwater_tests::repo::{Fixture, Image, load, store};
use highwater_tests::run::Run;
use serde_json::Value;
use tempfile::TempDir;

use super::{as_nobody, points, whole};

const POINTS: [&str; 4] =
    ["2026-01-01T00-00-00Z", "2026-01-02T00-00-00Z", "2026-01-03T00-00-00Z", "2026-01-04T00-00-00Z"];

/// Bytes of the file that each point has for itself.
const OWN: usize = 1000;

struct Set(TempDir);

impl Set {
    /// Four points of a folder: one file in all of them, one of which each has its own bytes.
    fn new() -> Self {
        let set = Self(tempfile::tempdir().expect("a scratch folder"));
        let files = set.0.path().join("files");
        fs::create_dir(&files).expect("a folder");
        fs::create_dir(set.path()).expect("a folder");
        fs::write(files.join("same"), [7; 300]).expect("a file");
        for day in 1..=4 {
            fs::write(files.join("own"), vec![day; OWN]).expect("a file");
            let job = TreeOptions { now: Some(format!("2026-01-0{day}-00-00-00")), ..TreeOptions::default() };
            let open = |path: &Path| disk::open(path, Locks::Needed).expect("a folder");
            let made = || backup(&job, &mut Folder(Arc::new(open(&files))), &open(&set.path()), &Watch::silent());
            // What another thread starts holds the lock of the last point until it is a program of its own.
            let is_made = |_: &u32| match made() {
                Err(error) if error.to_string().contains("another run is writing") => {
                    thread::yield_now();
                    false
                }
                made => made.map(|_| true).expect("a point"),
            };
            (0..100_000).find(is_made).expect("the lock is let go of");
        }
        set
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("set")
    }

    fn list(&self, point: &str) -> PathBuf {
        self.path().join(names::list(point).expect("a point").to_string())
    }

    /// The object of a point's own file.
    fn own(&self, day: u8) -> PathBuf {
        let sum = highwater_core::digest::sha256_of(&vec![day; OWN]);
        self.path().join(names::object(&sum).expect("a name").to_string())
    }

    /// What is in it.
    fn image(&self) -> Image {
        whole(&self.path())
    }

    fn prune(&self, words: &[&str]) -> Run {
        Run::of(Command::new(highwater()).arg("prune").arg(self.path()).args(words))
    }

    fn verify(&self) -> Run {
        Run::of(Command::new(highwater()).args(["verify", "--strict", "--depth", "deep"]).arg(self.path()))
    }
}

#[test]
fn points_go_and_what_only_they_named_and_a_dry_run_says_so_before() {
    let set = Set::new();
    let before = set.image();
    let dry = set.prune(&["--keep-last", "2", "-n"]);
    dry.expect(0).prints("sweep   2 objects of 1.9 KiB, which no other point needs\n");
    dry.prints("would remove 2 of 4 points and 2 objects of 1.9 KiB; the newest sound point is 2026-01-04T00-00-00Z");
    assert_eq!(set.image(), before);
    let wet = set.prune(&["--keep-last", "2"]);
    wet.expect(0).prints("sweep   2 objects of 1.9 KiB").prints("removed 2 of 4 points and 2 objects of 1.9 KiB");
    assert_eq!(points(&set.path()), POINTS[2..]);
    let wanted = |name: &str| {
        let gone = [set.list(POINTS[0]), set.list(POINTS[1]), set.own(1), set.own(2)];
        !gone.contains(&set.path().join(name))
    };
    let left: Image = before.into_iter().filter(|(name, _)| wanted(name)).collect();
    assert_eq!(set.image(), left);
    set.verify().expect(0);
    set.prune(&["--keep-last", "2"]).expect(0).prints("removed 0 of 2 points and 0 objects of 0 bytes");
}

#[test]
fn what_an_interrupted_backup_left_goes_with_every_prune_and_what_is_nobodys_stays() {
    let set = Set::new();
    let pool = set.path().join("objects/ab");
    fs::create_dir_all(&pool).expect("a folder");
    let named = |ending: &str| pool.join(format!("ab{}{ending}", "0".repeat(62)));
    let strangers = [
        named(".0.bad"),
        pool.join("notes"),
        pool.join(format!("cd{}", "0".repeat(62))),
        pool.join(format!("AB{}", "0".repeat(62))),
        pool.join("new.0123456789abcdef.highwater-tmp"),
        set.path().join("points/notes"),
    ];
    for path in strangers.iter().chain([&named("")]) {
        fs::write(path, "twelve bytes").expect("a file");
    }
    symlink(set.own(1), pool.join(format!("ab{}1", "0".repeat(61)))).expect("a link");
    fs::create_dir(pool.join(format!("ab{}2", "0".repeat(61)))).expect("a folder");
    let run = set.prune(&["--keep-last", "9", "--json"]);
    let document: Value = serde_json::from_slice(&run.expect(0).stdout).expect("JSON");
    let one = serde_json::json!({ "objects": 1, "bytes": 12 });
    assert_eq!((&document["spare"], &document["swept"]), (&one, &one));
    assert!(!named("").exists() && strangers.iter().all(|path| path.exists()));
    assert_eq!(fs::read_dir(&pool).expect("a folder").count(), 7);
    assert_eq!(points(&set.path()), POINTS);
}

/// What is done to a set, how, and what is to be said of it.
type Harm = (&'static str, fn(&Set), &'static str);

#[test]
fn a_list_that_cannot_be_read_whole_is_not_gone() {
    let harms: [Harm; 6] = [
        ("cut", |set| cut(&set.list(POINTS[1])), "'points/2026-01-02T00-00-00Z.mtree' at byte"),
        ("of the newest point", |set| cut(&set.list(POINTS[3])), "'points/2026-01-04T00-00-00Z.mtree' at byte"),
        (
            "renamed",
            |set| fs::rename(set.list(POINTS[1]), set.path().join("points/before the move.mtree")).expect("it is"),
            "'points/before the move.mtree' may be a list",
        ),
        (
            "on a disk that is not there",
            |set| {
                fs::remove_file(set.list(POINTS[1])).expect("it is");
                symlink("/nowhere/list", set.list(POINTS[1])).expect("a link");
            },
            "which lies outside",
        ),
        (
            "a link to what is gone",
            |set| {
                fs::remove_file(set.list(POINTS[1])).expect("it is");
                symlink("elsewhere", set.list(POINTS[1])).expect("a link");
            },
            "it is no file, or a link that leads nowhere",
        ),
        (
            "a folder",
            |set| {
                fs::remove_file(set.list(POINTS[1])).expect("it is");
                fs::create_dir(set.list(POINTS[1])).expect("a folder");
            },
            "it is a folder, not a file",
        ),
    ];
    for (name, harm, says) in harms {
        let set = Set::new();
        harm(&set);
        let before = set.image();
        for words in [&["--keep-last", "1"][..], &["--keep-last", "1", "-n"], &["--keep-last", "9"]] {
            let run = set.prune(words);
            run.expect(3).says(says).says("what cannot be read may be needed, so nothing is removed");
            assert_eq!(set.image(), before, "{name}");
        }
    }
    let set = Set::new();
    fs::set_permissions(set.0.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    let closed = [set.list(POINTS[1]), set.path().join("points"), set.path().join("objects")];
    for path in &closed {
        let mode = fs::metadata(path).expect("it is there").permissions().mode();
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("ours");
        as_nobody(&set.path(), &["prune", "--keep-last", "1"]).expect(3).says("nothing is removed");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
        assert_eq!(points(&set.path()), POINTS);
    }
    as_nobody(&set.path(), &["prune", "--keep-last", "1"]).expect(0).prints("removed 3 of 4 points");
}

fn cut(path: &Path) {
    let bytes = fs::read(path).expect("a list");
    fs::remove_file(path).expect("a list");
    fs::write(path, &bytes[..bytes.len() - 80]).expect("a shorter one");
}

#[test]
fn the_newest_point_that_is_sound_stays_and_so_does_what_it_shares_with_damaged_ones() {
    let set = Set::new();
    fs::remove_file(set.own(4)).expect("an object");
    let run = set.prune(&["--keep-last", "1"]);
    run.expect(1).prints(&format!("keep    {}  damaged", POINTS[3])).prints(&format!("keep    {}  last 1", POINTS[2]));
    run.prints(&format!("the newest sound point is {}", POINTS[2]));
    assert_eq!(points(&set.path()), POINTS[2..]);
    assert!(set.own(3).exists() && !set.own(2).exists());
    // Without a sound point nothing goes, not even what nobody names.
    let orphan = set.path().join(format!("objects/ab/ab{}", "0".repeat(62)));
    fs::create_dir_all(orphan.parent().expect("a folder")).expect("a folder");
    fs::write(&orphan, "of nobody").expect("a file");
    fs::remove_file(set.own(3)).expect("an object");
    let before = set.image();
    set.prune(&["--keep-last", "1"]).expect(1).says("so none is removed").prints("removed 0 of 2 points, judged");
    assert_eq!(set.image(), before);
}

#[test]
fn beside_a_writer_nothing_is_removed_and_a_dry_run_only_looks() {
    let set = Set::new();
    let before = set.image();
    let held = disk::open(&set.path(), Locks::Needed).expect("the set");
    let alone = lock::take(&held, names::LOCK).expect("the lock is free");
    assert!(set.prune(&["--keep-last", "1"]).expect(4).one_line().contains("another run is writing"));
    set.prune(&["--keep-last", "1", "--dry-run"]).expect(0);
    assert_eq!(set.image(), before);
    drop(alone);
    let point = format!("{}@{}", set.path().display(), POINTS[1]);
    Run::of(Command::new(highwater()).args(["prune", &point, "--keep-last", "1"])).expect(2).says("name the set alone");
    assert_eq!(set.image(), before);
}

#[test]
fn a_repository_in_the_set_keeps_what_the_newest_point_needs() {
    let (set, mut fixture) = (Set::new(), Fixture::new());
    fixture.grow(3);
    let stamp = fixture.backup(&[]);
    let length = fs::metadata(fixture.file(&format!("{stamp}.fs"))).expect("a file").len();
    let repository = set.path().join("repozo");
    store(&load(&fixture.repo), &repository);
    let name = |text: &str| Name::new(text.as_bytes()).expect("a name");
    let within = Within { path: name("Data.fs"), kind: "repozo".to_owned(), folder: name("repozo"), point: stamp };
    let point = "2026-01-05T00-00-00Z";
    let lines = format!(". type=dir\n./Data.fs type=file size={length}\n");
    let mut list = format!("{SIGNATURE}# {TITLE}{BYTES}{length}\n{}{lines}", within.line());
    seal(&mut list);
    fs::write(set.list(point), list).expect("a list");
    set.verify().expect(0);
    let before = whole(&repository);
    set.prune(&["--keep-last", "1"]).expect(0).prints("removed 4 of 5 points and 5 objects");
    assert_eq!((points(&set.path()), whole(&repository)), (vec![point.to_owned()], before));
    set.verify().expect(0);
}
