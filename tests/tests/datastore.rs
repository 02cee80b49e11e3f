//! Datastores that a real server wrote, and 43 damages: what is found, whom it hurts, and that everything sound restores.
//!
//! The store, its truth and what the server's own verification says lie outside of this repository, in `../shared/fixtures/pbs`. Where they
//! are not, these tests say so and check nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use highwater_core::digest::{Algorithm, Hasher};
use highwater_tests::binary::highwater;
use highwater_tests::run::Run;
use serde_json::Value;

/// The folder with the real store; none when it is not there.
fn fixture() -> Option<PathBuf> {
    let beside = |folder: &Path| Some(folder.join("shared/fixtures/pbs")).filter(|at| at.join("cases.json").is_file());
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(beside);
    if found.is_none() {
        let what = "NOT RUN: there is no shared/fixtures/pbs beside the checkout; nothing was checked against a real datastore\n";
        std::io::stderr().write_all(what.as_bytes()).expect("it is said");
    }
    found
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

/// A copy that can be written to.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copy");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o644)).expect("its mode");
        }
    }
}

/// Does what a case of the fixture says to a copy of the store.
fn damage(store: &Path, ops: &Value) {
    for op in ops.as_array().expect("a list") {
        let path = store.join(op["path"].as_str().expect("a path"));
        let number = |value: &Value| usize::try_from(value.as_u64().expect("a number")).expect("it fits");
        match op["op"].as_str().expect("a word") {
            "patch" => {
                let mut bytes = fs::read(&path).expect("a file");
                for patch in op["bytes"].as_array().expect("a list") {
                    bytes[number(&patch[0])] = u8::try_from(number(&patch[1])).expect("a byte");
                }
                fs::write(&path, bytes).expect("it is written");
            }
            "truncate" => {
                let file = fs::OpenOptions::new().write(true).open(&path).expect("a file");
                let length = &op["size"];
                file.set_len(number(length) as u64).expect("it is cut");
            }
            "append" => {
                let mut bytes = fs::read(&path).expect("a file");
                bytes.extend(decoded(op));
                fs::write(&path, bytes).expect("it is written");
            }
            "write" => fs::write(&path, decoded(op)).expect("it is written"),
            "delete" => fs::remove_file(&path).expect("it is removed"),
            other => panic!("what is {other}?"),
        }
    }
}

