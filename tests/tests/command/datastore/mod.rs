//! Datastores and their damages: what is found, whom it hurts, and that everything sound restores.
//!
//! Each test runs on the store that our own script makes from the format, and on one that a real server wrote, where
//! that is beside the checkout.

mod backup;
mod caches;
mod catalogues;
mod grown;
mod heal;
mod modelled;
mod presence;
mod restored;
mod several;
mod strays;
mod trees;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use highwater_core::digest::sha256_of;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, by_verdict, copy, damage, report};
use highwater_tests::python;
use highwater_tests::run::Run;
use highwater_tests::score::{Score, is_asked_for};

/// What is found beyond the reference, which does not look there; none where nothing can know, or nothing is wrong.
fn beyond(case: &str) -> Option<(&'static str, &'static str)> {
    Some(match case {
        "fidx_reserved_flip" => ("odd-index", "warning"),
        "client_log_flip" => ("encoding", "damage"),
        "manifest_extra_file_on_disk" | "signed_manifest_file_dropped" => ("unnamed", "warning"),
        "manifest_missing" => ("unfinished", "inconclusive"),
        _ => return None,
    })
}

#[test]
fn each_damage_hurts_the_snapshots_that_it_hurts_and_no_other() {
    let mut score = Score::new("datastore damages");
    for sample in Sample::all() {
        let (_, clean) = report(&sample.store(), &[]);
        let sealed = by_verdict(&clean)["inconclusive"].clone();
        assert_eq!((by_verdict(&clean)["sound"].len(), sealed.len()), (6, 2), "{clean:#}");
        score.ran(each_damage(&sample, "reference", &sealed, &[]));
    }
    score.end();
}

#[test]
fn with_the_key_damage_of_what_is_encrypted_or_signed_is_found_too() {
    let mut score = Score::new("datastore damages, with the key");
    for sample in Sample::all() {
        let key = sample.truth("key.json");
        let key = ["--keyfile", key.to_str().expect("text")];
        let (code, clean) = report(&sample.store(), &key);
        assert_eq!((code, by_verdict(&clean)["sound"].len()), (0, 8), "{clean:#}");
        score.ran(each_damage(&sample, "reference_with_key", &BTreeSet::new(), &key));
    }
    score.end();
}

/// Does every damage and compares whom it hurts with the reference; `sealed` are inconclusive anyhow. Gives how many
/// there were.
fn each_damage(sample: &Sample, reference: &str, sealed: &BTreeSet<String>, more: &[&str]) -> u64 {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let cases = sample.cases();
    assert!(cases.len() >= 43, "{}", cases.len());
    for case in &cases {
        let name = case["name"].as_str().expect("a name");
        if !is_asked_for(name) {
            continue;
        }
        let store = fixture.path().join(name);
        copy(&sample.store(), &store);
        damage(&store, &case["ops"]);
        let (code, report) = report(&store, more);
        let mut wanted: BTreeSet<String> = case[reference].as_object().expect("a map").keys().cloned().collect();
        if name == "manifest_missing" {
            // It is no snapshot any more, so none can be hurt.
            wanted.clear();
        }
        let found = by_verdict(&report);
        let damaged = found.get("damaged").cloned().unwrap_or_default();
        assert_eq!(damaged, wanted, "{name}: {:#}", report["findings"]);
        let doubtful = found.get("inconclusive").cloned().unwrap_or_default();
        assert!(doubtful.is_subset(sealed), "{name}: {doubtful:?}");
        if let Some((word, severity)) = beyond(name) {
            let found = report["findings"].as_array().expect("a list");
            let found = found.iter().find(|finding| finding["name"] == word);
            assert_eq!(found.map(|finding| &finding["severity"]), Some(&severity.into()), "{name}: {report:#}");
        }
        let says = report["verdict"].as_str().expect("a verdict");
        let doubt = !doubtful.is_empty() || name == "manifest_missing";
        let expected = match wanted.is_empty() && name != "client_log_flip" {
            false => ("damaged", 1),
            true if doubt => ("inconclusive", 3),
            true => ("sound", 0),
        };
        assert_eq!((says, code), expected, "{name}: {report:#}");
        fs::remove_dir_all(&store).expect("it is removed");
    }
    cases.len() as u64
}

