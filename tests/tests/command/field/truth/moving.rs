//! A snapshot that is pruned while it is looked at was removed, and nothing of it is missing.
//!
//! The removal is done between every two calls that the verification makes on the store, so that none of its moments is
//! left out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use highwater::drive;
use highwater::store::{Files, Links, Object, Store};
use highwater::watch::Watch;
use highwater_core::formats::datastore::Datastore;
use highwater_core::inspect::{Entry, Format, Of, Scope};
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::report::{Depth, Report, Soundness};
use highwater_core::survey::{Options, Survey};
use highwater_tests::binary::highwater;
use highwater_tests::datastore::Sample;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};

use super::LINE;
use super::manifests::{MANIFEST, read, write};

const FIRST: &str = "ct/200/2025-06-16T15:08:40Z";
const LARGE: &str = "vm/101/2025-06-16T15:07:40Z";

/// Something that is done to a store.
type Step = Box<dyn Fn(&Path) + Send + Sync>;

/// A store to which something is done between two calls.
struct Scripted {
    files: Files,
    root: PathBuf,
    script: Mutex<(usize, Vec<(usize, Step)>)>,
}

impl Scripted {
    /// Each step is done before the call of its number.
    fn new(root: &Path, script: Vec<(usize, Step)>) -> Self {
        let files = Files::open(root, Links::Beneath).expect("a store");
        Self { files, root: root.to_owned(), script: Mutex::new((0, script)) }
    }

    fn call(&self) {
        let mut script = self.script.lock().expect("no panic");
        let (call, steps) = &mut *script;
        while steps.first().is_some_and(|(at, _)| at == call) {
            let (_, step) = steps.remove(0);
            step(&self.root);
        }
        *call += 1;
    }

    /// How many calls there were, and how many steps were not done.
    fn end(self) -> (usize, usize) {
        let (calls, steps) = self.script.into_inner().expect("no panic");
        (calls, steps.len())
    }
}

impl Store for Scripted {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.files.told(name)
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        self.call();
        self.files.list(folder, each)
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        self.call();
        self.files.open(name)
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.call();
        self.files.length(name)
    }
}

static FORMAT: Datastore = Datastore::STORE;

fn verify(store: &dyn Store, depth: Depth, key: Key) -> Report {
    let survey =
        Survey::new(FORMAT.inspect(&Scope::new(Of::All).keyed(Some(key))), Options::whole(&FORMAT, "s", depth));
    drive::run(store, survey, depth, &Watch::silent(), &mut |_, _| {}).expect("nobody interrupts").finish()
}

/// A copy of a store whose files are other names of the same ones: they are removed here, and never written.
fn linked(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { linked(&from, &to) } else { fs::hard_link(&from, &to).expect("a link") }
    }
}

fn remove_manifest(snapshot: &'static str) -> Step {
    Box::new(move |store| fs::remove_file(store.join(snapshot).join(MANIFEST)).expect("it is removed"))
}

fn remove(folder: &'static str) -> Step {
    Box::new(move |store| fs::remove_dir_all(store.join(folder)).expect("it is removed"))
}

fn rename_away(folder: &'static str) -> Step {
    Box::new(move |store| {
        fs::rename(store.join(folder), store.with_extension("away")).expect("it is renamed");
    })
}

/// What a garbage collection does once the snapshots of a group are gone: chunks that nothing else names.
fn collect(chunks: Vec<PathBuf>) -> Step {
    Box::new(move |store| chunks.iter().for_each(|chunk| fs::remove_file(store.join(chunk)).expect("it is removed")))
}

/// The chunks that are named by nothing once a folder is gone.
fn chunks_of(sample: &Sample, folder: &str) -> Vec<PathBuf> {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    linked(&sample.store(), &fixture.path().join("s"));
    fs::remove_dir_all(fixture.path().join("s").join(folder)).expect("it is removed");
    let run = Run::of(Command::new(highwater()).arg("strays").arg(fixture.path().join("s")).arg("--json"));
    let found: serde_json::Value = serde_json::from_str(&run.expect(0).text()).expect("JSON");
    let names = found["strays"].as_array().expect("a list").iter().filter_map(|stray| stray["name"].as_str());
    names.map(PathBuf::from).collect()
}

