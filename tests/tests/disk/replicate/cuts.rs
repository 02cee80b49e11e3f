//! Power cuts, kills, failing operations and failing reads at every step of a replication, and sources that change.

use highwater::error::Class;
use highwater_tests::model::{Model, Survivors, Wrong};
use highwater_tests::score::Score;

use super::sources::{older, several};
use super::{REPLICA, Source, WORK, empty, files};

/// A source, a replica of it that is a point behind, and one that is not begun.
fn starts(source: &Source) -> [Model; 2] {
    let behind = empty();
    older(source).to(&behind).expect("an older replica");
    [behind.survive(Survivors::Nothing), empty()]
}

#[test]
fn cut_off_anywhere_a_replica_is_sound_and_the_next_run_ends_it() {
    let mut score = Score::part("replicas", "power cuts and failing operations");
    for (name, source) in several() {
        for start in starts(&source) {
            let before = source.holds(&start).expect("it is sound");
            let whole = start.survive(Survivors::Nothing);
            let operations = whole.operations();
            source.to(&whole).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (after, operations) = (files(&whole), whole.operations() - operations);
            assert_eq!(files(&whole.survive(Survivors::Nothing)), after, "{name}: what is done is durable");
            assert!(operations > 5, "{operations}");
            let outcomes = || Survivors::ALL.map(Some).into_iter().chain([None]);
            for (at, outcome) in (0..operations).flat_map(|at| outcomes().map(move |outcome| (at, outcome))) {
                score.ran(1);
                let model = start.survive(Survivors::Nothing);
                model.go_wrong(at, if outcome.is_some() { Wrong::Cut } else { Wrong::Fail });
                let ran = source.to(&model).map(drop);
                let left = outcome.map_or_else(|| model.killed(), |outcome| model.survive(outcome));
                let case = format!("{name}: operation {at} of {operations}, {outcome:?}: {ran:?}");
                match source.holds(&left) {
                    Err(why) => score.fail(format!("{case}: {why}")),
                    Ok(points) if !before.is_subset(&points) => score.fail(format!("{case}: {points:?} are left")),
                    Ok(_) => {}
                }
                match source.to(&left) {
                    Err(error) => score.fail(format!("{case}: the next run fails: {error}")),
                    Ok(_) if files(&left) != after => {
                        score.fail(format!("{case}: the next run makes {:?}", files(&left).keys()));
                    }
                    Ok(_) => {}
                }
            }
        }
    }
    score.end();
}

#[test]
fn a_read_that_fails_at_either_end_is_no_damage_and_the_next_run_ends_it() {
    let mut score = Score::part("replicas", "failing reads");
    for (name, source) in several() {
        let whole = empty();
        let [at_source, at_replica] = [source.model.reads(), whole.reads()];
        source.to(&whole).unwrap_or_else(|error| panic!("{name}: {error}"));
        let after = files(&whole);
        let ends = [source.model.reads() - at_source, whole.reads() - at_replica];
        for (end, reads) in ends.into_iter().enumerate() {
            for at in 0..reads {
                score.ran(1);
                let replica = empty();
                let failing = Source { model: source.model.survive(Survivors::Everything), ..source.clone() };
                if end == 0 {
                    failing.model.fail_read(at)
                } else {
                    replica.fail_read(at)
                }
                let case = format!("{name}: read {at} of {reads} at end {end}");
                match failing.to(&replica) {
                    Err(error) if error.class() == Class::Damage => score.fail(format!("{case}: {error}")),
                    Err(_) => {}
                    Ok(done) => {
                        let damage = highwater_core::finding::Severity::Damage;
                        if let Some(note) = done.findings.iter().find(|note| note.severity == damage) {
                            score.fail(format!("{case}: it is called damage: {note:?}"));
                        }
                        if done.withheld.is_empty() && files(&replica) != after {
                            score.fail(format!("{case}: it is not whole, and not said"));
                        }
                    }
                }
                if let Err(why) = failing.holds(&replica) {
                    score.fail(format!("{case}: {why}"));
                }
                match source.to(&replica) {
                    Ok(_) if files(&replica) == after => {}
                    other => score.fail(format!("{case}: the next run: {other:?}")),
                }
            }
        }
    }
    score.end();
}

#[test]
fn what_came_of_a_file_that_cannot_be_read_to_its_end_is_gone_on_with() {
    let (_, source) = several().find(|(_, source)| source.kind == "repozo").expect("a repository");
    let begun = |replica: &Model| {
        let names = replica.names(format!("{REPLICA}/{WORK}")).into_iter();
        names
            .filter(|path| path.to_string_lossy().contains("long-"))
            .any(|path| replica.get(path).is_some_and(|it| it.len() >= 64))
    };
    let slow = || {
        let model = source.model.survive(Survivors::Everything);
        model.read_at_most(64);
        Source { model, ..source.clone() }
    };
    let (whole, first) = (empty(), slow());
    let before = first.model.reads();
    first.to(&whole).expect("it is copied");
    let (after, reads) = (files(&whole), first.model.reads() - before);
    let mut resumed = 0;
    for at in 0..reads {
        let (replica, failing) = (empty(), slow());
        failing.model.fail_read(at);
        let is_told = failing.to(&replica).is_ok_and(|done| !done.withheld.is_empty());
        resumed += u64::from(is_told && begun(&replica));
        source.to(&replica).unwrap_or_else(|error| panic!("read {at} of {reads}: {error}"));
        assert_eq!(files(&replica), after, "read {at} of {reads}");
        source.is_whole(&replica).unwrap_or_else(|why| panic!("read {at} of {reads}: {why}"));
    }
    assert!(resumed > 0, "in {reads} reads, nothing that came was kept");
}
