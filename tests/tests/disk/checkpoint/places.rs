//! Where a checkpoint is not made, and of what: each time one sentence that helps, the right exit code, and nothing is
//! left.

use std::fs;
use std::path::Path;

use highwater_tests::run::{Run, ours};

use super::{Scene, stores};

const NOW: &str = "2026-03-01-00-00-00";

fn checkpoint(store: &Path, dest: &Path) -> Run {
    ours(NOW, &["checkpoint".as_ref(), store.as_os_str(), dest.as_os_str()])
}

/// The run ended so, said this in one line, and left nothing.
fn refused(scene: &Scene, store: &Path, dest: &Path, code: i32, said: &str) {
    let before = scene.names();
    let run = checkpoint(store, dest);
    run.expect(code);
    assert!(run.stderr.contains(said), "{}: {}", store.display(), run.stderr);
    assert_eq!((run.stderr.lines().count(), run.text().as_str()), (1, ""), "{}", run.stderr);
    assert_eq!(scene.names(), before);
}

#[test]
fn it_is_a_new_folder_outside_of_the_store() {
    let scene = Scene::new();
    for (kind, image) in stores() {
        let store = scene.path(kind);
        refused(&scene, &store, &scene.path("fjall"), 4, "is there already");
        refused(&scene, &store, &store.join("inside"), 4, "lies in the store");
        refused(&scene, &store, &scene.path("nowhere/snap"), 4, "mkdir -p");
        assert_eq!(scene.files(kind), image);
    }
    fs::write(scene.path("snap.mtree"), "notes of mine").expect("a file");
    refused(&scene, &scene.path("fjall"), &scene.path("snap"), 4, "is something else; move it away");
    fs::write(scene.path("snap.mtree"), "#mtree\n# highwater checkpoint 1 of yesterday\n").expect("a file");
    checkpoint(&scene.path("fjall"), &scene.path("snap")).expect(0);
}

#[test]
fn stores_that_write_in_place_are_refused_with_what_to_do_instead() {
    let scene = Scene::new();
    let at = |offset: usize, bytes: &[u8]| [vec![0; offset], bytes.to_vec(), vec![0; 100]].concat();
    for (name, bytes, said) in [
        ("a.sqlite", at(0, b"SQLite format 3\0"), "sqlite3 SRC '.backup DEST'"),
        ("data.mdb", at(16, &0xbeef_c0de_u32.to_le_bytes()), "mdb_copy"),
        ("a.redb", at(0, b"redb\x1a\x0a\xa9\x0d\x0a"), "redb"),
        ("a.db", at(16, &0xed0c_daed_u32.to_le_bytes()), "bbolt"),
        ("b.db", at(12, &0x0005_3162_u32.to_le_bytes()), "db_hotbackup"),
        ("Data.fs", at(0, b"FS30"), "highwater backup Data.fs REPO"),
    ] {
        let folder = scene.path("other");
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join(name), bytes).expect("a store");
        refused(&scene, &folder.join(name), &scene.path("snap"), 4, said);
        refused(&scene, &folder, &scene.path("snap"), 4, said);
        fs::remove_dir_all(folder).expect("the store");
    }
    for (names, said) in [
        (&["conf", "db", "blobs/"][..], "sled"),
        (&["PG_VERSION", "pg_wal/"], "pg_basebackup"),
        (&["segments_1", "write.lock"], "Lucene"),
        (&[".git/"], "which is the .git in it"),
        (&["notes"], "none of the stores that checkpoints are made of: fjall, rocksdb, leveldb, tantivy, git"),
        (&[], "none of the stores"),
    ] {
        let folder = scene.path("other");
        fs::create_dir(&folder).expect("a folder");
        for name in names {
            let path = folder.join(name);
            if name.ends_with('/') { fs::create_dir(path) } else { fs::write(path, "some") }.expect("an entry");
        }
        refused(&scene, &folder, &scene.path("snap"), 4, said);
        fs::remove_dir_all(folder).expect("the store");
    }
    let old = scene.path("old");
    fs::create_dir_all(old.join("partitions")).expect("a store");
    fs::write(old.join("version"), b"FJL\x02").expect("its marker");
    refused(&scene, &old, &scene.path("snap"), 4, "fjall 2");
    refused(&scene, &scene.path("nothing"), &scene.path("snap"), 4, "cannot open the store");
}

