//! Stores to test on: one that `tests/python/datastore_made.py` makes, and the one that a real server wrote, where that
//! is at hand.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use base64::Engine;
use highwater_core::key::{Key, KeyFile};
use serde_json::Value;

use crate::binary::highwater;
use crate::python;
use crate::repo::Image;
use crate::run::Run;

/// The scripts that a made store comes from.
const SCRIPTS: [&str; 5] = [
    include_str!("../python/pcat1.py"),
    include_str!("../python/pieces.py"),
    include_str!("../python/pxar.py"),
    include_str!("../python/datastore.py"),
    include_str!("../python/datastore_made.py"),
];

/// A folder with a `store`, its `truth`, and `cases.json`, the ways to damage it.
pub struct Sample {
    folder: PathBuf,
}

impl Sample {
    /// The made store, always; the real one too, if it is beside the checkout.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::made()];
        all.extend(Self::real());
        all
    }

    /// The store that our own script makes; it is made once and kept.
    pub fn made() -> Self {
        static MADE: OnceLock<PathBuf> = OnceLock::new();
        let folder = MADE.get_or_init(|| {
            let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/datastore");
            if up_to_date(&kept) {
                return kept;
            }
            let parent = kept.parent().expect("it has one");
            fs::create_dir_all(parent).expect("the folder of what is built");
            let fresh = tempfile::tempdir_in(parent).expect("a scratch folder");
            Run::of(python::command("datastore_made.py").arg(fresh.path())).expect(0);
            fs::write(fresh.path().join("made-by"), SCRIPTS.concat()).expect("it is written");
            let fresh = fresh.keep();
            // What is out of date goes; what another process made meanwhile is the same, and may stay.
            if kept.exists() && !up_to_date(&kept) {
                fs::remove_dir_all(&kept).expect("it is removed");
            }
            if fs::rename(&fresh, &kept).is_err() {
                assert!(up_to_date(&kept), "{} cannot be put in place", kept.display());
                fs::remove_dir_all(&fresh).expect("it is removed");
            }
            kept
        });
        Self { folder: folder.clone() }
    }

    /// The store of a real server; says so where it is not at hand.
    pub fn real() -> Option<Self> {
        let beside =
            |folder: &Path| Some(folder.join("shared/fixtures/pbs")).filter(|at| at.join("cases.json").is_file());
        let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find_map(beside);
        if found.is_none() {
            println!(
                "not run: there is no shared/fixtures/pbs beside the checkout, so no datastore of a real server was \
                 read"
            );
        }
        found.map(|folder| Self { folder })
    }

    /// The store itself. Never write into it: [`copy`] it.
    pub fn store(&self) -> PathBuf {
        self.folder.join("store")
    }

    /// A file or folder of the truth.
    pub fn truth(&self, name: &str) -> PathBuf {
        self.folder.join("truth").join(name)
    }

    /// The folder of all of it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files of the store, by their paths in it.
    pub fn image(&self) -> Image {
        let mut image = Image::new();
        read(&self.store(), "", &mut image);
        image
    }

    /// The key that opens and signs.
    pub fn key(&self) -> Key {
        let text = fs::read(self.truth("key.json")).expect("a key file");
        KeyFile::parse(&text).and_then(|file| file.open(b"")).expect("a key")
    }

    /// The ways to damage it.
    pub fn cases(&self) -> Vec<Value> {
        let text = fs::read(self.folder.join("cases.json")).expect("a file");
        serde_json::from_slice(&text).expect("a list")
    }

    /// The SHA-256 of every archive and blob, by point.
    pub fn sums(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        gather(&self.folder.join("truth"), "", &mut found);
        found.sort();
        found
    }
}

fn read(folder: &Path, within: &str, image: &mut Image) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("text");
        if path.is_dir() {
            read(&path, &format!("{within}{name}/"), image);
        } else {
            image.insert(format!("{within}{name}"), fs::read(&path).expect("a file"));
        }
    }
}

/// Whether the scripts as they are made this.
fn up_to_date(kept: &Path) -> bool {
    fs::read_to_string(kept.join("made-by")).is_ok_and(|by| by == SCRIPTS.concat())
}

fn gather(folder: &Path, within: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("text");
        if path.is_dir() {
            gather(&path, &format!("{within}{name}/"), found);
        } else if let Some(archive) = name.strip_suffix(".sha256") {
            let sum = fs::read_to_string(&path).expect("a checksum");
            found.push((format!("{within}{archive}"), sum.trim().to_owned()));
        }
    }
}

/// Copies a store so that it can be written to.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::write(&to, fs::read(&from).expect("a file")).expect("a copy");
        }
    }
}

/// Does what a case says to a copy of its store.
pub fn damage(store: &Path, ops: &Value) {
    let files = ops.as_array().expect("a list").iter().map(|op| op["path"].as_str().expect("a path"));
    let mut image: Image = files.filter_map(|path| Some((path.to_owned(), fs::read(store.join(path)).ok()?))).collect();
    let before = image.clone();
    harm(&mut image, ops);
    before.keys().filter(|path| !image.contains_key(*path)).for_each(|path| {
        fs::remove_file(store.join(path)).expect("it is removed");
    });
    for (path, bytes) in image {
        fs::write(store.join(path), bytes).expect("it is written");
    }
}

/// Does what a case says to the files of its store.
pub fn harm(image: &mut Image, ops: &Value) {
    for op in ops.as_array().expect("a list") {
        let path = op["path"].as_str().expect("a path");
        let number = |value: &Value| usize::try_from(value.as_u64().expect("a number")).expect("it fits");
        if op["op"] == "delete" {
            image.remove(path).expect("it was there");
            continue;
        }
        let bytes = image.entry(path.to_owned()).or_default();
        match op["op"].as_str().expect("a word") {
            "patch" => {
                for patch in op["bytes"].as_array().expect("a list") {
                    bytes[number(&patch[0])] = u8::try_from(number(&patch[1])).expect("a byte");
                }
            }
            "truncate" => bytes.truncate(number(&op["size"])),
            "append" => bytes.extend(decoded(op)),
            "write" => *bytes = decoded(op),
            other => panic!("what is {other}?"),
        }
    }
}

fn decoded(op: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(op["base64"].as_str().expect("a text")).expect("base64")
}

/// The command's report on a store, or on a point of one.
pub fn report(store: &Path, more: &[&str]) -> (i32, Value) {
    let run = Run::of(Command::new(highwater()).arg("verify").arg(store).arg("--json").args(more));
    let report = serde_json::from_str(&run.text()).unwrap_or_else(|_| panic!("no report: {}", run.account()));
    (run.code, report)
}

/// The snapshots of a report by their verdict.
pub fn by_verdict(report: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for set in report["sets"].as_array().expect("a list") {
        let text = |key: &str| set[key].as_str().expect("a text").to_owned();
        found.entry(text("verdict")).or_default().insert(text("name"));
    }
    found
}
