//! Every pair of verbs that write, at once on one root, with their system calls slowed down.
//!
//! Whoever ends well has done what he says; whoever does not has lost nothing; and the next run ends what is left.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use highwater_tests::datastore::copy;
use highwater_tests::dice::Dice;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};

use crate::trust::stage::{Stage, chunks, damage, in_store, snapshot, stamp};
use crate::trust::together::both;
use crate::trust::traced::{can_trace, delayed};

/// Groups of calls, of which each run is slow in one.
const SLOW: [&str; 4] = [
    "?rename,?renameat,renameat2",
    "?unlink,unlinkat,?rename,?renameat,renameat2",
    "flock,fsync",
    "?rename,?renameat,renameat2,?unlink,unlinkat,flock,fsync,?openat2",
];

/// How much slower a call may be, in microseconds.
const DELAYS: [u32; 4] = [0, 10_000, 30_000, 60_000];

/// Pairs under way at a time: they wait more than they work.
const WORKERS: usize = 4;

/// A verb: its name for the reader, and the words of its command line.
///
/// `SOURCE`, `REPO`, `STORE`, `GOOD` and `TARGET` are paths; `=N` as the last word is the minute at which it runs.
type Verb = (&'static str, &'static str);

/// What writes into a repository, or from it.
const REPOZO: [Verb; 10] = [
    ("backup", "backup SOURCE REPO =1"),
    ("quick backup", "backup --quick SOURCE REPO =2"),
    ("full backup", "backup --full SOURCE REPO =3"),
    ("full backup that kills the old", "backup --full --kill-old SOURCE REPO =4"),
    ("repozo's backup", "repozo -B -f SOURCE -r REPO =5"),
    ("mark", "mark REPO"),
    ("heal", "heal REPO --from GOOD"),
    ("restore", "restore REPO TARGET"),
    ("full restore", "restore --full REPO TARGET"),
    ("restore in place", "restore --full --in-place REPO TARGET"),
];

/// What writes into a datastore, or from it.
const DATASTORE: [Verb; 5] = [
    ("backup", "backup --chunk-size=64K SOURCE STORE@vm/9/disk.img =2"),
    ("backup of another group", "backup --chunk-size=64K SOURCE STORE@vm/10/disk.img =2"),
    ("heal", "heal STORE --from GOOD"),
    ("restore", "restore STORE@vm/9/POINT/disk.img TARGET"),
    ("restore in place", "restore --in-place STORE@vm/9/POINT/disk.img TARGET"),
];

/// Where a pair runs.
struct Ring {
    stage: Stage,
    /// What is backed up.
    source: PathBuf,
    /// The repository or store, and its sound copy.
    root: PathBuf,
    good: PathBuf,
    /// The name of the point in a store.
    point: String,
    target: PathBuf,
    /// What the target may hold in the end, beside what it held.
    wanted: Vec<Vec<u8>>,
    old: Vec<u8>,
}

impl Ring {
    /// A repository with a point to come, and a target that is behind; no marks, and one increment spoiled if it is
    /// said.
    fn repozo(spoiled: bool) -> Self {
        let mut stage = Stage::new();
        let (root, good) = (stage.fixture.repo.clone(), stage.path("good"));
        copy(&root, &good);
        let (before, old) = (stage.fixture.data.bytes.clone(), fs::read(stage.file(0, "fs")).expect("a full backup"));
        for point in 0..3 {
            for end in ["fs", "deltafs"] {
                let _ = fs::remove_file(stage.file(point, &format!("{end}.marks")));
            }
        }
        if spoiled {
            damage(&stage.file(2, "deltafs"));
        }
        stage.fixture.grow(2);
        let wanted = vec![before, stage.fixture.data.bytes.clone()];
        Self::with(stage, "Data.fs", root, good, String::new(), wanted, old)
    }

    /// A store with a point to come, and a target with another image; one chunk spoiled if it is said.
    fn datastore(spoiled: bool) -> Self {
        let stage = Stage::new();
        let (root, good) = (stage.store("store"), stage.path("good"));
        copy(&root, &good);
        if spoiled {
            damage(&chunks(&root)[1]);
        }
        let point = snapshot(&root).file_name().expect("a name").to_string_lossy().into_owned();
        let before = stage.image.clone();
        let mut image = before.clone();
        image[70_000] ^= 1;
        fs::write(stage.path("disk.img"), image).expect("another image");
        // Every image begins so.
        let old = before[..60_000].to_vec();
        Self::with(stage, "disk.img", root, good, point, vec![before], old)
    }

    fn with(
        stage: Stage,
        source: &str,
        root: PathBuf,
        good: PathBuf,
        point: String,
        wanted: Vec<Vec<u8>>,
        old: Vec<u8>,
    ) -> Self {
        fs::create_dir(stage.path("standby")).expect("a folder");
        let (source, target) = (stage.path(source), stage.path("standby").join("target"));
        fs::write(&target, &old).expect("an old target");
        Self { stage, source, root, good, point, target, wanted, old }
    }

    fn command(&self, words: &str) -> Command {
        let mut command = self.stage.command(&[]);
        command.env("HIGHWATER_NOW", stamp(0));
        for word in words.split(' ') {
            if let Some(minute) = word.strip_prefix('=') {
                command.env("HIGHWATER_NOW", stamp(minute.parse().expect("a minute")));
                continue;
            }
            command.arg(match word {
                "SOURCE" => self.source.clone().into(),
                "REPO" | "STORE" => self.root.clone().into(),
                "GOOD" => self.good.clone().into(),
                "TARGET" => self.target.clone().into(),
                name => match name.strip_prefix("STORE@") {
                    Some(name) => in_store(&self.root, &name.replace("POINT", &self.point)),
                    None => OsString::from(name),
                },
            });
        }
        command
    }

