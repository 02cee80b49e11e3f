//! Power cuts and failing disks at every moment of a sync and of a rollback: no byte is lost, and the next run ends
//! where an undisturbed one does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use highwater::disk::Disk;
use highwater::error::Error;
use highwater::mirror::{Inventories, Lists, Outcome, Sync, SyncPlan, apply, fetch, rollback};
use highwater::watch::Watch;
use highwater_core::shard::Shard;
use highwater_tests::model::{Model, Survivors, Wrong};
use highwater_tests::score::Score;

use crate::scene::Scene;

pub(crate) const MIRROR: &str = "/model/mirror";

/// Files by their paths.
pub(crate) type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// A bucket with two inventories, and a mirror at the first of them.
pub(crate) fn scene() -> (Scene, Model) {
    let scene = Scene::new();
    for (key, body) in [("a", "a file"), ("b/c", "one"), ("b/d", "two"), ("gone", "three"), ("same", "four")] {
        scene.put(key, body);
    }
    scene.list(1);
    let model = Model::default();
    model.put_folder(MIRROR);
    sync(&scene, &model).expect("the first sync");
    scene.put("a/x", "in the folder of a file");
    scene.put("b/c", "another one");
    scene.delete("gone");
    scene.put("new/one", "five");
    scene.list(2);
    (scene, model.survive(Survivors::Nothing))
}

/// Syncs a mirror to the newest inventory, one thing after another.
pub(crate) fn sync(scene: &Scene, model: &Model) -> Result<(), Error> {
    let disk: Arc<dyn Disk> = Arc::new(model.root(MIRROR));
    let (client, watch) = (scene.server.client(), Watch::silent());
    let sync = Sync::begin(&*disk, false)?;
    sync.go_on(&client, 1, &watch)?;
    let Some((plan, lists)) = plan(scene, (&sync, &disk), &watch)? else { return Ok(()) };
    sync.run(&plan, &client, 1, &watch)?;
    lists.remove()
}

/// The same in runs of their own: plan, fetch two segments, and apply, if so asked.
pub(crate) fn in_segments(scene: &Scene, model: &Model, applies: bool) -> Result<(), Error> {
    let disk: Arc<dyn Disk> = Arc::new(model.root(MIRROR));
    let (client, watch) = (scene.server.client(), Watch::silent());
    let sync = Sync::begin(&*disk, false)?;
    if sync.begun()?.is_none()
        && let Some((plan, lists)) = plan(scene, (&sync, &disk), &watch)?
    {
        sync.open(&plan, &watch)?;
        lists.remove()?;
    }
    drop(sync);
    for number in [2, 1] {
        fetch(&*disk, Shard::new(number, 2).expect("a segment"), &client, 1, &watch)?;
    }
    if applies { apply(&*disk, (false, Some(2)), &watch).map(drop) } else { Ok(()) }
}

/// Plans the sync to the newest inventory; none if it was applied.
fn plan<'w>(
    scene: &Scene,
    (sync, disk): (&Sync<'_>, &Arc<dyn Disk>),
    watch: &'w Watch<'w>,
) -> Result<Option<(SyncPlan, Lists<'w>)>, Error> {
    let client = scene.server.client();
    let inventories = Inventories::at("s3://inventories/of/archive/daily/", &client)?;
    let date = inventories.choose(None, None, None)?.remove(0);
    let inventory = inventories.manifest(&date)?;
    if sync.has(&inventory.manifest.source, &date)? {
        return Ok(None);
    }
    let lists = Lists::fetch(Arc::clone(disk), &inventory, &client, 1, watch)?;
    let manifest = inventory.md5.as_bytes().first_chunk().copied().expect("an MD5");
    let plan = sync.plan(
        (&inventory.manifest.source, &date, manifest),
        true,
        &|_| true,
        &mut |each| match lists.rows(each)? {
            Outcome::Whole { bad, .. } => Ok(Some(bad.count)),
            Outcome::Unsorted { .. } => Ok(None),
        },
        watch,
    )?;
    Ok(Some((plan.expect("rows in order"), lists)))
}

pub(crate) fn roll(model: &Model, to: &str) -> Result<(), Error> {
    rollback(&model.root(MIRROR), to, false, &Watch::silent()).map(drop)
}

/// The files of the tree, and the pointer.
pub(crate) fn tree(model: &Model) -> Tree {
    let is_seen = |path: &PathBuf| {
        let path = path.to_string_lossy();
        !path.contains("/.highwater-mirror/") || path.ends_with("/applied")
    };
    let names = model.names(MIRROR).into_iter().filter(is_seen);
    names.filter_map(|path| Some((path.clone(), model.get(&path)?))).collect()
}

