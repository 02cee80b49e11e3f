//! A snapshot whose folder a copier or a hand renamed is named with its right name, and nothing of it is called of no
//! use.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy, report};
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;

const SNAPSHOT: &str = "vm/101/2025-06-16T15:07:40Z";

/// The report of `highwater strays`.
fn strays(store: &Path) -> Value {
    let run = Run::of(Command::new(highwater()).arg("strays").arg(store).arg("--json"));
    serde_json::from_str(&run.expect(0).text()).expect("JSON")
}

#[test]
fn a_snapshot_under_a_name_that_nothing_reads_is_named_with_its_right_one() {
    let mut score = Score::part(LINE, "a_snapshot_under_a_name_that_nothing_reads_is_named_with_its_right_one");
    let sample = Sample::made();
    for name in [
        "vm/101/2025-06-16T15_07_40Z",
        "vm/101/2025-06-16T15\u{ff1a}07\u{ff1a}40Z",
        "vm/101/2025-06-16T15\u{f03a}07\u{f03a}40Z",
        "vm/101/2025-06-16T15%3A07%3A40Z",
        "vm/101/2025-06-16t15:07:40z",
        "vm/101/2025-06-16T15:07:40",
        "vm/101/2025-06-16T15:07:40Z (1)",
        "vm/101/kept",
        "VM/101/2025-06-16T15:07:40Z",
        "vm/no group/2025-06-16T15:07:40Z",
        "old/vm/101/2025-06-16T15:07:40Z",
        "vm/100/2025-06-16T15:06:40Z/2025-06-16T15:07:40Z",
    ] {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let store = fixture.path();
        copy(&sample.store(), store);
        let (from, to) = (store.join(SNAPSHOT), store.join(name));
        fs::create_dir_all(to.parent().expect("a folder")).expect("it is made");
        fs::rename(&from, &to).expect("it is renamed");
        let (code, found) = report(store, &["--depth", "list"]);
        let wanted = format!("its name should be {SNAPSHOT}");
        let named = found["findings"].as_array().expect("a list").iter().any(|finding| {
            let told = finding["message"].as_str().is_some_and(|message| message.contains(&wanted));
            finding["code"] == "HW207" && told && finding["object"].as_str() == Some(&printed(name))
        });
        let away = found.to_string().contains("move it away");
        if code != 3 || !named || away {
            score.fail(format!("{name}: {code}, {:#}", found["findings"]));
        }
        let told = strays(store);
        if told["strays"].as_array().is_none_or(|strays| !strays.is_empty()) {
            score.fail(format!("{name}: strays {told:#}"));
        }
        // What the message says, helps.
        fs::create_dir_all(from.parent().expect("a folder")).expect("it is made");
        fs::rename(&to, &from).expect("it is renamed");
        let (code, found) = report(store, &["--depth", "list"]);
        if code != 0 {
            score.fail(format!("{name}, and back: {code}, {:#}", found["findings"]));
        }
        score.ran(3);
    }
    score.end();
}

fn printed(name: &str) -> String {
    highwater_core::name::printable(name.as_bytes())
}

/// Where a manifest cannot be read, the name of the folder tells; a copy beside the snapshot itself is a stray.
#[test]
fn a_broken_manifest_and_a_copy_beside_it_are_told_apart() {
    let mut score = Score::part(LINE, "a_broken_manifest_and_a_copy_beside_it_are_told_apart");
    let sample = Sample::made();
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let store = fixture.path();
    copy(&sample.store(), store);
    copy(&store.join(SNAPSHOT), &store.join("vm/101/copy of it"));
    let (code, found) = report(store, &["--depth", "list"]);
    let message = found["findings"][0]["message"].as_str().expect("a text");
    assert_eq!((code, message), (0, format!("it is a copy of {SNAPSHOT}, which is there").as_str()), "{found:#}");
    fs::remove_dir_all(store.join("vm/101/copy of it")).expect("it is removed");
    let to = store.join("vm/101/2025-06-16T15_07_40Z");
    fs::rename(store.join(SNAPSHOT), &to).expect("it is renamed");
    fs::write(to.join("index.json.blob"), "torn").expect("it is written");
    let (code, found) = report(store, &["--depth", "list"]);
    let message = found["findings"][0]["message"].as_str().expect("a text");
    assert_eq!((code, message.contains(SNAPSHOT)), (3, true), "{found:#}");
    // Without a manifest, its indices still say that somebody may need it.
    fs::remove_file(to.join("index.json.blob")).expect("it is removed");
    let (code, found) = report(store, &["--depth", "list"]);
    assert_eq!((code, &found["findings"][0]["code"]), (3, &"HW205".into()), "{found:#}");
    score.ran(3);
    score.end();
}
