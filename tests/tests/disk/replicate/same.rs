//! A replica is judged as its source is; of a damaged one, what is sound is carried over, and nothing else.

use std::collections::BTreeSet;

use highwater::error::Class;
use highwater::replicate::ReplicateOptions;
use highwater_core::report::{Depth, Soundness};
use highwater_tests::score::Score;
use highwater_tests::specimens::crash::REPO;

use super::sources::{of, older, several, specimens};
use super::{REPLICA, Source, empty, files, plain};

#[test]
fn every_kind_of_set_is_copied_and_the_second_run_copies_nothing() {
    let mut score = Score::part("replicas", "every kind");
    let small = specimens().map(|specimen| (specimen.name(), of(specimen, &specimen.small().files)));
    for (name, source) in small.chain(several()) {
        for keyed in [true, false] {
            score.ran(1);
            let source = Source { key: source.key.clone().filter(|_| keyed), ..source.clone() };
            let replica = empty();
            let dry = source.with(&ReplicateOptions { dry_run: true, ..plain() }, &replica).expect("a plan");
            assert!(files(&replica).is_empty(), "{name}: a plan writes");
            let done = source.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
            if done.objects != dry.objects || done.indices != dry.indices || !done.withheld.is_empty() {
                score.fail(format!("{name}: {done:?} was planned as {dry:?}"));
            }
            if let Err(why) = source.is_whole(&replica) {
                score.fail(format!("{name}: {why}"));
            }
            let (before, operations) = (files(&replica), replica.operations());
            let again = source.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
            if again.objects + again.indices > 0 || files(&replica) != before {
                score.fail(format!("{name}: the second run copies {again:?}"));
            }
            // A folder, its mark, and the lock.
            let operations = replica.operations() - operations;
            if operations > 24 {
                score.fail(format!("{name}: the second run writes {operations} times"));
            }
            let checked = ReplicateOptions { check: true, ..plain() };
            let again = source.with(&checked, &replica).unwrap_or_else(|error| panic!("{name}: {error}"));
            if again.objects > 0 {
                score.fail(format!("{name}: what is whole is fetched anew: {again:?}"));
            }
        }
    }
    score.end();
}

#[test]
fn what_is_damaged_in_the_source_is_not_carried_over_and_everything_else_is() {
    let mut score = Score::part("replicas", "damaged sources");
    for specimen in specimens() {
        let sample = specimen.small();
        for case in specimen.damages(&sample) {
            score.ran(1);
            let source = of(specimen, &case.files);
            let replica = empty();
            let report = source.verify(&source.model, REPO, Depth::Digest);
            let done = match source.to(&replica) {
                Ok(done) => done,
                Err(_) if report.sets.is_empty() => continue,
                // An interrupted removal, or something strange where the set should be.
                Err(error) if matches!(error.class(), Class::Failed | Class::CannotStart) => {
                    if report.findings.is_empty() {
                        score.fail(format!("{}, {}: {error}", specimen.name(), case.name));
                    }
                    continue;
                }
                Err(error) => {
                    score.fail(format!("{}, {}: {error}", specimen.name(), case.name));
                    continue;
                }
            };
            let points = match source.holds(&replica) {
                Ok(points) => points,
                Err(why) => {
                    score.fail(format!("{}, {}: {why}; {done:?}", specimen.name(), case.name));
                    continue;
                }
            };
            // Nothing is there that the next run would take for whole.
            let again = source.to(&replica).map(drop);
            if again.is_err() || source.holds(&replica).as_ref() != Ok(&points) {
                score.fail(format!("{}, {}: the next run: {again:?}", specimen.name(), case.name));
            }
            let lost: BTreeSet<&String> = done.lost.iter().collect();
            for set in &report.sets {
                let is_there = points.contains(&set.name);
                if is_there == lost.contains(&set.name) {
                    score.fail(format!("{}, {}: {} is there: {is_there}", specimen.name(), case.name, set.name));
                }
            }
            let is_sound = report.sets.iter().all(|set| set.verdict != Soundness::Damaged);
            if is_sound && !lost.is_empty() && done.withheld.is_empty() {
                score.fail(format!("{}, {}: {lost:?} are not carried over", specimen.name(), case.name));
            }
        }
    }
    score.end();
}

#[test]
fn a_grown_source_is_followed_and_a_pruned_one_removes_nothing() {
    let mut score = Score::part("replicas", "grown and pruned sources");
    for (name, source) in several() {
        score.ran(2);
        let (replica, old) = (empty(), older(&source));
        old.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        old.is_whole(&replica).unwrap_or_else(|why| panic!("{name}: {why}"));
        let done = source.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        if done.indices == 0 || done.had == 0 {
            score.fail(format!("{name}: {done:?}"));
        }
        if let Err(why) = source.is_whole(&replica) {
            score.fail(format!("{name}: {why}"));
        }
        let before = files(&replica);
        let done = old.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        if files(&replica) != before || done.gone.len() != 1 {
            score.fail(format!("{name}: after {:?} went from the source, others are there", done.gone));
        }
    }
    score.end();
}

