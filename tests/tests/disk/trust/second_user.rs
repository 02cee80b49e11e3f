//! Every verb that writes, in a folder of a second user who swaps files under it.
//!
//! Nothing outside is touched, and whoever ends well has done what he says.
#![expect(clippy::print_stdout, reason = "how much was swapped is told")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use highwater_tests::datastore::copy;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, size};

use crate::trust::attacker::{Attacker, Plan};
use crate::trust::stage::{GROUP, Stage, chunks, damage, give_all, in_store, is_root, snapshot, stamp};
use crate::trust::traced::{can_trace, delayed};

/// No run may take longer, with the second user at work or without.
const PATIENCE: Duration = Duration::from_secs(30);

/// Calls between which there is more time in some rounds, and how much, in microseconds.
const SLOW: &str = "?rename,?renameat,renameat2,fchown,fchmod,?openat2,?mkdir,mkdirat";
const SLOWER: u32 = 2000;

/// The name of the new snapshot, and the stamp of the new backup: both are of this minute.
const NOW: u64 = 9;

/// What is there before a run.
enum Before {
    /// An empty folder.
    Nothing,
    /// A file in an empty folder.
    File(&'static str, Vec<u8>),
    /// The same as in this folder.
    Folder(PathBuf),
}

/// How it is seen that a run has done what it says: none when it has.
type Check = Box<dyn Fn(&Stage, &Path, &Run) -> Option<String>>;

/// A verb, and the folder of the second user that it writes in.
struct Scene {
    what: String,
    before: Before,
    /// The arguments; `ROOT` in one of them is the folder.
    words: Vec<OsString>,
    folders: Vec<String>,
    names: Vec<String>,
    /// Exit codes beside 0 that say that it has not been done.
    codes: &'static [i32],
    check: Check,
    /// Of so many rounds of others, it has one.
    costs: u64,
}

/// The codes of a run that has refused or given up, and of one that has found damage.
const CODES: &[i32] = &[1, 3, 4];

/// Puts the folder in the place of `ROOT`.
fn at(root: &Path, words: &[OsString]) -> Vec<OsString> {
    let place = |word: &OsString| match word.to_str() {
        Some(text) => OsString::from(text.replace("ROOT", root.to_str().expect("a path that is text"))),
        None => word.clone(),
    };
    words.iter().map(place).collect()
}

fn words(words: &[&str], paths: &[&Path]) -> Vec<OsString> {
    words.iter().map(OsString::from).chain(paths.iter().map(|path| path.as_os_str().to_owned())).collect()
}

/// A file in the folder has these bytes.
fn holds(name: &str, bytes: Vec<u8>) -> Check {
    let name = name.to_owned();
    Box::new(move |_, root, _| {
        let found = fs::read(root.join(&name));
        let same = found.as_ref().is_ok_and(|found| *found == bytes);
        (!same).then(|| format!("{name} does not hold what was restored: {:?}", found.map(|bytes| bytes.len())))
    })
}

/// The newest point of what is there is `bytes`.
fn gives(bytes: Vec<u8>) -> Check {
    Box::new(move |stage, root, _| gone(stage, root, "", &bytes))
}

/// The archive that the run says it wrote is `bytes`; its second may be a later one, as another may have the first.
fn gives_archive(bytes: Vec<u8>) -> Check {
    Box::new(move |stage, root, run| {
        let text = run.text();
        let point = text.strip_prefix("wrote ").and_then(|rest| rest.split_once(": ")).map(|(point, _)| point);
        match point {
            Some(point) => gone(stage, root, &format!("@{point}"), &bytes),
            None => Some("it says nothing of what it wrote".to_owned()),
        }
    })
}

/// Whether a point is not to be had: then what a restore of it says.
fn gone(stage: &Stage, root: &Path, point: &str, bytes: &[u8]) -> Option<String> {
    let mut from = root.as_os_str().to_owned();
    from.push(point);
    let run = stage.run(stage.command(&["restore"]).arg(from).arg("-").env("HIGHWATER_NOW", stamp(NOW + 2)));
    (run.code != 0 || run.stdout != bytes).then(|| format!("what was backed up is not there: {}", run.account()))
}

/// The repository or store is sound.
fn is_sound() -> Check {
    Box::new(|stage, root, _| {
        let run = stage.verify(root, &[]);
        (run.code != 0).then(|| format!("it is not sound: {}", run.account()))
    })
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What a restore is called, what is there before, its flags, from where it is, and what it gives.
type Restore<'a> = (&'a str, Before, &'a [&'a str], OsString, &'a [u8]);

/// Restores of a database and of an image.
fn restores(stage: &Stage, store: &Path) -> Vec<Scene> {
    let (whole, repo) = (stage.fixture.data.bytes.clone(), stage.fixture.repo.clone());
    let first = fs::read(stage.file(0, "fs")).expect("a full backup");
    let other = b"FS30 another database".to_vec();
    let image = snapshot(store).strip_prefix(store).expect("below").join("disk.img").display().to_string();
    let older = in_store(&repo, &stage.stamps[0]);
    let mut changed = stage.image.clone();
    changed[100] ^= 1;
    let new = |file: &[u8]| Before::File("Data.fs", file.to_vec());
    let from: [Restore<'_>; 11] = [
        ("a new file", Before::Nothing, &[], repo.clone().into(), &whole),
        ("an append", new(&first), &[], repo.clone().into(), &whole),
        ("a quick append", new(&first), &["--quick"], repo.clone().into(), &whole),
        ("a cut", new(&whole), &[], older, &first),
        ("over another", new(&other), &[], repo.clone().into(), &whole),
        ("in full", new(&first), &["--full"], repo.clone().into(), &whole),
        ("in place", new(&other), &["--in-place"], repo.clone().into(), &whole),
        ("in place, in full", new(&first), &["--in-place", "--full"], repo.clone().into(), &whole),
        ("an image", Before::Nothing, &[], in_store(store, &image), &stage.image),
        ("an image over another", new(&changed), &[], in_store(store, &image), &stage.image),
        ("an image in place", new(&changed), &["--in-place"], in_store(store, &image), &stage.image),
    ];
    let names = owned(&["Data.fs", "Data.fs.index", "Data.fs.lock", "Data.fs.part"]);
    let mut scenes: Vec<Scene> = from
        .into_iter()
        .map(|(what, before, flags, from, bytes)| Scene {
            what: format!("restore: {what}"),
            before,
            words: words(&["restore"], &[])
                .into_iter()
                .chain(flags.iter().map(OsString::from))
                .chain([from, "ROOT/Data.fs".into()])
                .collect(),
            folders: owned(&[""]),
            names: names.clone(),
            codes: CODES,
            check: holds("Data.fs", bytes.to_vec()),
            costs: 1,
        })
        .collect();
    for (what, before, flags) in [("a new file", Before::Nothing, &[][..]), ("in full", new(&other), &["-F"])] {
        scenes.push(Scene {
            what: format!("repozo -R: {what}"),
            before,
            words: words(&["repozo", "-R", "-o", "ROOT/Data.fs"], &[])
                .into_iter()
                .chain(flags.iter().map(OsString::from))
                .chain(["-r".into(), repo.clone().into()])
                .collect(),
            folders: owned(&[""]),
            names: names.clone(),
            codes: &[1],
            check: holds("Data.fs", whole.clone()),
            costs: 1,
        });
    }
    scenes
}

/// Everything that writes into a repository; the source has grown since its last backup.
fn repositories(stage: &Stage, good: &Path, grown: &[u8]) -> Vec<Scene> {
    let now = stamp(NOW);
    let mut names = owned(&[".highwater.lock"]);
    names.push(format!("{}.dat", stage.stamps[0]));
    names.extend(["fs", "fsz", "deltafs", "deltafsz", "index", "dat", "fs.marks"].map(|end| format!("{now}.{end}")));
    let source = stage.fixture.source.as_path();
    let scene = |what: &str, words: Vec<OsString>, codes, check| Scene {
        what: what.to_owned(),
        before: Before::Folder(stage.fixture.repo.clone()),
        words,
        folders: owned(&[""]),
        names: names.clone(),
        codes,
        check,
        costs: 1,
    };
    let back_up = |flags: &[&str]| {
        let mut all = words(&["backup"], &[]);
        all.extend(flags.iter().map(OsString::from));
        all.extend([source.as_os_str().to_owned(), "ROOT".into()]);
        all
    };
    let checked = || gives(grown.to_vec());
    let broken = stage.path("broken");
    copy(&stage.fixture.repo, &broken);
    damage(&broken.join(format!("{}.fs", stage.stamps[0])));
    fs::remove_file(broken.join(format!("{}.deltafs", stage.stamps[2]))).expect("it was there");
    let mut all = vec![
        scene("backup: an increment", back_up(&[]), CODES, checked()),
        scene("backup: quick", back_up(&["--quick"]), CODES, checked()),
        scene("backup: in full", back_up(&["--full"]), CODES, checked()),
        scene("backup: compressed", back_up(&["--gzip"]), CODES, checked()),
        scene("backup: in full, without the old", back_up(&["--full", "--kill-old"]), CODES, checked()),
        scene("repozo -B", words(&["repozo", "-B", "-r", "ROOT", "-f"], &[source]), &[1], checked()),
        scene("repozo -B -F -k", words(&["repozo", "-B", "-F", "-k", "-r", "ROOT", "-f"], &[source]), &[1], checked()),
        scene("mark", words(&["mark", "ROOT"], &[]), CODES, Box::new(|_, _, _| None)),
        scene("heal: a repository", words(&["heal", "ROOT", "--from"], &[good]), CODES, is_sound()),
    ];
    if let Some(heal) = all.last_mut() {
        heal.before = Before::Folder(broken);
        heal.names.truncate(1);
        heal.names.extend([format!("{}.fs", stage.stamps[0]), format!("{}.deltafs", stage.stamps[2])]);
    }
    all
}

/// Everything that writes into a datastore.
fn stores(stage: &Stage, store: &Path) -> Vec<Scene> {
    let relative = |path: &Path| path.strip_prefix(store).expect("below").display().to_string();
    let named = chunks(store);
    let pools: Vec<String> = named.iter().map(|chunk| relative(chunk.parent().expect("a folder"))).collect();
    let mut names = owned(&[".lock", ".chunks", "vm", "vm/9", "vm/9/owner"]);
    names.push(format!("{GROUP}/2026-03-02T00:{NOW:02}:00Z"));
    names.extend(pools.clone());
    names.extend(named.iter().map(|chunk| relative(chunk)));
    let mut folders = owned(&["", "vm", "vm/9", ".chunks"]);
    folders.extend(pools.clone());
    let (empty, broken) = (stage.empty_store("empty"), stage.path("broken store"));
    copy(store, &broken);
    damage(&broken.join(relative(&named[0])));
    fs::remove_dir_all(broken.join(&pools[1])).expect("it was there");
    let image = stage.path("disk.img");
    let back_up = |flags: &[&str]| -> Vec<OsString> {
        let flags = [&["backup", "--chunk-size=64K"], flags].concat();
        words(&flags, &[&image]).into_iter().chain([format!("ROOT@{GROUP}/disk.img").into()]).collect()
    };
    let checked = || gives_archive(stage.image.clone());
    let scene = |what: &str, before, words: &[OsString], check| Scene {
        what: what.to_owned(),
        before,
        words: words.to_vec(),
        folders: folders.clone(),
        names: names.clone(),
        codes: CODES,
        check,
        costs: 1,
    };
    let heal = words(&["heal", "ROOT", "--from"], &[store]);
    let digests = back_up(&["--check-known=digest"]);
    let mut new = scene("backup: a new store", Before::Nothing, &back_up(&[]), checked());
    new.costs = 8;
    vec![
        new,
        scene("backup: a new group", Before::Folder(empty), &back_up(&[]), checked()),
        scene("backup: an old group", Before::Folder(store.to_owned()), &back_up(&[]), checked()),
        scene("backup: into a store that lost chunks", Before::Folder(broken.clone()), &digests, checked()),
        scene("heal: a store", Before::Folder(broken), &heal, is_sound()),
    ]
}

/// Reports of every kind.
fn reports(stage: &Stage) -> Vec<Scene> {
    let kinds = ["--json", "--junit", "--sarif", "--summary", "--events"];
    let scenes = kinds.into_iter().map(|kind| Scene {
        what: format!("verify {kind}"),
        before: Before::File("report", b"an old report".to_vec()),
        words: words(&["verify", &format!("{kind}=ROOT/report")], &[&stage.fixture.repo]),
        folders: owned(&[""]),
        names: owned(&["report"]),
        codes: CODES,
        check: Box::new(|_, root, _| {
            let found = fs::read_to_string(root.join("report")).unwrap_or_default();
            (!found.contains("sound") && !found.contains("testsuite") && !found.contains("runs"))
                .then(|| format!("the report is not there: {found:?}"))
        }),
        costs: 1,
    });
    scenes.collect()
}

/// Makes the folder of the second user as it is before a run.
#[track_caller]
fn prepare(root: &Path, before: &Before) {
    let _ = fs::remove_dir_all(root);
    fs::create_dir(root).expect("a folder");
    match before {
        Before::Nothing => {}
        Before::File(name, bytes) => fs::write(root.join(name), bytes).expect("a file"),
        Before::Folder(folder) => copy(folder, root),
    }
    give_all(root);
}

/// What is attacked beside work files in a round: nothing, one name, or all.
fn names(scene: &Scene, round: u64) -> Vec<String> {
    match round % 4 {
        0 => Vec::new(),
        1 | 2 => {
            let at = usize::try_from(round / 4 * 2 + round % 4 - 1).expect("a small number") % scene.names.len();
            vec![scene.names[at].clone()]
        }
        _ => scene.names.clone(),
    }
}

/// What one run beside the second user came to.
struct Round {
    swaps: u64,
    /// It did what it says.
    done: bool,
    wrong: Option<String>,
}

#[track_caller]
fn round(stage: &Stage, scene: &Scene, round: u64, slow: bool) -> Round {
    let root = stage.path("theirs");
    prepare(&root, &scene.before);
    let victims = stage.victims();
    let hold = if slow { 3 * u64::from(SLOWER) } else { [20, 200, 1000][usize::try_from(round % 3).expect("small")] };
    let plan = Plan { root: &root, folders: scene.folders.clone(), names: names(scene, round), hold, seed: round };
    let attacker = Attacker::start(stage, &plan);
    let mut command = stage.command(&[]);
    command.args(at(&root, &scene.words)).env("HIGHWATER_NOW", stamp(NOW));
    let mut command: Command = if slow { delayed(&command, SLOW, SLOWER) } else { command };
    let run: Run = Run::within(PATIENCE, &mut command);
    let swaps = attacker.end();
    let told = |what: String| format!("{}, round {round}: {what}\n{}", scene.what, run.account());
    let wrong = match victims.differs() {
        Some(what) => Some(what),
        None if run.code == 0 => (scene.check)(stage, &root, &run),
        None if scene.codes.contains(&run.code) => None,
        None => Some("it ended in another way than it may".to_owned()),
    };
    Round { swaps, done: run.code == 0, wrong: wrong.map(told) }
}

#[test]
fn a_second_user_gets_nothing_and_gives_nothing() {
    if !is_root("second user") {
        return;
    }
    let traceable = can_trace("second user: with calls that take long");
    let mut score = Score::new("second user");
    let mut stage = Stage::new();
    let (store, good) = (stage.store("store"), stage.path("good"));
    copy(&stage.fixture.repo, &good);
    let mut scenes = restores(&stage, &store);
    stage.fixture.grow(2);
    let grown = stage.fixture.data.bytes.clone();
    scenes.extend(repositories(&stage, &good, &grown));
    scenes.extend(stores(&stage, &store));
    scenes.extend(reports(&stage));
    let (mut swaps, mut done) = (0, 0);
    for number in 0..size(10, 400) {
        for scene in scenes.iter().filter(|scene| number % scene.costs == 0) {
            let round = round(&stage, scene, number / scene.costs, traceable && number % 4 == 2);
            score.ran(1);
            swaps += round.swaps;
            done += u64::from(round.done);
            if let Some(what) = round.wrong {
                score.fail(what);
            }
        }
    }
    println!("{swaps} swaps; {done} of {} runs did what they were to do", score.cases());
    assert!(swaps > score.cases(), "the second user swapped only {swaps} times");
    assert!(done > score.cases() / 20, "only {done} runs did anything");
    score.end();
}
