//! Operations that a program could forget: each is left out once, and some power cut or the end of the run must show
//! it.
//!
//! This is what makes the other tests of this folder worth something: a sync that can be left out unseen is either
//! needless, or guarded by no test. An operation is known by the calls that lead to it, and must be seen to be missing
//! in one scene at least.

use std::collections::BTreeMap;

use highwater_tests::model::{Model, Step, Survivors, Wrong};
use highwater_tests::repo::Image;
use highwater_tests::score::{Score, size};
use highwater_tests::specimens::Specimen;
use highwater_tests::specimens::crash::{Judgement, REPO, RUNS, Scene, World, must, names};

use crate::crash::judge::Before;
use crate::crash::{all, run};

/// What may be left out unseen: the operation, a call that leads to it, and the reason.
const NEEDLESS: &[(&str, &str, &str)] = &[
    (
        "rename to",
        "give_up in restore/full.rs",
        "'in place' gives the old target up for want of space; otherwise it is kept a while longer",
    ),
    (
        "write",
        "take in backup/datastore/chunks.rs",
        "before the manifest is written each chunk is looked at once more, and one of another length is made anew",
    ),
    ("write", "own in backup/datastore/target.rs", "the owner is looked at once more before the snapshot has its name"),
    (
        "rename to",
        "make_like_its_parent in backup/datastore/target.rs",
        "a server may remove an empty group as soon as it is there, so one that is not is made again",
    ),
    ("write", "older in backup/repozo/prune.rs", "the name of the note says all; what is in it is for a reader"),
    ("remove folder", "backup in backup/tree/mod.rs", "an empty stage is removed by the next run"),
    ("remove folder", "prepare in backup/tree/mod.rs", "an empty stage is removed by the next run"),
    (
        "set time",
        "copy in heal.rs",
        "nobody asks when a chunk was written; of a file of a mirror, `mirror lacking::` does",
    ),
    ("sync", "one in heal.rs", "what is healed was damaged before, and the next run would heal it again"),
];

/// Leaves operation `number` out; the error is what shows it.
fn forget(
    (specimen, scene): (&'static dyn Specimen, &Scene),
    world: &World,
    before: &Before,
    extra: &Image,
    number: u64,
) -> Judgement {
    let start = || -> Model {
        let model = (scene.start)(world);
        model.go_wrong(number, Wrong::Skip);
        model
    };
    let model = start();
    let started = model.operations();
    run(scene, &model, RUNS[0]).map_err(|error| format!("the run fails: {error}"))?;
    before.is_done(scene, world, &model)?;
    must(self::extra(specimen, &model) == *extra, || {
        "the run is done and its marks are not those of a whole run".to_owned()
    })?;
    let steps = model.operations() - started;
    for (upto, outcome) in (number + 1..=steps).flat_map(|upto| Survivors::ALL.map(|outcome| (upto, outcome))) {
        let state = start();
        state.cut_at(upto);
        // It fails, unless the cut comes after its last operation.
        _ = run(scene, &state, RUNS[0]);
        let survivor = state.survive(outcome);
        let judged = before.still_holds(scene, world, &survivor).and_then(|()| {
            run(scene, &survivor, RUNS[1]).map_err(|error| format!("the next run fails: {error}"))?;
            before.is_done(scene, world, &survivor)
        });
        judged.map_err(|why| format!("cut after {upto} operations, {outcome:?} survives: {why}"))?;
    }
    Ok(())
}

/// What need not survive a cut, though a run must have made it, as marks, and whom it belongs to.
fn extra(specimen: &dyn Specimen, model: &Model) -> Image {
    let names = names(model).into_iter().filter(|name| specimen.is_extra(name));
    let told = |name: &String| {
        let path = format!("{REPO}/{name}");
        [model.get(&path).unwrap_or_default(), format!("{:?}", model.meta(&path)).into_bytes()].concat()
    };
    names.map(|name| (name.clone(), told(&name))).collect()
}

/// Functions that do a thing for whoever calls them: an operation in one is known by its caller.
const HELPERS: &[&str] = &["write", "put", "place", "replace", "remove", "save_index"];

/// The calls within the program that led to a step, innermost first, as far as they tell it from others.
fn calls(step: &Step) -> String {
    let trace = step.calls.as_ref().expect("calls are noted").to_string();
    let lines: Vec<&str> = trace.lines().map(str::trim).collect();
    let frames = lines.windows(2).filter_map(|pair| {
        let (_, function) = pair[0].split_once(": ")?;
        let (_, place) = pair[1].strip_prefix("at ")?.split_once("native/src/")?;
        let (line, _) = place.rsplit_once(':')?;
        // Builds differ in what they tell of a function: its last part is in all.
        let function = function.trim_end_matches("::{{closure}}").rsplit("::").next()?;
        Some((line, if function.starts_with('{') { "" } else { function }))
    });
    let mut calls: Vec<String> = Vec::new();
    for (line, function) in frames.filter(|(line, _)| !line.starts_with("disk/")) {
        if function.is_empty() || HELPERS.contains(&function) {
            calls.push(line.to_owned());
        } else {
            let file = line.split_once(':').map_or(line, |(file, _)| file);
            calls.push(format!("{function} in {}", if calls.is_empty() { line } else { file }));
            break;
        }
    }
    calls.dedup();
    assert!(!calls.is_empty(), "the build tells no places: {trace}");
    calls.join(" < ")
}

#[test]
fn no_operation_can_be_forgotten_unseen() {
    let world = World::new(7);
    let mut score = Score::new("forgotten operations");
    let mut table: BTreeMap<(String, &str), (u64, u64, String)> = BTreeMap::new();
    for (specimen, scene) in all() {
        let whole = (scene.start)(&world);
        let before = Before::of(specimen, &whole);
        let started = usize::try_from(whole.operations()).expect("small");
        whole.note_calls();
        run(scene, &whole, RUNS[0]).unwrap_or_else(|error| panic!("{}: {error}", scene.name));
        // What is not created cannot be written.
        let steps = whole.steps().split_off(started);
        let extra = extra(specimen, &whole);
        for (number, step) in (0u64..).zip(&steps).filter(|(_, step)| !["create", "make folder"].contains(&step.verb)) {
            let counts = table.entry((calls(step), step.verb)).or_default();
            if counts.1 == size(1, u64::MAX) {
                // That it is seen once is all that is asked.
                continue;
            }
            score.ran(1);
            counts.0 += 1;
            if let Err(why) = forget((specimen, scene), &world, &before, &extra, number) {
                counts.1 += 1;
                counts.2 = format!("{}: {why}", scene.name);
            }
        }
    }
    println!("seen  left out  operation, its place, and how it was seen last");
    for ((place, verb), (left_out, seen, why)) in &table {
        println!("{seen:>4}  {left_out:>8}  {verb} at {place}: {}", why.chars().take(120).collect::<String>());
        let excused = NEEDLESS.iter().find(|(what, call, _)| what == verb && place.contains(call));
        match (seen, excused) {
            (0, None) => score.fail(format!("nothing shows that '{verb}' at {place} is missing")),
            (0, Some((_, _, reason))) => println!("      may be missing: {reason}"),
            (_, _) => {}
        }
    }
    score.end();
}
