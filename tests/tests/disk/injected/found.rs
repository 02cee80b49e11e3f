//! The faults that once did harm, each with the harm that it did.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::inject::cannot_trace;
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::specimens::injected::{MODE, NOW, Scene};

use crate::injected::all;
use crate::injected::faults::scratch;

/// The scene of this name with a fault in it, once for each time that it makes this call on this file, handed to
/// `judge` with its folder; nothing where faults cannot be injected.
#[track_caller]
fn with_fault(name: &str, (call, path, error): (&str, &str, &str), judge: impl Fn(&Scene, &Path, &Run)) {
    if let Some(why) = cannot_trace() {
        println!("not run: {name}: {why}");
        return;
    }
    let scene = all().iter().find(|scene| scene.name == name).expect("a scene of this name");
    let (_folder, base) = scratch();
    let (folder, log) = (base.join("scene"), base.join("log"));
    scene.lay(&folder);
    let held = scene.hold(&folder);
    let (_, calls) = scene.call(&folder, NOW, 1).trace(&folder, &log);
    drop(held);
    let made = calls.iter().find(|made| made.call == call && made.path == Path::new(path));
    let made = made.unwrap_or_else(|| {
        let others = calls.iter().filter(|made| made.path == Path::new(path)).map(|made| &made.call);
        panic!("{name}: no {call} of {path} any more, but {:?}", others.collect::<Vec<_>>());
    });
    for number in &made.numbers {
        fs::remove_dir_all(&folder).expect("the folder of before");
        scene.lay(&folder);
        let _held = scene.hold(&folder);
        let fault = made.fault(&format!("error={error}"), *number, false);
        let (run, came) = scene.call(&folder, NOW, 1).run_with(&fault, &folder, &log);
        assert!(came.is_some(), "{fault} did not come to pass\n{}", run.account());
        judge(scene, &folder, &run);
    }
}

#[test]
fn a_database_that_may_be_open_is_not_restored_over() {
    // When its lock could not be opened or tried, the restore took it for closed and appended under the server's feet.
    for fault in [("openat2", "EIO"), ("openat2", "EACCES"), ("flock", "ENOLCK"), ("flock", "EIO")] {
        let fault = (fault.0, "standby/Data.fs.lock", fault.1);
        with_fault("restore onto an open database", fault, |scene, folder, run| {
            assert!(run.expect(4).one_line().contains("Data.fs.lock"), "{}", run.account());
            assert!(
                fs::read(folder.join(scene.target)).expect("the target") == scene.files[scene.target],
                "the target was changed"
            );
        });
    }
}

#[test]
fn a_backup_that_cannot_be_looked_at_is_not_written_into() {
    // When the restore could not tell that its target is a hard link of a backup, it appended to the backup.
    let (first, target) = ("repo/2026-03-01-00-01-00.fs", "standby/Data.fs");
    for (call, path) in [("newfstatat", target), ("openat2", first), ("fstat", first)] {
        with_fault("restore onto a link of a backup", (call, path, "EIO"), |scene, folder, run| {
            assert!(
                run.expect(3).one_line().contains(path.rsplit('/').next().unwrap_or_default()),
                "{}",
                run.account()
            );
            assert!(fs::read(folder.join(first)).expect("a backup") == scene.files[first], "the backup was changed");
        });
    }
}

#[test]
fn a_target_whose_permissions_cannot_be_kept_is_not_replaced() {
    // A private database was replaced by one that everybody may read, with exit 0.
    with_fault("restore over another file", ("fchmod", "standby/Data.fs.*.part", "EIO"), |scene, folder, run| {
        assert!(run.expect(3).stderr.contains("permissions"), "{}", run.account());
        let now = fs::read(folder.join(scene.target)).expect("the target");
        let mode = fs::metadata(folder.join(scene.target)).expect("the target").permissions().mode() & 0o777;
        assert!(now == scene.files[scene.target] && mode == MODE, "the old database stays as it was, but is {mode:o}");
    });
}

#[test]
fn a_repository_that_cannot_be_listed_is_named() {
    // `list` said "HW201 : it cannot be read", of nothing.
    with_fault("list", ("getdents64", "repo", "EIO"), |_, _, run| {
        assert!(run.stderr.contains("repo"), "{}", run.account());
    });
}

#[test]
fn a_verification_whose_read_fails_is_inconclusive() {
    if let Some(why) = cannot_trace() {
        println!("not run: a_verification_whose_read_fails_is_inconclusive: {why}");
        return;
    }
    let (fixture, stamps) = Fixture::with_chain();
    for (stamp, end) in stamps.iter().zip(["fs", "deltafs", "deltafs"]) {
        let file = fixture.file(&format!("{stamp}.{end}"));
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-P"]).arg(&file);
        command.args(["-e", "trace=read,pread64", "-e", "inject=read,pread64:error=EIO:when=1+"]);
        command.arg(highwater()).arg("verify").arg(&fixture.repo);
        let run = Run::of(&mut command);
        run.expect(3).prints("unreadable");
    }
}
