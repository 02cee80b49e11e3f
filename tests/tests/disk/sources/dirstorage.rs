//! Stores of DirectoryStorage: what is of a point, and what must hold still.

use std::ffi::OsStr;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use highwater::backup::tree::{DirStorage as Store, Set, Source};
use highwater::disk::Disk;
use highwater::store::{Files, Links};
use highwater::watch::Watch;
use highwater_tests::python;
use highwater_tests::run::{Run, ours};
use highwater_tests::specimens::dirstorage::{DirStorage, Still};
use highwater_tests::specimens::lay;

use super::{Scene, below};

fn scene(still: &Still) -> Scene {
    let scene = Scene::new();
    lay(&still.files, &scene.path("source"));
    scene
}

fn bushy() -> (Scene, Still) {
    let still = DirStorage::still().into_iter().next().expect("a layout");
    (scene(&still), still)
}

fn verify(folder: &std::path::Path) -> Run {
    ours("2026-11-28-00-00-00", &["verify".as_ref(), folder.as_os_str()])
}

/// A process that holds a lock as the storage does: by the very module that the storage takes it with.
struct Locked(Child);

impl Locked {
    fn new(scene: &Scene, name: &str) -> Self {
        let script = "import sys, zc.lockfile\nlock = zc.lockfile.LockFile(sys.argv[1])\nprint('held', flush=True)\nsys.stdin.read()";
        let mut command = Command::new(python::interpreter());
        command.args(["-c", script]).arg(scene.path(name)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python");
        let mut said = String::new();
        let out = child.stdout.take().expect("a pipe");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut said).expect("a line");
        assert_eq!(said, "held\n");
        Self(child)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().expect("it ends");
    }
}

#[test]
fn of_every_layout_the_database_is_kept_and_nothing_that_is_later() {
    for still in DirStorage::still() {
        let scene = scene(&still);
        let before = below(&scene.path("source"));
        let made = scene.back_up(0, &[]);
        made.expect(0);
        assert_eq!(below(&scene.path("source")), before, "{}: the store is as it was", still.layout);
        let copy = scene.restore(0);
        // That one has no sums.
        verify(&copy).expect(if still.layout == "lawn" { 3 } else { 0 }).never_says("damaged");
        let left = ["B/", "journal/", "misc/"].map(str::to_owned);
        let wanted: Vec<(String, Vec<u8>)> = before
            .into_iter()
            .filter(|(name, _)| {
                let is_work = name.ends_with("-deleted") || name.ends_with(".mark");
                let is_ours = name.starts_with("A/") || name.starts_with("config/") || name == "misc/snapshot";
                (is_ours && !is_work) || left.contains(name)
            })
            .collect();
        assert_eq!(below(&copy), wanted, "{}", still.layout);
        let title =
            format!(" · store dirstorage 5f0d6b1a9c3e47288e1f02b4d6a8c0e2 · at transaction {:016X}, md5 ", still.last);
        assert!(scene.list(0).contains(&title), "{}: {}", still.layout, scene.list(0));
        // A snapshot of a snapshot is one.
        fs::rename(&copy, scene.path("again")).expect("it is there");
        fs::remove_dir_all(scene.path("source")).expect("it is there");
        fs::rename(scene.path("again"), scene.path("source")).expect("it is free");
        let again = scene.back_up(1, &[]);
        again.expect(0).prints("new in 0 objects");
    }
}

