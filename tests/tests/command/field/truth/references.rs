//! Every index below the root counts as a reference, wherever it lies: the rule of a server's garbage collection.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::run::Run;
use highwater_tests::score::Score;
use serde_json::Value;

use super::LINE;
use super::manifests::{read, write};

fn strays(store: &Path, code: i32) -> Value {
    let run = Run::of(Command::new(highwater()).arg("strays").arg(store).arg("--json"));
    serde_json::from_str(&run.expect(code).text()).expect("JSON")
}

#[test]
fn chunks_that_an_index_names_anywhere_are_not_called_unreferenced() {
    let mut score = Score::part(LINE, "chunks_that_an_index_names_anywhere_are_not_called_unreferenced");
    let sample = Sample::made();
    let all = strays(&sample.store(), 0)["referenced"].clone();
    let deep = "ns/a/ns/b/ns/c/ns/d/ns/e/ns/f/ns/g/ns/h/vm/101";
    let moved = |to: &'static str| {
        move |store: &Path| {
            let to = store.join(to);
            fs::create_dir_all(to.parent().expect("a folder")).expect("it is made");
            fs::rename(store.join("vm/101"), to).expect("it is renamed");
        }
    };
    let dropped = |store: &Path| {
        let folder = store.join("ct/200/2025-06-16T15:08:40Z");
        let mut manifest = read(&folder);
        manifest["files"].as_array_mut().expect("a list").retain(|file| file["filename"] != "root.pxar.didx");
        write(&folder, &manifest);
    };
    let unfinished = |store: &Path| {
        fs::remove_file(store.join("vm/101/2025-06-16T15:07:40Z/index.json.blob")).expect("it is removed");
    };
    let loose = |store: &Path| {
        let from = store.join("vm/101/2025-06-16T15:07:40Z/drive-virtio0.img.fidx");
        fs::rename(from, store.join("kept.fidx")).expect("it is renamed");
    };
    type Change<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Change<'_>); 9] = [
        ("a moved group", &moved("vm/555")),
        ("one beside the types", &moved("old/101")),
        ("one in a hidden folder", &moved(".old/vm/101")),
        ("a type that is none", &moved("VM/101")),
        ("a namespace too deep", &moved(deep)),
        ("a namespace without a name", &moved("ns/no name/vm/101")),
        ("an index that no manifest names", &dropped),
        ("a snapshot without a manifest", &unfinished),
        ("an index alone", &loose),
    ];
    for (what, change) in cases {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        copy(&sample.store(), fixture.path());
        change(fixture.path());
        let found = strays(fixture.path(), 0);
        if found["referenced"] != all || found["strays"].as_array().is_none_or(|strays| !strays.is_empty()) {
            score.fail(format!("{what}: {found:#}"));
        }
        score.ran(1);
    }
    score.end();
}

/// Nobody knows what an index names that cannot be read, wherever it lies; and what is gone is gone.
#[test]
fn an_index_that_cannot_be_read_leaves_chunks_in_doubt_wherever_it_lies() {
    let mut score = Score::part(LINE, "an_index_that_cannot_be_read_leaves_chunks_in_doubt_wherever_it_lies");
    let sample = Sample::made();
    for place in ["vm/101/x.fidx", ".old/x.didx", "kept.fidx", "vm/101/2025-06-16T15:07:40Z/x.fidx"] {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        copy(&sample.store(), fixture.path());
        let path = fixture.path().join(place);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        fs::write(&path, "torn").expect("it is written");
        fs::remove_dir_all(fixture.path().join("ct/200")).expect("it is removed");
        let unsure = strays(fixture.path(), 3);
        let doubts = unsure["doubts"].as_array().map(Vec::len);
        if doubts != Some(1) || unsure["strays"].as_array().is_none_or(|strays| !strays.is_empty()) {
            score.fail(format!("{place}: {unsure:#}"));
        }
        fs::remove_file(&path).expect("it is removed");
        let sure = strays(fixture.path(), 0);
        if sure["strays"].as_array().is_none_or(Vec::is_empty) {
            score.fail(format!("{place} is gone: {sure:#}"));
        }
        score.ran(2);
    }
    score.end();
}
