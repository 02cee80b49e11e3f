//! What verify calls sound, restore gives: blobs open, files have names, and each has one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_core::codec::encode_blob;
use highwater_core::digest::sha256_of;
use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, by_verdict, copy, report};
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::{Value, json};

use super::LINE;
use super::manifests::{read, sign, write};

const PLAIN: &str = "vm/100/2025-06-16T15:06:40Z";
const SEALED: &str = "ns/team/ns/a/ct/201/2025-06-16T15:10:40Z";

/// Puts other bytes into a blob, and makes its manifest agree.
fn replace(folder: &Path, name: &str, bytes: &[u8], key: Option<&highwater_core::key::Key>) {
    fs::write(folder.join(name), bytes).expect("it is written");
    let mut manifest = read(folder);
    for file in manifest["files"].as_array_mut().expect("a list").iter_mut().filter(|file| file["filename"] == name) {
        file["size"] = bytes.len().into();
        file["csum"] = sha256_of(bytes).to_string().into();
    }
    if let Some(key) = key {
        sign(&mut manifest, key);
    }
    write(folder, &manifest);
}

fn restore(store: &Path, archive: &str, target: &Path, keys: &[&str]) -> Run {
    let point = format!("{}@{archive}", store.display());
    Run::of(Command::new(highwater()).arg("restore").arg(point).arg(target).args(keys))
}

#[test]
fn a_blob_that_does_not_open_is_damage_though_its_manifest_agrees() {
    let mut score = Score::part(LINE, "a_blob_that_does_not_open_is_damage_though_its_manifest_agrees");
    let sample = Sample::made();
    let key = sample.key();
    let file = sample.truth("key.json");
    let keyed = ["--keyfile", file.to_str().expect("text")];
    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let (plain, sealed) = ("qemu-server.conf.blob", "pct.conf.blob");
    let of = |snapshot: &str, name: &str| fs::read(sample.store().join(snapshot).join(name)).expect("a blob");
    let (open, shut) = (of(PLAIN, plain), of(SEALED, sealed));
    let cases: Vec<(&str, &str, &str, Vec<u8>, &str)> = vec![
        ("a wrong checksum", PLAIN, plain, flipped(&open, 9), "encoding"),
        ("no magic number", PLAIN, plain, flipped(&open, 0), "encoding"),
        ("nothing", PLAIN, plain, Vec::new(), "length"),
        ("half a header", PLAIN, plain, open[..7].to_vec(), "length"),
        ("a torn end", PLAIN, plain, open[..open.len() - 1].to_vec(), "encoding"),
        ("one that is encrypted", PLAIN, plain, shut.clone(), "encoding"),
        ("text", PLAIN, plain, b"just a text that is no blob".to_vec(), "encoding"),
        ("a wrong tag", SEALED, sealed, flipped(&shut, 30), "encoding"),
        ("a wrong vector", SEALED, sealed, flipped(&shut, 13), "encoding"),
        ("one that is not encrypted", SEALED, sealed, encode_blob(b"plain", &[0; 9], None), "length"),
        ("a longer one that is not", SEALED, sealed, encode_blob(&[7; 90], &[0; 99], None), "encoding"),
    ];
    for (what, snapshot, name, bytes, word) in cases {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let store = fixture.path().join("store");
        copy(&sample.store(), &store);
        let keys: &[&str] = if snapshot == SEALED { &keyed } else { &[] };
        replace(&store.join(snapshot), name, &bytes, (snapshot == SEALED).then_some(&key));
        let (code, found) = report(&store, keys);
        let damaged = by_verdict(&found).get("damaged").cloned().unwrap_or_default();
        let restored = restore(&store, &format!("{snapshot}/{name}"), &fixture.path().join("out"), keys);
        let told = found["tallies"].get(word).is_some();
        if code != 1 || !told || !damaged.iter().eq([snapshot]) || restored.code != 1 {
            score.fail(format!("{what}: verify {code}, restore {}: {:#}", restored.code, found["findings"]));
        }
        score.ran(2);
    }
    score.end();
}

