//! The cache of a store whose objects are in a bucket: what is empty there is elsewhere, for every verb.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy, damage, report};
use highwater_tests::run::Run;

const CACHED: &[&str] = &["--kind", "datastore-cache"];

/// What a case does to a chunk, and the chunk.
fn case(sample: &Sample, name: &str) -> (serde_json::Value, String) {
    let case = sample.cases().into_iter().find(|case| case["name"] == name).expect("a case");
    let ops = case["ops"].clone();
    let chunk = ops[0]["path"].as_str().expect("a path").to_owned();
    (ops, chunk)
}

#[test]
fn in_the_cache_of_a_bucket_an_empty_chunk_is_elsewhere_and_any_other_must_be_whole() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let store = fixture.path().join("store");
    copy(&sample.store(), &store);
    let ((empty, emptied), (flip, flipped)) = (case(&sample, "chunk_empty"), case(&sample, "plain_chunk_bitflip"));
    damage(&store, &empty);
    let finding = |depth: &str, kind: &[&str]| {
        let (code, report) = report(&store, &[&["--depth", depth][..], kind].concat());
        let of = |object: &str| {
            let mut findings = report["findings"].as_array().expect("a list").iter();
            findings.find(|found| found["object"] == object).map(|found| found["name"].to_string())
        };
        (code, of(&emptied), of(&flipped))
    };
    let named = |name: &str| Some(format!("\"{name}\""));
    assert_eq!(finding("digest", &[]), (1, named("encoding"), None));
    assert_eq!(finding("size", &[]), (1, named("length"), None));
    assert_eq!(finding("digest", CACHED), (3, named("unverifiable"), None));
    assert_eq!(finding("size", CACHED), (3, named("unverifiable"), None));
    assert_eq!(finding("list", CACHED), (0, None, None));
    damage(&store, &flip);
    assert_eq!(finding("digest", CACHED), (1, named("unverifiable"), named("encoding")));
}

#[test]
fn what_a_cache_holds_is_listed_restored_and_healed_and_what_it_has_not_is_never_made_up() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let store = fixture.path().join("store");
    copy(&sample.store(), &store);
    let ((empty, emptied), (flip, flipped)) = (case(&sample, "chunk_empty"), case(&sample, "plain_chunk_bitflip"));
    let run = |verb: &str, more: &[&Path]| Run::of(Command::new(highwater()).arg(verb).args(more).args(CACHED));
    let all = run("list", &[&store]).expect(0).text();
    damage(&store, &empty);
    assert_eq!(run("list", &[&store]).expect(0).text(), all);
    let (mut whole, mut halted) = (0, 0);
    for (point, sum) in sample.sums() {
        // A tree as the stream that it is.
        let archive = point.strip_suffix(".fidx").unwrap_or(&point);
        let from = format!("{}@{archive}", store.display());
        let (from, target) = (Path::new(&from), fixture.path().join("target"));
        let key = [Path::new("--keyfile"), &sample.truth("key.json")];
        let shown = run("show", &[&[from, Path::new("--chunks")][..], &key].concat()).expect(0).text();
        let restored = run("restore", &[&[from, &target][..], &key].concat());
        if shown.contains(&emptied) {
            restored.expect(3).says("in the bucket");
            assert!(!target.exists(), "{archive}");
            halted += 1;
            continue;
        }
        restored.expect(0);
        let found = Run::of(Command::new("sha256sum").arg(&target)).expect(0).text();
        assert!(found.starts_with(&sum), "{archive}: {found}");
        fs::remove_file(&target).expect("it is removed");
        whole += 1;
    }
    assert!(whole > 3 && halted > 0, "{whole} {halted}");
    damage(&store, &flip);
    let healed = run("heal", &[&store, Path::new("--from"), &sample.store()]);
    healed.expect(3).prints(&format!("healed: {flipped}")).prints("objects healed: 1; left as they are: 0");
    assert_eq!(fs::metadata(store.join(&emptied)).map(|meta| meta.len()).ok(), Some(0));
    assert!(fs::read(store.join(&flipped)).ok() == fs::read(sample.store().join(&flipped)).ok());
    run("strays", &[&store]).expect(0);
}