#[test]
fn the_independent_reader_agrees_with_the_reference_on_the_real_store() {
    let Some(sample) = Sample::real() else { return };
    Run::of(python::command("datastore_made.py").arg("--compare").arg(sample.folder())).expect(0);
    let all = Run::of(python::command("datastore.py").arg("sums").arg(sample.store()).arg(sample.truth("key.json")));
    let found: serde_json::Value = serde_json::from_str(&all.expect(0).text()).expect("JSON");
    for (point, sum) in sample.sums() {
        assert_eq!(found[&point], sum.as_str(), "{point}");
    }
}

#[test]
fn every_archive_restores_to_the_truth_and_encrypted_ones_with_any_kind_of_key_file() {
    for sample in Sample::all() {
        every_archive_restores(&sample);
    }
}

fn every_archive_restores(sample: &Sample) {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let passphrase = fixture.path().join("passphrase");
    fs::write(&passphrase, "correct horse\n").expect("it is written");
    let target = fixture.path().join("restored");
    let restore = |point: &str, key: Option<&str>| {
        let mut command = std::process::Command::new(highwater());
        command.arg("restore").arg(format!("{}@{point}", sample.store().display())).arg(&target);
        if let Some(key) = key {
            command.arg("--keyfile").arg(sample.truth(key)).arg("--passphrase-file").arg(&passphrase);
        }
        Run::of(&mut command)
    };
    let mut restored = 0;
    for (point, sum) in sample.sums() {
        let sealed = point.contains("ns/team/ns/a/");
        if sealed {
            restore(&point, None).expect(3).says("encrypted");
            assert!(!target.exists());
        }
        let keys =
            if sealed { &[Some("key.json"), Some("key-scrypt.json"), Some("key-pbkdf2.json")][..] } else { &[None] };
        for key in keys {
            restore(&point, *key).expect(0);
            assert_eq!(sha256_of(&fs::read(&target).expect("a file")).to_string(), sum, "{point}");
            fs::remove_file(&target).expect("it is removed");
            restored += 1;
        }
    }
    assert!(restored >= 12, "{restored} archives");
    fs::write(&passphrase, "wrong horse\n").expect("it is written");
    let point = "ns/team/ns/a/vm/300/2025-06-16T15:11:40Z/drive-scsi0.img";
    restore(point, Some("key-scrypt.json")).expect(2).says("the passphrase is wrong");
}

#[test]
fn another_key_opens_nothing_and_calls_nothing_damaged() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let other = fixture.path().join("other.json");
    fs::write(&other, r#"{"kdf":null,"data":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#).expect("it is written");
    let (code, report) = report(&sample.store(), &["--keyfile", other.to_str().expect("text")]);
    // The one that is signed and not encrypted: its data are there, and nobody can say that they are those that were
    // signed.
    assert_eq!((code, by_verdict(&report)["inconclusive"].len()), (3, 3), "{report:#}");
    let codes = report["tallies"].as_object().map(|found| found.keys().cloned().collect::<Vec<_>>());
    assert_eq!(codes, Some(vec!["unproven".to_owned()]));
}