#[test]
fn a_store_that_does_not_hold_still_is_refused_with_the_ways_out() {
    let (scene, _) = bushy();
    let ways = ["snapshot.py --storage", "--freeze CMD --thaw CMD", "--kind folder"];
    let refused = |made: &Run, why: &str| {
        made.expect(4).says(why);
        ways.iter().for_each(|way| _ = made.says(way));
        assert!(!scene.has_point(0), "{}", made.account());
    };
    {
        let _storage = Locked::new(&scene, "source/misc/sublock");
        refused(&scene.back_up(0, &[]), "a process holds 'misc/sublock'");
        refused(&scene.back_up(0, &["--dry-run"]), "a process holds 'misc/sublock'");
        // Under its own tool, that holds the lock.
        let home = scene.path("source");
        let version = |version: &'static str| {
            [("SNAPSHOT_VERSION", OsStr::new(version)), ("SNAPSHOT_DIRECTORY", home.as_os_str())]
        };
        refused(&scene.back_up_with(0, &[], &version("3")), "a process holds");
        let other = scene.path("set");
        let elsewhere = [("SNAPSHOT_VERSION", OsStr::new("2")), ("SNAPSHOT_DIRECTORY", other.as_os_str())];
        refused(&scene.back_up_with(0, &[], &elsewhere), "a process holds");
        scene.back_up_with(1, &[], &version("2")).expect(0);
        assert!(scene.has_point(1));
    }
    fs::remove_file(scene.path("source/misc/snapshot")).expect("it is there");
    refused(&scene.back_up(2, &[]), "'misc/snapshot' is not there");
    // The files as they are found, and said so.
    let made = scene.back_up(2, &["--kind", "folder"]);
    made.expect(0).says("only the storage makes whole ones of them again");
    assert!(scene.list(2).contains(" store folder ") && scene.list(2).contains("_done/"), "{}", scene.list(2));
}

/// Whether the storage can take its lock now.
fn can_lock(scene: &Scene) -> bool {
    let script = "import sys, zc.lockfile\ntry:\n    zc.lockfile.LockFile(sys.argv[1]).close()\nexcept zc.lockfile.LockError:\n    sys.exit(7)";
    let mut command = Command::new(python::interpreter());
    match Run::of(command.args(["-c", script]).arg(scene.path("source/misc/sublock"))).code {
        0 => true,
        7 => false,
        code => panic!("python ended with {code}"),
    }
}

#[test]
fn while_it_is_read_nobody_may_change_it_and_it_must_be_in_snapshot_mode_to_the_end() {
    let (scene, _) = bushy();
    let opened =
        |name: &str| -> Arc<dyn Disk> { Arc::new(Files::open(&scene.path(name), Links::Beneath).expect("a folder")) };
    let (set, watch) = (opened("set"), Watch::silent());
    let set = Set { disk: &*set, dry_run: false, stamp: "2026-11-27-00-00-00" };
    let mut source = Store::new(opened("source"), None, false);
    for leaves in [false, true] {
        assert!(can_lock(&scene));
        drop(source.freeze(&set, &watch).expect("it holds still"));
        assert!(!can_lock(&scene), "the storage would change the database");
        if leaves {
            fs::remove_file(scene.path("source/misc/snapshot")).expect("it is there");
        }
        let held = source.held_still();
        assert_eq!(held.is_err(), leaves, "{held:?}");
        source.thaw(&watch).expect("it is let go of");
    }
    assert!(can_lock(&scene));
}

#[test]
fn commands_make_it_enter_snapshot_mode_and_leave_it() {
    let (scene, _) = bushy();
    fs::remove_file(scene.path("source/misc/snapshot")).expect("it is there");
    fs::remove_file(scene.path("source/misc/sublock")).expect("it is there");
    let (mark, said) = (scene.path("source/misc/snapshot"), scene.path("said"));
    let freeze = format!("echo freeze $SNAPSHOT_VERSION >> {}; touch {}", said.display(), mark.display());
    let thaw = format!("echo thaw >> {}; rm {}", said.display(), mark.display());
    scene.back_up(0, &["--freeze", &freeze, "--thaw", &thaw]).expect(0);
    assert_eq!(scene.text("said"), "freeze 2\nthaw\n");
    verify(&scene.restore(0)).expect(0);
    // One that says that it did, and did not.
    let made = scene.back_up(1, &["--freeze", &format!("echo freeze >> {}", said.display()), "--thaw", &thaw]);
    made.expect(4).says("'misc/snapshot' is not there");
    assert_eq!(scene.text("said"), "freeze 2\nthaw\nfreeze\nthaw\n");
    // A dry run runs none.
    fs::write(&mark, "x").expect("a mark");
    scene.back_up(2, &["--dry-run", "--freeze", &freeze, "--thaw", &thaw]).expect(0);
    assert_eq!(scene.text("said"), "freeze 2\nthaw\nfreeze\nthaw\n");
    let made = scene.back_up(3, &["--freeze", &freeze, "--thaw", &thaw, "--list", "true"]);
    made.expect(2).says("a DirectoryStorage says itself what is new");
}

