//! A checkpoint never shares a file with its store that the store's program writes in place.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use highwater_tests::run::ours;

use super::{Scene, stores};

const NOW: &str = "2026-03-01-00-00-00";

/// Whether a program writes a file of this path once and never again, as its documents say.
fn is_settled(kind: &str, path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    match kind {
        "fjall" => path.contains("/tables/") || path.contains("/blobs/"),
        "rocksdb" => last.ends_with(".sst") || last.ends_with(".blob"),
        "leveldb" => last.ends_with(".ldb") || last.ends_with(".sst"),
        "tantivy" => last.len() > 32 && last.as_bytes()[..32].iter().all(u8::is_ascii_hexdigit),
        "git" => path.starts_with("objects/"),
        other => panic!("say of {other} which of its files never change"),
    }
}

fn inode(path: &Path) -> (u64, u64) {
    let meta = fs::symlink_metadata(path).expect("it is there");
    (meta.dev(), meta.ino())
}

#[test]
fn only_what_never_changes_is_shared() {
    let scene = Scene::new();
    for (kind, image) in stores() {
        let (store, dest) = (scene.path(kind), scene.path("snap"));
        let own: BTreeSet<(u64, u64)> = image.keys().map(|name| inode(&store.join(name))).collect();
        for copy in [false, true] {
            let mut words = vec![std::ffi::OsStr::new("checkpoint"), store.as_os_str(), dest.as_os_str()];
            words.extend(copy.then_some(std::ffi::OsStr::new("--copy")));
            ours(NOW, &words).expect(0);
            let mut shared = 0;
            for name in scene.files("snap").keys() {
                let is_shared = own.contains(&inode(&dest.join(name)));
                assert!(!is_shared || is_settled(kind, name) && !copy, "{kind}: '{name}' is one file with the store's");
                shared += u64::from(is_shared);
            }
            assert_eq!(shared > 0, !copy, "{kind}: {shared} files are shared");
            assert_eq!(scene.files(kind), image, "{kind}: the store is as it was");
            fs::remove_dir_all(&dest).expect("the checkpoint");
        }
    }
}

#[test]
fn the_files_that_are_named_are_there_and_others_are_not() {
    let scene = Scene::new();
    for (kind, left_out, made_anew) in [
        ("git", vec!["objects/pack/pack-2.pack", "objects/pack/tmp_pack_1", "index.lock"], vec![]),
        ("tantivy", vec!["5.del", "bbbb.idx", ".tantivy-writer.lock"], vec![".managed.json"]),
        ("fjall", vec![], vec!["lock"]),
    ] {
        ours(
            NOW,
            &["checkpoint".as_ref(), scene.path(kind).as_os_str(), scene.path(&format!("{kind}.snap")).as_os_str()],
        )
        .expect(0);
        let (store, snap) = (scene.files(kind), scene.files(&format!("{kind}.snap")));
        for (name, bytes) in &store {
            let is_left = left_out.iter().any(|end| name.ends_with(end));
            let found = snap.get(name);
            assert_eq!(found.is_none(), is_left, "{kind}: {name}");
            let is_anew = made_anew.contains(&name.as_str());
            assert!(is_left || is_anew || found == Some(bytes), "{kind}: '{name}' holds something else");
        }
        assert!(snap.keys().all(|name| store.contains_key(name)), "{kind}: {:?}", snap.keys());
    }
    let managed = String::from_utf8(scene.files("tantivy.snap")[".managed.json"].clone()).expect("JSON");
    assert!(managed.contains("meta.json") && managed.contains(&format!("{}.7.del", "a".repeat(32))), "{managed}");
}
