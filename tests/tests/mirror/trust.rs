//! What a mirror promises when others write into its folder, or credentials, wire or disk fail on the way.
#![expect(clippy::print_stdout, reason = "what cannot run is said")]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use highwater::disk::{self, Disk};
use highwater::mirror::{Inventories, Lists, Outcome, Summary, Sync};
use highwater::s3::Client;
use highwater::store::Locks;
use highwater::watch::Watch;
use highwater_tests::mounted::Mounted;
use highwater_tests::s3::{Fault, KEY, Rule, SECRET};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::scene::{BUCKET, Scene, tree};

/// A mirror at the first of two inventories, between which each of five keys changed, and one came.
fn changed() -> Scene {
    let scene = Scene::new();
    for key in ["a", "b", "c/d", "e", "z"] {
        scene.put(key, &format!("old {key}"));
    }
    scene.list(1);
    scene.sync(&[]).expect(0);
    for key in ["a", "b", "c/d", "e", "new", "z"] {
        scene.put(key, &format!("new {key}"));
    }
    scene.list(2);
    scene
}

fn found(scene: &Scene) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(scene.mirror().join(".highwater-mirror/found")).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

/// Until the last body is there, no file that is replaced is touched: neither when credentials end on the way, nor when
/// S3 does not know them.
#[test]
fn nothing_is_moved_before_all_is_there() {
    for (status, code) in [(400, "ExpiredToken"), (403, "InvalidAccessKeyId"), (403, "SignatureDoesNotMatch")] {
        let scene = changed();
        let before = scene.tree();
        scene.server.plan(Rule::next(Fault::Status(status, code, Vec::new())).to("/z?").times(1000));
        let refused = scene.sync(&["--jobs", "1"]);
        refused.expect(4).says("nothing else can be had: see to the credentials");
        let mut now = scene.tree();
        assert_eq!(now.remove(Path::new("new")).expect("what replaces nothing").0, b"new new", "{code}");
        assert_eq!(now, before, "{code}");
        scene.verify().expect(0);
        scene.server.forget();
        scene.server.log();
        scene.sync(&[]).expect(0).prints("which an earlier run began").prints("1 versions fetched");
        scene.shows_the_bucket();
        assert!(found(&scene).is_empty());
        scene.verify().expect(0);
    }
}

#[test]
fn credentials_that_are_revoked_end_a_run_and_new_ones_go_on() {
    let scene = changed();
    scene.server.expire(KEY);
    scene.sync(&[]).expect(4);
    scene.server.know(KEY, SECRET, None);
    scene.sync(&[]).expect(0);
    scene.shows_the_bucket();
}

#[test]
fn a_second_run_is_refused_while_one_is_under_way() {
    let scene = changed();
    let mirror = scene.mirror();
    let disk = disk::open(&mirror, Locks::Needed).expect("a folder");
    let first = Sync::begin(&disk, false).expect("nobody has it");
    scene.sync(&[]).expect(4).says("another run is writing");
    scene.roll("latest").expect(4).says("another run is writing");
    scene.run(&["mirror", "status", mirror.to_str().expect("text")]).expect(0);
    scene.verify().expect(0);
    drop(first);
    scene.sync(&[]).expect(0);
    scene.shows_the_bucket();
}

/// What was fetched is on record some seconds later; a run that is killed before that leaves files of which only their
/// own bytes can tell that they are right.
#[test]
fn what_only_its_own_bytes_prove_is_not_kept_twice_after_a_kill() {
    let scene = Scene::new();
    for key in ["a", "b"] {
        let version = scene.put(key, &format!("under a key: {key}"));
        scene.server.shelves(|shelves| {
            let version = shelves.version(BUCKET, key.as_bytes(), &version);
            (version.etag, version.encryption) = ("0123456789abcdef0123456789abcdef".to_owned(), "SSE-KMS");
        });
    }
    scene.server.shelves(|shelves| shelves.put_parts(BUCKET, b"parts", &[7; 100_000], 12_345));
    scene.put("z", "the last");
    scene.list(1);
    scene.server.plan(Rule::next(Fault::Status(403, "InvalidAccessKeyId", Vec::new())).to("/z?"));
    scene.sync(&["--jobs", "1"]).expect(4);
    assert_eq!(scene.tree().len(), 3);
    fs::remove_file(scene.mirror().join(".highwater-mirror/plan/part-0-some")).expect("a record");
    scene.sync(&[]).expect(0).never_says("held other bytes");
    assert!(found(&scene).is_empty(), "{:?}", found(&scene));
    scene.shows_the_bucket();
    scene.verify().expect(0);
}

