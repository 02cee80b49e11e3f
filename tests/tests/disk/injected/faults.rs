//! `injected faults` and `injected kills`: on each file of each scene, the n-th call of each kind fails, or is the last
//! one.
//!
//! CI takes an even sample of the cases. The full run takes all of the small scenes, and all again with two working
//! threads, and of the large scenes all but seven in eight reads. A kill comes before its call does anything: the kill
//! at the next call is the one after it.
#![expect(clippy::print_stdout, reason = "how many cases ran is part of the result")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use highwater_tests::inject::{Aim, Fault, Occurrence, WRITING, cannot_trace};
use highwater_tests::run::Run;
use highwater_tests::score::{Score, full};
use highwater_tests::specimens::injected::{Kind, NOW, Scene};
use tempfile::TempDir;

use crate::injected::all;
use crate::injected::invariants::{Printed, after, again};

/// Threads of this test that run cases.
const WORKERS: usize = 2;

/// More bytes than all scratch folders together take.
const SCRATCH: u64 = 2 << 30;

/// What is said of a file system on which folders cannot be synced.
pub(crate) const UNSYNCED: &str = "does not make names durable";

/// How often a fault is tried that did not come to pass: threads share their work as it comes.
pub(crate) const TRIES: usize = 6;

/// Of so many faults, more than one that does not come to pass is too much.
const SELDOM: u64 = 20;

/// One fault in one scene.
struct Case {
    scene: &'static Scene,
    printed: Printed,
    fault: Fault,
    threads: u64,
}

/// How a case went.
enum Ended {
    /// Nothing to object to.
    Well,
    /// The call was not made this time: threads share their work as it comes.
    NotReached,
    /// What is wrong, and how to see it again.
    Badly(String),
}

/// A new scratch folder; its path holds no links, as `strace` compares paths literally.
///
/// It lies in memory where there is much room: what these tests ask of a disk is its answers, not that it keeps
/// anything.
pub(crate) fn scratch() -> (TempDir, PathBuf) {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
    let place = if room > SCRATCH { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("highwater-injected-").tempdir_in(place).expect("a scratch folder");
    let path = fs::canonicalize(folder.path()).expect("a path without links");
    (folder, path)
}

/// Runs `work` on every case, in threads with a scratch folder each, and gives what came of them, in order.
pub(crate) fn in_parallel<C: Sync, E: Send>(cases: &[C], work: impl Fn(&C, &Path) -> E + Sync) -> Vec<E> {
    let next = AtomicUsize::new(0);
    let ended: Mutex<Vec<(usize, E)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let (_folder, path) = scratch();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    let end = work(case, &path);
                    ended.lock().unwrap_or_else(PoisonError::into_inner).push((at, end));
                }
            });
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.sort_by_key(|(at, _)| *at);
    ended.into_iter().map(|(_, end)| end).collect()
}

/// The errors that a call may fail with, and whether only once or from then on.
pub(crate) fn errors(call: &Occurrence) -> Vec<(&'static str, bool)> {
    let mut errors = vec![("EIO", false), ("EINTR", false), ("EIO", true)];
    // Whoever has a file open may read it.
    if !matches!(call.call.as_str(), "read" | "pread64" | "getdents64") {
        errors.push(("EACCES", false));
    }
    if call.creates || WRITING.contains(&call.call.as_str()) {
        errors.extend([("ENOSPC", false), ("EDQUOT", false), ("ENOSPC", true), ("EROFS", true)]);
    }
    // What file systems and kernels say that do not know the call.
    match call.call.as_str() {
        "renameat2" => errors.extend([("EINVAL", true), ("ENOSYS", true)]),
        "ioctl" => errors.extend([("EOPNOTSUPP", true), ("EXDEV", true)]),
        "flock" => errors.extend([("ENOLCK", true), ("ENOSYS", true)]),
        // From there on, those of files would fail too where all of a kind count.
        "fsync" if call.folder => {
            errors.extend(["EINVAL", "EOPNOTSUPP"].map(|error| (error, call.aim == Aim::File(call.path.clone()))));
        }
        _ => {}
    }
    errors
}

/// Whether some error of a call only says that it is not known here, so that the verb must succeed without it.
pub(crate) fn is_no_failure(fault: &Fault) -> bool {
    matches!(
        (fault.call.as_str(), fault.what.as_str()),
        ("renameat2", "error=EINVAL" | "error=ENOSYS")
            | ("fsync", "error=EINVAL" | "error=EOPNOTSUPP")
            | ("ioctl", _)
            | ("fchown", _)
    )
}