fn decoded(op: &Value) -> Vec<u8> {
    use base64::Engine;
    let text = op["base64"].as_str().expect("base64");
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

/// The command's report on a store.
fn report(store: &Path, more: &[&str]) -> (i32, Value) {
    let run = Run::of(std::process::Command::new(highwater()).arg("verify").arg(store).arg("--json").args(more));
    let report = serde_json::from_str(&run.text()).unwrap_or_else(|_| panic!("no report: {}", run.account()));
    (run.code, report)
}

/// The snapshots of a report by their verdict.
fn by_verdict(report: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for set in report["sets"].as_array().expect("a list") {
        let text = |key: &str| set[key].as_str().expect("a text").to_owned();
        found.entry(text("verdict")).or_default().insert(text("name"));
    }
    found
}

/// What is found beyond the reference, which does not look there; none where nothing can know, or nothing is wrong.
fn beyond(case: &str) -> Option<(&'static str, &'static str)> {
    Some(match case {
        "fidx_reserved_flip" => ("odd-index", "warning"),
        "client_log_flip" => ("encoding", "damage"),
        "manifest_extra_file_on_disk" | "signed_manifest_file_dropped" => ("stray", "warning"),
        "manifest_missing" => ("unfinished", "inconclusive"),
        _ => return None,
    })
}

#[test]
fn each_damage_hurts_the_snapshots_that_it_hurts_and_no_other() {
    let Some(fixture) = fixture() else { return };
    let (_, clean) = report(&fixture.join("store"), &[]);
    let sealed = by_verdict(&clean)["inconclusive"].clone();
    assert_eq!((by_verdict(&clean)["sound"].len(), sealed.len()), (6, 2), "{clean:#}");
    each_damage(&fixture, "reference", &sealed, &[]);
}

#[test]
fn with_the_key_damage_of_what_is_encrypted_or_signed_is_found_too() {
    let Some(fixture) = fixture() else { return };
    let key = fixture.join("truth/key.json");
    let key = ["--keyfile", key.to_str().expect("text")];
    let (code, clean) = report(&fixture.join("store"), &key);
    assert_eq!((code, by_verdict(&clean)["sound"].len()), (0, 8), "{clean:#}");
    each_damage(&fixture, "reference_with_key", &BTreeSet::new(), &key);
}

/// Does every damage of the fixture and compares whom it hurts with the reference; `sealed` are inconclusive anyhow.
fn each_damage(fixture: &Path, reference: &str, sealed: &BTreeSet<String>, more: &[&str]) {
    let ground = tempfile::tempdir().expect("a scratch folder");
    let cases = json(&fixture.join("cases.json"));
    let cases = cases.as_array().expect("a list");
    assert_eq!(cases.len(), 43);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let store = ground.path().join(name);
        copy(&fixture.join("store"), &store);
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
}

#[test]
fn every_archive_restores_to_the_truth_and_encrypted_ones_with_any_kind_of_key_file() {
    let Some(fixture) = fixture() else { return };
    let ground = tempfile::tempdir().expect("a scratch folder");
    let passphrase = ground.path().join("passphrase");
    fs::write(&passphrase, "correct horse\n").expect("it is written");
    let truth = fixture.join("truth");
    let target = ground.path().join("restored");
    let restore = |point: &str, key: Option<&str>| {
        let mut command = std::process::Command::new(highwater());
        command.arg("restore").arg(format!("{}@{point}", fixture.join("store").display())).arg(&target);
        if let Some(key) = key {
            command.arg("--keyfile").arg(truth.join(key)).arg("--passphrase-file").arg(&passphrase);
        }
        Run::of(&mut command)
    };
    let mut restored = 0;
    for (point, sum) in sums(&truth, &truth) {
        if point.ends_with(".blob") {
            restore(&point, None).expect(2).says("is a blob");
            continue;
        }
        let sealed = point.contains("ns/team/ns/a/");
        if sealed {
            restore(&point, None).expect(3).says("encrypted");
            assert!(!target.exists());
        }
        let keys =
            if sealed { &[Some("key.json"), Some("key-scrypt.json"), Some("key-pbkdf2.json")][..] } else { &[None] };
        for key in keys {
            restore(&point, *key).expect(0);
            let mut hasher = Hasher::new(Algorithm::Sha256);
            hasher.update(&fs::read(&target).expect("a file"));
            assert_eq!(hasher.finish().to_string(), sum, "{point}");
            fs::remove_file(&target).expect("it is removed");
            restored += 1;
        }
    }
    assert!(restored >= 12, "{restored} archives");
    fs::write(&passphrase, "wrong horse\n").expect("it is written");
    let point = "ns/team/ns/a/vm/300/2025-06-16T15:11:40Z/drive-scsi0.img";
    restore(point, Some("key-scrypt.json")).expect(2).says("the passphrase is wrong");
}

/// The checksums of all archives, by point.
fn sums(folder: &Path, truth: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sums(&path, truth));
        } else if path.extension().is_some_and(|extension| extension == "sha256") {
            let point = path.with_extension("");
            let point = point.strip_prefix(truth).expect("below it").to_str().expect("text").to_owned();
            found.push((point, fs::read_to_string(&path).expect("a checksum").trim().to_owned()));
        }
    }
    found.sort();
    found
}

