//! Scenes of backups into a datastore, and of healing one from another, and what must hold after them.

use std::path::Path;

use crate::model::{Meta, Model, Survivors};
use highwater::backup::datastore::{Archive, Known, SnapshotOptions, backup};
use highwater::error::Error;
use highwater::heal;
use highwater::restore::{Asked, Plan};
use highwater::watch::Watch;
use highwater_core::finding::Severity;
use highwater_core::formats::datastore::{Datastore, Fixed, names};
use highwater_core::report::Depth;

use super::small_key;
use crate::specimens::crash::{Judgement, Kind, OF_REPO, REPO, SOURCE, Scene, Seen, World, bytes_of, must};

/// Another store.
const OTHER: &str = "/model/other";

/// The files of a store, as its lock file says.
const OF_FILES: Meta = Meta { mode: 0o644, ..OF_REPO };

/// When the snapshot that is there was made.
const BEFORE: &str = "2025-01-01-00-00-00";

fn job(model: &Model, now: &str) -> SnapshotOptions {
    let time: Vec<&str> = now.split('-').collect();
    let time = format!("{}T{}Z", time[..3].join("-"), time[3..].join(":"));
    SnapshotOptions {
        archives: vec![
            Archive::new(model.place(SOURCE), "Data.fs").expect("a name"),
            Archive::new(model.place(SOURCE), "zeo.conf").expect("a name"),
        ],
        group: "host/db".to_owned(),
        // Small, so that the small sources of the model have several.
        chunk: 512,
        key: None,
        known: Known::Size,
        append_only: false,
        owner: "root@pam".to_owned(),
        dry_run: false,
        now: Some(names::time_of(&time).expect("a time")),
    }
}

fn back_up(model: &Model, job: &SnapshotOptions) -> Result<(), Error> {
    backup(job, &model.root(REPO), &Watch::silent()).map(|_| ())
}

/// A store without a snapshot.
fn empty(world: &World, step: usize) -> Model {
    let model = world.source(step);
    put_store(&model, REPO);
    model
}

fn put_store(model: &Model, store: &str) {
    model.put_folder_with(store, OF_REPO);
    model.put_folder_with(format!("{store}/.chunks"), OF_REPO);
    model.put_with(format!("{store}/.lock"), b"", OF_FILES);
}

/// A store with a snapshot; the source has grown since.
fn used(world: &World) -> Model {
    let model = empty(world, 0);
    back_up(&model, &job(&model, BEFORE)).expect("a snapshot");
    model.put(SOURCE, &world.states[2]);
    model.survive(Survivors::Everything)
}

/// The same, and something happened to one of its chunks.
fn hurt(world: &World, change: impl FnOnce(&Model, &Path)) -> Model {
    harm(used(world), change)
}

/// A store that was hurt and another one that holds the same; the source has not changed.
fn hurt_with_another(world: &World, change: impl FnOnce(&Model, &Path)) -> Model {
    let model = empty(world, 2);
    put_store(&model, OTHER);
    back_up(&model, &job(&model, BEFORE)).expect("a snapshot");
    backup(&job(&model, BEFORE), &model.root(OTHER), &Watch::silent()).expect("another snapshot");
    harm(model.survive(Survivors::Everything), change)
}

fn heal_from_another(model: &Model) -> Result<(), Error> {
    let job = heal::HealOptions { label: "repo", key: None, depth: Depth::Digest, dry_run: false, most: 1000 };
    let (from, to) = (model.root(OTHER), model.root(REPO));
    let done = heal::heal(&job, &Datastore::STORE, &from, &to, &Watch::silent())?;
    let left = done.objects.iter().any(|(_, fate)| *fate != heal::Fate::Healed);
    let unsure = done.report.findings.iter().any(|note| note.severity == Severity::Inconclusive);
    // As the command does, which says so and ends with a code of its own.
    if left || unsure { Err(Error::failed("not everything is whole")) } else { Ok(()) }
}

fn remove(model: &Model, chunk: &Path) {
    assert!(model.get(chunk).is_some(), "a chunk");
    model.take_away(chunk);
}