    /// The next run of a kind, which must do well.
    fn next(&self, words: &str) -> Result<Run, String> {
        let run = Run::of(&mut self.command(words));
        if run.code == 0 { Ok(run) } else { Err(format!("the next run: {}", run.account())) }
    }

    /// What is wrong after two have run here.
    fn wrong(&self, verbs: [Verb; 2], runs: &[Run; 2], spoiled: bool) -> Result<(), String> {
        let restores = |verb: &Verb| verb.1.starts_with("restore");
        for (verb, run) in verbs.iter().zip(runs) {
            // Damage is found by those who read what is spoiled, until it is healed. All that repozo fails in is 1.
            let may = run.code == 0
                || run.code == 3
                || run.code == 4
                || (run.code == 1 && (spoiled || verb.1.starts_with("repozo")));
            if !may {
                return Err(format!("an exit code of {}", run.code));
            }
            let now = fs::read(&self.target).ok();
            if restores(verb) && run.code == 0 && now.as_ref().is_none_or(|now| !self.wanted.contains(now)) {
                return Err(format!("{} has ended well, and the target is no point", verb.0));
            }
        }
        let in_place = verbs.iter().any(|verb| verb.1.contains("--in-place"));
        let now = fs::read(&self.target).ok();
        if now.as_ref().is_none_or(|now| *now != self.old && !self.wanted.contains(now)) && !in_place {
            return Err("the target is neither what it was nor a point".into());
        }
        // One of the two is always alone with what it needs, or the first to get it.
        if !spoiled && runs.iter().all(|run| run.code != 0) {
            return Err("neither has ended well".into());
        }
        Ok(())
    }

    /// What is wrong after the runs that come next.
    fn wrong_afterwards(&self, is_store: bool, spoiled: bool) -> Result<(), String> {
        if spoiled {
            self.next("heal REPO --from GOOD")?;
        }
        let (backups, restore): (&[&str], _) = if is_store {
            let one = "backup --chunk-size=64K SOURCE STORE@vm/9/disk.img =30";
            (
                &[one, "backup --chunk-size=64K SOURCE STORE@vm/10/disk.img =30"],
                "restore STORE@vm/9/2026-03-02T00:30:00Z/disk.img TARGET",
            )
        } else {
            (&["backup SOURCE REPO =30"], "restore REPO TARGET")
        };
        for words in backups {
            self.next(words)?;
        }
        self.next("verify REPO")?;
        self.next(restore)?;
        if fs::read(&self.target).ok() != fs::read(&self.source).ok() {
            return Err("the next restore has ended well, and the target is not the newest point".into());
        }
        let mut left = Vec::new();
        work_files(&self.root, &mut left);
        work_files(self.target.parent().expect("a folder"), &mut left);
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
    }
}

/// The work files below a folder.
fn work_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.ends_with(".highwater-tmp") || name.ends_with(".part") || name.starts_with(".highwater-s") {
            found.push(path.clone());
        }
        if path.is_dir() {
            work_files(&path, found);
        }
    }
}

/// Every pair of these, either of them first, so often.
fn pairs(line: &'static str, verbs: &[Verb], is_store: bool) {
    if !can_trace(line) {
        return;
    }
    let mut cases = Vec::new();
    for round in 0..size(1, 24) {
        for first in verbs {
            for second in verbs {
                // In CI, each pair once; who begins is thrown.
                cases.push((round, *first, *second));
            }
        }
    }
    cases.retain(|(round, first, second)| *round > 0 || first.0 <= second.0);
    let mut score = Score::new(line);
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((round, first, second)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut dice = Dice::new(round * 1000 + first.1.len() as u64 * 31 + second.1.len() as u64);
            let spoiled = [first, second].iter().any(|verb| verb.0 == "heal");
            let ring = if is_store { Ring::datastore(spoiled) } else { Ring::repozo(spoiled) };
            let mut verbs = [*first, *second];
            if dice.chance(50) {
                verbs.reverse();
            }
            let slow = [(); 2].map(|()| (*dice.pick(&SLOW), *dice.pick(&DELAYS)));
            let [mut one, mut two] =
                [0, 1].map(|at: usize| delayed(&ring.command(verbs[at].1), slow[at].0, slow[at].1));
            let runs = both(&ring.stage, &mut one, &mut two, || true);
            let result = ring.wrong(verbs, &runs, spoiled).and_then(|()| ring.wrong_afterwards(is_store, spoiled));
            if let Err(what) = result {
                let [one, two] = runs.map(|run| run.account());
                let names = verbs.map(|verb| verb.0);
                failures.lock().expect("no panic").push(format!("{names:?}, {slow:?}: {what}\n{one}\n{two}"));
            }
        }
    };
    thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(work))));
    score.ran(cases.len() as u64);
    failures.into_inner().expect("no panic").into_iter().for_each(|what| score.fail(what));
    score.end();
}

#[test]
fn every_two_verbs_at_one_repository_at_once() {
    pairs("two runs at one repository", &REPOZO, false);
}

#[test]
fn every_two_verbs_at_one_store_at_once() {
    pairs("two runs at one store", &DATASTORE, true);
}
