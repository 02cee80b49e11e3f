//! A key that is lacking or is another one is told once for each snapshot, with the fingerprints of both.

use std::fs;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::Sample;
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

/// The key file of a key that nothing was encrypted with.
const OTHER: &str = r#"{"kdf":null,"created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","data":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#;

#[test]
fn a_wrong_key_is_told_once_for_each_snapshot_with_both_fingerprints() {
    let mut score = Score::part(LINE, "a wrong key");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let other = folder.path().join("other.json");
    fs::write(&other, OTHER).expect("a key file");
    for sample in Sample::all() {
        let right = sample.key().fingerprint()[..23].to_owned();
        let given = "44:fa:dc:1d:ad:63:6c:92";
        let verify = |more: &[&str]| {
            let run = Run::of(Command::new(highwater()).arg("verify").arg(sample.store()).arg("--json").args(more));
            let report: Value = serde_json::from_slice(&run.expect(3).stdout).expect("a report");
            report
        };
        let report = verify(&["--keyfile", other.to_str().expect("text")]);
        let doubtful = report["sets"].as_array().expect("a list").iter().filter(|set| set["verdict"] == "inconclusive");
        let doubtful = doubtful.count() as u64;
        // One that is signed and not encrypted is in doubt as well, as its signature cannot be looked at.
        assert_eq!((&report["tallies"]["unproven"], doubtful), (&3.into(), 3), "one for each: {}", report["tallies"]);
        for note in report["findings"].as_array().expect("a list") {
            let message = note["message"].as_str().expect("text");
            assert!(message.contains(&right), "{message}");
            assert!(message.contains("the key given is "), "{message}");
            assert!(note["object"].as_str().is_some_and(|object| object.ends_with("/index.json.blob")), "{note}");
            let short = message.rsplit(' ').next().expect("a word");
            assert!(short.len() == given.len() && short != right, "{message}");
        }
        // Without any key, the same, and the key that is needed is named.
        let report = verify(&[]);
        assert_eq!(report["tallies"]["unverifiable"], 2);
        let message = report["findings"][0]["message"].as_str().expect("text");
        assert!(message.contains(&right) && message.contains("no key was given"), "{message}");
        // Lengths need no key.
        let run = Run::of(Command::new(highwater()).args(["verify", "--depth", "size"]).arg(sample.store()));
        run.expect(0);
        score.ran(3);
    }
    score.end();
}

#[test]
fn shards_tell_of_a_lacking_key_as_the_whole_does() {
    let mut score = Score::part(LINE, "a lacking key in shards");
    let sample = Sample::made();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let whole = Run::of(Command::new(highwater()).arg("verify").arg("--json").arg(sample.store()));
    let mut merge = Command::new(highwater());
    merge.args(["report", "merge", "--json", "--"]);
    for shard in 1..=5 {
        let part = folder.path().join(format!("{shard}.json"));
        let words = ["verify".to_owned(), format!("--shard={shard}/5"), format!("--json={}", part.display())];
        let run = Run::of(Command::new(highwater()).args(words).arg(sample.store()));
        let report: Value = serde_json::from_slice(&fs::read(&part).expect("a report")).expect("JSON");
        // A shard in which something was not judged is never sound, though another one tells why.
        let unjudged = report["coverage"]["unjudged"].as_u64().unwrap_or(0);
        assert!(unjudged == 0 || run.code == 3, "{}", run.account());
        merge.arg(part);
        score.ran(1);
    }
    assert_eq!(Run::of(&mut merge).expect(3).text(), whole.expect(3).text());
    score.end();
}

#[test]
fn lists_show_whose_key_a_snapshot_needs() {
    let mut score = Score::part(LINE, "fingerprints in lists");
    let sample = Sample::made();
    let key = sample.key().fingerprint();
    let store = sample.store();
    let run = |words: &[&str]| Run::of(Command::new(highwater()).args(words));
    let store = store.to_str().expect("text");
    let listed: Value = serde_json::from_slice(&run(&["list", "--json", store]).expect(0).stdout).expect("JSON");
    let sets = listed["sets"].as_array().expect("a list");
    let sealed: Vec<&Value> = sets.iter().filter(|set| set["key"] == *key).collect();
    assert!(!sealed.is_empty() && sealed.len() < sets.len(), "some have a key and some have none: {listed}");
    run(&["list", store]).expect(0).prints(&format!("  key {}\n", &key[..23]));
    for set in sealed {
        let (name, archive) = (set["name"].as_str().expect("a name"), set["archives"][0].as_str().expect("a name"));
        run(&["show", &format!("{store}@{name}")]).expect(0).prints(&key);
        if !archive.ends_with(".blob") {
            run(&["show", "--chunks", &format!("{store}@{name}/{archive}")]).expect(0).prints(&key);
        }
        score.ran(2);
    }
    score.end();
}