/// How many files were found in the way of others.
fn found(model: &Model) -> usize {
    model.names(MIRROR).iter().filter(|path| path.to_string_lossy().contains("/found/")).count()
}

/// What any file of the mirror holds.
fn bodies(model: &Model) -> BTreeSet<Vec<u8>> {
    model.names(MIRROR).into_iter().filter_map(|path| model.get(path)).collect()
}

/// Disturbs `change` at every moment, and judges what `again` makes of it.
fn disturbed(
    score: &mut Score,
    start: &Model,
    change: &dyn Fn(&Model) -> Result<(), Error>,
    again: &dyn Fn(&Model) -> Result<(), Error>,
) {
    let copy = || start.survive(Survivors::Nothing);
    let whole = copy();
    change(&whole).expect("it ends");
    let (after, operations, kept) = (tree(&whole), whole.operations(), tree(start));
    let kept: Vec<&Vec<u8>> =
        kept.iter().filter(|(path, _)| !path.ends_with("applied")).map(|(_, body)| body).collect();
    assert_eq!(tree(&whole.survive(Survivors::Nothing)), after, "what is done is durable");
    assert!(operations > 20, "{operations}");
    let outcomes = || Survivors::ALL.map(Some).into_iter().chain([None]);
    for (at, outcome) in (0..operations).flat_map(|at| outcomes().map(move |outcome| (at, outcome))) {
        let model = copy();
        match outcome {
            Some(_) => model.cut_at(at),
            None => model.go_wrong(at, Wrong::Fail),
        }
        let ran = change(&model);
        let left = outcome.map_or_else(|| model.killed(), |outcome| model.survive(outcome));
        let case = format!("operation {at} of {operations}, {outcome:?}: {ran:?}");
        score.ran(1);
        let held = bodies(&left);
        if let Some(lost) = kept.iter().find(|body| !held.contains(**body)) {
            score.fail(format!("{case}: '{}' is lost", String::from_utf8_lossy(lost)));
        } else if let Err(error) = again(&left) {
            score.fail(format!("{case}: the next run fails: {error}"));
        } else if matches!(outcome, None | Some(Survivors::Everything)) && found(&left) > 0 {
            // Where bytes were lost behind their names, what is left of a file of ours may be in the way.
            score.fail(format!("{case}: the next run finds its own files in the way"));
        } else if tree(&left) != after {
            score.fail(format!("{case}: the next run makes {:?}", tree(&left).keys()));
        }
    }
}

#[test]
fn a_sync_is_whole_after_the_next_run() {
    let mut score = Score::part("power cuts", "mirrors, sync");
    let (scene, model) = scene();
    let run = |model: &Model| sync(&scene, model);
    disturbed(&mut score, &model, &run, &run);
    score.end();
}

#[test]
fn plan_fetch_and_apply_are_whole_after_the_next_run() {
    let mut score = Score::part("power cuts", "mirrors, segments");
    let (scene, model) = scene();
    let run = |model: &Model| in_segments(&scene, model, true);
    disturbed(&mut score, &model, &run, &run);
    let model = Model::default();
    model.put_folder(MIRROR);
    disturbed(&mut score, &model.survive(Survivors::Nothing), &run, &run);
    score.end();
}

/// The index that was planned is taken as it is then.
#[test]
fn a_sync_that_fetches_nothing_is_whole_after_the_next_run() {
    let mut score = Score::part("power cuts", "mirrors, sync without bodies");
    let (scene, model) = scene();
    sync(&scene, &model).expect("it ends");
    scene.delete("same");
    scene.delete("b/c");
    scene.list(3);
    let run = |model: &Model| sync(&scene, model);
    disturbed(&mut score, &model.survive(Survivors::Nothing), &run, &run);
    score.end();
}

#[test]
fn a_first_sync_is_whole_after_the_next_run() {
    let mut score = Score::part("power cuts", "mirrors, first sync");
    let (scene, _) = scene();
    let model = Model::default();
    model.put_folder(MIRROR);
    let run = |model: &Model| sync(&scene, model);
    disturbed(&mut score, &model.survive(Survivors::Nothing), &run, &run);
    score.end();
}

#[test]
fn a_rollback_is_whole_after_the_next_run() {
    let mut score = Score::part("power cuts", "mirrors, rollback");
    let (scene, model) = scene();
    sync(&scene, &model).expect("it ends");
    let model = model.survive(Survivors::Nothing);
    let back = |model: &Model| roll(model, "2024-11-01");
    disturbed(&mut score, &model, &back, &back);
    roll(&model, "2024-11-01").expect("it ends");
    let model = model.survive(Survivors::Nothing);
    let forward = |model: &Model| roll(model, "latest");
    disturbed(&mut score, &model, &forward, &forward);
    score.end();
}
