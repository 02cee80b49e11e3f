//! `lacking calls`: kernels and file systems that do not know a call that every scene makes, from the first to the
//! last.
//!
//! Without `openat2` names are walked part by part, with the same results. A folder that cannot be synced is told,
//! once. Where there are no locks, nothing that needs one is done, until the user says `--no-lock`.
#![expect(clippy::print_stdout, reason = "what was not run is told")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use highwater_tests::inject::cannot_trace;
use highwater_tests::score::Score;

use highwater_tests::specimens::injected::{Kind, NOW, Scene};

use crate::injected::all;
use crate::injected::faults::{UNSYNCED, in_parallel};
use crate::injected::invariants::after;

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// `openat2`.
    Openat2,
    /// `fsync` of folders, with this error.
    FolderSync(&'static str),
    /// Locks, with this error.
    Locks(&'static str),
    /// The same, and the user knows.
    KnownLocks(&'static str),
}

const LACKS: [Lack; 7] = [
    Lack::Openat2,
    Lack::FolderSync("EINVAL"),
    Lack::FolderSync("EOPNOTSUPP"),
    Lack::Locks("ENOLCK"),
    Lack::Locks("ENOSYS"),
    Lack::KnownLocks("ENOLCK"),
    Lack::KnownLocks("ENOSYS"),
];

/// Lays the scene out anew, and takes what another process is to hold.
fn lay(scene: &Scene, folder: &Path) -> Option<File> {
    let _ = fs::remove_dir_all(folder);
    scene.lay(folder);
    scene.hold(folder)
}

/// Runs a scene without something; false when it does not need that.
fn try_without(scene: &Scene, lack: Lack, base: &Path) -> Result<bool, String> {
    let (folder, log) = (base.join("scene"), base.join("log"));
    let held = lay(scene, &folder);
    let (undisturbed, calls) = scene.call(&folder, NOW, 1).trace(&folder, &log);
    drop(held);
    let _held = lay(scene, &folder);
    let mut call = scene.call(&folder, NOW, 1);
    let folders = calls.iter().filter(|call| call.call == "fsync" && call.folder);
    let folders: Vec<PathBuf> = folders.map(|call| folder.join(&call.path)).collect();
    let (run, came) = match lack {
        Lack::Openat2 => call.run_without("openat2", "ENOSYS", &[], &log),
        Lack::FolderSync(_) if folders.is_empty() => return Ok(false),
        Lack::FolderSync(error) => call.run_without("fsync", error, &folders, &log),
        Lack::Locks(error) => call.run_without("flock", error, &[], &log),
        Lack::KnownLocks(_) if !scene.writes() => return Ok(false),
        Lack::KnownLocks(error) => {
            call.arguments.insert(1, "--no-lock".into());
            call.run_without("flock", error, &[], &log)
        }
    };
    let told = |what: &str| format!("{}: {lack:?}: {what}\n{}", scene.name, run.account());
    let wrong = |what: &str| Err(told(what));
    if !came {
        return Ok(false);
    }
    let needs = scene.writes() && lack != Lack::Openat2;
    match (lack, run.code) {
        // Whoever finds nothing that another could hold needs no lock.
        (Lack::Locks(_), 0) if !scene.backs_up() && !scene.finds_a_target() => {}
        (Lack::Locks(_), 4) if needs && run.stderr.contains("--no-lock") => {}
        (Lack::Locks(_), _) if needs => return wrong("exit 4 and a word about --no-lock were expected"),
        (Lack::Locks(_), 0 | 4) => {}
        (_, code) if code != if scene.kind == Kind::Refusal { 4 } else { 0 } => {
            return wrong("another exit than with it");
        }
        (Lack::FolderSync(_), 0) if run.stderr.matches(UNSYNCED).count() != 1 => {
            return wrong("one word on folders that cannot be made durable was expected");
        }
        _ => {}
    }
    after(scene, &folder, &run, &undisturbed.stdout, None).map(|()| true).map_err(|what| told(&what))
}

#[test]
fn what_a_kernel_or_a_file_system_lacks_changes_no_result_and_is_told() {
    let line = "lacking calls";
    if let Some(why) = cannot_trace() {
        println!("not run: {line}: {why}");
        return;
    }
    let mut score = Score::new(line);
    let cases: Vec<(&Scene, Lack)> = all().iter().flat_map(|scene| LACKS.map(|lack| (scene, lack))).collect();
    for ended in in_parallel(&cases, |(scene, lack), base| try_without(scene, *lack, base)) {
        match ended {
            Ok(false) => continue,
            Ok(true) => {}
            Err(what) => score.fail(what),
        }
        score.ran(1);
    }
    score.end();
}
