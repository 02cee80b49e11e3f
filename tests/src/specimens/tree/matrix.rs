//! Damage to each kind of file of the small set.

use highwater_core::digest::sha256_of;
use highwater_core::formats::tree::names;

use super::small::{NEWER, list, parts, set};
use crate::specimens::{Row, harms, with};

/// Every damage, and what verify must say.
pub(super) fn rows() -> Vec<Row> {
    let files = set();
    let object = |bytes: &[u8]| names::object(&sha256_of(bytes)).expect("a name").to_string();
    let [both, _, new, _] = parts();
    let kinds = [
        ("list", list(NEWER)),
        ("object of a point", object(&new)),
        ("object of both", object(&both)),
        ("empty object", object(b"")),
    ];
    let damaged = kinds.iter().flat_map(|(kind, name)| {
        let bytes = &files[name];
        harms(kind, bytes, bytes.len() / 2, bytes.len() * 2 / 3)
            .into_iter()
            .filter(|(_, harmed)| harmed.as_ref() != Some(bytes))
            .map(|(what, bytes)| {
                let (way, kind) = what.split_once(' ').expect("a way and a kind");
                (format!("{way:<10} {kind:<24}"), with(&files, name, bytes))
            })
            .collect::<Vec<_>>()
    });
    Row::all(damaged, include_str!("matrix.txt"))
}
