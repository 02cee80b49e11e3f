//! Damage to each kind of file of the small store.

use std::collections::BTreeSet;

use super::small::store;
use crate::specimens::{Row, harms, with};

/// Every damage, and what verify must say.
pub(super) fn rows() -> Vec<Row> {
    let files = store();
    let mut kinds = BTreeSet::new();
    let damages = files.iter().filter_map(|(name, bytes)| {
        let kind = kind(name);
        kinds.insert(kind).then_some((kind, name, bytes))
    });
    let damaged = damages.flat_map(|(kind, name, bytes)| {
        harms(kind, bytes, bytes.len() / 2, bytes.len() * 2 / 3)
            .into_iter()
            // Without its marker it is no store, and not recognised.
            .filter(|(what, _)| what != "gone marker")
            .map(|(what, bytes)| {
                let (way, kind) = what.split_once(' ').expect("a way and a kind");
                (format!("{way:<10} {kind:<24}"), with(&files, name, bytes))
            })
            .collect::<Vec<_>>()
    });
    Row::all(damaged, include_str!("matrix.txt"))
}

/// What a file is.
fn kind(name: &str) -> &'static str {
    match name {
        "lock" => "lock",
        "version" => "marker",
        _ if name.ends_with(".jnl") => "journal",
        _ if name.starts_with("keyspaces/0/tables/") => "table of names",
        _ if name.starts_with("keyspaces/0/current") => "current of the names",
        _ if name.starts_with("keyspaces/0/") => "version of the names",
        _ if name.contains("/tables/") => "table",
        _ if name.contains("/blobs/") => "blob file",
        _ if name.ends_with("/current") => "current",
        _ => "version",
    }
}
