//! Random histories; the seed in a test's name plays one of them again.

use crate::interop::story::Story;

const STEPS: usize = 16;

#[track_caller]
fn play(seed: u64) {
    let mut story = Story::new(seed);
    for _ in 0..STEPS {
        story.change();
        story.back_up();
        story.recover_and_verify();
    }
    assert!(story.points.len() >= STEPS / 2, "a history of {} points: {}", story.points.len(), story.told());
    let target = story.scene.path("recovered.fs");
    let newest = story.points.last().expect("points").stamp.clone();
    let arguments = highwater_tests::scene::Scene::recover_arguments(&story.scene.repo, &target, &[]);
    highwater_tests::run::drop_in(&story.scene.clock.stamp(), &arguments).expect(0);
    let transactions = story.scene.bench.history(&target);
    assert!(transactions.len() >= 2, "ZODB reads the history of {newest}: {}", story.told());
}

#[test]
fn history_of_seed_1() {
    play(1);
}

#[test]
fn history_of_seed_2() {
    play(2);
}

#[test]
fn history_of_seed_3() {
    play(3);
}

#[test]
fn history_of_seed_4() {
    play(4);
}

#[test]
fn history_of_seed_5() {
    play(5);
}

#[test]
fn history_of_seed_6() {
    play(6);
}
