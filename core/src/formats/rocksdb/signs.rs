//! What a root that is a store is known by.

use super::names::{self, File};
use crate::inspect::Entry;

/// Whether it looks like one of RocksDB.
pub(in crate::formats) fn rocksdb(root: &[Entry]) -> bool {
    is_store(root, true)
}

/// Whether it looks like one of LevelDB.
pub(in crate::formats) fn leveldb(root: &[Entry]) -> bool {
    is_store(root, false)
}

/// Whether a root with these entries is a store of RocksDB, or else of LevelDB. One without CURRENT, or without a
/// MANIFEST, is one too that lost it.
fn is_store(root: &[Entry], of_rocksdb: bool) -> bool {
    let (mut head, mut rest, mut rocksdb) = (0, false, false);
    for entry in root.iter().filter(|entry| entry.kind.may_be_file()) {
        let name = entry.name.as_bytes();
        match names::file(name) {
            Some(File::Current) => head |= 1,
            Some(File::Manifest(_)) => head |= 2,
            Some(File::Options(_) | File::Identity | File::Blob(_)) => (rest, rocksdb) = (true, true),
            Some(File::Table(_)) => (rest, rocksdb) = (true, rocksdb || name.ends_with(b".sst")),
            Some(File::Log(_)) => rest = true,
            _ => {}
        }
    }
    let is_store = head == 3 || head > 0 && rest;
    is_store && rocksdb == of_rocksdb
}
