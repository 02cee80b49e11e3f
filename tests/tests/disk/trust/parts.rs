//! Work files beside a target: of somebody else, and of runs of ours that were killed.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use highwater_tests::run::Run;

use crate::trust::stage::{GROUP, NOBODY, SECRET, Stage, in_store, is_root, set_mode, stamp};
use crate::trust::traced::{can_trace, delayed, killed};

/// The names that a work file of a restore to `Data.fs` may have.
const NAMES: [&str; 2] = ["Data.fs.part", "Data.fs.0123456789abcdef.part"];

/// The work files beside targets in a folder.
#[track_caller]
fn parts(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    listed.filter(|path| path.extension().is_some_and(|end| end == "part")).collect()
}

#[test]
fn a_part_of_somebody_else_is_not_taken_up() {
    if !is_root("a_part_of_somebody_else_is_not_taken_up") {
        return;
    }
    let cases = [(&[][..], 0o666), (&["--in-place"], 0o666), (&[], 0o600)];
    for (name, (flags, mode)) in NAMES.into_iter().flat_map(|name| cases.map(|case| (name, case))) {
        let stage = Stage::new();
        let folder = stage.path("shared");
        fs::create_dir(&folder).expect("a folder");
        set_mode(&folder, 0o777);
        let (part, target) = (folder.join(name), folder.join("Data.fs"));
        // What is sound in it would stay.
        fs::write(&part, &stage.fixture.data.bytes[..2000]).expect("a part");
        chown(&part, Some(NOBODY), Some(NOBODY)).expect("it is given away");
        set_mode(&part, mode);
        let kept: File = OpenOptions::new().write(true).open(&part).expect("a descriptor that he keeps");
        let run = stage.restore(&stage.fixture.repo, &target, flags);
        run.expect(0);
        let meta = fs::metadata(&target).expect("a target");
        let theirs = kept.metadata().expect("a file");
        assert_ne!(meta.ino(), theirs.ino(), "the target is his file\n{}", run.account());
        assert_eq!((meta.uid(), meta.nlink()), (0, 1), "{}", run.account());
        kept.write_all_at(SECRET.as_bytes(), 40).expect("he writes on");
        assert!(fs::read(&target).expect("a target") == stage.fixture.data.bytes, "{name} {flags:?}");
        assert!(part.exists(), "his own file is left alone\n{}", run.account());
        run.says(name);
    }
}

/// Restores in full to a target that is at the first point, and is killed before the new file has the target's name.
#[track_caller]
fn kill_a_full_restore(stage: &Stage, target: &Path) {
    kill_a_full_restore_at("?rename,?renameat,renameat2", stage, target);
}

/// The same before the first of these calls.
#[track_caller]
fn kill_a_full_restore_at(calls: &str, stage: &Stage, target: &Path) {
    let (target, repo) = (target.as_os_str(), stage.fixture.repo.as_os_str());
    let mut command = stage.command(&["restore", "--full"]);
    command.args([repo, target]);
    let run = Run::of(&mut killed(&command, calls, 1));
    assert!(!(0..=4).contains(&run.code), "it was to be killed\n{}", run.account());
}

#[test]
fn leftovers_are_named_and_strays_found() {
    if can_trace("leftovers_are_named_and_strays_found") {
        the_next_run_has_done_with_a_part();
    }
    let store = Stage::new();
    let strays = store.store("store");
    fs::write(strays.join(".chunks/notes"), SECRET).expect("a stray");
    let run = store.run(store.command(&["strays"]).arg(&strays));
    run.expect(0).prints(".chunks/notes");
}