#[test]
fn a_damaged_store_is_named_and_nothing_is_made_of_it() {
    for (kind, name, at, said) in [
        ("fjall", "keyspaces/1/v2", 100, "gives the digest"),
        ("fjall", "keyspaces/1/current", 0, "is not there"),
        ("fjall", "version", 3, "layout"),
        ("tantivy", "meta.json", 0, "no JSON"),
    ] {
        let scene = Scene::new();
        let path = scene.path(kind).join(name);
        let mut bytes = fs::read(&path).expect("a head");
        bytes[at] ^= 0x40;
        fs::write(&path, bytes).expect("a damaged head");
        refused(&scene, &scene.path(kind), &scene.path("snap"), if name == "version" { 4 } else { 1 }, said);
    }
    for (kind, name) in [("fjall", "keyspaces/1/tables/0".to_owned()), ("tantivy", format!("{}.pos", "a".repeat(32)))] {
        let scene = Scene::new();
        fs::remove_file(scene.path(kind).join(&name)).expect("a file that the head names");
        refused(&scene, &scene.path(kind), &scene.path("snap"), 1, &name);
    }
}

#[test]
fn what_is_none_of_the_stores_files_is_copied_or_told() {
    let scene = Scene::new();
    for (kind, _) in stores() {
        let store = scene.path(kind);
        fs::write(store.join("of-a-wrapper.json"), "{}").expect("a file");
        fs::write(store.join("large"), vec![1; (1 << 20) + 1]).expect("a file");
        fs::write(store.join("a.sqlite"), [&b"SQLite format 3\0"[..], &[0; 100]].concat()).expect("a file");
        fs::create_dir(store.join("folder")).expect("a folder");
        let run = checkpoint(&store, &scene.path("snap"));
        run.expect(0);
        let copied = scene.path("snap/of-a-wrapper.json").is_file();
        if kind != "git" {
            assert!(run.text().contains("left out") && run.text().contains("'large'"), "{kind}: {}", run.text());
            assert!(run.text().contains("copied as they were found"), "{kind}: {}", run.text());
            assert!(!scene.path("snap/large").exists() && !scene.path("snap/a.sqlite").exists(), "{kind}");
        }
        assert!(copied && run.text().contains("'folder'"), "{kind}: {}", run.text());
        fs::remove_dir_all(scene.path("snap")).expect("the checkpoint");
    }
}

#[test]
fn options_of_rocksdb_are_heeded() {
    let options = |scene: &Scene, from: &str, to: &str| {
        let path = scene.path("rocksdb/OPTIONS-000009");
        let text = fs::read_to_string(&path).expect("the options");
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).expect("other options");
    };
    let line = "  manual_wal_flush=false\n";
    for (from, to, said) in [
        ("recycle_log_file_num=0", "recycle_log_file_num=4", "recycle_log_file_num"),
        ("allow_mmap_writes=false", "allow_mmap_writes=true", "allow_mmap_writes"),
        (line, "  manual_wal_flush=false\n  wal_dir=/somewhere/else\n", "(wal_dir)"),
        (line, "  manual_wal_flush=false\n  db_paths={{path=/a;target_size=1}}\n", "(db_paths)"),
        ("[CFOptions \"default\"]\n", "[CFOptions \"default\"]\n  cf_paths={{path=/a;target_size=1}}\n", "cf_paths"),
        ("[DBOptions]", "[Nothing]", "OPTIONS-000009"),
    ] {
        let scene = Scene::new();
        options(&scene, from, to);
        refused(&scene, &scene.path("rocksdb"), &scene.path("snap"), 4, said);
    }
    let scene = Scene::new();
    options(&scene, "manual_wal_flush=false", "manual_wal_flush=true");
    let here = format!("  manual_wal_flush=true\n  wal_dir={}\n", scene.path("rocksdb").display());
    options(&scene, "  manual_wal_flush=true\n", &here);
    checkpoint(&scene.path("rocksdb"), &scene.path("snap")).expect(0).prints("manual_wal_flush");
}

#[test]
fn a_damaged_manifest_or_log_is_named() {
    for (kind, name, at) in [
        ("rocksdb", "MANIFEST-000005", 40),
        ("rocksdb", "000014.log", 20),
        ("leveldb", "MANIFEST-000002", 20),
        ("leveldb", "CURRENT", 3),
    ] {
        let scene = Scene::new();
        let path = scene.path(kind).join(name);
        let mut bytes = fs::read(&path).expect("a head or a log");
        bytes[at] ^= 0x40;
        fs::write(&path, bytes).expect("a damaged one");
        refused(&scene, &scene.path(kind), &scene.path("snap"), 1, name);
    }
}

#[test]
fn options_that_lack_a_family_are_waited_for_and_taken_in_the_end() {
    let scene = Scene::new();
    let path = scene.path("rocksdb/OPTIONS-000009");
    let text = fs::read_to_string(&path).expect("the options");
    let at = text.rfind("[CFOptions").expect("options of a second family");
    assert!(text[..at].contains("[CFOptions \"default\"]"), "{text}");
    fs::write(path, &text[..at]).expect("fewer options");
    let run = checkpoint(&scene.path("rocksdb"), &scene.path("snap"));
    run.expect(0).prints("tries     5");
}
