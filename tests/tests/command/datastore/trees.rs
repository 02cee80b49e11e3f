//! What `show` says of an archived tree is what a reader of its own finds in it.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::python;
use highwater_tests::run::Run;
use highwater_tests::specimens::lay;
use highwater_tests::trees::{SNAPSHOT, archive, sample, store};
use serde_json::{Value, json};

fn run(words: &[&str]) -> Run {
    Run::of(Command::new(highwater()).args(words))
}

/// An entry as the other reader has it.
fn entry(shown: &Value) -> Value {
    let what = match shown["type"].as_str().expect("a word") {
        "file" => shown["size"].clone(),
        "link" | "hardlink" => shown["target"].clone(),
        "block" | "character" => json!([shown["major"], shown["minor"]]),
        _ => Value::Null,
    };
    let mode = shown["mode"].as_str().map(|mode| i64::from_str_radix(mode, 8).expect("octal digits"));
    json!([shown["path"], shown["type"], mode, shown["uid"], shown["gid"], shown["modified"], what])
}

#[test]
fn every_tree_is_listed_as_another_reader_lists_it() {
    let mut listed = 0;
    for sample in Sample::all() {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let key = sample.truth("key.json");
        let key = key.to_str().expect("text");
        let trees =
            sample.sums().into_iter().filter(|(name, _)| name.ends_with("pxar.didx") && !name.contains(".ppxar"));
        for (name, _) in trees {
            let named = format!("{}@{}", sample.store().display(), name.strip_suffix(".didx").expect("an index"));
            let whole = fixture.path().join("archive");
            run(&["restore", "--keyfile", key, &format!("{named}.didx"), whole.to_str().expect("text")]).expect(0);
            let wanted = Run::of(python::command("pxar.py").arg("list").arg(&whole)).expect(0).text();
            let wanted: Vec<Value> = serde_json::from_str(&wanted).expect("a list");
            let shown = run(&["show", "--json", "--keyfile", key, &named]).expect(0).text();
            let shown: Value = serde_json::from_str(&shown).expect("JSON");
            let entries: Vec<Value> = shown["entries"].as_array().expect("a list").iter().map(entry).collect();
            assert!(entries == wanted && entries.len() > 1, "{name}: {shown:#} {wanted:?}");
            let table = run(&["show", "--keyfile", key, &named]).expect(0).text();
            assert_eq!(table.lines().count(), entries.len() + 1, "{table}");
            let chunks = run(&["show", "--chunks", &named]);
            chunks.expect(0).prints(" bytes from ").prints(".chunks/");
            if name.starts_with("ns/team/ns/a/") {
                run(&["show", &named]).expect(3).says("its key is ").says("--chunks shows which chunks");
            }
            fs::remove_file(&whole).expect("it is removed");
            listed += 1;
        }
    }
    assert!(listed >= 6, "{listed} trees");
}

#[test]
fn a_tree_of_everything_is_printed_a_line_an_entry_and_what_is_wrong_with_one_is_said() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let root = fixture.path().join("store");
    let named = format!("{}@{SNAPSHOT}/root.pxar", root.display());
    let mut made = archive(&sample(), false, false);
    lay(&store(&[("root.pxar.didx", &made.tree)], 100), &root);
    let shown = run(&["show", &named]);
    shown.expect(0);
    for line in [
        "d 0755   1000:1000                 2025-06-16T15:06:40Z  .\n",
        "- 0644   1000:1000               3 2025-06-16T15:06:40Z  folder/one\n",
        "  link -> folder/one\n",
        "h                                                        hard -> folder/one\n",
    ] {
        shown.prints(line);
    }
    // What comes before a fault is shown all the same.
    let (free, _) = made.free.last().expect("the last file").clone();
    made.tree[free.start - 16] ^= 1;
    lay(&store(&[("root.pxar.didx", &made.tree)], 100), &root);
    run(&["show", &named]).expect(1).prints("socket\n").says("of the archive in").says("unknown type");
    run(&["verify", "--depth", "digest", root.to_str().expect("text")]).expect(0);
    let deep = run(&["verify", "--depth", "deep", root.to_str().expect("text")]);
    deep.expect(1)
        .prints("HW121 record")
        .prints(&format!("byte {} of the archive: an item has the unknown type", free.start - 16));
    deep.prints("Its chunks hold what was written");
}

#[test]
fn a_damaged_chunk_of_a_tree_is_named() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let root = fixture.path().join("store");
    copy(&Sample::made().store(), &root);
    let named = format!("{}@ct/200/latest/root.pxar", root.display());
    let chunks = run(&["show", "--chunks", &named]).expect(0).text();
    let first = chunks.lines().nth(1).and_then(|line| line.split_whitespace().last()).expect("a chunk");
    let path = root.join(Path::new(first));
    let mut bytes = fs::read(&path).expect("a chunk");
    bytes[20] ^= 1;
    fs::write(&path, bytes).expect("it is written");
    run(&["show", &named]).expect(1).says(first);
}
