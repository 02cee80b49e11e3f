//! Backups into a bucket: what a run makes there, ended or killed at whatever request, and who else may write.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Instant;

use highwater_tests::repo::Data;
use highwater_tests::run::Run;
use highwater_tests::s3::shelves::Bucket;
use highwater_tests::s3::{Fault, Rule};
use highwater_tests::score::{Score, size};
use rustix::process::{Pid, Signal, kill_process};

use crate::both::Both as _;
use crate::both::at;
use crate::roots::Roots;

/// What a run is given to back up, in two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    Database,
}

pub(crate) const KINDS: [Kind; 2] = [Kind::Folder, Kind::Database];

/// The clock of the runs: the first point, the next one, and whoever comes then.
const FIRST: &str = "2026-03-01-01-00-00";
const NEXT: &str = "2026-03-01-02-00-00";
const THEN: &str = "2026-03-01-03-00-00";

impl Kind {
    fn source(self, roots: &Roots) -> PathBuf {
        let name = if self == Self::Folder { "source" } else { "Data.fs" };
        roots.near().with_file_name(name)
    }

    /// Makes what is backed up: its first state, or the one that it grew into.
    pub(crate) fn lay(self, roots: &Roots, has_grown: bool) {
        let source = self.source(roots);
        if self == Self::Database {
            let mut data = Data::new(7);
            data.grow(20);
            if has_grown {
                data.grow(10);
            }
            return fs::write(source, &data.bytes).expect("a file");
        }
        fs::create_dir_all(source.join("inner/deep")).expect("a folder");
        for number in 0..12 {
            let state = if has_grown && number % 3 == 0 { "new" } else { "old" };
            let body = format!("{state} {number}").repeat(number * 200 + 1);
            fs::write(source.join(format!("inner/{number}")), body).expect("a file");
        }
        if has_grown {
            fs::write(source.join("inner/deep/empty"), b"").expect("a file");
            fs::write(source.join("long"), vec![7; 300_000]).expect("a file");
        }
    }

    pub(crate) fn backup(self, roots: &Roots, now: &str) -> Command {
        let (source, far) = (self.source(roots), Roots::far());
        let mut words = vec![OsStr::new("backup")];
        if self == Self::Folder {
            words.extend(["--kind", "folder"].map(OsStr::new));
        }
        words.extend([source.as_os_str(), far.as_os_str()]);
        let mut command = roots.command(&words);
        command.env("HIGHWATER_NOW", now);
        command
    }

    /// The points of the set, the oldest first.
    pub(crate) fn points(roots: &Roots) -> Vec<String> {
        let run = roots.run(&["list", "--json"], &Roots::far(), &[]);
        run.expect(0);
        let list: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
        let points = list["sets"].as_array().expect("points").iter();
        let points: BTreeSet<&str> = points.map(|point| point["name"].as_str().expect("a name")).collect();
        points.into_iter().map(ToOwned::to_owned).collect()
    }

    /// What is wrong with the set, if something is: it is to be sound, and its newest point what the source is.
    pub(crate) fn wrong(self, roots: &Roots) -> Option<String> {
        let run = roots.run(&["verify", "--depth", "deep"], &Roots::far(), &[]);
        if run.code != 0 {
            return Some(run.account());
        }
        let newest = Self::points(roots).pop()?;
        let target = roots.near().with_file_name("restored");
        let _ = fs::remove_dir_all(&target);
        let _ = fs::remove_file(&target);
        let run = roots.run(&["restore", "--full"], &at(&Roots::far(), &newest), &[target.as_os_str()]);
        let same = run.code == 0 && files(&target) == files(&self.source(roots));
        (!same).then(|| format!("{newest} is not what the source is: {}", run.account()))
    }
}