/// Whether some error of a call must never be passed over: what should be written, or be durable, is not. The bytes may
/// look right all the same, since nothing cuts the power here.
pub(crate) fn is_a_failure(fault: &Fault) -> bool {
    let calls = ["write", "pwrite64", "fsync", "fdatasync", "syncfs", "ftruncate", "rename", "renameat", "renameat2"];
    let counts = !fault.kills() && fault.what != "error=EINTR" && !is_no_failure(fault);
    counts && calls.contains(&fault.call.as_str())
}

/// What must be said of a file system that lacks something.
pub(crate) fn says_what_is_lacking(fault: &Fault, run: &Run) -> Result<(), String> {
    match (fault.call.as_str(), fault.what.as_str()) {
        ("fsync", "error=EINVAL" | "error=EOPNOTSUPP") => {
            let told = run.stderr.matches(UNSYNCED).count();
            // A folder that is synced once more in another way, and then is, is nothing to speak of.
            let right = told == 1 || (told == 0 && !fault.when.ends_with('+'));
            if right { Ok(()) } else { Err(format!("{told} words on folders that cannot be made durable")) }
        }
        ("flock", "error=ENOLCK" | "error=ENOSYS") if run.code != 0 => {
            let told = run.code == 4 && run.stderr.contains("--no-lock");
            if told { Ok(()) } else { Err("no locks: exit 4 and a word about --no-lock were expected".to_owned()) }
        }
        _ => Ok(()),
    }
}

/// Whether what failed is a file that a backup can do without, and its words on standard error tell what is missing.
fn says_what_it_lacks(fault: &Fault, told: &str) -> bool {
    let marks = |path: &PathBuf| path.to_string_lossy().contains(".marks");
    fault.hit.iter().all(marks) && told.contains("; the backup is whole without them")
}

/// Every case of a scene. An undisturbed run tells the calls.
fn cases(scene: &'static Scene, kills: bool, threads: u64) -> (Vec<Occurrence>, Vec<Case>) {
    let (_folder, base) = scratch();
    let folder = base.join("scene");
    scene.lay(&folder);
    let held = scene.hold(&folder);
    let (run, calls) = scene.call(&folder, NOW, threads).trace(&folder, &base.join("log"));
    drop(held);
    let expected = if scene.kind == Kind::Refusal { 4 } else { 0 };
    assert!(run.code == expected, "{}: the undisturbed run\n{}", scene.name, run.account());
    after(scene, &folder, &run, &run.stdout, None).unwrap_or_else(|what| match expected {
        0 => panic!("{}: undisturbed: {what}\n{}", scene.name, run.account()),
        _ => panic!("{}: the undisturbed refusal: {what}\n{}", scene.name, run.account()),
    });
    let mut cases = Vec::new();
    for call in &calls {
        let writes = call.creates || WRITING.contains(&call.call.as_str());
        let faults: Vec<(String, bool)> = match kills {
            true if writes => vec![("signal=KILL".to_owned(), false)],
            true => Vec::new(),
            false => errors(call).into_iter().map(|(error, on)| (format!("error={error}"), on)).collect(),
        };
        for number in &call.numbers {
            cases.extend(faults.iter().map(|(what, on)| {
                let fault = call.fault(what, *number, *on);
                Case { scene, printed: run.stdout.clone(), fault, threads }
            }));
        }
    }
    (calls, cases)
}

