//! Damage to each kind of file of the small store, and to stores as a whole.

use std::collections::BTreeSet;

use highwater_core::formats::dirstorage::names::File;

use super::compose::tid;
use super::redundant::file;
use super::samples;
use crate::specimens::{Row, harms, with};

/// Every damage, and what verify must say.
pub(super) fn rows() -> Vec<Row> {
    let files = samples::small().image();
    let mut kinds = BTreeSet::new();
    let damages = files.iter().filter_map(|(name, bytes)| {
        let kind = kind(name);
        kinds.insert(kind).then_some((kind, name, bytes))
    });
    let damaged = damages.flat_map(|(kind, name, bytes)| {
        // In the middle of a head is what the sum does not cover.
        harms(kind, bytes, bytes.len() * 9 / 10, bytes.len() * 2 / 3)
            .into_iter()
            .map(|(what, bytes)| {
                let (way, kind) = what.split_once(' ').expect("a way and a kind");
                (format!("{way:<10} {kind:<24}"), with(&files, name, bytes))
            })
            .collect::<Vec<_>>()
    });
    let wholes = super::wholes().into_iter().map(|(what, files, _)| (format!("{what:<35}"), files));
    Row::all(damaged.chain(wholes), include_str!("matrix.txt"))
}

/// What a file is.
fn kind(name: &str) -> &'static str {
    match (name, file(name)) {
        ("config/settings", _) => "settings",
        ("config/identity", _) => "identity",
        (_, Some(File::Oid)) => "x.oid",
        (_, Some(File::Serial)) => "x.serial",
        (_, Some(File::Packed)) => "x.packed",
        (_, Some(File::Current(_))) => "current",
        (_, Some(File::Revision(oid, serial))) if (oid, serial) == (1, tid(5)) => "newest revision",
        (_, Some(File::Revision(..))) => "revision",
        (_, Some(File::Transaction(id))) if id == tid(5) => "newest transaction",
        (_, Some(File::Transaction(_))) => "transaction",
        (_, None) => unreachable!("the small store has no such file: {name}"),
    }
}