#[test]
fn what_took_the_place_of_a_file_is_kept_and_the_loss_is_said() {
    for kind in ["fifo", "link", "folder"] {
        let scene = changed();
        let path = scene.mirror().join("b");
        fs::remove_file(&path).expect("a file");
        match kind {
            "fifo" => assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success()),
            "link" => symlink("/etc/passwd", &path).expect("a link"),
            _ => fs::create_dir(&path).expect("a folder"),
        }
        scene.sync(&[]).expect(3).says("'b' is no file any more").says(".highwater-mirror/found/");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "new b", "{kind}");
        let kept = found(&scene);
        let is = fs::symlink_metadata(&kept[0]).expect("it is kept").file_type();
        assert!(kept.len() == 1 && [is.is_fifo(), is.is_symlink(), is.is_dir()].contains(&true), "{kind}: {kept:?}");
        scene.verify().expect(1).prints("b.old.");
        scene.sync(&[]).expect(0);
    }
}

#[test]
fn a_taken_place_is_said() {
    let scene = changed();
    let etag = scene.server.shelves(|shelves| {
        let version = &shelves.bucket(BUCKET).keys[b"b".as_slice()][0];
        format!("{}.{}", version.id, version.etag)
    });
    fs::write(scene.mirror().join(format!("b.old.{etag}")), "theirs").expect("a file");
    scene.sync(&[]).expect(3).says("held other bytes");
    scene.shows_the_bucket();
    assert_eq!(fs::read_to_string(&found(&scene)[0]).expect("it is kept"), "theirs");
    scene.verify().expect(0);
}

/// An ended run had moved the file away, and a folder came into its place since: that is said, and in the exit code.
#[test]
fn a_place_that_is_taken_after_a_move_is_said() {
    let scene = Scene::new();
    let version = scene.put("b", "old b");
    scene.list(1);
    scene.sync(&[]).expect(0);
    let etag = scene.server.shelves(|shelves| shelves.bucket(BUCKET).keys[b"b".as_slice()][0].etag.clone());
    scene.put("b", "new b");
    scene.list(2);
    let place = scene.mirror().join("b");
    fs::rename(&place, scene.mirror().join(format!("b.old.{version}.{etag}"))).expect("moved");
    fs::create_dir(&place).expect("a folder");
    scene.sync(&[]).expect(3).says("'b' held other bytes").says(".highwater-mirror/found/");
    assert_eq!(fs::read_to_string(&place).expect("a file"), "new b");
    assert!(found(&scene)[0].is_dir());
    scene.shows_the_bucket();
    scene.verify().expect(0);
    scene.sync(&[]).expect(0);
}

/// A link in the tree is followed by nobody, whatever it leads to.
#[test]
fn nothing_is_written_through_a_link() {
    let scene = Scene::new();
    let outside = scene.folder.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::create_dir(scene.mirror().join("inside")).expect("a folder");
    for (key, to) in [("out/a", "../outside"), ("in/a", "inside"), ("file", "../outside/file")] {
        scene.put(key, key);
        let (name, _) = key.split_once('/').unwrap_or((key, ""));
        symlink(to, scene.mirror().join(name)).expect("a link");
    }
    scene.list(1);
    scene.sync(&["--take-over"]).expect(3).says("nothing is written through a link");
    for name in ["out", "in"] {
        fs::remove_file(scene.mirror().join(name)).expect("a link");
    }
    scene.sync(&[]).expect(0);
    scene.shows_the_bucket();
    assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 0);
    assert_eq!(fs::read_dir(scene.mirror().join("inside")).expect("a folder").count(), 0);
    scene.verify().expect(0);
}