/// Runs one case.
fn run(case: &Case, base: &Path) -> Ended {
    let Case { scene, printed, threads, .. } = case;
    let folder = base.join("scene");
    let attempt = || {
        let _ = fs::remove_dir_all(&folder);
        scene.lay(&folder);
        let held = scene.hold(&folder);
        let (run, fault) = scene.call(&folder, NOW, *threads).run_with(&case.fault, &folder, &base.join("log"));
        fault.map(|fault| (run, fault, held))
    };
    let Some((run, fault, held)) = (0..TRIES).find_map(|_| attempt()) else { return Ended::NotReached };
    let fault = &fault;
    let mut checked = after(scene, &folder, &run, printed, Some(fault));
    if checked.is_ok() && !fault.kills() && is_no_failure(fault) && scene.kind != Kind::Refusal && run.code != 0 {
        checked = Err("that is no reason to fail".to_owned());
    }
    if checked.is_ok() && is_a_failure(fault) && run.code == 0 && !says_what_it_lacks(fault, &run.stderr) {
        checked = Err("exit 0, though that failed".to_owned());
    }
    if checked.is_ok() && scene.kind != Kind::Refusal {
        checked = says_what_is_lacking(fault, &run);
    }
    let checked = checked.and_then(|()| again(scene, &folder, printed));
    drop(held);
    match checked {
        Ok(()) => Ended::Well,
        Err(what) => {
            let (kept, path) = scratch();
            let replay = path.join("scene");
            scene.lay(&replay);
            let _ = kept.keep();
            let account = run.account().replace(&*folder.to_string_lossy(), &replay.to_string_lossy());
            Ended::Badly(format!("{}: {fault}: {what}\n{account}", scene.name))
        }
    }
}

/// Of how many cases one is run. Most calls are reads that differ in the offset only, and a large scene takes long.
fn stride(case: &Case, ci: usize) -> usize {
    let (reads, large) = (case.fault.call == "pread64", case.scene.large);
    match full() {
        true => {
            if reads && large {
                8
            } else {
                1
            }
        }
        false => {
            ci * case.scene.weight
                * if reads { 3 } else { 1 }
                * if !large {
                    1
                } else if case.fault.kills() {
                    2
                } else {
                    4
                }
        }
    }
}

/// Tells which faults did not come to pass; many of them are a failure, as nothing was tried then.
pub(crate) fn told_missed(score: &mut Score, missed: &[String]) {
    println!("{} faults did not come to pass, as threads shared the work in another way:", missed.len());
    missed.iter().for_each(|missed| println!("  {missed}"));
    if u64::try_from(missed.len()).unwrap_or(u64::MAX).saturating_mul(SELDOM) > score.cases() {
        score.fail(format!("{} faults did not come to pass: are they aimed well?", missed.len()));
    }
}

/// Runs all scenes, of each of which CI takes about every `ci`th case, and prints what ran.
fn inject(line: &'static str, kills: bool, ci: usize) {
    if let Some(why) = cannot_trace() {
        println!("not run: {line}: {why}");
        return;
    }
    let mut score = Score::new(line);
    let mut table: BTreeMap<(&str, String), [u64; 3]> = BTreeMap::new();
    let mut chosen = Vec::new();
    let rounds = |scene: &Scene| if full() && !scene.large { 1..=2 } else { 1..=1 };
    for (scene, threads) in all().iter().flat_map(|scene| rounds(scene).map(move |threads| (scene, threads))) {
        let (calls, cases) = cases(scene, kills, threads);
        for call in calls.iter().filter(|_| threads == 1) {
            table.entry((scene.name, call.call.clone())).or_default()[0] += call.times;
        }
        // A sample that begins elsewhere in each scene.
        let from = scene.name.len();
        let taken = |(at, case): &(usize, Case)| (at + from).is_multiple_of(stride(case, ci));
        chosen.extend(cases.into_iter().enumerate().filter(taken).map(|(_, case)| case));
    }
    let mut missed = Vec::new();
    for (case, ended) in chosen.iter().zip(in_parallel(&chosen, run)) {
        let row = table.entry((case.scene.name, case.fault.call.clone())).or_default();
        match ended {
            Ended::NotReached => {
                missed.push(format!("{}: {}", case.scene.name, case.fault));
                continue;
            }
            Ended::Well => {}
            Ended::Badly(what) => {
                row[2] += 1;
                score.fail(what);
            }
        }
        row[1] += 1;
        score.ran(1);
    }
    println!("{:<32} {:<12} {:>6} {:>6} {:>6}", "scene", "call", "calls", "cases", "failed");
    for ((scene, call), [calls, cases, failed]) in table {
        println!("{scene:<32} {call:<12} {calls:>6} {cases:>6} {failed:>6}");
    }
    told_missed(&mut score, &missed);
    score.end();
}

#[test]
fn a_failing_system_call_never_leaves_a_half_made_set_or_a_false_verdict() {
    inject("injected faults", false, 8);
}

#[test]
fn a_kill_at_any_writing_call_leaves_nothing_half_made() {
    inject("injected kills", true, 1);
}
