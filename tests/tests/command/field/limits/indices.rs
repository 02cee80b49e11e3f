//! The index of the snapshot before does not come into memory whole, however many chunks it names.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use highwater_core::codec::encode_blob;
use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_tests::dice::Dice;
use highwater_tests::measured::measured;
use highwater_tests::score::Score;
use serde_json::json;

use super::LINE;

const SNAPSHOT: &str = "vm/1/2026-01-01T00:00:00Z";

/// Puts a snapshot into a store whose index names one chunk so many times: most of the file is a hole.
#[track_caller]
fn put_sparse(store: &Path, entries: u64) {
    let folder = store.join(SNAPSHOT);
    fs::create_dir_all(&folder).expect("a folder");
    fs::create_dir_all(store.join(".chunks")).expect("a folder");
    fs::write(store.join(".lock"), "").expect("a file");
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let zeros = vec![0; 1 << 20];
    let mut left = entries * 32;
    while left > 0 {
        let some = usize::try_from(left).expect("small").min(zeros.len());
        hasher.update(&zeros[..some]);
        left -= some as u64;
    }
    let sum: Digest = hasher.finish();
    let size = entries << 16;
    let mut header = vec![0x2f, 0x7f, 0x41, 0xed, 0x91, 0xfd, 0x0f, 0xcd];
    header.extend([0; 24]);
    header.extend(sum.as_bytes());
    header.extend(size.to_le_bytes());
    header.extend((1u64 << 16).to_le_bytes());
    let file = File::create(folder.join("disk.img.fidx")).expect("an index");
    file.write_all_at(&header, 0).expect("it is written");
    file.set_len(4096 + 32 * entries).expect("it is grown");
    let manifest = json!({
        "backup-type": "vm", "backup-id": "1", "backup-time": 1_767_225_600, "signature": null, "unprotected": {},
        "files": [{ "filename": "disk.img.fidx", "crypt-mode": "none", "size": size, "csum": sum.to_string() }],
    });
    let text = manifest.to_string().into_bytes();
    let blob = encode_blob(&text, &vec![0; text.len() + 1], None);
    fs::write(folder.join("index.json.blob"), blob).expect("it is written");
}

#[test]
fn a_backup_beside_a_sparse_index_of_millions_of_entries_takes_little_memory() {
    let mut score = Score::part(LINE, "a backup beside a sparse index");
    for (entries, more) in [(8_000_000, &[][..]), (2_000_000, &["--append-only"])] {
        let fixture = tempfile::tempdir().expect("a scratch folder");
        let store = fixture.path().join("store");
        put_sparse(&store, entries);
        fs::write(fixture.path().join("disk"), Dice::new(41).bytes(200_000)).expect("a source");
        let (source, to) = (fixture.path().join("disk"), format!("{}@vm/1/disk.img", store.display()));
        let mut words = vec!["backup", "--chunk-size", "64k", source.to_str().expect("text"), &to];
        words.extend(more);
        let took = measured("2026-03-01-00-00-00", &words);
        // It was read to its end all the same: its one chunk is missed.
        took.run.expect(0).says("the source does not have 1 of them any more");
        assert!(took.peak_kib < 64 * 1024, "{} KiB: {}", took.peak_kib, took.run.account());
        score.ran(1);
    }
    score.end();
}
