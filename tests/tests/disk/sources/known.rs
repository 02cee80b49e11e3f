//! Files that the last run knows are not read again, and no file is taken for known that anybody wrote since.
#![expect(clippy::print_stdout, reason = "what cannot be tried here is told")]

use std::fs::{self, FileTimes, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use highwater::backup::tree::{Folder, Frozen, Set, Source, TreeOptions, backup};
use highwater::disk::Disk;
use highwater::error::Error;
use highwater::store::{Files, Links};
use highwater::watch::Watch;

use super::{Scene, below};

/// A scene with a point of some files, all of which were left alone long enough.
fn settled(options: &[&str]) -> Scene {
    let scene = Scene::new();
    for (name, text) in [("a", "one"), ("b/c", "two"), ("b/d", "three")] {
        scene.write(&format!("source/{name}"), text);
    }
    is_settled(&scene);
    scene.back_up(0, options).expect(0);
    scene
}

/// Waits until a kernel's clock has ticked since the files were written.
fn is_settled(scene: &Scene) {
    let probe = scene.path("probe");
    fs::write(&probe, "").expect("a file");
    let written = fs::metadata(&probe).expect("it is there").modified().expect("a time");
    while SystemTime::now().duration_since(written).is_ok_and(|since| since < Duration::from_millis(150)) {
        thread::sleep(Duration::from_millis(10));
    }
}

/// How many files a run says that it read.
#[track_caller]
fn read(scene: &Scene, minute: u32, options: &[&str]) -> String {
    let made = scene.back_up(minute, options);
    made.expect(0);
    let text = made.text();
    let read = text.rsplit_once("objects, ").map(|(_, rest)| rest.trim_end().to_owned());
    read.unwrap_or_else(|| panic!("it does not say what it read: {text}"))
}

fn objects(scene: &Scene) -> Vec<PathBuf> {
    let (mut found, mut ahead) = (Vec::new(), vec![scene.path("set/objects")]);
    while let Some(at) = ahead.pop() {
        for entry in fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { ahead.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_is_read_where_nothing_changed() {
    let scene = settled(&[]);
    assert_eq!(read(&scene, 1, &[]), "0 bytes read of 0 files");
    assert_eq!(read(&scene, 2, &[]), "0 bytes read of 0 files");
    let without_title = |minute| scene.list(minute).lines().skip(2).map(ToOwned::to_owned).collect::<Vec<_>>();
    let (first, second) = (without_title(0), without_title(2));
    assert_eq!(first[..first.len() - 1], second[..second.len() - 1]);
    assert_eq!(below(&scene.restore(2)), below(&scene.path("source")));
}

#[test]
fn a_file_whose_time_and_length_were_put_back_is_read() {
    let scene = settled(&[]);
    let path = scene.path("source/b/c");
    let before = fs::metadata(&path).expect("it is there");
    let file = OpenOptions::new().write(true).open(&path).expect("a file");
    file.write_at(b"TWO", 0).expect("bytes");
    file.set_times(FileTimes::new().set_modified(before.modified().expect("a time"))).expect("a time");
    drop(file);
    let now = fs::metadata(&path).expect("it is there");
    assert_eq!(
        (now.len(), now.mtime(), now.mtime_nsec(), now.ino()),
        (before.len(), before.mtime(), before.mtime_nsec(), before.ino())
    );
    assert_eq!(read(&scene, 1, &[]), "3 bytes read of 1 files");
    assert_eq!(fs::read(scene.restore(1).join("b/c")).expect("a file"), b"TWO");
    assert_eq!(fs::read(scene.restore(0).join("b/c")).expect("a file"), b"two");
}

#[test]
fn another_file_of_the_same_times_is_read() {
    let scene = settled(&[]);
    let (path, new) = (scene.path("source/a"), scene.path("source/new"));
    let before = fs::metadata(&path).expect("it is there");
    fs::write(&new, "ONE").expect("a file");
    let file = OpenOptions::new().write(true).open(&new).expect("a file");
    file.set_times(FileTimes::new().set_modified(before.modified().expect("a time"))).expect("a time");
    fs::rename(&new, &path).expect("renamed");
    assert_eq!(read(&scene, 1, &[]), "3 bytes read of 1 files");
    assert_eq!(fs::read(scene.restore(1).join("a")).expect("a file"), b"ONE");
}

#[test]
fn what_was_written_in_the_moment_it_was_read_is_read_again() {
    let scene = Scene::new();
    scene.write("source/a", "one");
    scene.back_up(0, &[]).expect(0);
    // Its times cannot tell whether somebody wrote after it was read.
    let is_new =
        |at: SystemTime| SystemTime::now().duration_since(at).is_ok_and(|since| since < Duration::from_millis(90));
    let path = scene.path("source/a");
    for minute in 1..20 {
        fs::write(&path, "two").expect("a file");
        scene.back_up(minute, &[]).expect(0);
        if is_new(fs::metadata(&path).expect("it is there").modified().expect("a time")) {
            assert_eq!(read(&scene, minute + 20, &[]), "3 bytes read of 1 files");
            return;
        }
    }
    println!("not run: this machine is too slow for a run to read a file in the moment in which it was written");
}

#[test]
fn what_the_pool_has_lost_is_read_again_and_what_it_has_of_another_length_is_replaced() {
    let scene = settled(&[]);
    let all = objects(&scene);
    assert_eq!(all.len(), 3);
    fs::remove_file(&all[0]).expect("removed");
    fs::set_permissions(&all[1], Permissions::from_mode(0o644)).expect("permissions");
    fs::write(&all[1], "something longer than it was").expect("bytes");
    assert!(read(&scene, 1, &[]).ends_with("read of 2 files"));
    assert_eq!(objects(&scene), all);
    for minute in [0, 1] {
        assert_eq!(below(&scene.restore(minute)), below(&scene.path("source")), "{minute}");
    }
}

#[test]
fn a_memory_that_is_damaged_is_none() {
    for harm in ["cut", "bit", "gone", "other"] {
        let scene = settled(&[]);
        let path = scene.path("set/.highwater.known");
        let bytes = fs::read(&path).expect("it is there");
        match harm {
            "cut" => fs::write(&path, &bytes[..bytes.len() / 2]).expect("bytes"),
            "bit" => {
                let mut bytes = bytes.clone();
                // Within the digest of the first file.
                bytes[18 + 4 + 44] ^= 1;
                fs::write(&path, bytes).expect("bytes");
            }
            "gone" => fs::remove_file(&path).expect("removed"),
            _ => fs::write(&path, "something else").expect("bytes"),
        }
        assert_eq!(read(&scene, 1, &[]), "11 bytes read of 3 files", "{harm}");
        assert_eq!(below(&scene.restore(1)), below(&scene.path("source")), "{harm}");
    }
}

#[test]
fn only_what_nobody_may_write_is_linked() {
    let scene = Scene::new();
    for (name, mode) in [("may-write", 0o644), ("nobody", 0o444), ("group", 0o464), ("runs-as-owner", 0o4555)] {
        scene.write(&format!("source/{name}"), &format!("bytes of {name}"));
        fs::set_permissions(scene.path("source").join(name), Permissions::from_mode(mode)).expect("permissions");
    }
    is_settled(&scene);
    scene.back_up(0, &["--link"]).expect(0);
    let names = |name: &str| fs::metadata(scene.path("source").join(name)).expect("it is there").nlink();
    assert_eq!(["may-write", "nobody", "group", "runs-as-owner"].map(names), [1, 2, 1, 1]);
    // What is written now is none of the point's.
    let file = OpenOptions::new().write(true).open(scene.path("source/may-write")).expect("a file");
    file.write_at(b"BYTES", 0).expect("bytes");
    assert_eq!(fs::read(scene.restore(0).join("may-write")).expect("a file"), b"bytes of may-write");
    assert_eq!(read(&scene, 1, &["--link"]), "18 bytes read of 1 files", "what was linked is known");
    let objects = objects(&scene);
    assert!(objects.iter().all(|path| fs::metadata(path).expect("it is there").mode() & 0o7222 == 0), "{objects:?}");
}

#[test]
fn holes_stay_holes() {
    let scene = Scene::new();
    let file = fs::File::create(scene.path("source/sparse")).expect("a file");
    file.set_len(64 << 20).expect("a length");
    file.write_at(b"in the middle", 32 << 20).expect("bytes");
    drop(file);
    scene.back_up(0, &[]).expect(0);
    let object = objects(&scene).pop().expect("an object");
    let (object, restored) = (fs::metadata(object), fs::metadata(scene.restore(0).join("sparse")));
    for look in [object.expect("it is there"), restored.expect("it is there")] {
        assert!(look.len() == 64 << 20 && look.blocks() * 512 < 4 << 20, "{} blocks", look.blocks());
    }
}

#[test]
fn an_empty_file_stands_in_the_way_of_no_other() {
    let scene = Scene::new();
    // From a block on, zeros are left out.
    let zeros = "\0".repeat(5000);
    for (name, text) in [("a", "the first"), ("b", ""), ("c", "another"), ("d", ""), ("e", &*zeros), ("f", "the last")]
    {
        scene.write(&format!("source/{name}"), text);
    }
    scene.back_up(0, &[]).expect(0);
    assert_eq!(below(&scene.restore(0)), below(&scene.path("source")));
}

#[test]
fn a_clock_that_was_set_back_makes_no_point() {
    let scene = settled(&[]);
    scene.back_up(2, &[]).expect(0);
    let made = scene.back_up(1, &[]);
    made.expect(4).says("the newest point in ").says("set the clock right");
    assert!(!scene.has_point(1));
    scene.back_up(2, &[]).expect(4).says("there is a point 2026-11-27T00-02-00Z already");
}

#[test]
fn nobody_comes_to_read_what_a_folder_kept_from_him() {
    let scene = Scene::new();
    for (name, mode) in [("open/all", 0o444), ("open/few", 0o400), ("shut/in/all", 0o444), ("shut/in/few", 0o400)] {
        scene.write(&format!("source/{name}"), &format!("bytes of {name}"));
        fs::set_permissions(scene.path("source").join(name), Permissions::from_mode(mode)).expect("permissions");
    }
    fs::set_permissions(scene.path("source/shut"), Permissions::from_mode(0o750)).expect("permissions");
    is_settled(&scene);
    let modes = |scene: &Scene| -> Vec<(String, u32, u64)> {
        let each = objects(scene).into_iter().map(|path| {
            let look = fs::metadata(&path).expect("it is there");
            (fs::read_to_string(&path).expect("text"), look.mode() & 0o7777, look.nlink())
        });
        let mut each: Vec<_> = each.collect();
        each.sort();
        each
    };
    let told = |name: &str, mode, names| (format!("bytes of {name}"), mode, names);
    scene.back_up(0, &[]).expect(0);
    let wanted = [
        told("open/all", 0o444, 1),
        told("open/few", 0o400, 1),
        told("shut/in/all", 0o400, 1),
        told("shut/in/few", 0o400, 1),
    ];
    assert_eq!(modes(&scene), wanted);
    fs::remove_dir_all(scene.path("set")).expect("removed");
    fs::create_dir(scene.path("set")).expect("a folder");
    scene.back_up(1, &["--link"]).expect(0);
    let wanted = [
        told("open/all", 0o444, 2),
        told("open/few", 0o400, 2),
        told("shut/in/all", 0o400, 1),
        told("shut/in/few", 0o400, 2),
    ];
    assert_eq!(modes(&scene), wanted);
}

#[test]
fn what_a_first_run_left_that_was_killed_is_no_other_folder() {
    let scene = Scene::new();
    scene.write("source/a", "one");
    for name in [".highwater-folder.0123456789abcdef", "objects"] {
        fs::create_dir(scene.path("set").join(name)).expect("a folder");
    }
    fs::set_permissions(scene.path("set/.highwater-folder.0123456789abcdef"), Permissions::from_mode(0o700))
        .expect("permissions");
    scene.back_up(0, &[]).expect(0);
    assert!(!scene.path("set/.highwater-folder.0123456789abcdef").exists());
    scene.write("set2/mine", "something else");
    let words = [scene.path("source"), scene.path("set2")].map(std::path::PathBuf::into_os_string);
    let made = highwater_tests::run::ours("2026-11-27-00-09-00", &[&["backup".into()][..], &words].concat());
    made.expect(2).says("holds something else");
}

/// A folder, and what is done when it is let go of, as somebody else may do in that moment.
struct Meddled<'a>(Folder, &'a (dyn Fn() + Sync));

impl Source for Meddled<'_> {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn store(&self) -> &dyn Disk {
        self.0.store()
    }

    fn freeze(&mut self, set: &Set<'_>, watch: &Watch<'_>) -> Result<Frozen, Error> {
        self.0.freeze(set, watch)
    }

    fn thaw(&mut self, _: &Watch<'_>) -> Result<(), Error> {
        (self.1)();
        Ok(())
    }
}

#[test]
fn what_goes_from_the_pool_before_the_point_is_there_is_made_again_or_there_is_no_point() {
    for is_there in [true, false] {
        let scene = settled(&[]);
        let all = objects(&scene);
        let meddle = || {
            fs::remove_file(&all[0]).expect("removed");
            if !is_there {
                fs::remove_dir_all(scene.path("source")).expect("removed");
            }
        };
        let opened = |name: &str| Files::open(&scene.path(name), Links::Beneath).expect("a folder");
        let mut source = Meddled(Folder(Arc::new(opened("source"))), &meddle);
        let job = TreeOptions { now: Some("2026-11-27-00-01-00".to_owned()), ..TreeOptions::default() };
        let made = backup(&job, &mut source, &opened("set"), &Watch::silent());
        assert_eq!(made.is_ok(), is_there, "{made:?}");
        assert_eq!(scene.has_point(1), is_there);
        match made {
            Ok(_) => assert_eq!(below(&scene.restore(1)), below(&scene.path("source"))),
            Err(error) => assert!(error.to_string().contains("is gone, and it was there"), "{error}"),
        }
    }
}
