//! What happens within a try must be noticed, though nothing shows it any more when the try ends.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use highwater::live::{self, CheckpointSummary, LiveOptions, Step};
use highwater::watch::Watch;
use highwater_core::formats::fjall;
use highwater_core::formats::rocksdb::manifest::Manifest;
use highwater_core::formats::rocksdb::{self, Engine, names};
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

/// The tables that were ingested, as long as the store's head shows it of them; none while it changes.
fn shown_as_ingested(kind: Kind, store: &Path) -> Option<BTreeSet<u64>> {
    if kind == Kind::Rocksdb {
        let current = fs::read(store.join("CURRENT")).ok()?;
        let name = names::manifest(rocksdb::current::parse(&current).ok()?)?;
        let mut manifest = Manifest::new(Engine::RocksDb);
        let _ = manifest.push(&fs::read(store.join(name.as_str()?)).ok()?);
        let state = manifest.end().state;
        let tables = state.families.values().flat_map(|family| &family.tables);
        return Some(tables.filter(|(_, table)| table.ingested).map(|(number, _)| *number).collect());
    }
    // The keyspace that is made last.
    let folder = store.join("keyspaces/4");
    let current = fjall::current::parse(&fs::read(folder.join("current")).ok()?).ok()?;
    let version = fjall::version::parse(&fs::read(folder.join(format!("v{}", current.version))).ok()?).ok()?;
    Some(version.tables.iter().filter(|table| table.ingested).map(|table| table.id).collect())
}

/// Return when a table was ingested that is not one of these, and has been merged into others.
fn wait_until_merged(kind: Kind, store: &Path, before: &BTreeSet<u64>) {
    let mut came = false;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(50) {
        let now = shown_as_ingested(kind, store);
        let shows = now.as_ref().map(|now| now.difference(before).next().is_some());
        came |= shows == Some(true);
        if came && shows == Some(false) {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("no ingested table is merged into others: did one come? {came}");
}

fn ingested(kind: Kind) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let (store, copy) = (scratch.path().join("store"), scratch.path().join("copy"));
    let writer = Writer::start(kind, &store, 5_000, &["--ingest"], None);
    let before = writer.acknowledged();
    let known = shown_as_ingested(kind, &store).unwrap_or_default();
    let summary = with_one_at_the_first_try(&store, &copy, &|| wait_until_merged(kind, &store, &known));
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
        let folders = fs::read_dir(store.join("keyspaces")).expect("the keyspaces");
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

#[test]
fn tables_that_were_ingested_and_merged_within_a_try_fjall() {
    ingested(Kind::Fjall);
}
