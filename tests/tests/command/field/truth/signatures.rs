//! A signed manifest that was changed never passes, and one that was not always does, whatever lies unsigned beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::codec::encode_blob;
use highwater_core::digest::sha256_of;
use highwater_core::key::Key;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy, report};
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;
use super::manifests::{add_blob, name_key, read, sign, write};

const PLAIN: &str = "ct/200/2025-06-16T15:08:40Z";
const SIGNED: &str = "ns/team/host/signed/2025-06-16T15:12:40Z";
const SEALED: &str = "ns/team/ns/a/ct/201/2025-06-16T15:10:40Z";

/// The fingerprint of a key that nobody has.
const OTHER: &str = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff";

/// The table that the documentation has.
const TABLE: &str = include_str!("../../../../../web/docs/signatures.md");

/// A store to change, its key, and another.
struct Fixture {
    sample: Sample,
    folder: tempfile::TempDir,
    key: Key,
}

impl Fixture {
    fn new() -> Self {
        let sample = Sample::made();
        let folder = tempfile::tempdir().expect("a scratch folder");
        copy(&sample.store(), &folder.path().join("store"));
        let other = r#"{"kdf":null,"data":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#;
        fs::write(folder.path().join("other.json"), other).expect("it is written");
        let key = sample.key();
        Self { sample, folder, key }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn keys(&self, which: &str) -> Vec<String> {
        let file = match which {
            "own key" => self.sample.truth("key.json"),
            "another key" => self.folder.path().join("other.json"),
            "no key" => return Vec::new(),
            other => panic!("which key is {other}?"),
        };
        vec!["--keyfile".to_owned(), file.to_str().expect("text").to_owned()]
    }
}

/// Brings a snapshot into the state of a row.
fn prepare(folder: &Path, before: &Value, mode: &str, signature: &str, fingerprint: &str, key: &Key) {
    let mut manifest = before.clone();
    if mode == "mixed" {
        let blob = encode_blob(b"plain", &[0; 9], None);
        let entry = add_blob(folder, "beside.conf.blob", &blob, "none");
        manifest["files"].as_array_mut().expect("a list").push(entry);
    }
    sign(&mut manifest, key);
    match signature {
        "right" => {}
        "wrong" => manifest["written-by"] = "somebody else".into(),
        "removed" => manifest["signature"] = Value::Null,
        "odd" => manifest["signature"] = "0123".into(),
        other => panic!("what is {other}?"),
    }
    let own = key.fingerprint();
    name_key(
        &mut manifest,
        match fingerprint {
            "own" => Some(&own),
            "none" => None,
            "other" => Some(OTHER),
            "odd" => Some("00:11"),
            other => panic!("what is {other}?"),
        },
    );
    write(folder, &manifest);
}

#[test]
fn every_cell_of_the_table_is_as_the_documentation_says() {
    let mut score = Score::part(LINE, "every_cell_of_the_table_is_as_the_documentation_says");
    let fixture = Fixture::new();
    let target = fixture.folder.path().join("restored");
    let mut rows =
        TABLE.lines().filter(|line| line.starts_with('|')).map(cells).skip_while(|row| row[0] != "signature");
    let head = rows.next().expect("the table");
    let rows: Vec<Vec<&str>> = rows.skip(1).collect();
    assert_eq!((rows.len(), head.len()), (16, 11));
    for (mode, snapshot, archive) in [
        ("none", PLAIN, "root.pxar"),
        ("sign-only", SIGNED, "etc.pxar"),
        ("encrypt", SEALED, "root.pxar"),
        ("mixed", SEALED, "root.pxar"),
    ] {
        let folder = fixture.store().join(snapshot);
        let before = read(&fixture.sample.store().join(snapshot));
        let sum = fixture.sample.sums().into_iter().find(|(name, _)| *name == format!("{snapshot}/{archive}.didx"));
        let sum = sum.expect("a sum").1;
        for row in &rows {
            prepare(&folder, &before, mode, row[0], row[1], &fixture.key);
            for (column, cell) in head.iter().zip(row).skip(2) {
                let (which, of) = column.split_once(": ").expect("a key and a mode");
                if of != if mode == "mixed" { "encrypt" } else { mode } {
                    continue;
                }
                score.ran(2);
                let keys = fixture.keys(which);
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                let case = format!("{} and {}, {mode}, {which}", row[0], row[1]);
                let point = PathBuf::from(format!("{}@{snapshot}", fixture.store().display()));
                let (code, report) = report(&point, &keys);
                let (wanted, word) = match cell.trim_end_matches('†') {
                    "ok" => (0, None),
                    "115" => (1, Some("signature")),
                    "206" => (3, Some("unproven")),
                    "204" => (3, Some("unverifiable")),
                    other => panic!("what is {other}?"),
                };
                let told = |word: &str| report["tallies"].get(word).is_some();
                if code != wanted || word.is_some_and(|word| !told(word)) || word.is_none() && told("signature") {
                    score.fail(format!("{case}: {cell}, and verify says {code}: {:#}", report["findings"]));
                }
                let run = Run::of(
                    Command::new(highwater())
                        .arg("restore")
                        // The stream, and not the tree that it holds.
                        .arg(format!("{}/{archive}.didx", point.display()))
                        .arg(&target)
                        .args(&keys),
                );
                let restores = matches!(*cell, "ok" | "206†");
                let got = fs::read(&target).ok().map(|bytes| sha256_of(&bytes).to_string());
                if run.code != if restores { 0 } else { wanted }
                    || got.is_some() != restores
                    || got.is_some_and(|got| got != sum)
                {
                    score.fail(format!("{case}: {cell}, and restore: {}", run.account()));
                }
                _ = fs::remove_file(&target);
            }
        }
        _ = fs::remove_file(folder.join("beside.conf.blob"));
        write(&folder, &before);
    }
    score.end();
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// The unsigned fingerprint is taken out or changed, and two archives of a signed snapshot change places.
#[test]
fn exchanged_archives_are_noticed_whatever_fingerprint_lies_beside() {
    let mut score = Score::part(LINE, "exchanged_archives_are_noticed_whatever_fingerprint_lies_beside");
    for (mode, snapshot) in [("none", PLAIN), ("sign-only", PLAIN), ("encrypt", SEALED)] {
        let fixture = Fixture::new();
        let folder = fixture.store().join(snapshot);
        let mut manifest = read(&folder);
        // A second archive, with the chunks of another.
        let from = fixture.store().join(if mode == "encrypt" { SEALED } else { PLAIN }).join("root.pxar.didx");
        fs::copy(&from, folder.join("data.pxar.didx")).expect("a copy");
        let files = manifest["files"].as_array_mut().expect("a list");
        let mut second = files[0].clone();
        second["filename"] = "data.pxar.didx".into();
        files.push(second);
        files.iter_mut().for_each(|file| file["crypt-mode"] = mode.into());
        sign(&mut manifest, &fixture.key);
        let key = fixture.keys("own key");
        let key: Vec<&str> = key.iter().map(String::as_str).collect();
        let own = fixture.key.fingerprint();
        name_key(&mut manifest, Some(&own));
        write(&folder, &manifest);
        let point = PathBuf::from(format!("{}@{snapshot}", fixture.store().display()));
        assert_eq!(report(&point, &key).0, 0, "{mode}");
        let files = manifest["files"].as_array_mut().expect("a list");
        let last = files.len() - 1;
        files.swap(0, last);
        for (fingerprint, wanted) in [(Some(own.as_str()), 1), (None, 3), (Some(OTHER), 3)] {
            name_key(&mut manifest, fingerprint);
            write(&folder, &manifest);
            let (code, report) = report(&point, &key);
            assert_eq!(code, wanted, "{mode}, {fingerprint:?}: {report:#}");
            let restore = Command::new(highwater())
                .arg("restore")
                .arg(format!("{}/root.pxar.didx", point.display()))
                .arg(fixture.folder.path().join("out"))
                .args(&key)
                .output()
                .expect("it runs");
            assert_eq!(restore.status.code(), Some(wanted), "{mode}, {fingerprint:?}");
            score.ran(2);
        }
    }
    score.end();
}

#[test]
fn a_snapshot_without_a_signature_among_signed_ones_is_named() {
    let mut score = Score::part(LINE, "a_snapshot_without_a_signature_among_signed_ones_is_named");
    let fixture = Fixture::new();
    let key = fixture.keys("own key");
    let key: Vec<&str> = key.iter().map(String::as_str).collect();
    let later = "ns/team/host/signed/2025-06-16T15:12:41Z";
    let folder = fixture.store().join(later);
    copy(&fixture.store().join(SIGNED), &folder);
    let mut manifest = read(&folder);
    manifest["backup-time"] = (manifest["backup-time"].as_i64().expect("a second") + 1).into();
    manifest["files"][0]["crypt-mode"] = "none".into();
    manifest["signature"] = Value::Null;
    name_key(&mut manifest, None);
    write(&folder, &manifest);
    let (code, found) = report(&fixture.store(), &key);
    assert_eq!((code, &found["tallies"]["unsigned"]), (0, &1.into()), "{found:#}");
    let named = format!("{later}/index.json.blob");
    assert_eq!(found["findings"][0]["object"], named.as_str(), "{found:#}");
    let (strict, _) = report(&fixture.store(), &[&key[..], &["--strict"]].concat());
    // Groups that nobody signs are left alone, and so is everything without the key.
    let (clean, found) = report(&fixture.sample.store(), &[&key[..], &["--strict"]].concat());
    assert_eq!((strict, clean), (1, 0), "{found:#}");
    assert!(report(&fixture.store(), &[]).1["tallies"].get("unsigned").is_none());
    score.ran(4);
    score.end();
}

/// A manifest whose keys come twice says two things; one of them is signed.
#[test]
fn a_member_that_comes_twice_is_understood_by_nobody() {
    let mut score = Score::part(LINE, "a_member_that_comes_twice_is_understood_by_nobody");
    let fixture = Fixture::new();
    let folder = fixture.store().join(SIGNED);
    let text = serde_json::to_string_pretty(&read(&folder)).expect("JSON");
    for (member, value) in [("files", "[]"), ("signature", "null"), ("backup-time", "0")] {
        super::manifests::write_text(&folder, &text.replacen('{', &format!("{{\"{member}\": {value},"), 1));
        let point = PathBuf::from(format!("{}@{SIGNED}", fixture.store().display()));
        let key = fixture.keys("own key");
        let (code, found) = report(&point, &key.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((code, &found["tallies"]["malformed-index"]), (1, &1.into()), "{member}: {found:#}");
        score.ran(1);
    }
    score.end();
}