#[test]
fn one_archive_alone_is_verified_and_another_is_named_when_there_is_none() {
    let store = Sample::made().store();
    let of = |point: &str| PathBuf::from(format!("{}@{point}", store.display()));
    let (code, one) = report(&of("vm/100/2025-06-16T15:06:40Z/drive-scsi0.img"), &[]);
    assert_eq!((code, &one["verdict"], &one["coverage"]["claims"]), (0, &"sound".into(), &14.into()), "{one:#}");
    let (code, one) = report(&of("vm/100/2025-06-16T15:06:40Z"), &["--depth", "size"]);
    assert_eq!((code, &one["verdict"], one["sets"].as_array().map(Vec::len)), (0, &"sound".into(), Some(1)), "{one:#}");
    let verify = |point| Run::of(std::process::Command::new(highwater()).arg("verify").arg(of(point)));
    // A name that was mistyped is no damage.
    verify("vm/100/2025-06-16T15:06:40Z/drive-scsi1.img").expect(4).says("it has drive-scsi0.img, qemu-server.conf");
    verify("vm").expect(2).says("'vm' is no snapshot");
    let several = Run::of(
        std::process::Command::new(highwater()).arg("restore").arg(of("vm/100/2025-06-16T15:06:40Z")).arg("never-made"),
    );
    several.expect(2).says("name one after it");
}

#[test]
fn an_index_that_agrees_with_itself_must_agree_with_the_manifest() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    copy(&sample.store(), fixture.path());
    let snapshot = "vm/100/2025-06-16T15:06:40Z";
    let path = fixture.path().join(snapshot).join("drive-scsi0.img.fidx");
    let mut index = fs::read(&path).expect("an index");
    let (first, second) = index[4096..].split_at_mut(32);
    assert_ne!(first, &second[..32]);
    first.swap_with_slice(&mut second[..32]);
    let sum = sha256_of(&index[4096..]);
    index[32..64].copy_from_slice(sum.as_bytes());
    fs::write(&path, index).expect("it is written");
    let (code, report) = report(fixture.path(), &[]);
    assert_eq!((code, &report["tallies"]["digest"]), (1, &1.into()), "{report:#}");
    assert_eq!(by_verdict(&report)["damaged"], BTreeSet::from([snapshot.to_owned()]));
}

#[test]
fn nothing_is_written_into_a_store_unasked() {
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let store = fixture.path().join("store");
    copy(&sample.store(), &store);
    let listed = || {
        let found = Run::of(std::process::Command::new("find").arg(&store).args(["-printf", "%P %s %m %T@ %C@\\n"]));
        found.expect(0).text()
    };
    let before = listed();
    let source = fixture.path().join("Data.fs");
    fs::write(&source, "any").expect("it is written");
    let run = |arguments: &[&Path]| Run::of(std::process::Command::new(highwater()).args(arguments));
    run(&[Path::new("backup"), &source, &store]).expect(2).says("name a group in it after an @");
    run(&[Path::new("mark"), &store]).expect(2).says("without marks");
    run(&[Path::new("verify"), &store]).expect(3);
    run(&[Path::new("list"), &store]).expect(0);
    assert_eq!(listed(), before);
}

#[test]
fn a_list_names_the_archives_that_a_restore_takes() {
    for sample in Sample::all() {
        let list =
            |more: &[&str]| Run::of(std::process::Command::new(highwater()).arg("list").arg(sample.store()).args(more));
        let (text, json) = (list(&[]).expect(0).text(), list(&["--json"]).expect(0).text());
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let mut named = Vec::new();
        for set in json["sets"].as_array().expect("a list") {
            let point = set["name"].as_str().expect("text");
            let line = text.lines().find(|line| line.starts_with(point)).expect("a line");
            for archive in set["archives"].as_array().expect("a list") {
                let archive = archive.as_str().expect("text");
                assert!(line.contains(archive), "{line}");
                named.push(format!("{point}/{archive}"));
            }
        }
        named.sort();
        let sums = sample.sums();
        let name = |name: &str| match name.rsplit_once('.') {
            Some((stem, "fidx" | "didx")) => stem.to_owned(),
            _ => name.to_owned(),
        };
        let mut truth: Vec<String> = sums.iter().map(|(point, _)| name(point)).collect();
        truth.sort();
        assert_eq!(named, truth);
    }
}
