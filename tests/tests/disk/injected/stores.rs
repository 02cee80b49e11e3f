//! The same for datastores: snapshots that are made, stores that are healed, archives that are restored.
#![expect(clippy::print_stdout, reason = "what was not run is told")]
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::digest::{Digest, sha256_of};
use highwater_core::formats::datastore::Fixed;
use highwater_core::report::{Depth, Report, Verdict};
use highwater_tests::binary::highwater;
use highwater_tests::dice::Dice;
use highwater_tests::inject::{Call, Fault, WRITING, cannot_trace};
use highwater_tests::memory::Host;
use highwater_tests::repo::Image;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, full};

use crate::injected::faults::{
    TRIES, errors, in_parallel, is_a_failure, is_no_failure, says_what_is_lacking, scratch, told_missed,
};
use crate::injected::scenes::{LATER, NOW};

/// The length of a chunk, in bytes, and of the source.
const CHUNK: usize = 64 * 1024;
const SOURCE: usize = 4 * CHUNK + 1000;

const TARGET: &str = "standby/disk.img";
const INDEX: &str = "drive-scsi0.img.fidx";

/// The snapshot that is made, below its group.
const SNAPSHOT: &str = "2026-04-01T00:00:00Z";

/// Of so many cases CI takes one.
const CI: usize = 40;

/// What a verb is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// One more snapshot, of all of the source.
    Snapshot,
    /// A store without damage.
    Healing,
    /// A target of these bytes.
    Target(Vec<u8>),
    /// What an undisturbed run prints.
    Output,
}

/// A verb and the files that it finds, by path below the scene's folder.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    files: Image,
    pub(crate) words: Vec<String>,
    pub(crate) wants: Wants,
}

struct Case<'a> {
    scene: &'a Scene,
    printed: &'a [u8],
    fault: Fault,
}

impl Case<'_> {
    fn told(&self) -> String {
        format!("{}: {}", self.scene.name, self.fault)
    }
}

fn bytes(seed: u64, length: usize) -> Vec<u8> {
    Dice::new(seed).bytes(length)
}

/// A store with one snapshot of `source`.
fn store(source: &[u8]) -> Image {
    let ground = tempfile::tempdir().expect("a scratch folder");
    let (store, file) = (ground.path().join("store"), ground.path().join("disk.img"));
    fs::create_dir_all(store.join(".chunks")).expect("a folder");
    fs::write(store.join(".lock"), "").expect("a file");
    fs::write(&file, source).expect("a file");
    let mut backup = Command::new(highwater());
    backup.arg("backup").arg(file).arg(format!("{}@vm/100/drive-scsi0.img", store.display()));
    Run::of(backup.args(["--chunk-size", "64k"]).env("HIGHWATER_NOW", "2026-03-01-00-00-00")).expect(0);
    loaded(&store)
}

/// All files below a folder.
fn loaded(folder: &Path) -> Image {
    let (mut image, mut waiting) = (Image::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_str().expect("text").to_owned();
                image.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    image
}

/// The names of all files and folders below a folder.
fn names(folder: &Path) -> Vec<String> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            found.push(path.strip_prefix(folder).expect("below it").to_string_lossy().into_owned());
            waiting.extend(Some(path).filter(|path| path.is_dir()));
        }
    }
    found
}

pub(crate) fn scenes() -> Vec<Scene> {
    let old = bytes(1, SOURCE);
    let mut new = old.clone();
    new[CHUNK..CHUNK + 9].fill(7);
    new.extend(bytes(2, CHUNK));
    let (empty, whole) = (Image::from([(".lock".to_owned(), Vec::new())]), store(&old));
    let chunk = whole.keys().find(|name| name.starts_with(".chunks/")).expect("a chunk").clone();
    let (mut damaged, mut short) = (whole.clone(), whole.clone());
    *damaged.get_mut(&chunk).expect("its bytes").last_mut().expect("a byte") ^= 1;
    // A chunk that the source still has.
    let index = Fixed::read(&whole[&format!("vm/100/2026-03-01T00:00:00Z/{INDEX}")]).expect("an index");
    let kept = index.digests[3].to_string();
    short.remove(&format!(".chunks/{}/{kept}", &kept[..4])).expect("it was there");
    let scene = |name, stores: &[(&str, &Image)], more: &[(&str, &[u8])], words: &[&str], wants| {
        let below = |(folder, image): &(&str, &Image)| -> Vec<_> {
            image.iter().map(|(name, bytes)| (format!("{folder}/{name}"), bytes.clone())).collect()
        };
        let mut files: Image = stores.iter().flat_map(below).collect();
        files.extend(more.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())));
        Scene { name, files, words: words.iter().map(|word| (*word).to_owned()).collect(), wants }
    };
    let source: &[(&str, &[u8])] = &[("disk.img", &new)];
    let backup = &["backup", "=/disk.img", "=/store@vm/100/drive-scsi0.img", "--chunk-size", "64k"];
    let restore = &["restore", "=/store@vm/100/2026-03-01T00:00:00Z/drive-scsi0.img", "=/standby/disk.img"];
    vec![
        scene("first snapshot", &[("store", &empty)], source, backup, Wants::Snapshot),
        scene("next snapshot", &[("store", &whole)], source, backup, Wants::Snapshot),
        scene("snapshot that heals", &[("store", &short)], source, backup, Wants::Snapshot),
        scene(
            "heal",
            &[("store", &damaged), ("other", &whole)],
            &[],
            &["heal", "=/store", "--from", "=/other"],
            Wants::Healing,
        ),
        scene("restore an archive", &[("store", &whole)], &[], restore, Wants::Target(old.clone())),
        scene(
            "restore over an image",
            &[("store", &whole)],
            &[(TARGET, &old[..SOURCE / 2])],
            restore,
            Wants::Target(old.clone()),
        ),
        scene("verify a store", &[("store", &whole)], &[], &["verify", "=/store"], Wants::Output),
        scene("presence", &[("store", &whole)], &[], &["verify", "--depth", "list", "=/store"], Wants::Output),
        scene("strays", &[("store", &whole)], &[], &["strays", "=/store"], Wants::Output),
    ]
}

