//! States that are caught for a backup: what is known of their files without reading them, and what is left of them.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::SystemTime;

use highwater::backup::tree::{Changes, Live, Set, Source};
use highwater::disk::Disk;
use highwater::live;
use highwater::store::{Files, Links};
use highwater::watch::Watch;
use highwater_core::name::Name;
use highwater_tests::binary::highwater;
use highwater_tests::run::{Run, ours};

use super::Scene;

const STAMP: &str = "2026-11-27-00-00-00";

fn opened(path: &Path) -> Arc<dyn Disk> {
    Arc::new(Files::open(path, Links::Beneath).expect("a folder"))
}

fn source(scene: &Scene, kind: &'static str) -> Live {
    let beside = opened(&scene.path(""));
    fs::create_dir_all(scene.path("set")).expect("a folder");
    Live::new(kind, opened(&scene.path(kind)), Some(beside), opened(&scene.path("set")))
}

/// What one freeze says: each file with its token, whether it is settled, and how many names it had.
fn frozen(scene: &Scene, kind: &'static str) -> Vec<(String, Option<String>, bool, u64)> {
    let mut source = source(scene, kind);
    let set = opened(&scene.path("set"));
    let frozen = source.freeze(&Set { disk: &*set, dry_run: false, stamp: STAMP }, &Watch::silent());
    let frozen = frozen.unwrap_or_else(|error| panic!("{kind}: {error}"));
    assert_eq!(frozen.changes, Changes::BreakIt);
    let root = frozen.root.as_ref().expect("it is frozen");
    let mut files = Vec::new();
    let mut ahead = vec![None];
    while let Some(folder) = ahead.pop() {
        let folder: Option<Name> = folder;
        let mut names = Vec::new();
        root.list(folder.as_ref(), &mut |entry| names.push(entry)).expect("a folder");
        for entry in names {
            let name = match &folder {
                Some(folder) => folder.join(entry.name.as_bytes()).expect("a name"),
                None => entry.name,
            };
            if entry.kind == highwater_core::inspect::Kind::Folder {
                ahead.push(Some(name));
                continue;
            }
            let names = root.look(Some(&name)).expect("a file").expect("a file").names;
            files.push((name.to_string(), frozen.tokens.get(&name).cloned(), (frozen.is_settled)(&name), names));
        }
    }
    assert!(!files.is_empty() && scene.names().iter().any(|name| name.starts_with(".highwater-frozen.")), "{kind}");
    source.thaw(&Watch::silent()).expect("it is let go of");
    files.sort();
    files
}

fn left(scene: &Scene) -> Vec<String> {
    scene.names().into_iter().filter(|name| name.starts_with('.')).collect()
}

#[test]
fn what_never_changes_is_known_and_linked_and_nothing_else() {
    let scene = Scene::new();
    for kind in live::kinds() {
        let before = scene.files(kind);
        let files = frozen(&scene, kind);
        for (name, token, is_settled, names) in &files {
            assert_eq!(token.is_some(), *is_settled, "{kind}: {name}: {token:?}");
            assert_eq!(*names > 1, *is_settled, "{kind}: {name} has {names} names");
        }
        assert!(files.iter().any(|(_, token, ..)| token.is_some()), "{kind}: {files:?}");
        assert_eq!(frozen(&scene, kind), files, "{kind}: nothing changed");
        assert_eq!((scene.files(kind), left(&scene)), (before, Vec::new()), "{kind}");
    }
}

#[test]
fn a_file_that_was_put_in_the_place_of_another_is_not_known_by_its_token() {
    let scene = Scene::new();
    for kind in live::kinds() {
        let before = frozen(&scene, kind);
        let (name, token, ..) = before.iter().find(|(_, token, ..)| token.is_some()).expect("a file that is known");
        let path = scene.path(kind).join(name);
        let (bytes, modified) = (fs::read(&path).expect("a file"), fs::metadata(&path).expect("a file").mtime());
        // Of the same name and length, and as old to the second: only what the file system says tells them apart.
        let other = path.with_extension("other");
        fs::write(&other, &bytes).expect("a file");
        let file = fs::File::open(&other).expect("a file");
        let seconds = u64::try_from(modified).expect("after 1970");
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).expect("a time");
        fs::rename(&other, &path).expect("it is there");
        let after = frozen(&scene, kind);
        let now = after.iter().find(|(other, ..)| other == name).and_then(|(_, token, ..)| token.as_ref());
        assert!(now.is_some() && now != token.as_ref(), "{kind}: {name}: {now:?}");
    }
}