#[track_caller]
fn the_next_run_has_done_with_a_part() {
    // Those that go on without it, and those that take it up.
    for (flags, how) in [(&[][..], "removed"), (&["--quick"], "removed"), (&["--full"], "taking up")] {
        let stage = Stage::new();
        let folder = stage.path("standby");
        let target = folder.join("Data.fs");
        fs::create_dir(&folder).expect("a folder");
        stage.restore(point(&stage, 0), &target, &[]).expect(0);
        kill_a_full_restore(&stage, &target);
        let left = parts(&folder);
        assert_eq!(left.len(), 1, "a killed restore leaves one work file");
        let name = left[0].file_name().expect("a name").to_string_lossy().into_owned();
        let verbose: Vec<&str> = flags.iter().copied().chain(["--verbose"]).collect();
        let run = stage.restore(&stage.fixture.repo, &target, &verbose);
        run.expect(0).says(&name).says(how);
        assert_eq!(parts(&folder), Vec::<PathBuf>::new(), "{flags:?}\n{}", run.account());
        assert!(fs::read(&target).expect("a target") == stage.fixture.data.bytes, "{flags:?}");
    }
}

/// `REPO@STAMP`.
fn point(stage: &Stage, number: usize) -> std::ffi::OsString {
    in_store(&stage.fixture.repo, &stage.stamps[number])
}

#[test]
fn a_snapshot_is_whole_or_is_none() {
    if !can_trace("a_snapshot_is_whole_or_is_none") {
        return;
    }
    let stage = Stage::new();
    let store = stage.store("store");
    let mut command = stage.command(&["backup", "--chunk-size=64K"]);
    command.arg(stage.path("disk.img")).arg(in_store(&store, &format!("{GROUP}/disk.img")));
    command.env("HIGHWATER_NOW", stamp(2));
    let done = AtomicBool::new(false);
    let (run, diverted) = thread::scope(|scope| {
        // Once the hidden folder holds the index, another one has its name until the manifest has been written into
        // that.
        let swapper = scope.spawn(|| {
            let (away, other) = (store.join("away"), store.join("other"));
            fs::create_dir(&other).expect("a folder");
            while !done.load(Ordering::Relaxed) {
                let listed = fs::read_dir(&store).expect("a store").filter_map(|entry| Some(entry.ok()?.path()));
                let is_hidden = |path: &PathBuf| path.display().to_string().contains(".highwater-");
                let Some(hidden) = listed.into_iter().find(is_hidden) else { continue };
                // One that is swapped before it is begun is given up, and another is made.
                if !hidden.join("disk.img.fidx").exists() {
                    continue;
                }
                if fs::rename(&hidden, &away).is_err() || fs::rename(&other, &hidden).is_err() {
                    continue;
                }
                while !hidden.join("index.json.blob").exists() && !done.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                fs::rename(&hidden, &other).expect("it is taken away again");
                fs::rename(&away, &hidden).expect("it is put back");
                return true;
            }
            false
        });
        let run = stage.run(&mut delayed(&command, "fchmod,fchown", 50_000));
        done.store(true, Ordering::Relaxed);
        (run, swapper.join().expect("the swapper ends"))
    });
    assert!(diverted, "there was nothing to swap\n{}", run.account());
    run.expect(3).says("somebody else");
    let list = stage.run(stage.command(&["list"]).arg(&store));
    assert_eq!(list.expect(0).text().lines().count(), 1, "half a snapshot has its name\n{}", list.account());
}

#[test]
fn nobody_can_guess_the_name_of_a_work_file() {
    if !can_trace("nobody_can_guess_the_name_of_a_work_file") {
        return;
    }
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let stage = Stage::new();
        let folder = stage.path("out");
        fs::create_dir(&folder).expect("a folder");
        let target = folder.join("Data.fs");
        fs::write(&target, &stage.fixture.data.bytes[..1247]).expect("an old target");
        // Until then, owner and permissions are those that it was made with.
        kill_a_full_restore_at("fchmod", &stage, &target);
        let left = parts(&folder);
        let [part] = &left[..] else { panic!("one work file is left, and not {left:?}") };
        let meta = fs::metadata(part).expect("it is there");
        assert_eq!(meta.mode() & 0o077, 0, "{} is open to others while it is written", part.display());
        let name = part.file_name().expect("a name").to_string_lossy().into_owned();
        let digits = name.trim_start_matches("Data.fs.").trim_end_matches(".part");
        assert!(digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
        names.insert(name);
    }
    assert_eq!(names.len(), 4, "a name came twice: {names:?}");
}
