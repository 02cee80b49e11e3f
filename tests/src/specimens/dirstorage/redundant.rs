//! What may change in the small store unseen, and why.

use highwater_core::formats::dirstorage::names::{File, Layout};
use highwater_core::formats::dirstorage::settings;

use super::compose::tid;

/// The last pack of the small store, its last transaction, its highest object.
const FLOOR: u64 = tid(2);
const LAST: u64 = tid(5);
const HIGHEST: u64 = 2;

/// The file of the database of this name.
pub(super) fn file(name: &str) -> Option<File> {
    Layout::Bushy.file(name.strip_prefix("A/")?.as_bytes())
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

/// Why it is no loss that byte `at` of a file changes unseen.
pub(super) fn unseen(name: &str, at: usize, before: &[u8], after: &[u8]) -> Option<&'static str> {
    match (name, file(name)) {
        ("config/settings", _) => (settings::parse(after).is_ok() && settings::parse(before) == settings::parse(after))
            .then_some("the settings say the same of the shape of the store"),
        ("config/identity", _) => {
            after.iter().all(u8::is_ascii_hexdigit).then_some("no data depend on what a store calls itself")
        }
        (_, Some(File::Oid)) => {
            (number(after)? >= HIGHEST).then_some("an object may have been given out that nobody wrote")
        }
        // All that anything names is there, or older than this.
        (_, Some(File::Packed)) => {
            (tid(1) + 1..=LAST).contains(&number(after)?).then_some("a pack may have gone so far and found nothing")
        }
        (_, Some(File::Transaction(id))) if id == FLOOR && (24..32).contains(&at) => (number(&after[24..32])? < FLOOR)
            .then_some("the pointer of the oldest transaction leads to one that was packed"),
        (_, Some(File::Revision(oid, serial))) if (16..24).contains(&at) => {
            let copied = number(&after[16..24])?;
            let there = [(1, tid(2)), (1, tid(3)), (2, tid(3))].contains(&(oid, copied)) && copied < serial;
            (copied < FLOOR || there).then_some("what an undo copied may have been packed")
        }
        _ => None,
    }
}

/// Whether a file that became shorter or longer says the same.
pub(super) fn says_the_same(name: &str, before: &[u8], after: &[u8]) -> bool {
    match name {
        "config/settings" => settings::parse(after).is_ok() && settings::parse(before) == settings::parse(after),
        "config/identity" => after.strip_suffix(b"\n") == Some(before),
        _ => false,
    }
}
