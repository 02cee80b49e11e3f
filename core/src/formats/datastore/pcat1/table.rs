//! `Table`: where the entries of a folder are.

use super::entry::LEAST;
use super::number::{Part, number};

/// A table of which the entries come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    /// Where it begins in the catalogue, and where it ends.
    pub(super) at: u64,
    pub(super) end: u64,
    /// How many entries were not read yet.
    pub(super) left: u64,
}

impl Table {
    /// Reads the head of the table that begins at `at`, before `limit`, where something else does.
    pub(super) fn read(bytes: &[u8], at: u64, limit: u64) -> Part<Self> {
        let room = limit.saturating_sub(at);
        let bytes = bytes.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(bytes);
        let Some((length, used)) = number(bytes)? else { return cut(bytes, room) };
        let has = room.saturating_sub(used as u64);
        if length > has {
            return Err(format!("the table of a folder has {length} bytes, and {has} follow"));
        }
        let entries = bytes.get(used..).unwrap_or_default();
        let entries = entries.get(..usize::try_from(length).unwrap_or(usize::MAX)).unwrap_or(entries);
        let Some((left, more)) = number(entries)? else { return cut(entries, length) };
        let most = length.saturating_sub(more as u64) / LEAST;
        if left > most {
            return Err(format!("the table of a folder has {left} entries, and room for {most}"));
        }
        let end = at.saturating_add(used as u64).saturating_add(length);
        Ok(Some((Self { at, end, left }, used.saturating_add(more))))
    }
}

/// More bytes are needed, if there are any.
fn cut<T>(bytes: &[u8], room: u64) -> Part<T> {
    if bytes.len() as u64 >= room { Err("the table of a folder ends within its head".to_owned()) } else { Ok(None) }
}
