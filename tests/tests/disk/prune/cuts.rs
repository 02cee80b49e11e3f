//! Power cuts, kills, failing operations and failing reads, at every step of every scene.

use highwater::error::Class;
use highwater_tests::model::{Model, Survivors, Wrong};
use highwater_tests::score::{Score, is_asked_for};
use highwater_tests::specimens::crash::Judgement;

use super::Scene;
use super::scenes::SCENES;

/// Puts every scene through `instrument`, with the number of its operations and reads.
fn each(line: &'static str, mut instrument: impl FnMut(&Scene, (u64, u64), &mut dyn FnMut(String, Judgement))) {
    let mut score = Score::part(line, "prune");
    for scene in SCENES.iter().filter(|scene| is_asked_for(scene.name)) {
        let whole = (scene.start)();
        let (operations, reads) = (whole.operations(), whole.reads());
        scene.prune(&whole).unwrap_or_else(|error| panic!("{}: {error}", scene.name));
        scene.is_done(&whole).unwrap_or_else(|why| panic!("{}: {why}", scene.name));
        let operations = whole.operations() - operations;
        // It asks for little: a note, a folder; what is removed is synced one by one.
        assert!(operations > 10 || scene.stays.len() == 5, "{}: {operations}", scene.name);
        instrument(scene, (operations, whole.reads() - reads), &mut |case, judgement| {
            score.ran(1);
            if let Err(why) = judgement {
                score.fail(format!("{}: {case}: {why}", scene.name));
            }
        });
    }
    score.end();
}

/// The next run ends what this one has begun.
fn recovers(scene: &Scene, left: &Model) -> Judgement {
    scene.prune(left).map_err(|error| format!("the next run fails: {error}"))?;
    scene.is_done(left)
}

#[test]
fn cut_off_or_killed_anywhere_only_sound_points_are_left() {
    each("power cuts", |scene, (operations, _), judge| {
        let before = scene.before();
        for at in 0..operations {
            for outcome in Survivors::ALL {
                let model = (scene.start)();
                model.cut_at(at);
                let ran = scene.prune(&model);
                let left = model.survive(outcome);
                let judgement = if ran.is_ok() { Err("the run did not notice".to_owned()) } else { Ok(()) };
                let judgement = judgement.and_then(|()| scene.still_holds(&before, &left));
                let case = format!("cut before operation {at} of {operations}, {outcome:?} survives");
                judge(case, judgement.and_then(|()| recovers(scene, &left)));
            }
            let model = (scene.start)();
            model.cut_at(at);
            _ = scene.prune(&model);
            let killed = model.killed();
            let judgement = scene.still_holds(&before, &killed).and_then(|()| recovers(scene, &killed));
            judge(format!("killed before operation {at} of {operations}"), judgement);
        }
    });
}

#[test]
fn a_second_cut_while_the_next_run_ends_it_leaves_only_sound_points() {
    each("power cuts", |scene, (operations, _), judge| {
        let before = scene.before();
        for at in 0..operations {
            let model = (scene.start)();
            model.cut_at(at);
            _ = scene.prune(&model);
            for second in (at % 3..).step_by(3) {
                let left = model.survive(Survivors::ALL[usize::try_from(at + second).expect("small") % 11]);
                left.cut_at(second);
                if scene.prune(&left).is_ok() {
                    break;
                }
                let last = left.survive(Survivors::ALL[usize::try_from(second).expect("small") % 11]);
                let judgement = scene.still_holds(&before, &last).and_then(|()| recovers(scene, &last));
                judge(format!("cut before operation {at}, then before {second}"), judgement);
            }
        }
    });
}

#[test]
fn a_failing_operation_leaves_everything_else_whole() {
    each("failing disk operations", |scene, (operations, _), judge| {
        let before = scene.before();
        for at in 0..operations {
            let model = (scene.start)();
            model.go_wrong(at, Wrong::Fail);
            let judgement = match scene.prune(&model) {
                Ok(()) => Err("the run did not notice".to_owned()),
                Err(error) if error.class() != Class::Failed => Err(format!("of the wrong class: {error}")),
                Err(_) => scene.still_holds(&before, &model),
            };
            judge(format!("operation {at} of {operations} fails"), judgement.and_then(|()| recovers(scene, &model)));
        }
    });
}

#[test]
fn a_failing_read_or_list_removes_nothing_that_is_needed() {
    each("failing reads", |scene, (_, reads), judge| {
        let before = scene.before();
        for at in 0..reads {
            let model = (scene.start)();
            model.fail_read(at);
            let judgement = match scene.prune(&model) {
                // It was read again.
                Ok(()) => scene.is_done(&model),
                Err(error) if error.class() == Class::Damage => Err(format!("it is called damage: {error}")),
                Err(_) => scene.still_holds(&before, &model),
            };
            judge(format!("read {at} of {reads} fails"), judgement.and_then(|()| recovers(scene, &model)));
        }
    });
}
