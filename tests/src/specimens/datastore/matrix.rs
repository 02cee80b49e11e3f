//! Damage to each kind of file of the small store.

use std::collections::BTreeSet;

use super::small_store;
use crate::specimens::{Row, harms, with};

/// Every damage, and what verify must say with the key.
pub(super) fn rows() -> Vec<Row> {
    let files = small_store();
    let mut kinds = BTreeSet::new();
    let damages = files.iter().filter_map(|(name, bytes)| kinds.insert(kind(name, bytes)).then_some((name, bytes)));
    let damaged = damages.flat_map(|(name, bytes)| {
        let kind = kind(name, bytes);
        harms(&kind, bytes, bytes.len().saturating_sub(1), bytes.len() / 2)
            .into_iter()
            .map(|(what, bytes)| {
                let (way, kind) = what.split_once(' ').expect("a way and a kind");
                (format!("{way:<10} {kind:<24}"), with(&files, name, bytes))
            })
            .collect::<Vec<_>>()
    });
    Row::all(damaged, include_str!("matrix.txt"))
}

/// What a file is, and whether it is of the encrypted snapshot.
fn kind(name: &str, bytes: &[u8]) -> String {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let (file, sealed) = if folder.starts_with(".chunks") {
        ("chunk", matches!(bytes.first(), Some(0x7b | 0xe6)))
    } else {
        (file, folder.starts_with("ns/"))
    };
    if sealed { format!("encrypted {file}") } else { file.to_owned() }
}
