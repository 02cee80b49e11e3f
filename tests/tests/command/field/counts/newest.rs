//! The verdict names what to restore: the newest sound point, wherever the verdict is told.

use std::fs;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

#[test]
fn the_verdict_names_the_newest_sound_point() {
    let mut score = Score::part(LINE, "the newest sound point");
    let (fixture, stamps) = Fixture::with_chain();
    let repo = fixture.repo.to_string_lossy().into_owned();
    let (json, summary, junit) = (fixture.path("r.json"), fixture.path("r.md"), fixture.path("r.xml"));
    let last = format!("{}.deltafs", stamps[2]);
    for (case, code, newest) in [("sound", 0, 2), ("the last increment is gone", 1, 1)] {
        if code == 1 {
            fs::remove_file(fixture.file(&last)).expect("it is removed");
        }
        let run = fixture.run(&[
            "verify".to_owned(),
            format!("--json={}", json.display()),
            format!("--summary={}", summary.display()),
            format!("--junit={}", junit.display()),
            repo.clone(),
        ]);
        let words = format!("the newest sound point is {}", stamps[newest]);
        assert!(run.expect(code).last_line().contains(&words), "{case}\n{}", run.account());
        let report: Value = serde_json::from_slice(&fs::read(&json).expect("a report")).expect("JSON");
        assert_eq!(report["roots"][0]["newest"], serde_json::json!([stamps[newest]]), "{case}");
        for file in [&summary, &junit] {
            let text = fs::read_to_string(file).expect("a report");
            assert!(text.contains(&words), "{case}: {}\n{text}", file.display());
        }
        score.ran(4);
    }
    fs::remove_file(fixture.file(&format!("{}.fs", stamps[0]))).expect("it is removed");
    let none = fixture.verify("digest");
    let line = none.expect(1).last_line();
    assert!(line.contains("no point is known to be sound") && !line.contains("newest"), "{line}");
    score.ran(1);
    score.end();
}

#[test]
fn of_several_sets_it_names_each_that_matters() {
    let mut score = Score::part(LINE, "the newest sound points");
    let (one, stamps) = Fixture::with_chain();
    let (other, _) = Fixture::with_chain();
    let [a, b] = [&one, &other].map(|fixture| fixture.repo.to_string_lossy().into_owned());
    fs::remove_file(one.file(&format!("{}.deltafs", stamps[2]))).expect("it is removed");
    let run = one.run(&["verify", &a, &b]);
    let line = run.expect(1).last_line();
    assert!(line.contains(&format!("; the newest sound point is {a}@{}: ", stamps[1])), "{line}");
    // A store's groups are one machine each.
    let sample = Sample::made();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let store = folder.path().join("store");
    copy(&sample.store(), &store);
    let verify =
        || Run::of(Command::new(highwater()).arg("verify").arg("--keyfile").arg(sample.truth("key.json")).arg(&store));
    let sound = verify();
    assert!(sound.expect(0).last_line().contains("; the newest sound points are "), "{}", sound.account());
    score.ran(2);
    score.end();
}
