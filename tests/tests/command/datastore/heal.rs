//! What is damaged in one store and sound in another is healed, and nothing else is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater::disk;
use highwater::heal::{self, Fate, HealOptions};
use highwater::store::{Files, Links, Locks};
use highwater::watch::Watch;
use highwater_core::formats::datastore::Datastore;
use highwater_core::report::Depth;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy, report};
use highwater_tests::run::Run;

fn heal(store: &Path, from: &Path, more: &[&str]) -> Run {
    Run::of(Command::new(highwater()).arg("heal").arg(store).arg("--from").arg(from).args(more))
}

/// The files of all chunks, in the order of their names.
fn chunks(store: &Path) -> Vec<PathBuf> {
    let within = |folder: PathBuf| fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut all: Vec<PathBuf> = within(store.join(".chunks")).flat_map(within).collect();
    all.sort();
    all
}

fn listed(store: &Path) -> String {
    Run::of(Command::new("find").arg(store).args(["-type", "f", "-printf", "%P %s %m %T@\\n"])).expect(0).text()
}

#[test]
fn what_another_store_has_whole_is_healed_and_what_it_has_not_is_left() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (store, other) = (fixture.path().join("store"), fixture.path().join("other"));
    copy(&sample.store(), &store);
    copy(&sample.store(), &other);
    let key = sample.truth("key.json");
    let keyed = ["--keyfile", key.to_str().expect("text")];
    heal(&store, &other, &keyed).expect(0).prints("objects healed: 0; left as they are: 0");
    let all = chunks(&store);
    let sound: Vec<Vec<u8>> = all.iter().map(|chunk| fs::read(chunk).expect("a chunk")).collect();
    // Missing with its folder, cut, flipped, and flipped in both.
    fs::remove_dir_all(all[0].parent().expect("a folder")).expect("it is removed");
    let gone = all.iter().filter(|chunk| !chunk.exists()).count();
    fs::write(&all[5], &sound[5][..20]).expect("it is written");
    for (at, chunk) in [(9, all[9].clone()), (14, all[14].clone()), (14, chunks(&other)[14].clone())] {
        let mut bytes = sound[at].clone();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(chunk, bytes).expect("it is written");
    }
    let (before, there) = (listed(&store), listed(&other));
    let dry = heal(&store, &other, &["--dry-run", keyed[0], keyed[1]]);
    let left = format!("objects would be healed: {}; left as they are: 1", gone + 2);
    dry.expect(1).prints(&left).says("it is damaged there too");
    assert_eq!(listed(&store), before);
    let run = heal(&store, &other, &keyed);
    run.expect(1)
        .prints(&format!("objects healed: {}; left as they are: 1", gone + 2))
        .says("cannot be healed: .chunks/");
    for (at, chunk) in all.iter().enumerate().filter(|(at, _)| *at != 14) {
        assert!(fs::read(chunk).expect("a chunk") == sound[at], "{}", chunk.display());
    }
    assert_eq!(listed(&other), there);
    fs::write(&chunks(&other)[14], &sound[14]).expect("it is written");
    heal(&store, &other, &keyed).expect(0).prints("objects healed: 1; left as they are: 0");
    let (code, found) = report(&store, &keyed);
    assert_eq!((code, found["tallies"].as_object().map(serde_json::Map::len)), (0, Some(0)), "{found:#}");
    assert_eq!(chunks(&store), all, "a work file was left");
}

#[test]
fn without_the_key_nothing_encrypted_is_taken_on_trust() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (store, other) = (fixture.path().join("store"), fixture.path().join("other"));
    copy(&sample.store(), &store);
    copy(&sample.store(), &other);
    let encrypted = |chunk: &PathBuf| matches!(fs::read(chunk).expect("a chunk")[0], 0x7b | 0xe6);
    let chunk = chunks(&store).into_iter().find(encrypted).expect("one is encrypted");
    fs::remove_file(&chunk).expect("it is removed");
    heal(&store, &other, &[]).expect(1).says("cannot be healed").prints("left as they are: 1");
    assert!(!chunk.exists());
}

#[test]
fn a_repozo_repository_is_healed_from_its_copy() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (repo, other) = (fixture.path().join("repo"), fixture.path().join("other"));
    let files = highwater_tests::repo::sample().files;
    for folder in [&repo, &other] {
        highwater_tests::repo::store(&files, folder);
    }
    let (name, bytes) = files.iter().find(|(name, _)| name.ends_with(".deltafs")).expect("an increment");
    fs::write(repo.join(name), &bytes[..bytes.len() - 1]).expect("it is written");
    heal(&repo, &other, &["--json"]).expect(0).prints("\"healed\": true");
    assert!(fs::read(repo.join(name)).expect("it is there") == *bytes);
    heal(&repo, &Sample::made().store(), &[]).expect(2).says("of the kind repozo").says("of the kind datastore");
}

#[test]
fn what_is_too_much_for_one_run_is_left_to_the_next() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let (store, other) = (fixture.path().join("store"), fixture.path().join("other"));
    copy(&sample.store(), &store);
    copy(&sample.store(), &other);
    let lost = chunks(&store);
    lost.iter().take(3).for_each(|chunk| fs::remove_file(chunk).expect("it is removed"));
    let heal = |most| {
        let from = Files::open(&other, Links::Beneath).expect("a store");
        let to = disk::open(&store, Locks::Needed).expect("a store");
        let job = HealOptions { label: "store", key: Some(sample.key()), depth: Depth::List, dry_run: false, most };
        let done = heal::heal(&job, &Datastore::STORE, &from, &to, &Watch::silent()).expect("it is healed");
        assert!(done.objects.iter().all(|(_, fate)| *fate == Fate::Healed), "{:?}", done.objects);
        (done.objects.len(), done.more)
    };
    assert_eq!([heal(2), heal(2), heal(2)], [(2, 1), (1, 0), (0, 0)]);
    assert!(lost.iter().all(|chunk| chunk.exists()));
}
