//! Shards, subsets and merged reports: a part to which nothing falls is well, and nothing counts twice.

use std::path::Path;

use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

/// Runs the command with paths among its words.
fn run(fixture: &Fixture, words: &[&str]) -> Run {
    fixture.run(words)
}

/// Writes the report of each of `count` shards; gives the files.
fn shards(fixture: &Fixture, count: u32) -> Vec<String> {
    let repo = fixture.repo.to_string_lossy().into_owned();
    let name = |number| fixture.path(&format!("{count}-{number}.json")).to_string_lossy().into_owned();
    let write = |number: u32| {
        let (shard, json) = (format!("{number}/{count}"), format!("--json={}", name(number)));
        run(fixture, &["verify", "--shard", &shard, &json, &repo]).expect(0);
        name(number)
    };
    (1..=count).map(write).collect()
}

fn merge(fixture: &Fixture, files: &[&str]) -> Run {
    run(fixture, &[&["report", "merge"], files].concat())
}

#[test]
fn a_day_on_which_nothing_is_due_is_well() {
    let mut score = Score::part(LINE, "nothing is due");
    let (mut fixture, _) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let mut idle = 0;
    for _ in 0..30 {
        fixture.clock.tick(86_400);
        let run = run(&fixture, &["verify", "--subset", "daily/30", &repo]);
        let last = run.expect(0).last_line().to_owned();
        idle += u32::from(last.starts_with("sound: none is due: no claim on 3 points in time falls to shard "));
        score.ran(1);
    }
    assert!((27..30).contains(&idle), "three claims fall to at most three days of thirty; {idle} are idle");
    score.end();
}

#[test]
fn only_a_whole_with_nothing_in_it_is_inconclusive() {
    let mut score = Score::part(LINE, "nothing at all");
    let fixture = Fixture::new();
    std::fs::write(fixture.file("2026-03-01-00-00-00.dat"), "").expect("an index that names nothing");
    let repo = fixture.repo.to_string_lossy().into_owned();
    for words in [&["verify", &repo][..], &["verify", "--shard", "1/1", &repo], &["verify", "--shard", "2/3", &repo]] {
        run(&fixture, words).expect(3);
        score.ran(1);
    }
    score.end();
}

#[test]
fn shards_are_merged_though_some_are_empty() {
    let mut score = Score::part(LINE, "merging empty shards");
    let (fixture, _) = Fixture::with_chain();
    let parts = shards(&fixture, 16);
    let all: Vec<&str> = parts.iter().map(String::as_str).collect();
    let merged = merge(&fixture, &all);
    assert!(merged.expect(0).last_line().contains("3 of 3 claims checked"), "{}", merged.account());
    // An empty shard alone is not the whole, and neither are all but one.
    for some in [&all[..1], &all[1..], &all[..15]] {
        merge(&fixture, some).expect(3);
        score.ran(1);
    }
    // Each counts its own claims, and together they are all.
    let claims = all.iter().map(|part| {
        let report: Value = serde_json::from_str(&std::fs::read_to_string(part).expect("a report")).expect("JSON");
        report["coverage"]["claims"].as_u64().expect("a number")
    });
    assert_eq!(claims.sum::<u64>(), 3);
    score.ran(2);
    score.end();
}

#[test]
fn a_report_that_counts_twice_is_refused() {
    let mut score = Score::part(LINE, "no report twice");
    let (fixture, _) = Fixture::with_chain();
    let [thirds, halves] = [3, 2].map(|count| shards(&fixture, count));
    let whole = fixture.path("whole.json").to_string_lossy().into_owned();
    let repo = fixture.repo.to_string_lossy().into_owned();
    run(&fixture, &["verify", &format!("--json={whole}"), &repo]).expect(0);
    for (case, files, words) in [
        ("the same file", vec![&*whole, &*whole], "both tell of all of 'repo'"),
        (
            "the same shard",
            vec![&*thirds[0], &*thirds[1], &*thirds[2], &*thirds[0]],
            "both tell of shard 1/3 of 'repo'",
        ),
        ("the whole and a part", vec![&*whole, &*thirds[1]], "tell of shards 1/1 and 2/3 of 'repo', which overlap"),
        ("two divisions", vec![&*thirds[0], &*halves[1]], "tell of shards 1/3 and 2/2 of 'repo', which overlap"),
    ] {
        let run = merge(&fixture, &files);
        let line = run.expect(2).one_line();
        assert!(line.contains(words) && line.contains("leave one out"), "{case}: {line}");
        for file in [files[0], files[files.len() - 1]] {
            let name = Path::new(file).file_name().and_then(|name| name.to_str()).expect("a name");
            assert!(line.contains(name), "{case}: both files are named\n{line}");
        }
        score.ran(1);
    }
    score.end();
}
