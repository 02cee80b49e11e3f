//! Scenes of backups of a folder, and of healing a set, and what must hold after them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use highwater::backup::tree::{Folder, TreeOptions, backup};
use highwater::error::Error;
use highwater::heal;
use highwater::restore::Asked;
use highwater::restore::tree::TreePlan;
use highwater::watch::Watch;
use highwater_core::finding::Severity;
use highwater_core::formats::tree;
use highwater_core::report::Depth;

use super::zodb;
use crate::model::{Model, Survivors};
use crate::specimens::crash::{Judgement, Kind, OF_REPO, REPO, Scene, Seen, World, must};

/// What is backed up.
const FOLDER: &str = "/model/files";

/// Another set.
const OTHER: &str = "/model/other";

/// When the point that is there was made.
const BEFORE: &str = "2025-01-01-00-00-00";

/// The files of a step: some as they were, some new, some gone.
fn files(world: &World, step: usize) -> Vec<(String, Vec<u8>)> {
    vec![
        ("a/same".to_owned(), world.other.clone()),
        ("a/b/grows".to_owned(), world.states[step].clone()),
        (format!("only-{step}"), world.unfinished[step..].to_vec()),
        ("empty".to_owned(), Vec::new()),
    ]
}

fn put(model: &Model, world: &World, step: usize) {
    let is_in_it = |path: &PathBuf| path.as_path() != Path::new(FOLDER);
    for path in model.names(FOLDER).into_iter().filter(is_in_it) {
        model.take_away(&path);
    }
    for (name, bytes) in files(world, step) {
        model.put(format!("{FOLDER}/{name}"), &bytes);
    }
}

fn back_up(model: &Model, now: &str) -> Result<(), Error> {
    let job = TreeOptions { now: Some(now.to_owned()), ..TreeOptions::default() };
    let made = backup(&job, &mut Folder(Arc::new(model.root(FOLDER))), &model.root(REPO), &Watch::silent())?;
    // As the command does, which says so and ends with a code of its own.
    if made.left_out.is_empty() { Ok(()) } else { Err(Error::failed(made.left_out.join("; "))) }
}

/// A set without a point.
fn empty(world: &World, step: usize) -> Model {
    let model = world.source(step);
    model.put_folder(FOLDER);
    put(&model, world, step);
    model
}

/// A set with a point; the folder has changed since.
fn used(world: &World) -> Model {
    let model = empty(world, 0);
    back_up(&model, BEFORE).expect("a point");
    put(&model, world, 2);
    model.survive(Survivors::Everything)
}

/// The same, and a run was killed when it had done half of its work.
fn left(world: &World) -> Model {
    let ended = used(world);
    let before = ended.operations();
    back_up(&ended, "2025-01-02-00-00-00").expect("a point");
    let model = used(world);
    model.cut_at((ended.operations() - before) / 2);
    assert!(back_up(&model, "2025-01-02-00-00-00").is_err());
    model.killed()
}

/// A set of whose objects one is gone that the source still has.
fn hurt(world: &World) -> Model {
    let model = used(world);
    let lost = model.names(REPO).into_iter().find(|path| model.get(path).as_ref() == Some(&world.other));
    model.take_away(lost.expect("an object"));
    model.survive(Survivors::Everything)
}

/// The same, and another set that has it.
fn hurt_with_another(world: &World) -> Model {
    let model = empty(world, 0);
    model.put_folder_with(OTHER, OF_REPO);
    back_up(&model, BEFORE).expect("a point");
    let job = TreeOptions { now: Some(BEFORE.to_owned()), ..TreeOptions::default() };
    backup(&job, &mut Folder(Arc::new(model.root(FOLDER))), &model.root(OTHER), &Watch::silent()).expect("another set");
    let model = model.survive(Survivors::Everything);
    let lost = model.names(REPO).into_iter().find(|path| model.get(path).as_ref() == Some(&world.other));
    model.take_away(lost.expect("an object"));
    model.survive(Survivors::Everything)
}

fn heal_from_another(model: &Model) -> Result<(), Error> {
    let job = heal::HealOptions { label: "repo", key: None, depth: Depth::Digest, dry_run: false, most: 1000 };
    let (from, to) = (model.root(OTHER), model.root(REPO));
    let done = heal::heal(&job, &tree::Tree, &from, &to, &Watch::silent())?;
    let left = done.objects.iter().any(|(_, fate)| *fate != heal::Fate::Healed);
    let unsure = done.report.findings.iter().any(|note| note.severity == Severity::Inconclusive);
    // As the command does, which says so and ends with a code of its own.
    if left || unsure { Err(Error::failed("not everything is whole")) } else { Ok(()) }
}

const fn scene(
    name: &'static str,
    kind: Kind,
    start: fn(&World) -> Model,
    verb: fn(&Model, &str) -> Result<(), Error>,
) -> Scene {
    Scene { name, start, verb, kind, long: matches!(kind, Kind::Backup) }
}

/// All of them.
pub(super) const SCENES: &[Scene] = &[
    scene("point, the first", Kind::Backup, |world| empty(world, 1), back_up),
    scene("point", Kind::Backup, used, back_up),
    scene("point after a killed one", Kind::Backup, left, back_up),
    scene("point, an object is lost", Kind::Backup, hurt, back_up),
    scene("point of a ZODB, the first", Kind::Backup, zodb::empty, zodb::back_up),
    scene("point of a ZODB", Kind::Backup, zodb::used, zodb::back_up),
    scene("heal a lost object", Kind::Heal, hurt_with_another, |model, _| heal_from_another(model)),
];

/// After a run that went to its end: `live` is what a process sees.
pub(super) fn done(Seen { scene, model, report, .. }: &Seen<'_>, live: &Model) -> Judgement {
    must(report.findings.is_empty(), || format!("the run is done and: {:?}", report.findings))?;
    // What was staged is in the pool, and nothing is left of it, nor of a run that was killed.
    let is_staged = |path: &PathBuf| path.to_string_lossy().contains("/object-");
    let left: Vec<PathBuf> = live.names(REPO).into_iter().filter(is_staged).collect();
    must(scene.kind == Kind::Heal || left.is_empty(), || format!("the run is done and has left {left:?}"))?;
    // Whoever may read the source may read them.
    let is_closed = |path: &&PathBuf| {
        let is_object =
            path.starts_with(format!("{REPO}/objects")) && path.file_name().is_some_and(|name| name.len() == 64);
        is_object && live.meta(path).is_some_and(|meta| meta.mode != 0o444)
    };
    let names = live.names(REPO);
    let closed = names.iter().find(is_closed);
    must(scene.kind == Kind::Heal || closed.is_none(), || format!("{closed:?} cannot be read by everybody"))?;
    let asked = Asked { format: &tree::Tree, point: None, key: None };
    TreePlan::make(&model.root(REPO), asked).map(drop).map_err(|error| error.to_string())
}
