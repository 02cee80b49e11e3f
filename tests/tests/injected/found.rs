//! The faults that once did harm, each with the harm that it did.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use highwater_tests::inject::{Fault, cannot_trace};
use highwater_tests::run::Run;

use crate::faults::scratch;
use crate::scenes::{MODE, NOW, Scene, TARGET, all};

/// The scene of this name with a fault in it, handed to `judge` with its folder; nothing where faults cannot be injected.
#[track_caller]
fn with_fault(name: &str, (call, path, error): (&str, &str, &str), judge: impl FnOnce(&Scene, &Path, &Run)) {
    if let Some(why) = cannot_trace() {
        println!("not run: {name}: {why}");
        return;
    }
    let scene = all().iter().find(|scene| scene.name == name).expect("a scene of this name");
    let (_folder, base) = scratch();
    let folder = base.join("scene");
    scene.lay(&folder);
    let _held = scene.hold(&folder);
    let fault =
        Fault { call: call.to_owned(), path: path.into(), what: format!("error={error}"), when: "1+".to_owned() };
    let (run, came) = scene.call(&folder, NOW, 1).run_with(&fault, &folder, &base.join("log"));
    assert!(came, "{fault} did not come to pass\n{}", run.account());
    judge(scene, &folder, &run);
}

#[test]
fn a_database_that_may_be_open_is_not_restored_over() {
    // When its lock could not be opened or tried, the restore took it for closed and appended under the server's feet.
    for fault in [("openat", "EIO"), ("openat", "EACCES"), ("flock", "ENOLCK"), ("flock", "EIO")] {
        let fault = (fault.0, "standby/Data.fs.lock", fault.1);
        with_fault("restore onto an open database", fault, |scene, folder, run| {
            assert!(run.expect(4).one_line().contains("Data.fs.lock"), "{}", run.account());
            assert!(
                fs::read(folder.join(TARGET)).expect("the target") == scene.files[TARGET],
                "the target was changed"
            );
        });
    }
}

#[test]
fn a_backup_that_cannot_be_looked_at_is_not_written_into() {
    // When the restore could not tell that its target is a hard link of a backup, it appended to the backup.
    let (first, target) = ("repo/2026-03-01-00-01-00.fs", TARGET);
    for path in [first, target] {
        with_fault("restore onto a link of a backup", ("statx", path, "EIO"), |scene, folder, run| {
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
    with_fault("restore over another file", ("fchmod", "standby/Data.fs.part", "EIO"), |scene, folder, run| {
        assert!(run.expect(3).stderr.contains("permissions"), "{}", run.account());
        let now = fs::read(folder.join(TARGET)).expect("the target");
        let mode = fs::metadata(folder.join(TARGET)).expect("the target").permissions().mode() & 0o777;
        assert!(now == scene.files[TARGET] && mode == MODE, "the old database stays as it was, but is {mode:o}");
    });
}

#[test]
fn a_repository_that_cannot_be_listed_is_named() {
    // `list` said "HW201 : it cannot be read", of nothing.
    with_fault("list", ("getdents64", "repo", "EIO"), |_, _, run| {
        assert!(run.stderr.contains("repo"), "{}", run.account());
    });
}
