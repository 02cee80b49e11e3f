//! The index of a mirror: a row for each version that was ever seen, in the order of keys.
//!
//! ```text
//! .highwater-mirror/index/00000007
//!   blocks         zstd frames, one behind the other, each of at most 65,536 rows and 8 MiB
//!   5e 2a 4d 18    a frame that zstd skips (RFC 8878, 3.1.2), so that `zstd -dc` gives all rows
//!   u32            its length, least significant byte first: that of all below
//!   tail           points, blocks, keys that lie aside, sums: [`Tail`]
//!   u64            the length of the tail, least significant byte first
//!   32 bytes       the SHA-256 of the tail
//!   HWMIRR\0\1     by which the last 48 bytes are known
//! ```
//!
//! A row follows the one before it in its block:
//!
//! | bytes | what |
//! |---|---|
//! | u8 | flags, the lowest bit first: it marks a deletion; it is wanted and not had; a digest of what arrived |
//! | | … follows; nanoseconds follow; two bits: what proves it (0 none, 1 the MD5, 2 the parts); two: the version |
//! | | … (0 `null`, 1 of 32 bytes, 2 of any length) |
//! | u8 | two bits: the ETag (0 an MD5, 1 of parts, 2 any); two: when it was the latest (0 never, 1 as long as it was |
//! | | … seen, 2 in spans); the newest point has it; it was pruned |
//! | varint | bytes that its key shares with that of the row before it |
//! | varint, bytes | the rest of its key |
//! | 32 bytes, or varint and bytes | the version, unless it is `null` |
//! | 16 bytes, and a varint; or varint and bytes | the ETag: of parts, with their number |
//! | varint | the length of the object |
//! | varint | seconds since 1970, less those of the row before it; sign in the lowest bit |
//! | varint | nanoseconds, if there are any |
//! | varint | the length of a part, if parts prove it |
//! | 32 bytes | the SHA-256 of what arrived, if it is kept |
//! | varint | the first point that has it |
//! | varint | how many points before the newest it was seen last, unless the newest has it |
//! | varint, pairs of varints | spans of points in which it was the latest: the first, and how many more |
//!
//! Rows are in the order of keys as bytes; of a key, by version as bytes, then by ETag ([`Etag`]): all three together
//! are there once. Other bits of the flags are none. Points are numbered from the oldest, from 0.
//!
//! What was pruned has no bytes here, and none are wanted: nothing proves it, and it is the latest of no point. Its row
//! stays so that no sync fetches again what the bucket lists still.
//!
//! What lies aside is what [`super::names`] calls so: it depends on all keys of the index and on no point.

#[cfg(not(target_family = "wasm"))]
mod encode;
mod last;
mod row;
mod rows;
mod tail;

#[cfg(not(target_family = "wasm"))]
pub use encode::{Encoder, Written};
pub use row::{Latest, Proof, Row, Seen};
pub use rows::Rows;
pub use tail::{Block, Point, TRAILER, Tail, Totals, Trailer, is_point};

use crate::inventory::Etag;

/// How many rows a block has, at most.
pub const ROWS: u32 = 65_536;

/// How many bytes a block decodes to, at most.
pub const BYTES: usize = 8 << 20;

/// How many points an index can have.
pub const POINTS: usize = 65_535;

/// In so many spans of points can a version have been the latest.
const SPANS: usize = 1024;

/// As many bytes of keys may lie aside.
const ASIDES: usize = 32 << 20;

/// The longest version, and the longest ETag, in bytes.
const WORD: usize = 512;

/// An ETag that lives on.
#[must_use]
pub fn text(etag: &Etag<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    etag.push(&mut out);
    out
}

#[cfg(test)]
pub(in crate::formats::mirror) mod tests;
