//! Damage to each kind of file of a small store.

use std::collections::BTreeSet;

use highwater_core::formats::rocksdb::Engine;

use crate::repo::Image;
use crate::specimens::{Row, harms, with};

/// Every damage, and what verify must say.
pub(super) fn rows(engine: Engine, files: &Image) -> Vec<Row> {
    let mut kinds = BTreeSet::new();
    let damages = files.iter().filter(|(name, _)| kinds.insert(kind(name)));
    let damaged = damages.flat_map(|(name, bytes)| {
        harms(kind(name), bytes, bytes.len() / 2, bytes.len() / 2 + 1)
            .into_iter()
            .map(|(what, bytes)| {
                let (way, kind) = what.split_once(' ').expect("a way and a kind");
                (format!("{way:<10} {kind:<24}"), with(files, name, bytes))
            })
            .collect::<Vec<_>>()
    });
    Row::all(
        damaged,
        match engine {
            Engine::RocksDb => include_str!("matrix-rocksdb.txt"),
            Engine::LevelDb => include_str!("matrix-leveldb.txt"),
        },
    )
}

/// What a file is.
fn kind(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((_, "sst" | "ldb")) => "table",
        Some((_, "log")) => "log",
        Some((_, "blob")) => "blob",
        _ => name.split('-').next().unwrap_or(name),
    }
}
