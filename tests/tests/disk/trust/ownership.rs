//! Whom files belong to afterwards, and who may open them.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use highwater_tests::run::Run;

use crate::trust::record::Record;
use crate::trust::stage::{GROUP, NOBODY, Stage, chunks, damage, give_all, in_store, is_root, set_mode, stamp};
use crate::trust::traced::{CHANGES, can_trace, delayed, traced};

/// How long a call waits that changes owner, permissions or name: many times what a swap takes.
const WAIT: u32 = 100_000;

/// How often something is swapped at most: a draft that is swapped before it is held is given up for another.
const SWAPS: usize = 2;

/// Runs a command, and puts a link to `to` in the place of the first things in `folder` that `is` knows.
/// Says how often it did.
#[track_caller]
fn swapped(stage: &Stage, command: &Command, folder: &Path, is: fn(&str) -> bool, to: &Path) -> (Run, usize) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut times = 0;
            while times < SWAPS && !done.load(Ordering::Relaxed) {
                let Ok(listed) = fs::read_dir(folder) else { continue };
                let names = listed.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
                let found: Vec<PathBuf> = names.filter(|name| is(name)).map(|name| folder.join(name)).collect();
                for path in found.into_iter().filter(|path| !path.is_symlink()) {
                    let away = folder.join(format!("taken away {times}"));
                    if times < SWAPS && fs::rename(&path, away).is_ok() && symlink(to, &path).is_ok() {
                        times += 1;
                    }
                }
            }
            times
        });
        let run = stage.run(&mut delayed(command, CHANGES, WAIT));
        done.store(true, Ordering::Relaxed);
        (run, swapper.join().expect("the swapper ends"))
    })
}

/// What is swapped, the command, where, what it is called there, and what a link in its place leads to.
type Case<'a> = (&'a str, Command, PathBuf, fn(&str) -> bool, &'a Path);

#[test]
fn root_gives_no_file_away() {
    if !is_root("root_gives_no_file_away") || !can_trace("root_gives_no_file_away") {
        return;
    }
    let mut stage = Stage::new();
    let (file, folder) = (stage.outside().join("secret"), stage.outside().join("folder"));
    let victims = stage.victims();
    let theirs = stage.theirs("theirs");
    fs::write(theirs.join("Data.fs"), "FS30 of the second user").expect("an old target");
    give_all(&theirs);
    let repos = ["their repo", "their other repo"].map(|name| {
        let repo = stage.path(name);
        highwater_tests::repository::copy(&stage.fixture.repo, &repo);
        give_all(&repo);
        repo
    });
    let backed_up = stage.fixture.data.bytes.clone();
    stage.fixture.grow(1);
    let stores: Vec<PathBuf> = ["first", "second", "third", "new"].map(|name| stage.store(name)).into();
    let (hidden, healed, good, new) = (&stores[0], &stores[1], &stores[2], &stores[3]);
    fs::remove_dir_all(new.join("vm")).expect("no group any more");
    let chunk = chunks(healed)[0].clone();
    damage(&chunk);
    stores.iter().filter(|store| *store != good).for_each(|store| give_all(store));
    let restore = |flags: &[&str]| {
        let mut command = stage.command(&["restore"]);
        command.args(flags).args([&stage.fixture.repo, &theirs.join("Data.fs")]);
        command
    };
    let backup = |store: &Path| {
        let mut command = stage.command(&["backup", "--chunk-size=64K"]);
        command.arg(stage.path("disk.img")).arg(in_store(store, &format!("{GROUP}/disk.img")));
        command.env("HIGHWATER_NOW", stamp(2));
        command
    };
    let append = |repo: &Path| {
        let mut command = stage.command(&["backup"]);
        command.arg(&stage.fixture.source).arg(repo).env("HIGHWATER_NOW", stamp(3));
        command
    };
    let mut heal = stage.command(&["heal"]);
    heal.arg(healed).arg("--from").arg(good);
    let is_part: fn(&str) -> bool = |name| name.ends_with(".part");
    let is_work: fn(&str) -> bool = |name| name.ends_with(".highwater-tmp");
    let is_dat_work: fn(&str) -> bool = |name| name.contains(".dat") && name.ends_with(".highwater-tmp");
    let is_hidden: fn(&str) -> bool = |name| name.starts_with(".highwater-");
    let is_type: fn(&str) -> bool = |name| name.starts_with("vm");
    let cases: [Case<'_>; 6] = [
        ("a restore's part", restore(&["--full"]), theirs.clone(), is_part, &file),
        ("a new backup", append(&repos[0]), repos[0].clone(), is_work, &file),
        ("the index of a repository", append(&repos[1]), repos[1].clone(), is_dat_work, &file),
        ("a snapshot's hidden folder", backup(hidden), hidden.clone(), is_hidden, &folder),
        ("a new folder", backup(new), new.clone(), is_type, &folder),
        ("a chunk that is healed", heal, chunk.parent().expect("a folder").to_owned(), is_work, &file),
    ];
    for (what, command, at, is, to) in cases {
        let (run, times) = swapped(&stage, &command, &at, is, to);
        assert!(times > 0, "{what}: there was nothing to swap\n{}", run.account());
        victims.expect_same(&format!("{what}\n{}", run.account()));
        // One that was swapped before it was held is given up for another. Then the result must be right.
        if run.code == 0 && is_part as usize == is as usize {
            assert!(fs::read(theirs.join("Data.fs")).expect("a target") == backed_up, "{what}\n{}", run.account());
        } else if run.code == 0 {
            let root = [&repos[0], &repos[1], hidden, new, healed].into_iter().find(|root| at.starts_with(root));
            stage.verify(root.expect("a root"), &[]).expect(0);
        }
    }
}