impl Scene {
    pub(crate) fn lay(&self, folder: &Path) {
        for part in ["store/.chunks", "standby"] {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            fs::write(path, bytes).expect("a file is written");
        }
    }

    pub(crate) fn call<'a>(&self, folder: &Path, now: &'a str) -> Call<'a> {
        let below = |word: &String| word.replace('=', &folder.to_string_lossy()).into();
        Call { arguments: self.words.iter().map(below).collect(), now, out: folder.join("stdout"), threads: 1 }
    }

    pub(crate) fn finds_a_target(&self) -> bool {
        self.files.contains_key(TARGET)
    }

    fn store(&self) -> Image {
        below(&self.files, "store/")
    }
}

fn below(files: &Image, folder: &str) -> Image {
    files.iter().filter_map(|(name, bytes)| Some((name.strip_prefix(folder)?.to_owned(), bytes.clone()))).collect()
}

fn verified(store: &Image) -> Report {
    Host { format: "datastore", ..Host::at(Depth::Digest) }.report(store, "store")
}

/// The digests of the source's chunks.
fn chunks(source: &[u8]) -> Vec<Digest> {
    source.chunks(CHUNK).map(sha256_of).collect()
}

macro_rules! must {
    ($holds:expr, $($why:tt)*) => {
        if !$holds {
            return Err(format!($($why)*));
        }
    };
}

/// Whatever happened: no snapshot is lost or half made, nothing sound was touched, and a target is the old file or the
/// new one.
pub(crate) fn whole(scene: &Scene, folder: &Path) -> Result<BTreeMap<String, Verdict>, String> {
    let (before, after) = (scene.store(), loaded(&folder.join("store")));
    for (name, bytes) in &before {
        let now = after.get(name);
        // A manifest gets a mark, and a damaged chunk is replaced.
        let may_change = name.ends_with("/index.json.blob") || scene.wants == Wants::Healing;
        must!(now == Some(bytes) || (may_change && now.is_some()), "'{name}' was changed");
    }
    if !matches!(scene.wants, Wants::Snapshot | Wants::Healing) {
        must!(after.len() == before.len(), "something was added to the store");
    }
    let of = |report: &Report| -> BTreeMap<String, Verdict> {
        report.sets.iter().map(|set| (set.name.clone(), set.verdict)).collect()
    };
    let (old, new) = (of(&verified(&before)), of(&verified(&after)));
    for (name, verdict) in &old {
        let now = new.get(name);
        must!(now == Some(verdict) || now == Some(&Verdict::Sound), "{name} was {verdict:?} and is {now:?}");
    }
    for (name, verdict) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        must!(*verdict == Verdict::Sound, "the new snapshot {name} is {verdict:?}");
        let index = Fixed::read(&after[&format!("{name}/{INDEX}")]).map_err(|why| format!("{name}: {why:?}"))?;
        must!(index.digests == chunks(&scene.files["disk.img"]), "the new snapshot {name} is not the source");
    }
    if let Wants::Target(bytes) = &scene.wants {
        let now = fs::read(folder.join(TARGET)).ok();
        must!(now.as_ref() == Some(bytes) || now.as_ref() == scene.files.get(TARGET), "the target is neither");
    }
    Ok(new)
}

/// Exit 0: the job is done.
pub(crate) fn done(scene: &Scene, folder: &Path, run: &Run, printed: &[u8]) -> Result<(), String> {
    let sets = whole(scene, folder)?;
    match &scene.wants {
        Wants::Output => must!(run.stdout == printed, "exit 0, and another output than without the fault"),
        Wants::Snapshot => {
            must!(sets.len() > verified(&scene.store()).sets.len(), "exit 0, and no snapshot");
            must!(sets.values().all(|verdict| *verdict == Verdict::Sound), "exit 0, and {sets:?}");
        }
        Wants::Healing => must!(sets.values().all(|verdict| *verdict == Verdict::Sound), "exit 0, and {sets:?}"),
        Wants::Target(bytes) => {
            must!(fs::read(folder.join(TARGET)).ok().as_ref() == Some(bytes), "exit 0, and another target");
        }
    }
    Ok(())
}

