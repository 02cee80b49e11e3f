//! The names of what lies in a store, both directions.
//!
//! A file whose name says a number says it in decimal digits, without a sign and without zeros before them: that is how
//! the engine writes it.

use crate::name::Name;

/// The marker whose presence makes a folder a store.
pub const VERSION: &str = "version";

/// The file that whoever opens a store locks. It is empty, and the engine opens no store that lacks it.
pub const LOCK: &str = "lock";

/// The folder of the keyspaces.
pub const KEYSPACES: &str = "keyspaces";

/// The file in a keyspace that names its version.
pub const CURRENT: &str = "current";

/// The folder in a keyspace that holds its tables.
pub const TABLES: &str = "tables";

/// The folder in a keyspace that holds its blobs.
pub const BLOBS: &str = "blobs";

/// What the names of journals end with.
pub const JOURNAL: &str = ".jnl";

/// The keyspace that holds the names and options of the others.
pub const META: u64 = 0;

/// The number of the journal of this name.
#[must_use]
pub fn is_journal(name: &[u8]) -> Option<u64> {
    number(name.strip_suffix(JOURNAL.as_bytes())?)
}

/// The number of the keyspace in whose folder of this name it lies, below [`KEYSPACES`].
#[must_use]
pub fn is_keyspace(name: &[u8]) -> Option<u64> {
    number(name)
}

/// The journal of a number.
#[must_use]
pub fn journal(id: u64) -> Option<Name> {
    Name::new(format!("{id}{JOURNAL}").as_bytes()).ok()
}

/// The folder of a keyspace.
#[must_use]
pub fn keyspace(id: u64) -> Option<Name> {
    Name::new(format!("{KEYSPACES}/{id}").as_bytes()).ok()
}

/// The file that names the version of a keyspace.
#[must_use]
pub fn current(keyspace: u64) -> Option<Name> {
    within(keyspace, CURRENT)
}

/// A version of a keyspace.
#[must_use]
pub fn version(keyspace: u64, id: u64) -> Option<Name> {
    within(keyspace, &format!("v{id}"))
}

/// A table of a keyspace.
#[must_use]
pub fn table(keyspace: u64, id: u64) -> Option<Name> {
    within(keyspace, &format!("{TABLES}/{id}"))
}

/// A blob file of a keyspace.
#[must_use]
pub fn blob(keyspace: u64, id: u64) -> Option<Name> {
    within(keyspace, &format!("{BLOBS}/{id}"))
}

fn within(keyspace: u64, path: &str) -> Option<Name> {
    Name::new(format!("{KEYSPACES}/{keyspace}/{path}").as_bytes()).ok()
}

/// A number that is written as the engine writes it.
fn number(text: &[u8]) -> Option<u64> {
    let id: u64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (id.to_string().as_bytes() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written_and_in_no_other_way() {
        for (name, id) in [
            ("0.jnl", Some(0)),
            ("18446744073709551615.jnl", Some(u64::MAX)),
            ("18446744073709551616.jnl", None),
            ("00.jnl", None),
            ("+1.jnl", None),
            ("1.JNL", None),
            ("1.jnl.jnl", None),
            ("1", None),
            (".jnl", None),
            ("", None),
            ("\u{661}.jnl", None),
        ] {
            assert_eq!(is_journal(name.as_bytes()), id, "{name}");
            assert!(id.is_none_or(|id| journal(id).is_some_and(|made| made.as_str() == Some(name))));
        }
        assert_eq!((is_keyspace(b"7"), is_keyspace(b"07"), is_keyspace(b"7.jnl")), (Some(7), None, None));
    }

    #[test]
    fn names_lie_below_their_keyspace() {
        let names = [keyspace(0), current(3), version(3, 9), table(3, u64::MAX), blob(3, 0)];
        let names: Vec<String> = names.into_iter().flatten().map(|name| name.to_string()).collect();
        let wanted = [
            "keyspaces/0",
            "keyspaces/3/current",
            "keyspaces/3/v9",
            "keyspaces/3/tables/18446744073709551615",
            "keyspaces/3/blobs/0",
        ];
        assert_eq!(names, wanted);
    }
}