#[test]
fn root_gives_no_folder_of_its_own_away() {
    if !is_root("root_gives_no_folder_of_its_own_away") || !can_trace("root_gives_no_folder_of_its_own_away") {
        return;
    }
    let stage = Stage::new();
    let store = stage.empty_store("store");
    give_all(&store);
    // As on a file system of its own: it is root's, and the second user may rename it.
    let found = store.join("lost+found");
    fs::create_dir(&found).expect("a folder");
    fs::write(found.join("#12"), crate::trust::stage::SECRET).expect("a file that was found");
    set_mode(&found, 0o700);
    let inode = fs::metadata(&found).expect("a folder").ino();
    let done = AtomicBool::new(false);
    let run = thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let listed = fs::read_dir(&store).expect("a folder").filter_map(|entry| Some(entry.ok()?.path()));
                for path in listed
                    .filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"vm")))
                {
                    if fs::rename(&path, store.join("taken away")).is_ok() && fs::rename(&found, &path).is_ok() {
                        return;
                    }
                }
            }
        });
        let mut command = stage.command(&["backup", "--chunk-size=64K"]);
        command.arg(stage.path("disk.img")).arg(in_store(&store, &format!("{GROUP}/disk.img")));
        let calls = "?mkdir,mkdirat";
        let run = stage.run(&mut traced(&command, calls, "delay_exit=100000", Path::new("/dev/null")));
        done.store(true, Ordering::Relaxed);
        swapper.join().expect("the swapper ends");
        run
    });
    assert!(!found.exists(), "there was nothing to swap\n{}", run.account());
    // Whether it is noticed depends on whether the run is still at it.
    assert!([0, 3].contains(&run.code), "{}", run.account());
    let folders =
        fs::read_dir(&store).expect("a folder").map(|entry| entry.expect("an entry").metadata().expect("a folder"));
    let now = folders.into_iter().find(|meta| meta.ino() == inode).expect("it has some name");
    assert_eq!((now.uid(), now.mode() & 0o777), (0, 0o700), "{}", run.account());
}

/// Everything below a folder belongs to the second user.
#[track_caller]
fn expect_theirs(folder: &Path, what: &str) {
    let meta = fs::symlink_metadata(folder).expect("it is there");
    assert_eq!((meta.uid(), meta.gid()), (NOBODY, NOBODY), "{what}: {} belongs to somebody else", folder.display());
    if meta.is_dir() {
        let listed = fs::read_dir(folder).expect("a folder");
        listed.for_each(|entry| expect_theirs(&entry.expect("an entry").path(), what));
    }
}

