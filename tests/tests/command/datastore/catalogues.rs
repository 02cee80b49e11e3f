//! What `show` says of a catalogue is what a reader of its own finds in it, and no restore makes a tree of one.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_core::digest::sha256_of;
use highwater_tests::binary::highwater;
use highwater_tests::catalogues::samples;
use highwater_tests::datastore::{Sample, copy};
use highwater_tests::python;
use highwater_tests::run::Run;
use highwater_tests::specimens::lay;
use highwater_tests::trees::{SNAPSHOT, store};
use serde_json::{Value, json};

fn run(words: &[&str]) -> Run {
    Run::of(Command::new(highwater()).args(words))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// The entries of a catalogue, or of a path in it, as the other reader has them.
fn shown(named: &str) -> Vec<Value> {
    let shown: Value = serde_json::from_str(&run(&["show", "--json", named]).expect(0).text()).expect("JSON");
    let entry = |entry: &Value| json!([entry["path"], entry["type"], entry["size"], entry["modified"]]);
    shown["entries"].as_array().expect("a list").iter().map(entry).collect()
}

#[test]
fn every_catalogue_is_listed_as_another_reader_lists_it_and_comes_back_as_its_bytes_alone() {
    let mut listed = 0;
    for sample in Sample::all() {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let at = |name: &str| fixture.path().join(name);
        for (name, sum) in sample.sums().into_iter().filter(|(name, _)| name.ends_with(".pcat1.didx")) {
            let index = format!("{}@{name}", sample.store().display());
            let named = index.strip_suffix(".didx").expect("an index");
            run(&["restore", &index, text(&at("bytes"))]).expect(0);
            let bytes = fs::read(at("bytes")).expect("a file");
            assert_eq!(sha256_of(&bytes).to_string(), sum);
            assert_eq!(run(&["restore", named, "-"]).expect(0).stdout, bytes);
            for more in ["", "/root.pxar.didx"] {
                run(&["restore", &format!("{named}{more}"), text(&at("tree"))])
                    .expect(4)
                    .says("is a catalogue, which says what is in the trees of a snapshot")
                    .says("catalog.pcat1.didx stands for its own bytes")
                    .one_line();
                assert!(!at("tree").exists());
            }
            let wanted = Run::of(python::command("pcat1.py").arg("list").arg(at("bytes"))).expect(0).text();
            let wanted: Vec<Value> = serde_json::from_str(&wanted).expect("a list");
            assert!(shown(named) == wanted && wanted.len() > 5, "{name}: {wanted:?}");
            let table = run(&["show", named]).expect(0).text();
            assert_eq!(table.lines().count(), wanted.len() + 1, "{table}");
            // Each entry with what lies below it.
            for entry in &wanted {
                let path = entry[0].as_str().expect("a path");
                let below = |entry: &&Value| {
                    let rest = entry[0].as_str().and_then(|one| one.strip_prefix(path));
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                let wanted: Vec<Value> = wanted.iter().filter(below).cloned().collect();
                assert_eq!(shown(&format!("{named}/{path}")), wanted, "{path}");
            }
            run(&["show", "--chunks", named]).expect(0).prints(" bytes from ").prints(".chunks/");
            fs::remove_file(at("bytes")).expect("it is removed");
            listed += 1;
        }
        run(&["verify", "--depth", "deep", "--keyfile", text(&sample.truth("key.json")), text(&sample.store())])
            .expect(0);
    }
    assert!(listed > 0, "no catalogue");
}

#[test]
fn a_catalogue_of_everything_is_printed_a_line_an_entry_and_what_is_wrong_with_one_is_said() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let root = fixture.path().join("store");
    let named = format!("{}@{SNAPSHOT}/catalog.pcat1", root.display());
    let [_, mut made] = samples();
    lay(&store(&[("catalog.pcat1.didx", &made.bytes)], 30), &root);
    let whole = run(&["show", &named]);
    whole.expect(0);
    for line in [
        "d                                       a.pxar.didx\n",
        "-               3 2025-06-16T15:06:40Z  a.pxar.didx/folder/one\n",
        " 1969-12-31T23:59:59Z  a.pxar.didx/all\n",
        "l                                       a.pxar.didx/link\n",
        "h                                       a.pxar.didx/hard\n",
        "d                                       b.pxar.didx\n",
        "s                                       c.mpxar.didx/deep/deeper/socket\n",
    ] {
        whole.prints(line);
    }
    assert_eq!(whole.text().lines().count(), made.listed.len() + 1);
    let stamped: Value =
        serde_json::from_str(&run(&["show", "--json", "--stamp", &named]).expect(0).text()).expect("JSON");
    assert_eq!(stamped["entries"].as_array().map(Vec::len), Some(made.listed.len()));
    assert_eq!(stamped["origins"][0]["paths"], json!([named]));
    let part = run(&["show", &format!("{named}/c.mpxar.didx/deep/deeper/folder/")]).expect(0).text();
    assert_eq!(part.lines().count(), 5, "{part}");
    for (path, code, says) in [
        ("nothing", 4, "there is no 'nothing' in"),
        ("a.pxar.didx/link/more", 4, "there is no"),
        ("../a.pxar.didx", 2, "is no path in a tree"),
        ("a.pxar.didx//one", 2, "is no path in a tree"),
    ] {
        let none = run(&["show", "--json", &format!("{named}/{path}")]);
        none.expect(code).says(says).one_line();
        assert!(none.stdout.is_empty(), "{path}");
    }
    // What comes before a fault is shown all the same.
    let (range, _) = made.free.iter().rfind(|(_, what)| *what == "the letter of what has nothing more").expect("one");
    let at = range.start;
    made.bytes[at] = b'?';
    lay(&store(&[("catalog.pcat1.didx", &made.bytes)], 30), &root);
    let told = format!("byte {at} of the archive");
    run(&["show", &named]).expect(1).prints("b.pxar.didx\n").says(&told).says("the letter of none");
    run(&["show", &format!("{named}/b.pxar.didx")]).expect(0).prints("b.pxar.didx\n");
    run(&["verify", "--depth", "digest", text(&root)]).expect(0);
    let deep = run(&["verify", "--depth", "deep", text(&root)]);
    deep.expect(1).prints("HW121 record").prints(&told).prints("the letter of none");
}

#[test]
fn a_damaged_chunk_of_a_catalogue_is_named() {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let root = fixture.path().join("store");
    copy(&Sample::made().store(), &root);
    let named = format!("{}@ct/200/latest/catalog.pcat1", root.display());
    let chunks = run(&["show", "--chunks", &named]).expect(0).text();
    let last = chunks.lines().last().and_then(|line| line.split_whitespace().last()).expect("a chunk");
    let path = root.join(Path::new(last));
    let mut bytes = fs::read(&path).expect("a chunk");
    bytes[20] ^= 1;
    fs::write(&path, bytes).expect("it is written");
    run(&["show", &named]).expect(1).says(last);
}
