//! Damage to each kind of file of the small set.

use highwater_core::formats::mirror::names;

use super::compose::INDEX;
use super::small::{NEWER, set};
use crate::specimens::{Row, harms, with};

/// Every damage, and what verify must say.
pub(super) fn rows() -> Vec<Row> {
    let files = set(NEWER);
    let old = |key: &str| {
        let mut names = files.keys().filter(|name| name.starts_with(&format!("{key}.old.")));
        names.next().expect("an older version").clone()
    };
    let kinds = [
        ("pointer", names::APPLIED.to_owned()),
        ("index", INDEX.to_owned()),
        ("latest, by MD5", "zarr/0/new".to_owned()),
        ("latest, by its parts", "zarr/0/parts".to_owned()),
        ("latest, as received", "under key".to_owned()),
        ("empty", "zarr/0/%hw".to_owned()),
        ("older", old("zarr/0/new")),
        ("deleted", old("gone")),
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