/// All files below a path, or the file that it is.
fn files(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut ahead) = (BTreeMap::new(), vec![path.to_owned()]);
    while let Some(next) = ahead.pop() {
        if next.is_dir() {
            ahead.extend(fs::read_dir(&next).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else {
            let name = next.strip_prefix(path).expect("below").to_owned();
            found.insert(name, fs::read(&next).expect("a file"));
        }
    }
    found
}

fn held(roots: &Roots) -> Bucket {
    roots.server.shelves(|shelves| shelves.bucket(Roots::bucket()).clone())
}

fn put_back(roots: &Roots, state: &Bucket) {
    roots.server.shelves(|shelves| *shelves.bucket(Roots::bucket()) = state.clone());
}

/// A bucket with the first point, and a source that has grown since.
fn prepared(kind: Kind, versioned: bool) -> (Roots, Bucket) {
    let roots = Roots::new();
    roots.server.shelves(|shelves| shelves.bucket(Roots::bucket()).versioned = versioned);
    kind.lay(&roots, false);
    Run::of(&mut kind.backup(&roots, FIRST)).expect(0);
    assert_eq!(kind.wrong(&roots), None);
    kind.lay(&roots, true);
    let state = held(&roots);
    (roots, state)
}

#[test]
fn a_backup_into_a_bucket_is_a_set_there() {
    for kind in KINDS {
        let (roots, _) = prepared(kind, false);
        assert_eq!(Kind::points(&roots).len(), 1, "{kind:?}");
        Run::of(&mut kind.backup(&roots, NEXT)).expect(0);
        assert_eq!((kind.wrong(&roots), Kind::points(&roots).len()), (None, 2), "{kind:?}");
        // The lock is let go of, and nothing else is left.
        let left = held(&roots).keys.keys().any(|key| {
            let key = String::from_utf8_lossy(key).into_owned();
            key.contains("lock") || key.contains("highwater-tmp")
        });
        assert!(!left, "{:?}", held(&roots).keys.keys());
        // A dry run writes nothing.
        let before = held(&roots).keys.len();
        Run::of(kind.backup(&roots, THEN).arg("-n")).expect(0);
        assert_eq!(held(&roots).keys.len(), before);
    }
}

/// What becomes of the n-th request of a run.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// The run is killed before S3 does what it asked for, or when it is done.
    KilledBefore,
    KilledAfter,
    /// No answer comes, though it is done; or it is not done; or S3 asks for patience.
    Lost,
    Cut,
    Busy,
}

const DEEDS: [Deed; 5] = [Deed::KilledBefore, Deed::KilledAfter, Deed::Lost, Deed::Cut, Deed::Busy];

impl Deed {
    fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }

    fn fault(self) -> Fault {
        match self {
            Self::KilledBefore | Self::Cut => Fault::Before,
            Self::KilledAfter | Self::Lost => Fault::Closed,
            Self::Busy => Fault::Status(503, "SlowDown", vec![]),
        }
    }

    /// Runs a backup that this happens to at its n-th request; none when it has fewer.
    fn run(self, roots: &Roots, mut command: Command, number: u32) -> Option<std::process::Output> {
        let pid = Arc::new(AtomicI32::new(0));
        if number > 1 {
            roots.server.plan(Rule::next(Fault::None).times(number - 1));
        }
        let rule = Rule::next(self.fault());
        let seen = Arc::clone(&pid);
        roots.server.plan(if self.kills() { rule.then(move |_| signal(&seen, Signal::KILL)) } else { rule });
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child");
        pid.store(i32::try_from(child.id()).expect("a number"), Ordering::SeqCst);
        let output = child.wait_with_output().expect("an end");
        let happened = roots.server.left() == 0;
        roots.server.forget();
        happened.then_some(output)
    }
}

/// Signals a process whose number is being found out.
pub(crate) fn signal(pid: &AtomicI32, signal: Signal) {
    // It is known in a moment.
    while pid.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    let pid = Pid::from_raw(pid.load(Ordering::SeqCst)).expect("a process");
    kill_process(pid, signal).expect("it can be signalled");
}

#[test]
fn whatever_request_ends_a_run_or_goes_wrong_the_set_is_whole() {
    let mut score = Score::new("far roots: backups ended at each request");
    for (kind, versioned) in [(Kind::Folder, false), (Kind::Database, true)] {
        let (roots, state) = prepared(kind, versioned);
        for deed in DEEDS {
            let step = usize::try_from(size(4, 1)).expect("few");
            for number in (1..).step_by(step) {
                put_back(&roots, &state);
                let Some(output) = deed.run(&roots, kind.backup(&roots, NEXT), number) else { break };
                score.ran(1);
                let mut fail = |what: String| score.fail(format!("{kind:?}, {deed:?} at request {number}: {what}"));
                if !deed.kills() && !output.status.success() {
                    fail(String::from_utf8_lossy(&output.stderr).into_owned());
                }
                let run = roots.run(&["verify", "--depth", "deep"], &Roots::far(), &[]);
                // Of a repository, a file that no line names yet is told, and is no damage.
                if run.code != 0 && !(run.code == 3 && run.text().contains("HW202 unlisted")) {
                    fail(run.account());
                }
                // A point that the killed run has made is there; then this one is the next.
                let rerun = Run::of(&mut kind.backup(&roots, THEN));
                let wrong = kind.wrong(&roots);
                if rerun.code != 0 || wrong.is_some() {
                    fail(format!("{}\n{wrong:?}", rerun.account()));
                }
            }
        }
    }
    score.end();
}