/// After a run that a fault hit.
fn after(scene: &Scene, folder: &Path, run: &Run, printed: &[u8], fault: &Fault) -> Result<(), String> {
    must!(!run.stderr.contains("panicked at"), "it panicked");
    whole(scene, folder)?;
    if fault.kills() {
        return Ok(());
    }
    let all = format!("{}{}", run.text(), run.stderr);
    match run.code {
        0 => {
            must!(!is_a_failure(fault), "exit 0, though that failed");
            done(scene, folder, run, printed)
        }
        3 | 4 => {
            must!(!is_no_failure(fault), "that is no reason to fail");
            must!(scene.wants == Wants::Healing || !all.contains("HW1"), "a finding of damage, where a call failed");
            // A snapshot is put in place as one.
            let of_new = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with(SNAPSHOT));
            let named = fault.is_named_in(&all) || (all.contains(SNAPSHOT) && fault.hit.iter().any(of_new));
            must!(named, "no word about any of {:?}", fault.hit);
            Ok(())
        }
        // What is damaged here and cannot be read there stays damaged.
        1 if scene.wants == Wants::Healing && all.contains("cannot be healed") => Ok(()),
        code => Err(format!("exit {code} after a fault: only 0, 3 and 4 are true then")),
    }
}

/// The same verb again, with nothing in its way.
fn again(scene: &Scene, folder: &Path, printed: &[u8]) -> Result<(), String> {
    let run = scene.call(folder, LATER).run(&[], &[]);
    must!(run.code == 0, "the run after it failed\n{}", run.account());
    done(scene, folder, &run, printed).map_err(|what| format!("in the run after it: {what}\n{}", run.account()))?;
    let odd = |name: &String| name.contains(".highwater-") || name.ends_with(".part");
    let left: Vec<String> = names(folder).into_iter().filter(odd).collect();
    must!(left.is_empty(), "the run after it left {left:?}");
    Ok(())
}

fn check(case: &Case<'_>, base: &Path) -> Option<Result<(), String>> {
    let Case { scene, printed, .. } = case;
    let folder = base.join("scene");
    let attempt = || {
        let _ = fs::remove_dir_all(&folder);
        scene.lay(&folder);
        let (run, fault) = scene.call(&folder, NOW).run_with(&case.fault, &folder, &base.join("log"));
        fault.map(|fault| (run, fault))
    };
    let (run, fault) = (0..TRIES).find_map(|_| attempt())?;
    let fault = &fault;
    let checked = after(scene, &folder, &run, printed, fault)
        .and_then(|()| says_what_is_lacking(fault, &run))
        .and_then(|()| again(scene, &folder, printed));
    Some(checked.map_err(|what| format!("{}: {fault}: {what}\n{}", scene.name, run.account())))
}

/// Runs a sample of all cases; the full run takes all.
fn inject(line: &'static str, kills: bool, ci: usize) {
    if let Some(why) = cannot_trace() {
        println!("not run: {line}: {why}");
        return;
    }
    let mut score = Score::new(line);
    let scenes = scenes();
    let mut undisturbed = Vec::new();
    for scene in &scenes {
        let (_folder, base) = scratch();
        let folder = base.join("scene");
        scene.lay(&folder);
        let (run, calls) = scene.call(&folder, NOW).trace(&folder, &base.join("log"));
        assert!(run.code == 0, "{}: the undisturbed run\n{}", scene.name, run.account());
        done(scene, &folder, &run, &run.stdout).unwrap_or_else(|what| panic!("{}: {what}", scene.name));
        undisturbed.push((scene, run.stdout, calls));
    }
    let mut cases = Vec::new();
    for (scene, printed, calls) in &undisturbed {
        for call in calls {
            let writes = call.creates || WRITING.contains(&call.call.as_str());
            let faults: Vec<(String, bool)> = match kills {
                true if writes => vec![("signal=KILL".to_owned(), false)],
                true => Vec::new(),
                false => errors(call).into_iter().map(|(error, on)| (format!("error={error}"), on)).collect(),
            };
            for number in &call.numbers {
                cases.extend(faults.iter().map(|(what, on)| {
                    let fault = call.fault(what, *number, *on);
                    Case { scene, printed, fault }
                }));
            }
        }
    }
    let step = if full() { 1 } else { ci };
    let chosen: Vec<Case<'_>> = cases.into_iter().skip(step / 2).step_by(step).collect();
    let ended = in_parallel(&chosen, check);
    let missed: Vec<String> =
        chosen.iter().zip(&ended).filter(|(_, ended)| ended.is_none()).map(|(case, _)| case.told()).collect();
    for checked in ended.into_iter().flatten() {
        score.ran(1);
        if let Err(what) = checked {
            score.fail(what);
        }
    }
    told_missed(&mut score, &missed);
    score.end();
}

#[test]
fn a_failing_system_call_never_leaves_a_half_made_snapshot_or_a_false_verdict() {
    inject("injected faults, stores", false, CI);
}

#[test]
fn a_kill_at_any_writing_call_leaves_no_half_made_snapshot() {
    inject("injected kills, stores", true, CI / 13);
}
