//! What no snapshot needs is listed, nothing that one needs, and nothing at all on a guess.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::run::Run;
use serde_json::Value;

fn strays(store: &Path, code: i32) -> Value {
    let run = Run::of(Command::new(highwater()).arg("strays").arg(store).arg("--json"));
    serde_json::from_str(&run.expect(code).text()).expect("JSON")
}

/// The names of the strays, with what they are.
fn named(found: &Value) -> Vec<(String, String)> {
    let text = |stray: &Value, key: &str| stray[key].as_str().expect("text").to_owned();
    found["strays"].as_array().expect("a list").iter().map(|stray| (text(stray, "name"), text(stray, "what"))).collect()
}

#[test]
fn what_no_snapshot_needs_is_listed() {
    for sample in Sample::all() {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let store = fixture.path();
        copy(&sample.store(), store);
        let clean = strays(store, 0);
        let chunks = sample.image().keys().filter(|name| name.starts_with(".chunks/")).count();
        assert_eq!((named(&clean), &clean["referenced"]), (Vec::new(), &chunks.into()));
        // A chunk that two groups share is needed as long as one of them is there; the ones of a snapshot alone are
        // not.
        fs::remove_dir_all(store.join("ct/200")).expect("it is removed");
        let less = strays(store, 0);
        assert!(named(&less).iter().all(|(_, what)| what == "unreferenced"), "{less:#}");
        let gone = named(&less).len();
        assert!(gone > 0 && less["referenced"] == chunks - gone, "{less:#}");
        let folder = store.join(".chunks/0000");
        fs::create_dir_all(&folder).expect("a folder");
        let bad = format!("{}.0.bad", "0".repeat(64));
        fs::write(folder.join(&bad), "bad").expect("it is written");
        fs::write(folder.join("tmp"), "half").expect("it is written");
        let more = strays(store, 0);
        let wanted = [(format!(".chunks/0000/{bad}"), "set aside"), (".chunks/0000/tmp".to_owned(), "no chunk")];
        assert_eq!(named(&more)[..2], wanted.map(|(name, what)| (name, what.to_owned())));
        assert_eq!((named(&more).len(), &more["strays"][1]["bytes"]), (gone + 2, &4.into()));
        // An index that nobody can read may name any of them.
        fs::write(store.join("host/beta/2025-06-16T15:09:40Z/root.pxar.didx"), "torn").expect("it is written");
        let unsure = strays(store, 3);
        assert_eq!((named(&unsure).len(), unsure["doubts"].as_array().map(Vec::len)), (2, Some(1)), "{unsure:#}");
    }
}