#[test]
fn a_run_of_root_locks_nobody_out() {
    if !is_root("a_run_of_root_locks_nobody_out") {
        return;
    }
    let mut stage = Stage::new();
    let repo = stage.fixture.repo.clone();
    let other = stage.path("other");
    let _ = fs::remove_file(repo.join(".highwater.lock"));
    give_all(&repo);
    set_mode(&stage.fixture.source, 0o644);
    set_mode(&stage.path("disk.img"), 0o644);
    let mut minute = 0;
    let mut back_up = |stage: &mut Stage, command: fn(&Stage) -> Command, flags: &[&str]| {
        minute += 1;
        stage.fixture.grow(1);
        let paths = [stage.fixture.source.clone(), stage.fixture.repo.clone()];
        let mut command = command(stage);
        stage.run(command.args(flags).args(paths).env("HIGHWATER_NOW", stamp(minute))).expect(0);
    };
    let ours: fn(&Stage) -> Command = |stage| stage.command(&["backup"]);
    let theirs: fn(&Stage) -> Command = |stage| stage.command_of_nobody(&["backup"]);
    for flags in [&[][..], &["--gzip"], &["--full"]] {
        back_up(&mut stage, ours, flags);
        expect_theirs(&repo, "after a backup of root");
        back_up(&mut stage, theirs, &[]);
    }
    stage.run(stage.command(&["mark"]).arg(&repo)).expect(0);
    expect_theirs(&repo, "after root marked");
    back_up(&mut stage, theirs, &[]);
    highwater_tests::repository::copy(&repo, &other);
    for name in [stage.file(0, "fs"), stage.file(2, "deltafs")] {
        fs::remove_file(name).expect("it was there");
    }
    stage.run(stage.command(&["heal"]).arg(&repo).arg("--from").arg(&other)).expect(0).prints("objects healed: 2");
    expect_theirs(&repo, "after root healed");
    back_up(&mut stage, theirs, &["--full", "--kill-old"]);

    let store = stage.theirs("store");
    give_all(&stage.empty_store("store"));
    stage.to_store(&store, GROUP, 1).expect(0);
    expect_theirs(&store, "after a backup of root into a store");
    let mut again = stage.command_of_nobody(&["backup", "--chunk-size=64K"]);
    again.arg(stage.path("disk.img")).arg(in_store(&store, &format!("{GROUP}/disk.img")));
    stage.run(again.env("HIGHWATER_NOW", stamp(2))).expect(0);
}

#[test]
fn who_may_not_keep_the_owner_opens_a_file_to_nobody() {
    if !is_root("who_may_not_keep_the_owner_opens_a_file_to_nobody") {
        return;
    }
    let stage = Stage::new();
    let folder = stage.path("shared");
    fs::create_dir(&folder).expect("a folder");
    set_mode(&folder, 0o777);
    set_mode(&stage.fixture.repo, 0o755);
    let target = folder.join("Data.fs");
    // Who could not read it as a member of another group cannot do so now; nor can those of the group that it has left.
    // None: he may not even look whether somebody holds it.
    let cases = [
        (0o640, None),
        (0o660, None),
        (0o604, Some(0o600)),
        (0o644, Some(0o644)),
        (0o664, Some(0o644)),
        (0o666, Some(0o666)),
    ];
    for (was, is) in cases {
        let _ = fs::remove_file(&target);
        fs::write(&target, "FS30 of root").expect("an old target");
        chown(&target, Some(0), Some(0)).expect("it is root's");
        set_mode(&target, was);
        let mut restore = stage.command_of_nobody(&["restore", "--full"]);
        let before = Record::of(&folder);
        let run = stage.run(restore.args([&stage.fixture.repo, &target]));
        let Some(is) = is else {
            run.expect(3);
            before.expect_same(&run.account());
            continue;
        };
        run.expect(0);
        let meta = fs::metadata(&target).expect("a target");
        assert_eq!((meta.uid(), meta.gid()), (NOBODY, NOBODY), "{}", run.account());
        assert_eq!(meta.mode() & 0o7777, is, "{was:o} became {:o}\n{}", meta.mode(), run.account());
        assert!(fs::read(&target).expect("a target") == stage.fixture.data.bytes);
        run.says("belongs to the user of this run");
    }
}
