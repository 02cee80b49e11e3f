//! Power cuts: before every operation of every scene, under every outcome, then again in the run that recovers.

use highwater_tests::model::{Model, Survivors};
use highwater_tests::score::{Score, full, is_narrow, size};
use highwater_tests::specimens::Specimen;
use highwater_tests::specimens::crash::{Judgement, RUNS, Scene, World};

use crate::crash::judge::Before;
use crate::crash::{in_parallel, run};

/// Takes what is judged and how it came out.
type Judge<'a> = dyn FnMut(&dyn Fn() -> String, Judgement) + 'a;

/// One scene in one world, cut everywhere. Gives how many cases ran, and what did not hold.
fn cut_everywhere(specimen: &'static dyn Specimen, scene: &Scene, world: &World, stride: u64) -> (u64, Vec<String>) {
    let mut failures = Vec::new();
    let mut cases = 0;
    let mut judge = |case: &dyn Fn() -> String, judgement: Judgement| {
        cases += 1;
        failures.extend(judgement.err().map(|why| format!("{}: {}: {why}", scene.name, case())));
    };
    let whole = (scene.start)(world);
    let before = Before::of(specimen, &whole);
    let started = whole.operations();
    run(scene, &whole, RUNS[0]).unwrap_or_else(|error| panic!("{}: {error}", scene.name));
    let operations = whole.operations() - started;
    judge(&|| "run to its end".to_owned(), before.is_done(scene, world, &whole));
    // A second cut, in the run that recovers; then a run to the end. The first place differs from case to case.
    let recover_everywhere = |first: u64, stride, left: &Model, case: &dyn Fn() -> String, judge: &mut Judge<'_>| {
        let mut second = first % stride;
        while !recover(scene, world, &before, left, second, case, judge) {
            second += stride;
        }
    };
    let first_cuts = (0..operations).flat_map(|cut| Survivors::ALL.map(|outcome| (cut, outcome)));
    for (number, (cut, outcome)) in (0u64..).zip(first_cuts) {
        let case = || format!("cut before operation {cut} of {operations}, {outcome:?} survives");
        let model = (scene.start)(world);
        model.cut_at(cut);
        if run(scene, &model, RUNS[0]).is_ok() {
            judge(&case, Err("the run did not notice".to_owned()));
        }
        let survivor = model.survive(outcome);
        judge(&case, before.still_holds(scene, world, &survivor));
        if number % size(3, 1) == 0 {
            recover_everywhere(cut, stride, &survivor, &case, &mut judge);
        }
    }
    for kill in 0..operations {
        let case = || format!("killed before operation {kill} of {operations}");
        let model = (scene.start)(world);
        model.cut_at(kill);
        _ = run(scene, &model, RUNS[0]);
        recover_everywhere(kill, stride, &model.killed(), &case, &mut judge);
    }
    (cases, failures)
}

/// Recovers from a first cut with a second one before operation `second`; true if the run came to its end before that.
fn recover(
    scene: &Scene,
    world: &World,
    before: &Before,
    left: &Model,
    second: u64,
    first: &dyn Fn() -> String,
    judge: &mut Judge<'_>,
) -> bool {
    let again = left.killed();
    again.cut_at(second);
    let ran = run(scene, &again, RUNS[1]);
    // What fails for another reason than the cut fails at every later place too.
    if let Err(error) = &ran
        && again.operations() < second
    {
        judge(&|| format!("{}; then run to the end", first()), Err(format!("it fails: {error}")));
        return true;
    }
    let done = ran.is_ok();
    if done {
        judge(&|| format!("{}; then run to the end", first()), before.is_done(scene, world, &again));
    }
    for outcome in if done { &[Survivors::Nothing][..] } else { &Survivors::ALL } {
        let case = || format!("{}; then before operation {second}, {outcome:?} survives", first());
        let last = again.survive(*outcome);
        judge(
            &case,
            before.still_holds(scene, world, &last).and_then(|()| {
                run(scene, &last, RUNS[2]).map_err(|error| format!("the next run fails: {error}"))?;
                before.is_done(scene, world, &last)
            }),
        );
    }
    done
}

#[test]
fn no_power_cut_leaves_a_half_made_set_or_target() {
    // Some scenes take many operations, most of them alike. In CI, of what a first cut leaves, every
    // third is recovered from; outcomes are eleven, so that each comes in turn at another operation.
    let stride = |scene: &Scene| match scene.long {
        _ if full() => 1,
        true => 131,
        false => 61,
    };
    let mut score = Score::new("power cuts");
    for seed in 7..7 + size(1, 3) {
        let world = World::new(seed);
        in_parallel(&mut score, |specimen, scene| cut_everywhere(specimen, scene, &world, stride(scene)));
    }
    let cases = score.cases();
    score.end();
    assert!(is_narrow() || cases >= 20_000, "only {cases} cases ran");
}