#[test]
fn another_key_opens_nothing_and_calls_nothing_damaged() {
    let Some(fixture) = fixture() else { return };
    let ground = tempfile::tempdir().expect("a scratch folder");
    let other = ground.path().join("other.json");
    fs::write(&other, r#"{"kdf":null,"data":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#).expect("it is written");
    let (code, report) = report(&fixture.join("store"), &["--keyfile", other.to_str().expect("text")]);
    assert_eq!((code, by_verdict(&report)["inconclusive"].len()), (3, 2), "{report:#}");
    let codes = report["tallies"].as_object().map(|found| found.keys().cloned().collect::<Vec<_>>());
    assert_eq!(codes, Some(vec!["unverifiable".to_owned()]));
}

#[test]
fn one_archive_alone_is_verified_and_another_is_named_when_there_is_none() {
    let Some(fixture) = fixture() else { return };
    let store = fixture.join("store");
    let of = |point: &str| PathBuf::from(format!("{}@{point}", store.display()));
    let (code, one) = report(&of("vm/100/2025-06-16T15:06:40Z/drive-scsi0.img"), &[]);
    assert_eq!((code, &one["verdict"], &one["coverage"]["claims"]), (0, &"sound".into(), &14.into()), "{one:#}");
    let (code, one) = report(&of("vm/100/2025-06-16T15:06:40Z"), &["--depth", "size"]);
    assert_eq!((code, &one["verdict"], one["sets"].as_array().map(Vec::len)), (0, &"sound".into(), Some(1)), "{one:#}");
    let (code, none) = report(&of("vm/100/2025-06-16T15:06:40Z/drive-scsi1.img"), &[]);
    assert_eq!((code, &none["findings"][0]["name"]), (1, &"missing".into()), "{none:#}");
    let odd = Run::of(std::process::Command::new(highwater()).arg("verify").arg(of("vm/100")));
    odd.expect(2).says("'vm/100' is no snapshot");
    let several = Run::of(
        std::process::Command::new(highwater()).arg("restore").arg(of("vm/100/2025-06-16T15:06:40Z")).arg("never-made"),
    );
    several.expect(2).says("name one after it");
}

#[test]
fn an_index_that_agrees_with_itself_must_agree_with_the_manifest() {
    let Some(fixture) = fixture() else { return };
    let ground = tempfile::tempdir().expect("a scratch folder");
    copy(&fixture.join("store"), ground.path());
    let snapshot = "vm/100/2025-06-16T15:06:40Z";
    let path = ground.path().join(snapshot).join("drive-scsi0.img.fidx");
    let mut index = fs::read(&path).expect("an index");
    let (first, second) = index[4096..].split_at_mut(32);
    assert_ne!(first, &second[..32]);
    first.swap_with_slice(&mut second[..32]);
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(&index[4096..]);
    index[32..64].copy_from_slice(hasher.finish().as_bytes());
    fs::write(&path, index).expect("it is written");
    let (code, report) = report(ground.path(), &[]);
    assert_eq!((code, &report["tallies"]["digest"]), (1, &1.into()), "{report:#}");
    assert_eq!(by_verdict(&report)["damaged"], BTreeSet::from([snapshot.to_owned()]));
}

#[test]
fn nothing_is_written_into_a_store() {
    let Some(fixture) = fixture() else { return };
    let ground = tempfile::tempdir().expect("a scratch folder");
    let store = ground.path().join("store");
    copy(&fixture.join("store"), &store);
    let listed = || {
        let found = Run::of(std::process::Command::new("find").arg(&store).args(["-printf", "%P %s %m %T@ %C@\\n"]));
        found.expect(0).text()
    };
    let before = listed();
    let source = ground.path().join("Data.fs");
    fs::write(&source, "any").expect("it is written");
    let run = |arguments: &[&Path]| Run::of(std::process::Command::new(highwater()).args(arguments));
    run(&[Path::new("backup"), &source, &store]).expect(2).says("nothing can be backed up into one yet");
    run(&[Path::new("mark"), &store]).expect(2).says("without marks");
    run(&[Path::new("verify"), &store]).expect(3);
    run(&[Path::new("list"), &store]).expect(0);
    assert_eq!(listed(), before);
}