/// An encrypted blob whose bytes are those of the manifest says nothing to somebody without its key.
#[test]
fn an_encrypted_blob_without_its_key_is_not_sound() {
    let mut score = Score::part(LINE, "an_encrypted_blob_without_its_key_is_not_sound");
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let store = fixture.path().join("store");
    copy(&sample.store(), &store);
    let folder = store.join(SEALED);
    let mut manifest = read(&folder);
    manifest["files"].as_array_mut().expect("a list").retain(|file| file["filename"] == "pct.conf.blob");
    sign(&mut manifest, &sample.key());
    write(&folder, &manifest);
    let point = PathBuf::from(format!("{}@{SEALED}", store.display()));
    let file = sample.truth("key.json");
    let keyed = ["--keyfile", file.to_str().expect("text")];
    let ((without, found), (with, _)) = (report(&point, &[]), report(&point, &keyed));
    assert_eq!((without, &found["tallies"]["unverifiable"], with), (3, &1.into(), 0), "{found:#}");
    restore(&store, &format!("{SEALED}/pct.conf.blob"), &fixture.path().join("out"), &[]).expect(3);
    restore(&store, &format!("{SEALED}/pct.conf.blob"), &fixture.path().join("out"), &keyed).expect(0);
    score.ran(4);
    score.end();
}

/// Manifests that name what cannot be there, or what is there once twice; each was sound, or skipped.
#[test]
fn a_file_under_an_impossible_name_or_named_twice_is_damage() {
    let mut score = Score::part(LINE, "a_file_under_an_impossible_name_or_named_twice_is_damage");
    let sample = Sample::made();
    let entry = |name: &str| json!({ "filename": name, "crypt-mode": "none", "size": 20, "csum": "0".repeat(64) });
    let long = format!("{}.blob", "x".repeat(300));
    let first = |manifest: &Value| manifest["files"][0].clone();
    type Change<'a> = Box<dyn Fn(&mut Vec<Value>, &Value) + 'a>;
    let push = |entry: Value| -> Change<'_> { Box::new(move |files, _| files.push(entry.clone())) };
    let cases: Vec<(&str, Change<'_>)> = vec![
        ("a NUL in it", push(entry("a\0b.blob"))),
        ("too long", push(entry(&long))),
        ("of a path", push(entry("../../x.blob"))),
        ("of the manifest itself", push(entry("index.json.blob"))),
        ("without a kind", push(entry("x"))),
        ("twice", Box::new(|files, manifest| files.push(first(manifest)))),
        (
            "twice with another sum",
            Box::new(|files, manifest| {
                let mut again = first(manifest);
                again["csum"] = "1".repeat(64).into();
                files.push(again);
            }),
        ),
        ("no file at all", Box::new(|files, _| files.clear())),
    ];
    for (what, change) in cases {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        copy(&sample.store(), fixture.path());
        let folder = fixture.path().join(PLAIN);
        let before = read(&folder);
        let mut manifest = before.clone();
        change(manifest["files"].as_array_mut().expect("a list"), &before);
        write(&folder, &manifest);
        for depth in ["list", "digest"] {
            let (code, found) = report(fixture.path(), &["--depth", depth]);
            let damaged = by_verdict(&found).get("damaged").cloned().unwrap_or_default();
            if code != 1 || !damaged.iter().eq([PLAIN]) {
                score.fail(format!("{what}, depth {depth}: {code}, {:#}", found["findings"]));
            }
            score.ran(1);
        }
    }
    score.end();
}

/// A short name that two files have names neither, and never both at once.
#[test]
fn a_short_name_that_two_archives_have_is_refused_with_both_names() {
    let mut score = Score::part(LINE, "a_short_name_that_two_archives_have_is_refused_with_both_names");
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let store = fixture.path().join("store");
    copy(&sample.store(), &store);
    let folder = store.join(PLAIN);
    let mut manifest = read(&folder);
    let blob = encode_blob(b"not the image", &[0; 20], None);
    fs::write(folder.join("drive-scsi0.img.blob"), &blob).expect("it is written");
    let entry = json!({ "filename": "drive-scsi0.img.blob", "size": blob.len(), "csum": sha256_of(&blob).to_string() });
    manifest["files"].as_array_mut().expect("a list").push(entry);
    write(&folder, &manifest);
    let target = fixture.path().join("out");
    assert_eq!(report(&store.join("."), &["--depth", "list"]).0, 0);
    let both = restore(&store, &format!("{PLAIN}/drive-scsi0.img"), &target, &[]);
    assert_ne!(both.code, 0, "{}", both.account());
    both.says("drive-scsi0.img.fidx, drive-scsi0.img.blob");
    assert!(!target.exists());
    restore(&store, &format!("{PLAIN}/drive-scsi0.img.blob"), &target, &[]).expect(0);
    assert_eq!(fs::read(&target).expect("a file"), b"not the image");
    restore(&store, &format!("{PLAIN}/drive-scsi0.img.fidx"), &target, &["--full"]).expect(0);
    score.ran(3);
    score.end();
}
