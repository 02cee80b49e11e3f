//! Keys that are hard to be names of files: each is there, and comes back, under its own name where a file can have it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::scene::{BUCKET, Scene, Tree, tree};

/// Keys that no file can be named by, or that look like what lies in mirrors; S3 takes nearly all of them.
const KEYS: &[&[u8]] = &[
    b"../up",
    b"a/../../b",
    b"..",
    b".",
    b"./x",
    b"a//b",
    b"/top",
    b"//two",
    b"folder/",
    b"folder/content/",
    b"/",
    b"nul\0byte",
    b"\xff\xfe, no UTF-8",
    b"cut \xd0",
    b"\n",
    b"\\",
    b".highwater-mirror/applied",
    b".highwater-mirror",
    b".highwater-x",
    b"x.highwater-tmp",
    b".s3invsync.versions.json",
    b".s3invsync.state.json",
    b"in/.s3invsync.download.a",
    b"x.old.y.z",
    b"x",
    b"x.old.y.z/in",
    b"%hw",
    b"%hwfx",
    b"%hw%2E",
    b"%hw#0123",
    b"file",
    b"file-between",
    b"file/below",
    b"file/below/more",
];

fn put(scene: &Scene, key: &[u8], body: &[u8]) -> String {
    scene.server.shelves(|shelves| shelves.put(BUCKET, key, body))
}

fn bodies(tree: &Tree) -> BTreeSet<Vec<u8>> {
    tree.values().map(|(bytes, _)| bytes.clone()).collect()
}

fn restored(scene: &Scene, point: &str, name: &str) -> Tree {
    let to = scene.folder.path().join(name);
    let of = format!("{}@{point}", scene.mirror().to_str().expect("text"));
    scene.run(&["restore", &of, to.to_str().expect("text")]).expect(0);
    tree(&to)
}

/// Two versions of each, in the mirror, back in time, and in restores.
#[test]
fn keys_that_no_file_can_be_named_by_are_kept_in_all_versions() {
    let scene = Scene::new();
    let body = |word: &str, key: &[u8]| [word.as_bytes(), key].concat();
    let all = |word: &str| -> BTreeSet<Vec<u8>> { KEYS.iter().map(|key| body(word, key)).collect() };
    for (day, word) in [(1, "one "), (2, "two ")] {
        KEYS.iter().for_each(|key| drop(put(&scene, key, &body(word, key))));
        scene.list(day);
        scene.sync(&[]).expect(0).prints(&format!("{} versions fetched", KEYS.len()));
    }
    assert_eq!(bodies(&scene.tree()), all("one ").union(&all("two ")).cloned().collect());
    assert_eq!(fs::read_dir(scene.folder.path()).expect("a folder").count(), 1, "something left the mirror");
    scene.verify().expect(0);
    let mirror = scene.mirror();
    scene.run(&["mirror", "status", mirror.to_str().expect("text")]).expect(0).prints("* 2024-11-02T01-00Z");
    let newest = scene.tree();
    for (point, word) in [("2024-11-01", "one "), ("2024-11-02", "two ")] {
        assert_eq!(bodies(&restored(&scene, point, point)), all(word));
    }
    scene.roll("2024-11-01").expect(0);
    assert_eq!(bodies(&scene.tree()), all("one ").union(&all("two ")).cloned().collect());
    scene.verify().expect(0);
    scene.roll("latest").expect(0);
    assert_eq!(scene.tree(), newest);
}

