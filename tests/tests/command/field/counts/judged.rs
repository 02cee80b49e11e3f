//! "Checked" counts what was judged, never what could not be.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, report};
use highwater_tests::repo::Fixture;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

fn coverage(report: &Value) -> [u64; 3] {
    let coverage = &report["coverage"];
    ["claims", "checked", "unjudged"].map(|name| coverage[name].as_u64().unwrap_or(0))
}

#[test]
fn what_is_encrypted_is_not_checked_without_its_key() {
    let mut score = Score::part(LINE, "encrypted without its key");
    for sample in Sample::all() {
        let key = sample.truth("key.json");
        let key = key.to_str().expect("text");
        let (_, with) = report(&sample.store(), &["--keyfile", key]);
        let [claims, all, none] = coverage(&with);
        assert_eq!((all, none), (claims, 0), "with the key everything is judged");
        let (code, without) = report(&sample.store(), &[]);
        let [again, checked, unjudged] = coverage(&without);
        assert_eq!((code, again), (3, claims));
        assert!(unjudged > 0 && checked + unjudged == claims, "{checked} checked and {unjudged} not, of {claims}");
        score.ran(2);
    }
    // The command's own words, with the numbers of the store that a real server wrote.
    if let Some(sample) = Sample::real() {
        let run = Run::of(Command::new(highwater()).arg("verify").arg(sample.store()));
        let text = run.expect(3).text();
        // Twelve chunks and a blob are encrypted.
        assert!(text.contains("32 of 45 claims checked") && !text.contains("45 of 45"), "{text}");
        score.ran(1);
    }
    score.end();
}

#[test]
fn what_cannot_be_read_is_not_checked() {
    let mut score = Score::part(LINE, "unreadable");
    let (fixture, stamps) = Fixture::with_chain();
    // A link that leads out of the repository is not followed, whoever runs this.
    let file = fixture.file(&format!("{}.deltafs", stamps[1]));
    let away = fixture.path("away");
    fs::rename(&file, &away).expect("it is moved");
    std::os::unix::fs::symlink(&away, &file).expect("a link");
    for (depth, claims) in [("digest", 3), ("deep", 4)] {
        let repo: &Path = &fixture.repo;
        let run =
            fixture.run(&["verify".as_ref(), "--json".as_ref(), "--depth".as_ref(), depth.as_ref(), repo.as_os_str()]);
        let found: Value = serde_json::from_slice(&run.expect(3).stdout).expect("a report");
        // At depth deep, the records could not be followed past it either.
        assert_eq!(coverage(&found), [claims, 2, claims - 2], "{depth}");
        score.ran(1);
    }
    score.end();
}

#[test]
fn damage_counts_as_judged() {
    let mut score = Score::part(LINE, "damage is judged");
    let (fixture, stamps) = Fixture::with_chain();
    fs::remove_file(fixture.file(&format!("{}.deltafs", stamps[2]))).expect("it is removed");
    let run = fixture.verify("digest");
    assert!(run.expect(1).text().contains("3 of 3 claims checked"), "{}", run.account());
    score.ran(1);
    score.end();
}