#[test]
fn a_bucket_with_versions_keeps_all_that_was_written() {
    for kind in KINDS {
        let (roots, before) = prepared(kind, true);
        Run::of(&mut kind.backup(&roots, NEXT)).expect(0);
        let after = held(&roots);
        for (key, versions) in &before.keys {
            let kept = versions.iter().all(|one| after.keys[key].iter().any(|other| other.id == one.id));
            assert!(kept, "{}", String::from_utf8_lossy(key));
        }
        // What grows or is remembered is written anew; all else is written once.
        for (key, versions) in &after.keys {
            let name = String::from_utf8_lossy(key).into_owned();
            let grows = name.ends_with(".dat") || name.contains("lock") || name.contains("highwater");
            assert!(grows || versions.len() == 1, "{name}: {}", versions.len());
        }
    }
}

#[test]
fn a_list_that_is_late_or_repeats_itself_hurts_nothing() {
    for fault in [Fault::Lacks("/set"), Fault::Lacks("objects/"), Fault::Lacks(".fs"), Fault::Repeats] {
        let list = format!("GET /{}?", Roots::bucket());
        for kind in KINDS {
            for number in 1..5 {
                let (roots, _) = prepared(kind, false);
                roots.server.plan(Rule::next(Fault::None).to(&list).times(number));
                roots.server.plan(Rule::next(fault.clone()).to(&list));
                let run = Run::of(&mut kind.backup(&roots, NEXT));
                roots.server.forget();
                assert!([0, 3, 4].contains(&run.code), "{}", run.account());
                Run::of(&mut kind.backup(&roots, THEN)).expect(0);
                assert_eq!(kind.wrong(&roots), None, "{kind:?}, {fault:?}, {number}: {}", run.account());
            }
        }
    }
}

/// A server that stores something else than what was sent is not believed, and what it stored does not stay.
#[test]
fn what_s3_says_that_it_stored_is_what_was_sent() {
    for garbled in ["objects/", "points/"] {
        let roots = Roots::new();
        let source = Kind::Folder.source(&roots);
        fs::create_dir(&source).expect("a folder");
        fs::write(source.join("one"), b"what was sent").expect("a file");
        roots.server.plan(Rule::next(Fault::Garbles(4)).to(&format!("PUT /backups/set/{garbled}")));
        let run = Run::of(&mut Kind::Folder.backup(&roots, FIRST));
        assert!(run.code == 3 && run.stderr.contains("what was sent gives"), "{garbled}: {}", run.account());
        let keys = held(&roots).keys.into_keys();
        let left = keys.filter(|key| key.starts_with(format!("set/{garbled}").as_bytes())).count();
        assert_eq!(left, 0, "{garbled}");
        Run::of(&mut Kind::Folder.backup(&roots, NEXT)).expect(0);
        assert_eq!((Kind::Folder.wrong(&roots), Kind::points(&roots).len()), (None, 1), "{garbled}");
    }
}

/// A rate has its time, whoever is faster.
#[test]
fn a_backup_sends_no_faster_than_it_may() {
    let roots = Roots::new();
    let source = Kind::Folder.source(&roots);
    fs::create_dir(&source).expect("a folder");
    fs::write(source.join("one"), vec![7; 300_000]).expect("a file");
    let started = Instant::now();
    Run::of(Kind::Folder.backup(&roots, FIRST).args(["--max-bandwidth", "150k"])).expect(0);
    // Two seconds, less a burst of a quarter of one.
    assert!(started.elapsed().as_millis() >= 1750, "{:?}", started.elapsed());
}