/// A key that ends with a slash is an object like any other, without bytes or with some.
#[test]
fn a_key_with_a_slash_at_its_end_is_an_object_with_and_without_bytes() {
    let scene = Scene::new();
    for (key, body) in [("empty/", ""), ("full/", "bytes"), ("empty/in", "in it"), ("empty", "beside")] {
        scene.put(key, body);
    }
    scene.list(1);
    scene.sync(&[]).expect(0).prints("4 versions fetched");
    let tree = scene.tree();
    let body = |path: &str| tree.get(Path::new(path)).map(|(bytes, _)| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!((body("empty/%hw").as_deref(), body("full/%hw").as_deref()), (Some(""), Some("bytes")));
    assert_eq!((body("empty/in").as_deref(), body("%hwfempty").as_deref()), (Some("in it"), Some("beside")));
    scene.delete("full/");
    scene.list(2);
    scene.sync(&[]).expect(0);
    assert!(scene.tree().keys().any(|path| path.to_string_lossy().starts_with("full/%hw.old.")));
    scene.verify().expect(0);
}

/// Each length, the latest and an old version: restored and listed under their keys.
#[test]
fn names_of_every_length_are_restored_under_their_keys() {
    let scene = Scene::new();
    let keys: Vec<String> = (175..=255).map(|length| format!("in/{}", "x".repeat(length))).collect();
    let folders: Vec<String> = (175..=255).map(|length| format!("{}/f", "y".repeat(length))).collect();
    let all: Vec<&String> = keys.iter().chain(&folders).collect();
    for (day, word) in [(1, "one"), (2, "two")] {
        all.iter().for_each(|key| drop(scene.put(key, &format!("{word} {}", key.len()))));
        scene.list(day);
        scene.sync(&[]).expect(0).prints(&format!("{} versions fetched", all.len()));
    }
    scene.verify().expect(0);
    let wanted = |word: &str| -> Vec<(PathBuf, Vec<u8>)> {
        let mut wanted: Vec<_> =
            all.iter().map(|key| (PathBuf::from(key), format!("{word} {}", key.len()).into_bytes())).collect();
        wanted.sort();
        wanted
    };
    let mirror = scene.mirror();
    let text = mirror.to_str().expect("text");
    for shown in ["2024-11-02", "2024-11-01"] {
        scene.roll(shown).expect(0);
        scene.verify().expect(0);
        for (point, word) in [("2024-11-01", "one"), ("2024-11-02", "two")] {
            let restored = restored(&scene, point, &format!("{point} while {shown} is shown"));
            let found: Vec<_> = restored.into_iter().map(|(path, (bytes, _))| (path, bytes)).collect();
            assert!(found == wanted(word), "{point}, while {shown} is shown: {:?}", found.first());
            let listed = scene.run(&["show", &format!("{text}@{point}")]);
            listed.expect(0);
            all.iter().for_each(|key| assert!(listed.text().contains(key.as_str()), "{}", key.len()));
        }
    }
    // One by its key.
    let key = keys.last().expect("one");
    let to = scene.folder.path().join("one");
    scene.run(&["restore", &format!("{text}@2024-11-01/{key}"), to.to_str().expect("text")]).expect(0);
    let one: Vec<_> = tree(&to).into_values().map(|(bytes, _)| bytes).collect();
    assert_eq!(one, [b"one 258"]);
}

/// The longest keys that there are, in folders of long names and of one letter.
#[test]
fn keys_of_1024_bytes_are_there() {
    let scene = Scene::new();
    let keys = [
        "a/".repeat(511) + "aa",
        format!("{}/", "n".repeat(255)).repeat(4),
        "\u{44f}".repeat(512),
        ".".repeat(1024),
        "/".repeat(1024),
    ];
    for key in &keys {
        assert_eq!(key.len(), 1024);
        put(&scene, key.as_bytes(), &key.as_bytes()[..99]);
    }
    scene.list(1);
    scene.sync(&[]).expect(0).prints("5 versions fetched");
    scene.verify().expect(0);
    let first = scene.tree();
    assert_eq!(first.get(Path::new(OsStr::from_bytes(keys[0].as_bytes()))).map(|(bytes, _)| bytes.len()), Some(99));
    keys.iter().for_each(|key| drop(put(&scene, key.as_bytes(), b"another")));
    scene.list(2);
    scene.sync(&[]).expect(0);
    assert_eq!(scene.tree().len(), 10);
    scene.verify().expect(0);
    assert_eq!(restored(&scene, "2024-11-01", "then").len(), 5);
}
