//! A disk that fails: each operation once, each read once, and reads that give little at a time.

use highwater::error::Class;
use highwater_tests::model::{Survivors, Wrong};
use highwater_tests::score::Score;
use highwater_tests::specimens::Specimen;
use highwater_tests::specimens::crash::{Judgement, RUNS, Scene, World};

use crate::crash::judge::Before;
use crate::crash::{in_parallel, run};

/// Every operation fails once, then the power is cut, then all is well again.
fn fail_each_operation(specimen: &'static dyn Specimen, scene: &Scene, world: &World) -> (u64, Vec<String>) {
    let whole = (scene.start)(world);
    let before = Before::of(specimen, &whole);
    let started = whole.operations();
    run(scene, &whole, RUNS[0]).unwrap_or_else(|error| panic!("{}: {error}", scene.name));
    let operations = whole.operations() - started;
    let judge = |number: u64, outcome: Survivors| -> Judgement {
        let model = (scene.start)(world);
        model.go_wrong(number, Wrong::Fail);
        if run(scene, &model, RUNS[0]).is_ok() {
            // Only what no point and no target depends on may fail in silence.
            before.is_done(scene, world, &model)?;
        }
        let survivor = model.survive(outcome);
        before.still_holds(scene, world, &survivor)?;
        run(scene, &survivor, RUNS[1]).map_err(|error| format!("the next run fails: {error}"))?;
        before.is_done(scene, world, &survivor)
    };
    let cases: Vec<(u64, Survivors)> =
        (0..operations).flat_map(|at| Survivors::ALL.map(|outcome| (at, outcome))).collect();
    let failures = cases.iter().filter_map(|&(at, outcome)| {
        let why = judge(at, outcome).err()?;
        let step = &whole.steps()[usize::try_from(started + at).expect("a step")];
        let (verb, file) = (step.verb, step.path.display());
        Some(format!("{}: {verb} {file} fails, operation {at}, then {outcome:?} survives: {why}", scene.name))
    });
    (cases.len() as u64, failures.collect())
}

/// Every read fails once: it is never called damage, and nothing is lost.
fn fail_each_read(specimen: &'static dyn Specimen, scene: &Scene, world: &World) -> (u64, Vec<String>) {
    let whole = (scene.start)(world);
    let before = Before::of(specimen, &whole);
    let started = whole.reads();
    run(scene, &whole, RUNS[0]).unwrap_or_else(|error| panic!("{}: {error}", scene.name));
    let reads = whole.reads() - started;
    let judge = |number: u64| -> Judgement {
        let model = (scene.start)(world);
        model.fail_read(number);
        match run(scene, &model, RUNS[0]) {
            // What is read only to save work may fail, if the work is then done.
            Ok(()) => before.is_done(scene, world, &model).and_then(|()| specimen.keeps(scene, &model))?,
            Err(error) if error.class() == Class::Damage => return Err(format!("it is called damage: {error}")),
            Err(_) => {}
        }
        let survivor = model.survive(Survivors::Nothing);
        before.still_holds(scene, world, &survivor)?;
        run(scene, &survivor, RUNS[1]).map_err(|error| format!("the next run fails: {error}"))?;
        before.is_done(scene, world, &survivor)
    };
    let failures =
        (0..reads).filter_map(|at| Some(format!("{}: read {at} fails: {}", scene.name, judge(at).err()?))).collect();
    (reads, failures)
}

/// Reads that give a few bytes at a time change nothing.
fn read_little(specimen: &'static dyn Specimen, scene: &Scene, world: &World) -> (u64, Vec<String>) {
    let before = Before::of(specimen, &(scene.start)(world));
    let sizes = [1, 7, 23, 4095];
    let judge = |most: usize| -> Judgement {
        let model = (scene.start)(world);
        model.read_at_most(most);
        run(scene, &model, RUNS[0]).map_err(|error| error.to_string())?;
        before.is_done(scene, world, &model)
    };
    let failures =
        sizes.iter().filter_map(|most| Some(format!("{}: {most} bytes a read: {}", scene.name, judge(*most).err()?)));
    (sizes.len() as u64, failures.collect())
}

#[test]
fn no_failing_operation_leaves_a_half_made_set_or_target() {
    let mut score = Score::new("failing disk operations");
    in_parallel(&mut score, |specimen, scene| fail_each_operation(specimen, scene, &World::new(7)));
    score.end();
}

#[test]
fn a_failing_read_is_no_damage_and_loses_nothing() {
    let mut score = Score::new("failing reads");
    in_parallel(&mut score, |specimen, scene| fail_each_read(specimen, scene, &World::new(7)));
    score.end();
}

#[test]
fn short_reads_change_nothing() {
    let mut score = Score::new("short reads");
    in_parallel(&mut score, |specimen, scene| read_little(specimen, scene, &World::new(7)));
    score.end();
}