/// Somebody else swaps a folder of the tree for a link, as fast as he can: nothing leaves the mirror.
#[test]
fn a_folder_that_is_swapped_for_a_link_leads_nowhere() {
    let scene = Scene::new();
    let outside = scene.folder.path().join("outside");
    let put = |day: u32| {
        (0..60).for_each(|number| drop(scene.put(&format!("a/{number}"), &format!("{number} of day {day}"))));
        scene.list(day);
    };
    put(1);
    scene.sync(&[]).expect(0);
    fs::create_dir(&outside).expect("a folder");
    // Files of the same names, which a step through the link would move or replace.
    (0..60).for_each(|number| fs::write(outside.join(number.to_string()), "theirs").expect("a file"));
    let before = tree(&outside);
    let (folder, link) = (scene.mirror().join("a"), scene.mirror().join("link"));
    symlink(&outside, &link).expect("a link");
    let (stop, mut codes) = (AtomicBool::new(false), Vec::new());
    thread::scope(|scope| {
        let swaps = scope.spawn(|| {
            let mut swaps = 0_u32;
            while !stop.load(Ordering::Relaxed) || swaps % 2 == 1 {
                renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE).expect("swapped");
                swaps += 1;
            }
            swaps
        });
        for day in 2..8 {
            put(day);
            codes.push(scene.sync(&[]).code);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(swaps.join().expect("no panic") > 100);
    });
    assert_eq!(tree(&outside), before);
    assert!(codes.iter().all(|code| [0, 3].contains(code)), "{codes:?}");
    let last = scene.sync(&[]);
    assert!([0, 3].contains(&last.code), "{}", last.account());
    assert!(!scene.mirror().join(".highwater-mirror/plan/begun").exists(), "{}", last.account());
    fs::remove_file(link).expect("the link");
    scene.shows_the_bucket();
}

/// Syncs to the newest inventory in this process, with a client of one's own.
fn sync(scene: &Scene, client: &Client) -> Summary {
    let watch = Watch::silent();
    let disk: std::sync::Arc<dyn Disk> =
        std::sync::Arc::new(disk::open(&scene.mirror(), Locks::Needed).expect("a folder"));
    let sync = Sync::begin(&*disk, false).expect("nobody has it");
    let inventories = Inventories::at("s3://inventories/of/archive/daily/", client).expect("a URL");
    let date = inventories.choose(None, None, None).expect("a date").remove(0);
    let inventory = inventories.manifest(&date).expect("a manifest");
    let lists = Lists::fetch(std::sync::Arc::clone(&disk), &inventory, client, 1, &watch).expect("lists");
    let manifest = inventory.md5.as_bytes().first_chunk().copied().expect("an MD5");
    let plan = sync.plan(
        (BUCKET, &date, manifest),
        true,
        &|_| true,
        &mut |each| match lists.rows(each)? {
            Outcome::Whole { bad, .. } => Ok(Some(bad.count)),
            Outcome::Unsorted { .. } => Ok(None),
        },
        &watch,
    );
    let plan = plan.expect("a plan").expect("rows in order");
    sync.run(&plan, client, 2, &watch).expect("it ends")
}

/// A body that stalls is taken up again; one that stalls for ever is wanted, and the others come.
#[test]
fn a_body_that_stalls_holds_nothing_up() {
    let scene = Scene::new();
    for key in ["for ever", "once", "never"] {
        scene.put(key, &format!("the body of {key}").repeat(1000));
    }
    scene.list(1);
    let client = scene.server.client_with(|settings| {
        settings.stall = Duration::from_millis(500);
        settings.attempts = 3;
    });
    // Each time that bytes came, the attempts are counted anew: none come.
    scene.server.plan(Rule::next(Fault::Stall(0)).to("/for%20ever").times(1000));
    scene.server.plan(Rule::next(Fault::Stall(500)).to("/once"));
    let fetched = sync(&scene, &client).fetched;
    assert_eq!((fetched.arrived, fetched.missing), (2, 1));
    scene.server.forget();
    scene.sync(&[]).expect(0).prints("1 versions fetched");
    scene.shows_the_bucket();
    scene.verify().expect(0);
}

#[test]
fn a_full_disk_is_said_and_the_next_run_goes_on() {
    let scene = Scene::new();
    let mirror = scene.mirror();
    let Some(_mounted) = Mounted::tmpfs(&mirror, "size=16m") else {
        println!("not run: mirrors on a full disk: this user may not mount a tmpfs");
        return;
    };
    for number in 0..40 {
        scene.put(&format!("k/{number}"), &format!("{number} ").repeat(50_000));
    }
    scene.list(1);
    // There was room when it began; then another writer takes it.
    let filler = mirror.join("filler");
    let file = filler.clone();
    let fill = move || {
        let mut file = File::create(file).expect("a file");
        while file.write_all(&[1; 64 << 10]).is_ok() {}
    };
    scene.server.plan(Rule::next(Fault::None).to("/k/7?").then(move |_| fill()));
    scene.sync(&[]).expect(3).says("make room");
    fs::remove_file(filler).expect("a file");
    let there = scene.tree();
    let bucket = scene.bucket();
    for (path, (bytes, _)) in &there {
        assert_eq!(bucket.get(path.to_str().expect("text").as_bytes()), Some(bytes), "{}", path.display());
    }
    scene.sync(&[]).expect(0);
    scene.shows_the_bucket();
    scene.verify().expect(0);
}
