//! A store of some kilobytes that fjall itself made, and the same with its journal in two parts.

use super::layout::batches;
use crate::repo::Image;

/// The only journal of the small store.
pub(super) const JOURNAL: &str = "0.jnl";

macro_rules! files {
    ($($name:literal,)*) => {
        [$(($name, include_bytes!(concat!("../../../fixtures/fjall/", $name)).as_slice()),)*]
    };
}

/// How it was made stands in `tests/fixtures/fjall.md`.
pub(super) fn store() -> Image {
    let files = files![
        "0.jnl",
        "keyspaces/0/current",
        "keyspaces/0/tables/3",
        "keyspaces/0/v5",
        "keyspaces/1/current",
        "keyspaces/1/tables/0",
        "keyspaces/1/v2",
        "keyspaces/2/blobs/0",
        "keyspaces/2/current",
        "keyspaces/2/tables/0",
        "keyspaces/2/v2",
        "keyspaces/3/current",
        "keyspaces/3/tables/0",
        "keyspaces/3/tables/1",
        "keyspaces/3/v3",
        "lock",
        "version",
    ];
    files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
}

/// The same store as a running program has it: its last batches in a second journal that was made long before.
pub(super) fn running() -> Image {
    let mut files = store();
    let journal = files.remove(JOURNAL).expect("a journal");
    let at = batches(&journal)[15].end;
    files.insert(JOURNAL.to_owned(), [&journal[..at], &[0; 200]].concat());
    files.insert("1.jnl".to_owned(), [&journal[at..], &[0; 3000]].concat());
    files
}
