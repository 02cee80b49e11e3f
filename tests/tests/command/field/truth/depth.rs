//! A verdict says how deep was looked, and never deeper.

use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, report};
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

#[test]
fn a_store_is_looked_at_as_deep_as_it_goes_and_that_is_said() {
    let mut score = Score::part(LINE, "a_store_is_looked_at_as_deep_as_it_goes_and_that_is_said");
    let sample = Sample::made();
    let key = sample.truth("key.json");
    let key = key.to_str().expect("text");
    // Into images nobody looks.
    let images = format!("{}@vm/100", sample.store().display());
    let words = "checked at depth digest (deep was asked for; this datastore has nothing deeper to look at)";
    let deep = Run::of(Command::new(highwater()).args(["verify", &images, "--depth", "deep"]));
    deep.expect(0).prints(words);
    assert!(deep.text().trim_end().lines().last().is_some_and(|last| last.contains(words)), "{}", deep.account());
    let (_, json) = report(Path::new(&images), &["--depth", "deep"]);
    assert_eq!((&json["depth"], &json["roots"][0]["asked"]), (&"digest".into(), &"deep".into()), "{json:#}");
    // Whoever asked for no more reads of nothing deeper, and nothing else differs.
    let (_, mut other) = report(Path::new(&images), &["--depth", "digest"]);
    assert_eq!(other["roots"][0].get("asked"), None);
    other["roots"][0]["asked"] = "deep".into();
    assert_eq!(other, json);
    // Trees are looked into, each once, and no claim is lost over that.
    let (code, json) = report(&sample.store(), &["--depth", "deep", "--keyfile", key]);
    assert_eq!((code, &json["depth"], json["roots"][0].get("asked")), (0, &"deep".into(), None), "{json:#}");
    let (_, other) = report(&sample.store(), &["--depth", "digest", "--keyfile", key]);
    let claims = |report: &Value| report["coverage"]["claims"].as_u64().expect("a number");
    assert_eq!(claims(&json), claims(&other) + 7, "four trees of one part, two that are split, and a catalogue");
    // Without the key, what is encrypted is not judged.
    let (code, locked) = report(&sample.store(), &["--depth", "deep"]);
    assert_eq!((code, claims(&locked)), (3, claims(&json)));
    assert!(locked["coverage"]["unjudged"].as_u64() > Some(1), "{locked:#}");
    // Parts that are merged say so too.
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let parts: Vec<_> = (1..=3).map(|part| fixture.path().join(format!("{part}.json"))).collect();
    for (part, file) in (1..).zip(&parts) {
        let json = format!("--json={}", file.display());
        let shard = format!("{part}/3");
        let run = ["--depth", "deep", "--keyfile", key, "--shard", &shard, &json];
        Run::of(Command::new(highwater()).arg("verify").arg(sample.store()).args(run)).expect(0);
    }
    let merged = Run::of(Command::new(highwater()).args(["report", "merge", "--json"]).args(&parts));
    let merged: Value = serde_json::from_str(&merged.expect(0).text()).expect("JSON");
    assert_eq!(merged, json);
    score.ran(7);
    score.end();
}