#[test]
fn an_increment_of_a_replica_that_may_be_half_taken_in_is_refused() {
    let (scene, _) = bushy();
    scene.write("source/journal/replica.tar", "x");
    scene.back_up(0, &[]).expect(4).says("taken in by half");
    assert!(!scene.has_point(0));
}

#[test]
fn what_transactions_wrote_and_is_not_there_is_told() {
    let (scene, still) = bushy();
    let revision =
        still.files.keys().find(|name| name.ends_with(&format!("/{:016X}", still.last)) && name.starts_with("A/o"));
    fs::remove_file(scene.path("source").join(revision.expect("a revision"))).expect("it is there");
    let made = scene.back_up(0, &[]);
    made.expect(3).says(revision.expect("a revision")).says("is not there, and 'A/t");
    assert!(scene.list(0).contains("# left out: "), "{}", scene.list(0));
    // It is older than the point before by now, and verify finds it all the same.
    scene.back_up(1, &[]).expect(0);
    verify(&scene.restore(1)).expect(1);
}

#[test]
fn a_database_that_is_no_whole_transactions_is_refused_whatever_it_says() {
    let (scene, still) = bushy();
    let late = still.files.keys().find(|name| name.starts_with("B/t")).expect("a later transaction");
    let to = scene.path("source").join(late.replacen('B', "A", 1));
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::rename(scene.path("source").join(late), to).expect("it is free");
    scene.back_up(0, &[]).expect(1).says("is later than the last transaction");
    assert!(!scene.has_point(0));
}

#[test]
fn a_store_that_is_another_or_was_brought_back_is_told() {
    let (scene, still) = bushy();
    scene.back_up(0, &[]).expect(0);
    scene.write("source/config/identity", &"a".repeat(32));
    scene
        .back_up(1, &[])
        .expect(0)
        .says("the points before this one are of another store, 5f0d6b1a9c3e47288e1f02b4d6a8c0e2");
    // A store that went back by a transaction.
    let x = scene.path("source/A/x/serial");
    let before = fs::read(&x).expect("a number");
    let back = (still.last - (1 << 32)).to_be_bytes();
    fs::write(&x, back).expect("a number");
    for name in still.files.keys().filter(|name| name.starts_with("A/")) {
        let path = scene.path("source").join(name);
        let is_last = name.ends_with(&format!("/{:016X}", still.last))
            || name.ends_with(&format!("/{:010X}", still.last & 0xff_ffff_ffff));
        if is_last {
            fs::remove_file(path).expect("it is there");
        }
    }
    assert_ne!(before, back);
    scene.back_up(2, &[]).says("it was brought back");
}

#[test]
fn a_store_without_transactions_is_kept_too() {
    let (scene, still) = bushy();
    let keep = |name: &str| name.starts_with("config/") || name.starts_with("misc/") || name.starts_with("A/x/");
    let mut files = still.files;
    files.retain(|name, _| keep(name));
    for name in ["A/x/oid", "A/x/serial", "A/x/packed"] {
        files.insert(name.to_owned(), vec![0; 8]);
    }
    lay(&files, &scene.path("source"));
    let made = scene.back_up(0, &[]);
    made.expect(0).says("the store lacks the folder B and the folder journal");
    assert!(scene.list(0).contains(" · at no transaction · "), "{}", scene.list(0));
}
