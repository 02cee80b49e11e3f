//! Scenes of datastores for injected faults: snapshots made, stores healed, archives restored.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::digest::{Digest, sha256_of};
use highwater_core::formats::datastore::Fixed;
use highwater_core::report::{Depth, Report, Soundness};

use crate::binary::highwater;
use crate::dice::Dice;
use crate::inject::Fault;
use crate::memory::Host;
use crate::repo::Image;
use crate::run::Run;
use crate::specimens::injected::{Checked, Judge, Kind, Scene, must};

/// The length of a chunk, in bytes, and of the source.
const CHUNK: usize = 64 * 1024;
const SOURCE: usize = 4 * CHUNK + 1000;

const TARGET: &str = "standby/disk.img";
const INDEX: &str = "drive-scsi0.img.fidx";

/// The snapshot that is made, below its group.
const SNAPSHOT: &str = "2026-04-01T00:00:00Z";

/// Chunks make many calls that are alike.
const WEIGHT: usize = 3;

/// What a verb is for.
#[derive(Debug, PartialEq, Eq)]
enum Wants {
    /// One more snapshot, of all of the source.
    Snapshot,
    /// A store without damage.
    Healing,
    /// A target of these bytes.
    Target(Vec<u8>),
    /// What an undisturbed run prints.
    Output,
}

fn bytes(seed: u64, length: usize) -> Vec<u8> {
    Dice::new(seed).bytes(length)
}

/// A store with one snapshot of `source`.
fn store(source: &[u8]) -> Image {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (store, file) = (fixture.path().join("store"), fixture.path().join("disk.img"));
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

/// Every scene.
pub(super) fn scenes() -> Vec<Scene> {
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
    let scene = |name, stores: &[(&str, &Image)], more: &[(&str, &[u8])], words: &[&'static str], wants: Wants| {
        let below = |(folder, image): &(&str, &Image)| -> Vec<_> {
            image.iter().map(|(name, bytes)| (format!("{folder}/{name}"), bytes.clone())).collect()
        };
        let mut files: Image = stores.iter().flat_map(below).collect();
        files.extend(more.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())));
        let kind = match wants {
            Wants::Snapshot => Kind::Backup,
            Wants::Healing => Kind::Heal,
            Wants::Target(_) => Kind::Restore,
            Wants::Output => Kind::Read,
        };
        Scene {
            name,
            kind,
            root: "store",
            target: TARGET,
            files,
            folders: &["store/.chunks", "standby"],
            words: words.to_vec(),
            locked: None,
            link: None,
            large: false,
            weight: WEIGHT,
            judge: Box::new(wants),
        }
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

fn verified(store: &Image) -> Report {
    Host { format: "datastore", ..Host::at(Depth::Digest) }.report(store, "store")
}

/// The digests of the source's chunks.
fn chunks(source: &[u8]) -> Vec<Digest> {
    source.chunks(CHUNK).map(sha256_of).collect()
}

/// Whatever happened: no snapshot is lost or half made, nothing sound was touched, and a target is the old file or the
/// new one.
fn all_whole(wants: &Wants, scene: &Scene, folder: &Path) -> Result<BTreeMap<String, Soundness>, String> {
    let (before, after) = (scene.below("store/"), loaded(&folder.join("store")));
    for (name, bytes) in &before {
        let now = after.get(name);
        // A manifest gets a mark, and a damaged chunk is replaced.
        let may_change = name.ends_with("/index.json.blob") || *wants == Wants::Healing;
        must!(now == Some(bytes) || (may_change && now.is_some()), "'{name}' was changed");
    }
    if !matches!(wants, Wants::Snapshot | Wants::Healing) {
        must!(after.len() == before.len(), "something was added to the store");
    }
    let of = |report: &Report| -> BTreeMap<String, Soundness> {
        report.sets.iter().map(|set| (set.name.clone(), set.verdict)).collect()
    };
    let (old, new) = (of(&verified(&before)), of(&verified(&after)));
    for (name, verdict) in &old {
        let now = new.get(name);
        must!(now == Some(verdict) || now == Some(&Soundness::Sound), "{name} was {verdict:?} and is {now:?}");
    }
    for (name, verdict) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        must!(*verdict == Soundness::Sound, "the new snapshot {name} is {verdict:?}");
        let index = Fixed::read(&after[&format!("{name}/{INDEX}")]).map_err(|why| format!("{name}: {why:?}"))?;
        must!(index.digests == chunks(&scene.files["disk.img"]), "the new snapshot {name} is not the source");
    }
    if let Wants::Target(bytes) = wants {
        let now = fs::read(folder.join(TARGET)).ok();
        must!(now.as_ref() == Some(bytes) || now.as_ref() == scene.files.get(TARGET), "the target is neither");
    }
    Ok(new)
}

impl Judge for Wants {
    fn whole(&self, scene: &Scene, folder: &Path) -> Checked {
        all_whole(self, scene, folder).map(drop)
    }

    fn done(&self, scene: &Scene, folder: &Path, run: &Run, printed: &[u8], _: &str) -> Checked {
        let sets = all_whole(self, scene, folder)?;
        match self {
            Wants::Output => must!(run.stdout == printed, "exit 0, and another output than without the fault"),
            Wants::Snapshot => {
                must!(sets.len() > verified(&scene.below("store/")).sets.len(), "exit 0, and no snapshot");
                must!(sets.values().all(|verdict| *verdict == Soundness::Sound), "exit 0, and {sets:?}");
            }
            Wants::Healing => must!(sets.values().all(|verdict| *verdict == Soundness::Sound), "exit 0, and {sets:?}"),
            Wants::Target(bytes) => {
                must!(fs::read(folder.join(TARGET)).ok().as_ref() == Some(bytes), "exit 0, and another target");
            }
        }
        Ok(())
    }

    fn is_named(&self, fault: &Fault, said: &str) -> bool {
        // A snapshot is put in place as one.
        let of_new = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with(SNAPSHOT));
        fault.is_named_in(said) || (said.contains(SNAPSHOT) && fault.hit.iter().any(of_new))
    }
}
