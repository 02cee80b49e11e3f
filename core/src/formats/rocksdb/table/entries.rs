//! The entries of a block: keys and values, or keys and handles of other blocks.
//!
//! An entry is how many bytes its key shares with the one before it, how many follow, how long the value is (varints),
//! the rest of the key, the value. Behind the entries, where each run of them begins that shares nothing with what is
//! before (4 bytes each), and the number of those (4). An index of RocksDB's version 4 or later may leave the lengths
//! of values out: a value is a handle, or, where its key shares bytes with the one before it, the difference (zigzag)
//! of the block's size from that of the one before, behind which it lies (RocksDB 10.4 `table/block_based/block.cc`).

use super::footer::{Handle, TRAILER};
use crate::cursor::Cursor;

/// The bit of the number of runs that says that a hash index stands before it.
const HASHED: u32 = 1 << 31;

/// How the handles of an index are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Form {
    /// As differences, without lengths.
    pub(super) delta: bool,
    /// Behind each, the first key of its block.
    pub(super) first_key: bool,
}

/// Takes a key and its value, or says what is wrong with them.
type Pair<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), String> + 'a;

/// Hands on each key and its value.
///
/// # Errors
/// What is wrong with the block, as half a sentence, or what the receiver says.
pub(super) fn pairs(block: &[u8], each: &mut Pair<'_>) -> Result<(), String> {
    let mut key = Vec::new();
    let mut cursor = Cursor::new(data(block)?);
    while !cursor.is_empty() {
        let pair = head(&mut cursor, true).and_then(|(shared, length, value)| {
            extend(&mut key, shared, cursor.take(length)?)?;
            cursor.take(value)
        });
        each(&key, pair.ok_or(BROKEN)?)?;
    }
    Ok(())
}

/// Hands on each handle of an index.
///
/// # Errors
/// What is wrong with the block, as half a sentence, or what the receiver says.
pub(super) fn handles(
    block: &[u8],
    form: Form,
    each: &mut dyn FnMut(Handle) -> Result<(), String>,
) -> Result<(), String> {
    let mut cursor = Cursor::new(data(block)?);
    // Of the key before, only the length matters.
    let (mut known, mut before) = (0, None);
    while !cursor.is_empty() {
        let handle = head(&mut cursor, !form.delta).and_then(|(shared, length, value)| {
            cursor.take(length).filter(|_| shared <= known)?;
            known = shared.checked_add(length)?;
            if form.delta {
                return self::value(&mut cursor, form, before.filter(|_| shared > 0));
            }
            let mut value = Cursor::new(cursor.take(value)?);
            self::value(&mut value, form, None).filter(|_| value.is_empty())
        });
        let handle = handle.ok_or(BROKEN)?;
        before = Some(handle);
        each(handle)?;
    }
    Ok(())
}

const BROKEN: &str = "an entry of it is not whole";

/// The part of a block with its entries.
fn data(block: &[u8]) -> Result<&[u8], &'static str> {
    let short = "it is shorter than what it must end with";
    let (rest, count) = block.split_last_chunk::<4>().ok_or(short)?;
    let count = u32::from_le_bytes(*count);
    if count & HASHED != 0 {
        return Err("it ends as a block of data does, not one of an index");
    }
    let runs = usize::try_from(count).ok().and_then(|count| count.checked_mul(4)).ok_or(short)?;
    rest.len().checked_sub(runs).and_then(|length| rest.get(..length)).ok_or(short)
}

/// What an entry begins with: bytes shared, bytes of the key that follow, bytes of the value, if that is said.
fn head(cursor: &mut Cursor<'_>, valued: bool) -> Option<(usize, usize, usize)> {
    let (shared, length) = (cursor.varint32()?, cursor.varint32()?);
    let value = if valued { cursor.varint32()? } else { 0 };
    Some((usize::try_from(shared).ok()?, usize::try_from(length).ok()?, usize::try_from(value).ok()?))
}

/// Makes a key of what it shares with the one before it, and the rest.
fn extend(key: &mut Vec<u8>, shared: usize, rest: &[u8]) -> Option<()> {
    (shared <= key.len()).then(|| {
        key.truncate(shared);
        key.extend_from_slice(rest);
    })
}

/// A handle, by itself or behind the one before it.
fn value(cursor: &mut Cursor<'_>, form: Form, before: Option<Handle>) -> Option<Handle> {
    let handle = match before {
        None => Handle::take(cursor)?,
        Some(before) => {
            let zigzag = cursor.varint64()?;
            let difference = zigzag >> 1 ^ 0_u64.wrapping_sub(zigzag & 1);
            let at = before.at.checked_add(before.size)?.checked_add(TRAILER)?;
            Handle { at, size: before.size.wrapping_add(difference) }
        }
    };
    if form.first_key {
        cursor.prefixed()?;
    }
    Some(handle)
}
