//! What may change in a store unseen, and why.

use highwater_core::formats::rocksdb::Engine;
use highwater_core::formats::rocksdb::manifest::{Manifest, Read};
use highwater_core::formats::rocksdb::records::Tail;
use highwater_core::formats::rocksdb::wal::Batches;

use crate::repo::Image;

/// Why it is no loss that byte `at` of a file changes unseen.
pub(super) fn unseen(name: &str, at: usize, after: &[u8]) -> Option<&'static str> {
    match () {
        () if name == "IDENTITY" => Some("no data depend on what a store calls itself"),
        () if name.ends_with(".blob") && at == 13 && after[at] < 8 => {
            Some("no checksum covers how the values of a blob file are compressed")
        }
        () => None,
    }
}

/// Whether a file of a store that became longer or shorter says the same, or what it said before: a log that ends
/// behind a batch may always have ended there.
pub(super) fn says_the_same(engine: Engine, files: &Image, name: &str, before: &[u8], after: &[u8]) -> bool {
    if name == "IDENTITY" {
        return true;
    }
    if name.ends_with(".log") {
        let log = batches(engine, after);
        return matches!(log, (Tail::Nothing | Tail::Zeros, true));
    }
    if !name.starts_with("MANIFEST") {
        return false;
    }
    let Read { state, tail, .. } = read(engine, after);
    let names = |number: &u64, ending: &str| files.contains_key(&format!("{number:06}.{ending}"));
    let table = |number: &u64| names(number, "sst") || names(number, "ldb");
    let all_there = state
        .families
        .values()
        .all(|family| family.tables.keys().all(table) && family.live_blobs().all(|(number, _)| names(&number, "blob")));
    // LevelDB names its log.
    let log = |number: u64| engine == Engine::RocksDb || number == 0 || names(&number, "log");
    let logs = state.families.values().all(|family| log(family.log_number));
    let same = state == read(engine, before).state || after.len() < before.len();
    matches!(tail, Tail::Nothing | Tail::Zeros) && all_there && logs && same
}

fn read(engine: Engine, bytes: &[u8]) -> Read {
    let mut manifest = Manifest::new(engine);
    _ = manifest.push(bytes);
    manifest.end()
}

/// How a log ends, and whether its sequence numbers only grow. Of RocksDB without OPTIONS, nothing says that a batch
/// may not begin where the one before it began; the same one once more changes nothing.
fn batches(engine: Engine, bytes: &[u8]) -> (Tail, bool) {
    let (mut batches, mut last, mut grows) = (Batches::new(engine, 0), None, true);
    _ = batches.push(bytes, |batch| {
        let sequence = batch.sequence.expect("it is not compressed");
        grows &= last.is_none_or(|last| last < sequence || (last == sequence && engine == Engine::RocksDb));
        last = Some(sequence);
    });
    (batches.end().tail, grows)
}