#[test]
fn a_snapshot_that_is_pruned_at_any_moment_is_never_damaged() {
    let mut score = Score::part(LINE, "a_snapshot_that_is_pruned_at_any_moment_is_never_damaged");
    let sample = Sample::made();
    let key = sample.key();
    let chunks = chunks_of(&sample, "vm/101");
    assert!(!chunks.is_empty());
    type Script<'a> = (&'static str, &'a dyn Fn(usize) -> Vec<(usize, Step)>);
    let scripts: [Script<'_>; 8] = [
        ("manifest, then folder", &|at| vec![(at, remove_manifest(LARGE)), (at, remove(LARGE))]),
        ("manifest, and soon the folder", &|at| vec![(at, remove_manifest(LARGE)), (at + 2, remove(LARGE))]),
        ("renamed away", &|at| vec![(at, rename_away(FIRST))]),
        ("the group", &|at| vec![(at, remove("ct/200"))]),
        ("a namespace", &|at| vec![(at, remove("ns/team"))]),
        ("all of it", &|at| vec![(at, remove("vm")), (at, remove("ns")), (at, remove("ct")), (at, remove("host"))]),
        ("and its chunks", &|at| vec![(at, remove("vm/101")), (at, collect(chunks.clone()))]),
        ("and its chunks, later", &|at| vec![(at, remove("vm/101")), (at + 5, collect(chunks.clone()))]),
    ];
    for depth in [Depth::List, Depth::Digest] {
        for (what, script) in &scripts {
            let mut at = 0;
            loop {
                let fixture = tempfile::tempdir_in(sample.folder()).expect("a scratch folder");
                let root = fixture.path().join("store");
                linked(&sample.store(), &root);
                let store = Scripted::new(&root, script(at));
                let report = verify(&store, depth, key.clone());
                let (calls, left) = store.end();
                let gone =
                    report.sets.is_empty() && report.verdict == Soundness::Inconclusive && report.tallies.is_empty();
                // Between manifest and folder nobody knows what it will be.
                let between = report.tallies.keys().eq(["unfinished"]) && report.verdict == Soundness::Inconclusive;
                let fits = match *what {
                    "manifest, and soon the folder" => report.verdict == Soundness::Sound || between,
                    "all of it" => report.verdict == Soundness::Sound || gone,
                    _ => report.verdict == Soundness::Sound,
                };
                if !fits || report.tallies.keys().any(|name| name != "unfinished") {
                    score.fail(format!(
                        "{what}, before call {at}, {depth:?}: {:?}, {:#?}",
                        report.tallies, report.findings
                    ));
                }
                score.ran(1);
                if left > 0 || at > calls {
                    break;
                }
                at += usize::try_from(size(3, 1)).expect("it fits");
            }
            assert!(at > 8, "{what}: {at} moments");
        }
    }
    score.end();
}

/// What is gone for other reasons is damage, also beside a prune, and hurts who needs it: snapshots have other numbers
/// by then.
#[test]
fn what_is_missing_beside_a_prune_hurts_those_who_need_it() {
    let mut score = Score::part(LINE, "what_is_missing_beside_a_prune_hurts_those_who_need_it");
    let sample = Sample::made();
    let key = sample.key();
    let [lost, _] = ["vm/100", "vm/101"].map(|group| chunks_of(&sample, group));
    let shared = lost.first().expect("a chunk").clone();
    for at in (0..200).step_by(usize::try_from(size(7, 1)).expect("it fits")) {
        let fixture = tempfile::tempdir_in(sample.folder()).expect("a scratch folder");
        let root = fixture.path().join("store");
        linked(&sample.store(), &root);
        fs::remove_file(root.join(&shared)).expect("it is removed");
        fs::remove_file(root.join("host/beta/2025-06-16T15:09:40Z/note.blob")).expect("it is removed");
        let store = Scripted::new(&root, vec![(at, remove_manifest(FIRST)), (at, remove("ct/200"))]);
        let report = verify(&store, Depth::Size, key.clone());
        let damaged: Vec<&str> =
            report.sets.iter().filter(|set| set.verdict == Soundness::Damaged).map(|set| set.name.as_str()).collect();
        let wanted = damaged.first() == Some(&"host/beta/2025-06-16T15:09:40Z")
            && damaged.len() > 1
            && damaged.iter().skip(1).all(|name| name.starts_with("vm/100/"));
        if !wanted || report.tallies.get("missing") != Some(&2) {
            score.fail(format!("before call {at}: {damaged:?}, {:#?}", report.findings));
        }
        score.ran(1);
    }
    score.end();
}

