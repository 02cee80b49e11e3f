//! What happens within a try must be noticed, though nothing shows it any more when the try ends.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use highwater::live::{self, CheckpointSummary, LiveOptions, Step};
use highwater::watch::Watch;
use highwater_tests::writers::{Kind, Writer};

/// Make a checkpoint; when its first try has pinned what the heads name, do something.
fn with_one_at_the_first_try(store: &Path, copy: &Path, what: &(dyn Fn() + Sync)) -> CheckpointSummary {
    let done = AtomicBool::new(false);
    let step = |step| {
        if step == Step::Pinned && !done.swap(true, Ordering::Relaxed) {
            what();
        }
    };
    let options = LiveOptions { step: Some(&step), ..LiveOptions::default() };
    live::checkpoint(store, copy, &options, &Watch::silent()).expect("a checkpoint")
}

/// So many batches that several rounds of ingestion lie within, and the tables of the first are merged into others.
const ROUNDS: u64 = 8_000;

fn ingested(kind: Kind) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let (store, copy) = (scratch.path().join("store"), scratch.path().join("copy"));
    let writer = Writer::start(kind, &store, 0, &["--ingest"], None);
    let before = writer.acknowledged();
    let summary = with_one_at_the_first_try(&store, &copy, &|| writer.wait_for(before + ROUNDS));
    let judgement = kind.judge(&copy, before);
    assert!(judgement.good, "{summary:?}: {}", judgement.why);
    assert!(summary.tries > 1, "what was ingested is in no log: {summary:?}");
    writer.end();
}

#[test]
fn tables_that_were_ingested_and_merged_within_a_try_rocksdb() {
    ingested(Kind::Rocksdb);
}

#[test]
fn a_keyspace_that_is_dropped_within_a_try_leaves_no_folder() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let (store, copy) = (scratch.path().join("store"), scratch.path().join("copy"));
    let writer = Writer::start(Kind::Fjall, &store, 0, &["--churn"], None);
    let keyspaces = |store: &Path| {
        let folders = std::fs::read_dir(store.join("keyspaces")).expect("the keyspaces");
        let mut names: Vec<_> = folders.map(|entry| entry.expect("a folder").file_name()).collect();
        names.sort();
        names
    };
    // A keyspace lives for 3,000 batches; the first begins then.
    writer.wait_for(4_000);
    let before = writer.acknowledged();
    let early = keyspaces(&store);
    let summary = with_one_at_the_first_try(&store, &copy, &|| writer.wait_for(before + 7_000));
    let late = keyspaces(&copy);
    assert!(summary.tries > 1 && early != late, "{summary:?}: {early:?} and {late:?}");
    for name in late {
        assert!(copy.join("keyspaces").join(&name).join("current").is_file(), "{name:?} has no head: {summary:?}");
    }
    let judgement = Kind::Fjall.judge(&copy, before);
    assert!(judgement.good, "{summary:?}: {}", judgement.why);
    writer.end();
}