fn rot(model: &Model, chunk: &Path) {
    let mut bytes = model.get(chunk).expect("a chunk");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    model.put_with(chunk, &bytes, OF_FILES);
}

fn harm(model: Model, change: impl FnOnce(&Model, &Path)) -> Model {
    let index = model.get(format!("{REPO}/host/db/2025-01-01T00:00:00Z/Data.fs.fidx")).expect("an index");
    let index = Fixed::read(&index).expect("an index");
    let chunk = names::chunk(&index.digests[0]).expect("a chunk").to_string();
    change(&model, &Path::new(REPO).join(chunk));
    model.survive(Survivors::Everything)
}

/// The same, and a run into its group was killed when it had almost ended.
fn left(world: &World) -> Model {
    let ended = used(world);
    let before = ended.operations();
    back_up(&ended, &job(&ended, "2025-01-02-00-00-00")).expect("a snapshot");
    let model = used(world);
    model.cut_at(ended.operations() - before - 2);
    assert!(back_up(&model, &job(&model, "2025-01-02-00-00-00")).is_err());
    model.killed()
}

/// The bytes of the archive of a snapshot.
fn archive(model: &Model, snapshot: &str) -> Result<Vec<u8>, Error> {
    let point = format!("{snapshot}/Data.fs");
    let key = snapshot.starts_with("ns/sealed").then(small_key);
    let asked = Asked { format: &Datastore::STORE, point: Some(point), key };
    bytes_of(model, &Plan::make(&model.root(REPO), asked, Depth::Digest)?)
}

type Verb = fn(&Model, &str) -> Result<(), Error>;

const fn scene(name: &'static str, kind: Kind, start: fn(&World) -> Model, verb: Verb) -> Scene {
    Scene { name, start, verb, kind, long: matches!(kind, Kind::Backup) }
}

/// All of them.
pub(super) const SCENES: &[Scene] = &[
    scene("snapshot, the first", Kind::Backup, |w| empty(w, 1), |m, now| back_up(m, &job(m, now))),
    scene("snapshot", Kind::Backup, used, |m, now| back_up(m, &job(m, now))),
    scene("snapshot after a killed one", Kind::Backup, left, |m, now| back_up(m, &job(m, now))),
    scene("snapshot, a chunk is lost", Kind::Backup, |w| hurt(w, remove), |m, now| back_up(m, &job(m, now))),
    scene(
        "snapshot, a chunk is rotten",
        Kind::Backup,
        |w| hurt(w, rot),
        |m, now| back_up(m, &SnapshotOptions { known: Known::Digest, ..job(m, now) }),
    ),
    scene("heal a lost chunk", Kind::Heal, |w| hurt_with_another(w, remove), |m, _| heal_from_another(m)),
    scene("heal a rotten chunk", Kind::Heal, |w| hurt_with_another(w, rot), |m, _| heal_from_another(m)),
    scene("snapshot, encrypted", Kind::Backup, used, |m, now| {
        back_up(m, &SnapshotOptions { key: Some(small_key()), group: "ns/sealed/host/db".to_owned(), ..job(m, now) })
    }),
];

/// After a run that went to its end.
pub(super) fn done(Seen { model, report, .. }: &Seen<'_>) -> Judgement {
    must(report.findings.is_empty(), || format!("the run is done and: {:?}", report.findings))?;
    let names = report.sets.iter().map(|set| set.name.clone());
    let newest = names.max_by_key(|name| name.rsplit_once('/').map(|(_, time)| time.to_owned())).unwrap_or_default();
    let group = newest.rsplit_once('/').map_or("", |(group, _)| group);
    let owner = model.get(format!("{REPO}/{group}/owner"));
    must(owner.as_deref() == Some(b"root@pam\n"), || format!("the run is done and {group} belongs to nobody"))?;
    let restored = archive(model, &newest).map_err(|error| error.to_string())?;
    must(model.get(SOURCE) == Some(restored), || "the newest snapshot is not the source".to_owned())
}