/// An index that is gone while its manifest stays is missing, and so is a chunk that anybody names.
#[test]
fn what_is_removed_without_its_snapshot_is_missing() {
    let mut score = Score::part(LINE, "what_is_removed_without_its_snapshot_is_missing");
    let sample = Sample::made();
    let chunk = chunks_of(&sample, "vm/101").remove(0);
    for lost in [PathBuf::from(LARGE).join("drive-virtio0.img.fidx"), chunk] {
        let fixture = tempfile::tempdir_in(sample.folder()).expect("a scratch folder");
        let root = fixture.path().join("store");
        linked(&sample.store(), &root);
        let remove: Step = Box::new(move |store| fs::remove_file(store.join(&lost)).expect("it is removed"));
        let report = verify(&Scripted::new(&root, vec![(1, remove)]), Depth::Digest, sample.key());
        let damaged: Vec<&str> =
            report.sets.iter().filter(|set| set.verdict == Soundness::Damaged).map(|set| set.name.as_str()).collect();
        assert_eq!((damaged, report.removed), (vec![LARGE], Vec::new()));
        score.ran(1);
    }
    score.end();
}

/// The same by the real command: what is pruned is named, and the exit code is that of the rest.
#[test]
fn a_prune_beside_the_command_ends_with_0_and_a_word() {
    let mut score = Score::part(LINE, "a_prune_beside_the_command_ends_with_0_and_a_word");
    let sample = Sample::made();
    let fixture = tempfile::tempdir_in(sample.folder()).expect("a scratch folder");
    let store = fixture.path().join("store");
    linked(&sample.store(), &store);
    let before = read(&store.join(LARGE));
    let folders: Vec<PathBuf> = (0..size(120, 600))
        .map(|number| {
            let time = format!("2025-06-17T{:02}:{:02}:{:02}Z", number / 3600, number / 60 % 60, number % 60);
            let folder = store.join("vm/101").join(time);
            linked(&store.join(LARGE), &folder);
            fs::remove_file(folder.join(MANIFEST)).expect("it is removed");
            let mut manifest = before.clone();
            manifest["backup-time"] = (1_750_118_400 + number).into();
            write(&folder, &manifest);
            folder
        })
        .collect();
    let key = sample.truth("key.json");
    let verify = || {
        let key = key.to_str().expect("text");
        Run::of(Command::new(highwater()).arg("verify").arg(&store).args(["--depth", "size", "--keyfile", key]))
    };
    verify().expect(0);
    let over = AtomicBool::new(false);
    let mut words = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for folder in &folders {
                fs::remove_file(folder.join(MANIFEST)).expect("it is removed");
                thread::yield_now();
                fs::remove_dir_all(folder).expect("it is removed");
                for _ in 0..400 {
                    thread::yield_now();
                }
            }
            over.store(true, Ordering::Release);
        });
        while !over.load(Ordering::Acquire) {
            let run = verify();
            words += u32::from(run.text().contains("removed while this ran"));
            if !matches!(run.code, 0 | 3) || run.code == 3 && !run.text().contains("HW205") {
                score.fail(run.account());
            }
            score.ran(1);
        }
    });
    verify().expect(0);
    assert!(score.cases() > 1 && words <= u32::try_from(score.cases()).expect("few"));
    score.end();
}
