//! `lacking calls`: kernels and file systems that do not know a call that every scene makes, from the first to the
//! last.
//!
//! Without `openat2` names are walked part by part, with the same results. A folder that cannot be synced is told,
//! once. Where there are no locks, nothing that needs one is done, until the user says `--no-lock`.
#![expect(clippy::print_stdout, reason = "what was not run is told")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use highwater_tests::inject::{Call, cannot_trace};
use highwater_tests::run::Run;
use highwater_tests::score::Score;

use crate::injected::faults::{UNSYNCED, in_parallel};
use crate::injected::scenes::{self, NOW};
use crate::injected::stores;
use crate::injected::{invariants, scenes::all};

/// What an undisturbed run prints.
type Printed = Vec<u8>;

/// A scene of either kind.
enum Any<'a> {
    Repository(&'static scenes::Scene),
    Store(&'a stores::Scene),
}

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

impl Any<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Repository(scene) => scene.name,
            Self::Store(scene) => scene.name,
        }
    }

    fn lay(&self, folder: &Path) -> Option<File> {
        let _ = fs::remove_dir_all(folder);
        match self {
            Self::Repository(scene) => {
                scene.lay(folder);
                scene.hold(folder)
            }
            Self::Store(scene) => {
                scene.lay(folder);
                None
            }
        }
    }

    fn call(&self, folder: &Path) -> Call<'static> {
        match self {
            Self::Repository(scene) => scene.call(folder, NOW, 1),
            Self::Store(scene) => scene.call(folder, NOW),
        }
    }

    /// Whether it is about a refusal.
    fn refuses(&self) -> bool {
        matches!(self, Self::Repository(scene) if scene.wants == scenes::Wants::Refusal)
    }

    /// Whether it changes what others may be changing.
    fn writes(&self) -> bool {
        match self {
            Self::Repository(scene) => {
                matches!(scene.wants, scenes::Wants::Point { .. } | scenes::Wants::Target { .. })
            }
            Self::Store(scene) => scene.wants != stores::Wants::Output,
        }
    }

    /// Whether it writes to a repository or a store.
    fn backs_up(&self) -> bool {
        match self {
            Self::Repository(scene) => scene.backs_up(),
            Self::Store(scene) => matches!(scene.wants, stores::Wants::Snapshot | stores::Wants::Healing),
        }
    }

    /// Whether there is a file that it is to replace.
    fn finds_a_target(&self) -> bool {
        match self {
            Self::Repository(scene) => scene.files.contains_key(scenes::TARGET),
            Self::Store(scene) => scene.finds_a_target(),
        }
    }

    /// All is done that is to be done, or nothing.
    fn check(&self, folder: &Path, run: &Run, printed: &Printed) -> Result<(), String> {
        match self {
            Self::Repository(scene) => invariants::after(scene, folder, run, printed, None),
            Self::Store(scene) if run.code == 0 => stores::done(scene, folder, run, printed),
            Self::Store(scene) => stores::whole(scene, folder).map(drop),
        }
    }
}

/// Runs a scene without something; false when it does not need that.
fn try_without(scene: &Any<'_>, lack: Lack, base: &Path) -> Result<bool, String> {
    let (folder, log) = (base.join("scene"), base.join("log"));
    let held = scene.lay(&folder);
    let (undisturbed, calls) = scene.call(&folder).trace(&folder, &log);
    drop(held);
    let _held = scene.lay(&folder);
    let mut call = scene.call(&folder);
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
    let told = |what: &str| format!("{}: {lack:?}: {what}\n{}", scene.name(), run.account());
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
        (_, code) if code != if scene.refuses() { 4 } else { 0 } => return wrong("another exit than with it"),
        (Lack::FolderSync(_), 0) if run.stderr.matches(UNSYNCED).count() != 1 => {
            return wrong("one word on folders that cannot be made durable was expected");
        }
        _ => {}
    }
    scene.check(&folder, &run, &undisturbed.stdout).map(|()| true).map_err(|what| told(&what))
}

#[test]
fn what_a_kernel_or_a_file_system_lacks_changes_no_result_and_is_told() {
    let line = "lacking calls";
    if let Some(why) = cannot_trace() {
        println!("not run: {line}: {why}");
        return;
    }
    let mut score = Score::new(line);
    let stores = stores::scenes();
    let scenes: Vec<Any<'_>> = all().iter().map(Any::Repository).chain(stores.iter().map(Any::Store)).collect();
    let cases: Vec<(&Any<'_>, Lack)> = scenes.iter().flat_map(|scene| LACKS.map(|lack| (scene, lack))).collect();
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