#[test]
fn where_links_or_a_place_beside_the_store_are_not_to_be_had_the_point_is_the_same() {
    let scene = Scene::new();
    fs::create_dir(scene.path("set")).expect("a folder");
    for (number, kind) in live::kinds().enumerate() {
        let back_up = |minute: usize, fault: Option<&str>| {
            let mut command = match fault {
                Some(fault) => {
                    let call = fault.split(':').next().unwrap_or_default();
                    let mut command = Command::new("strace");
                    command.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={call}"));
                    command.arg("-e").arg(format!("inject={fault}")).arg(highwater());
                    command
                }
                None => Command::new(highwater()),
            };
            command.arg("backup").args([scene.path(kind), scene.path("set")]);
            let made = Run::of(command.env("HIGHWATER_NOW", format!("2026-11-27-{number:02}-{minute:02}-00")));
            let point = format!("{}@2026-11-27T{number:02}-{minute:02}-00Z", scene.path("set").display());
            (made, point)
        };
        let restored = |point: &str| {
            let to = scene.path("restored");
            ours("2026-11-28-00-00-00", &["restore".as_ref(), OsStr::new(point), to.as_os_str()]).expect(0);
            let files = scene.files("restored");
            fs::remove_dir_all(to).expect("it is there");
            files
        };
        let (made, point) = back_up(0, None);
        made.expect(0);
        let wanted = restored(&point);
        // The first folder that a run makes is the one beside the store, as the set has its own.
        let faults =
            ["mkdirat:error=EACCES:when=1", "mkdirat:error=EROFS:when=1", "linkat:error=EXDEV", "linkat:error=EPERM"];
        for (minute, fault) in (1..).zip(faults) {
            let (made, point) = back_up(minute, Some(fault));
            made.expect(0).prints("0 objects");
            assert_eq!(
                made.stderr.contains("files were not linked"),
                fault.starts_with("linkat"),
                "{}",
                made.account()
            );
            assert_eq!(restored(&point), wanted, "{kind}, {fault}");
            let in_set =
                fs::read_dir(scene.path("set")).expect("a set").map(|entry| entry.expect("an entry").file_name());
            let in_set: Vec<_> = in_set.filter(|name| name.to_string_lossy().contains("frozen")).collect();
            assert!(left(&scene).is_empty() && in_set.is_empty(), "{kind}, {fault}: {in_set:?}");
        }
        // Where there is no room at all, there is no point, and nothing is left.
        let (made, _) = back_up(9, Some("mkdirat:error=ENOSPC"));
        made.expect(3);
        assert!(left(&scene).is_empty(), "{kind}");
    }
}

#[test]
fn names_that_come_and_go_of_a_file_that_nobody_writes_to_change_nothing() {
    let scene = Scene::new();
    fs::create_dir(scene.path("set")).expect("a folder");
    let (pack, other) = (scene.path("git/objects/pack/pack-1.pack"), scene.path("other"));
    fs::write(&pack, vec![7; 48 << 20]).expect("a pack");
    let (over, count) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            // As a store does that removes tables while they are read, and git, which makes packs young again.
            while !over.load(Ordering::Relaxed) {
                fs::hard_link(&pack, &other).expect("a name");
                fs::File::open(&pack).and_then(|file| file.set_modified(SystemTime::now())).expect("a time");
                fs::remove_file(&other).expect("it is there");
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let made = ours(STAMP, &["backup".as_ref(), scene.path("git").as_os_str(), scene.path("set").as_os_str()]);
        over.store(true, Ordering::Relaxed);
        made.expect(0).never_says("changed while it was read");
    });
    assert!(count.load(Ordering::Relaxed) > 0);
}

/// A work folder as a run leaves it that was killed.
fn leave(around: &Path) -> PathBuf {
    let folder = around.join(".highwater-frozen.00112233aabbccdd");
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let inode = fs::metadata(&folder).expect("a folder").ino();
    let text = format!("work folder {inode}; removed by the next run if this one was killed\n");
    fs::write(folder.join(".highwater-work"), text).expect("a mark");
    fs::create_dir(folder.join("store")).expect("a folder");
    fs::write(folder.join("store/000001.log"), b"left").expect("a file");
    folder
}

#[test]
fn the_next_run_removes_what_one_left_that_was_killed() {
    let scene = Scene::new();
    for folder in ["set/objects", "set/points"] {
        fs::create_dir_all(scene.path(folder)).expect("a folder");
    }
    let left = [leave(&scene.path("")), leave(&scene.path("set"))];
    let store = scene.path("rocksdb");
    let made = ours(STAMP, &["backup".as_ref(), store.as_os_str(), scene.path("set").as_os_str()]);
    made.expect(0).says("work folder of a run that was killed");
    assert!(left.iter().all(|folder| !folder.exists()), "{}", made.account());
}

#[test]
fn a_store_that_is_damaged_or_in_its_set_is_refused_and_nothing_is_left() {
    let scene = Scene::new();
    fs::create_dir(scene.path("set")).expect("a folder");
    let back_up = |store: &str, set: &str| {
        ours(STAMP, &["backup".as_ref(), scene.path(store).as_os_str(), scene.path(set).as_os_str()])
    };
    fs::remove_file(scene.path("rocksdb/CURRENT")).expect("a head");
    let made = ours(
        STAMP,
        &[
            "backup".as_ref(),
            scene.path("rocksdb").as_os_str(),
            scene.path("set").as_os_str(),
            "--kind".as_ref(),
            "rocksdb".as_ref(),
        ],
    );
    made.expect(1).says("'CURRENT' is not there");
    fs::create_dir(scene.path("fjall/set")).expect("a folder");
    back_up("fjall", "fjall/set").expect(4).says("would hold itself");
    fs::create_dir(scene.path("set/leveldb")).expect("a folder");
    for (name, bytes) in scene.files("leveldb") {
        fs::write(scene.path("set/leveldb").join(name), bytes).expect("a file");
    }
    back_up("set/leveldb", "set").expect(4).says("lies in the set");
    assert!(left(&scene).is_empty() && !scene.path("set/points/2026-11-27T00-00-00Z.mtree").exists());
}