#[test]
fn another_set_or_history_is_refused_and_nothing_is_written() {
    let mut score = Score::part("replicas", "other sets");
    let mut refused = |name: &str, source: &Source, replica: &super::Model| {
        score.ran(1);
        let before = files(replica);
        match source.to(replica) {
            Err(error) if error.class() == Class::CannotStart && files(replica) == before => {}
            other => score.fail(format!("{name}: {other:?}")),
        }
    };
    for (name, source) in several() {
        // Another history: an index that is never changed, or only grows, says something else.
        let replica = empty();
        source.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_kept = |name: &String| [".dat", ".fidx", ".mtree"].iter().any(|end| name.ends_with(end));
        let index = files(&replica).into_keys().rfind(is_kept).expect("an index");
        let mut bytes = replica.get(&index).expect("it is there");
        bytes[10] ^= 1;
        replica.put(&index, &bytes);
        // A copy of the same length and time is not looked into.
        replica.put_with(
            &index,
            &bytes,
            highwater_tests::model::Meta { modified: (1, 1), ..replica.meta(&index).expect("it is there") },
        );
        refused(&format!("{name}: {index} is another"), &source, &replica);
        // Something else is there.
        let other = empty();
        other.put(format!("{REPLICA}/thesis.tex"), b"mine");
        refused(&format!("{name}: a folder of other files"), &source, &other);
        // Another set, with no point in common.
        let [first, second] = [&source, &older(&source)];
        let replica = empty();
        second.to(&replica).expect("it is copied");
        let points: Vec<String> = {
            let named =
                files(&replica).into_iter().filter(|(name, bytes)| !name.contains(".chunks") && !bytes.is_empty());
            named.map(|(name, _)| name).collect()
        };
        for point in &points {
            let renamed = point.replace("2026-", "2019-").replace("2025-", "2018-").replace("2024-", "2017-");
            let bytes = replica.get(point).expect("it is there");
            replica.take_away(point);
            replica.put(renamed, &bytes);
        }
        refused(&format!("{name}: another set"), first, &replica);
        let related = first.with(&ReplicateOptions { related: true, ..plain() }, &replica);
        if let Err(error) = related {
            panic!("{name}: {error}");
        }
    }
    score.end();
}

#[test]
fn what_is_torn_in_the_replica_is_fetched_anew_and_what_is_bad_when_it_is_asked_for() {
    for (name, source) in several() {
        let replica = empty();
        source.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_object =
            |name: &String| name.contains("/objects/") || name.contains("/.chunks/") || name.ends_with("fs");
        let whole = files(&replica);
        let (object, bytes) =
            whole.iter().rfind(|(name, bytes)| is_object(name) && bytes.len() > 50).expect("an object");
        replica.put(object, &bytes[..bytes.len() / 2]);
        let done = source.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((done.objects, &files(&replica)), (1, &whole), "{name}: {object} was cut");
        let mut bad = bytes.clone();
        let last = bad.len() - 1;
        bad[last] ^= 1;
        replica.put(object, &bad);
        let checked = ReplicateOptions { check: true, ..plain() };
        let done = source.with(&checked, &replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((done.objects, &files(&replica)), (1, &whole), "{name}: {object} was flipped");
    }
}

#[test]
fn an_index_that_is_damaged_in_the_replica_is_never_called_damage_of_the_source() {
    for (name, source) in several() {
        let replica = empty();
        source.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_index = |name: &String| [".dat", ".fidx", ".mtree"].iter().any(|end| name.ends_with(end));
        let index = files(&replica).into_keys().rfind(is_index).expect("an index");
        let (mut bytes, meta) = (replica.get(&index).expect("bytes"), replica.meta(&index).expect("it is there"));
        // A digit of the last digest, or a byte of a chunk's.
        let at = bytes.len() - 10;
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        replica.put_with(&index, &bytes, meta);
        let before = files(&replica);
        for check in [false, true] {
            let done = source.with(&ReplicateOptions { check, ..plain() }, &replica);
            let is_told = match &done {
                Err(error) => error.class() == Class::CannotStart && error.to_string().contains("differ from byte"),
                // Whether a file is there, its length alone tells.
                Ok(done) => !check && done.findings.is_empty() && done.withheld.is_empty(),
            };
            assert!(is_told && files(&replica) == before, "{name}, {check}: {index}: {done:?}");
        }
        replica.take_away(&index);
        source.to(&replica).unwrap_or_else(|error| panic!("{name}: {error}"));
        source.is_whole(&replica).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}
