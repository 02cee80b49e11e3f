//! An image of millions of chunks takes memory for each that differs, not for each that there is.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use highwater_core::codec::encode_blob;
use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::formats::datastore::{Fixed, New, NewFile};
use highwater_tests::measured::measured;
use highwater_tests::score::{Score, size};
use tempfile::TempDir;

use super::LINE;

const NOW: &str = "2030-01-01-00-00-00";

/// The length of a chunk, in bytes.
const CHUNK: u64 = 4096;

/// Memory that a restore may take, in KiB: with what starts it. One claim for each chunk would take 300 bytes and more.
const MOST: u64 = 100 << 10;

/// A store with one snapshot of one image of these chunks, of which those that are given are there.
fn store(digests: Vec<Digest>, chunks: &[&[u8]]) -> (TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let snapshot = store.join("vm/100/2026-01-01T00:00:00Z");
    fs::create_dir_all(&snapshot).expect("a folder");
    fs::create_dir_all(store.join(".chunks")).expect("a folder");
    fs::write(store.join(".lock"), b"").expect("a lock file");
    for chunk in chunks {
        let hex = digest(chunk).to_string();
        let within = store.join(".chunks").join(&hex[..4]);
        fs::create_dir_all(&within).expect("a folder");
        fs::write(within.join(hex), blob(chunk)).expect("a chunk");
    }
    let size = digests.len() as u64 * CHUNK;
    let index = Fixed { size, chunk: CHUNK, digests };
    fs::write(snapshot.join("disk.img.fidx"), index.encode([7; 16], 0)).expect("an index");
    let files = [NewFile { name: "disk.img.fidx".to_owned(), size, sum: index.sum() }];
    let time = 1_767_225_600;
    let new = New { kind: "vm", id: "100", time, files: &files, chunks: (0, 0), size, stored: 0, key: None };
    fs::write(snapshot.join("index.json.blob"), blob(&new.encode())).expect("a manifest");
    let from = format!("{}@vm/100/2026-01-01T00:00:00Z/disk.img", store.display());
    let target = folder.path().join("disk.img");
    (folder, target, from)
}

fn digest(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(bytes);
    hasher.finish()
}

/// A blob of these bytes as they are.
fn blob(bytes: &[u8]) -> Vec<u8> {
    encode_blob(bytes, &vec![0; bytes.len() + 1], None)
}

#[test]
fn a_sparse_index_takes_little_memory() {
    let mut score = Score::part(LINE, "a sparse index of millions of entries");
    let entries = usize::try_from(size(1 << 20, 8 << 20)).expect("a number");
    let length = entries as u64 * CHUNK;
    let zeros = digest(&[0; 4096]);
    let data = [7; 4096];
    // Zeros, but for one chunk in the middle: their own chunk need not even be there.
    let mut digests = vec![zeros; entries];
    digests[entries / 2] = digest(&data);
    let (_folder, target, from) = store(digests, &[&data]);
    let to = target.to_str().expect("text");
    for words in [&["restore", "--dry-run", &from, to][..], &["restore", &from, to]] {
        let took = measured(NOW, words);
        took.run.expect(0);
        assert!(took.peak_kib < MOST, "{} KiB\n{}", took.peak_kib, took.run.account());
        score.ran(1);
    }
    let made = fs::metadata(&target).expect("an image");
    assert!(made.len() == length && made.blocks() * 512 <= 1 << 20, "zeros take no room: {}", made.blocks());
    let mut found = vec![0; 4096];
    let file = fs::File::open(&target).expect("an image");
    let at = entries as u64 / 2 * CHUNK;
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut found, at).expect("the chunk");
    assert!(found == data, "the one chunk is in its place");
    // All the same, and no zeros.
    let (_folder, target, from) = store(vec![digest(&data); entries], &[&data]);
    let took = measured(NOW, &["restore", "--dry-run", &from, target.to_str().expect("text")]);
    // It may be that there is no room for so much, which takes no more memory.
    assert!(matches!(took.run.code, 0 | 4), "{}", took.run.account());
    assert!(took.peak_kib < MOST, "{} KiB\n{}", took.peak_kib, took.run.account());
    score.ran(1);
    score.end();
}
