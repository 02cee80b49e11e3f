//! Checkpoints of stores that stand still, on disks that fail, forget, lack what is asked of them, or belong to others.
//! Stores that are being written to: the test binary `live`.

mod beside;
mod cuts;
mod faults;
mod list;
mod places;
mod shared;
mod state;

use std::fs;
use std::path::{Path, PathBuf};

use highwater::live;
use highwater_tests::repo::Image;
use tempfile::TempDir;

/// A small store of each kind: those whose bytes matter as their programs left them, the others as a checkpoint sees
/// them.
pub(crate) fn stores() -> Vec<(&'static str, Image)> {
    live::kinds().map(|kind| (kind, store(kind))).collect()
}

fn store(kind: &str) -> Image {
    let image = match kind {
        "git" => git(),
        "tantivy" => tantivy(),
        _ => {
            let mut image = Image::new();
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(kind);
            read(&folder, "", &mut image);
            image
        }
    };
    assert!(image.len() > 3, "{kind}: {image:?}");
    image
}

fn read(folder: &Path, below: &str, image: &mut Image) {
    for entry in fs::read_dir(folder).expect("a folder of the fixture") {
        let entry = entry.expect("an entry");
        let name = format!("{below}{}", entry.file_name().to_str().expect("a name in UTF-8"));
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{name}/"), image);
        } else {
            image.insert(name, fs::read(entry.path()).expect("a file of the fixture"));
        }
    }
}

fn image<const N: usize>(files: [(&str, &str); N]) -> Image {
    files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
}

/// One commit that is loose, one branch that is packed, with a log, a description, and what is no head.
fn git() -> Image {
    let value = "a".repeat(40);
    let packed = format!("# pack-refs with: peeled fully-peeled sorted \n{value} refs/heads/packed\n^{value}\n");
    let loose = format!("objects/aa/{}", "a".repeat(38));
    let mut image = image([
        ("HEAD", "ref: refs/heads/main\n"),
        ("config", "[core]\n\tbare = true\n"),
        ("refs/heads/main", &format!("{value}\n")),
        ("logs/refs/heads/main", "a line of a log\n"),
        ("objects/pack/pack-1.pack", "a pack"),
        ("objects/pack/pack-1.idx", "its index"),
        ("objects/pack/pack-2.pack", "a pack that is being written"),
        ("objects/pack/tmp_pack_1", "and another"),
        ("index.lock", "what is about to be the index"),
    ]);
    image.insert("packed-refs".to_owned(), packed.into_bytes());
    image.insert(loose, b"an object".to_vec());
    image
}

/// One segment with deleted documents, and one that no commit names yet.
fn tantivy() -> Image {
    let segment = |digit: &str, ending: &str| format!("{}.{ending}", digit.repeat(32));
    let id = ["a".repeat(8), "a".repeat(4), "a".repeat(4), "a".repeat(4), "a".repeat(12)].join("-");
    let meta = format!(r#"{{"segments":[{{"segment_id":"{id}","deletes":{{"opstamp":7}}}}],"opstamp":9}}"#);
    let mut image = image([("meta.json", meta.as_str()), (".managed.json", "[]"), (".tantivy-writer.lock", "")]);
    for ending in ["idx", "pos", "term", "store", "fast", "fieldnorm", "7.del", "5.del"] {
        image.insert(segment("a", ending), format!("what {ending} holds").into_bytes());
    }
    image.insert(segment("b", "idx"), b"of a segment to come".to_vec());
    image
}

/// A scratch folder with a store of each kind, named by it.
pub(crate) struct Scene(TempDir);

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("highwater-test-").tempdir().expect("a scratch folder");
        let scene = Self(folder);
        for (kind, image) in stores() {
            for (name, bytes) in &image {
                let path = scene.path(kind).join(name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("the folders of a store");
                fs::write(path, bytes).expect("a file of a store");
            }
        }
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Every file below a folder, by its path in it, with its bytes.
    pub(crate) fn files(&self, name: &str) -> Image {
        let mut image = Image::new();
        read(&self.path(name), "", &mut image);
        image
    }

    /// What lies in the scratch folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).expect("the scratch folder");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}
