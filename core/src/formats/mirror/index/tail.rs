//! `Tail`: the end of an index, by which all else in it is found.
//!
//! | bytes | what |
//! |---|---|
//! | varint, bytes | the bucket |
//! | varint | the number of points, the oldest first, and for each: |
//! | varint, bytes | … its name, as its folder in the inventory is called |
//! | 16 bytes | … the MD5 of its `manifest.json` |
//! | varint, varint | … how many objects are the latest of their keys in it, and how many bytes they have |
//! | seven varints | [`Totals`], in their order |
//! | varint | the number of blocks, in the order in which they lie, and for each: |
//! | varint, varint | … how many bytes it has as it is stored, and how many rows |
//! | 16 bytes | … the XXH3 of the stored bytes, 128 bits, most significant byte first |
//! | varint, bytes | … the key of its first row |
//! | varint | the number of keys that lie aside, in order, and for each: |
//! | varint, varint, bytes | … how many bytes it shares with the one before, and the others |
//! | varint, varint | for each point of whose inventory rows could not be read, in order: its number, and how many |

use std::ops::Range;

use super::{ASIDES, POINTS, ROWS};
use crate::cursor::Cursor;
#[cfg(not(target_family = "wasm"))]
use crate::cursor::{push_prefixed, push_varint};
use crate::digest::{Digest, sha256_of};
use crate::inventory::LONGEST_KEY;
use crate::odd::Odd;
use crate::stamp;

/// How long the end of an index is that says how long its tail is, in bytes.
pub const TRAILER: u64 = 48;

/// The last bytes of an index.
const MAGIC: [u8; 8] = *b"HWMIRR\0\x01";

/// What a frame begins with that zstd skips (RFC 8878, section 3.1.2), and its length.
const HEAD: [u8; 8] = [0x5e, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];

/// The longest tail that is read, in bytes: that of some 10¹⁰ rows.
const LONGEST: u64 = 48 << 20;

/// The longest name of a bucket or a point, in bytes.
const WORD: usize = 255;

/// What a tail says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// The bucket.
    pub bucket: String,
    /// The points, the oldest first: never none.
    pub points: Vec<Point>,
    /// Sums over all rows.
    pub totals: Totals,
    pub(super) blocks: Vec<Block>,
    /// The keys that lie aside, in order.
    pub(super) asides: Vec<Vec<u8>>,
}

/// An inventory that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its name: `YYYY-MM-DDThh-mmZ`, when its scan began.
    pub name: String,
    /// The MD5 of its manifest.
    pub manifest: [u8; 16],
    /// How many objects are the latest of their keys in it.
    pub objects: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many rows of its inventory could not be read: what they list is not in it.
    pub unread: u64,
}

/// Sums over all rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows.
    pub rows: u64,
    /// Those that mark a deletion.
    pub markers: u64,
    /// Those that are wanted and were not had.
    pub wanted: u64,
    /// Those whose bytes lie here, and were found to be what S3 recorded.
    pub recorded: u64,
    /// Those whose bytes lie here, and are known by the digest of what arrived alone.
    pub received: u64,
    /// Those whose bytes lie here, and are known by their length alone.
    pub unproven: u64,
    /// How many bytes lie here.
    pub bytes: u64,
}

impl Totals {
    /// Rows of what was pruned and the bucket lists still: those that are of no other kind.
    #[must_use]
    pub fn pruned(&self) -> u64 {
        let others = [self.markers, self.wanted, self.recorded, self.received, self.unproven];
        others.into_iter().fold(self.rows, u64::saturating_sub)
    }
}

/// A block of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it begins in the file, in bytes.
    pub at: u64,
    /// How many bytes it has there.
    pub stored: u32,
    /// How many rows are in it.
    pub rows: u32,
    /// The XXH3 of its bytes.
    pub sum: [u8; 16],
    /// The key of its first row.
    pub first: Vec<u8>,
}

/// The last bytes of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// How long the tail before it is, in bytes.
    pub tail: u64,
    /// The SHA-256 of that.
    pub sum: Digest,
}

impl Trailer {
    /// Reads the last [`TRAILER`] bytes of an index.
    ///
    /// # Errors
    /// They are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Odd> {
        let odd = |what: &str| Odd::new(0, format!("its last {TRAILER} bytes {what}, so it was cut or is none"));
        let mut cursor = Cursor::new(bytes);
        let read = (cursor.fixed64(), cursor.take(32), cursor.rest() == MAGIC);
        let (Some(tail), Some(sum), true) = read else { return Err(odd("are not those of an index")) };
        if tail > LONGEST {
            return Err(odd(&format!("say that {tail} bytes are before them, and at most {LONGEST} can be")));
        }
        let sum = <[u8; 32]>::try_from(sum).map(Digest::Sha256).map_err(|_| odd("have no digest"))?;
        Ok(Self { tail, sum })
    }

    /// Where the frame begins that zstd skips and ends what stands before the trailer, in an index of `size` bytes;
    /// half-open.
    #[must_use]
    pub fn stretch(&self, size: u64) -> Range<u64> {
        let end = size.saturating_sub(TRAILER);
        end.saturating_sub(self.tail).saturating_sub(HEAD.len() as u64)..end
    }

    /// What stands before a tail: the beginning of a frame that zstd skips.
    pub(super) fn head(tail: u64) -> [u8; 8] {
        let mut head = HEAD;
        let length = u32::try_from(tail.saturating_add(TRAILER)).unwrap_or(u32::MAX).to_le_bytes();
        head.iter_mut().skip(4).zip(length).for_each(|(slot, byte)| *slot = byte);
        head
    }

    /// Its bytes.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn encode(tail: &[u8]) -> Vec<u8> {
        [&(tail.len() as u64).to_le_bytes()[..], sha256_of(tail).as_bytes(), &MAGIC].concat()
    }
}

impl Tail {
    /// Reads the tail that a trailer is of: all of its [stretch](Trailer::stretch) of an index of `size` bytes.
    ///
    /// # Errors
    /// It is not that, or cannot be read.
    pub fn parse(trailer: &Trailer, size: u64, bytes: &[u8]) -> Result<Self, Odd> {
        let from = trailer.stretch(size).start;
        let (head, bytes) = bytes.split_at_checked(HEAD.len()).unwrap_or((bytes, &[]));
        if head != Trailer::head(trailer.tail) {
            return Err(Odd::new(from, "no frame for zstd to skip stands before its tail"));
        }
        let from = from.saturating_add(HEAD.len() as u64);
        if bytes.len() as u64 != trailer.tail || sha256_of(bytes) != trailer.sum {
            return Err(Odd::new(from, "its tail is not what was written: the SHA-256 differs"));
        }
        let mut cursor = Cursor::new(bytes);
        let read = Self::read(&mut cursor);
        let at = from.saturating_add(bytes.len().saturating_sub(cursor.rest().len()) as u64);
        let tail = read.ok_or_else(|| Odd::new(at, "its tail ends in the middle, or holds what none does"))?;
        let end = tail.blocks.last().map_or(0, |block| block.at.saturating_add(u64::from(block.stored)));
        if end != trailer.stretch(size).start {
            return Err(Odd::new(end, "something stands between its last block and its tail"));
        }
        Ok(tail)
    }

    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let word = |cursor: &mut Cursor<'_>| {
            let bytes = cursor.prefixed().filter(|bytes| bytes.len() <= WORD)?;
            Some(std::str::from_utf8(bytes).ok()?.to_owned())
        };
        let number = |cursor: &mut Cursor<'_>| u32::try_from(cursor.varint64()?).ok();
        let sum = |cursor: &mut Cursor<'_>| cursor.take(16)?.try_into().ok();
        let bucket = word(cursor)?;
        let mut tail = Self { bucket, ..Self::default() };
        for _ in 0..cursor.varint64().filter(|count| (1..=POINTS as u64).contains(count))? {
            let (name, manifest) = (word(cursor)?, sum(cursor)?);
            let (objects, bytes) = (cursor.varint64()?, cursor.varint64()?);
            let ordered = tail.points.last().is_none_or(|last| last.name < name);
            (ordered && is_point(&name)).then_some(())?;
            tail.points.push(Point { name, manifest, objects, bytes, unread: 0 });
        }
        let totals = &mut tail.totals;
        for total in [
            &mut totals.rows,
            &mut totals.markers,
            &mut totals.wanted,
            &mut totals.recorded,
            &mut totals.received,
            &mut totals.unproven,
            &mut totals.bytes,
        ] {
            *total = cursor.varint64()?;
        }
        let (mut at, mut rows) = (0_u64, 0_u64);
        for _ in 0..cursor.varint64()? {
            let (stored, count, sum) = (number(cursor)?, number(cursor)?, sum(cursor)?);
            let first = cursor.prefixed()?.to_vec();
            let ordered = tail.blocks.last().is_none_or(|last| last.first <= first);
            (ordered && stored > 0 && (1..=ROWS).contains(&count) && is_key(&first)).then_some(())?;
            tail.blocks.push(Block { at, stored, rows: count, sum, first });
            at = at.checked_add(u64::from(stored))?;
            rows = rows.checked_add(u64::from(count))?;
        }
        (rows == tail.totals.rows).then_some(())?;
        let mut held = 0_usize;
        for _ in 0..cursor.varint64()? {
            let shared = usize::try_from(cursor.varint64()?).ok()?;
            let rest = cursor.prefixed()?;
            let mut key = match tail.asides.last() {
                Some(last) => last.get(..shared)?.to_vec(),
                None => Vec::new(),
            };
            key.extend_from_slice(rest);
            // A few bytes of the tail may stand for a long key.
            held = held.saturating_add(key.len()).saturating_add(size_of::<Vec<u8>>());
            (held <= ASIDES).then_some(())?;
            (is_key(&key) && tail.asides.last().is_none_or(|last| *last < key)).then_some(())?;
            tail.asides.push(key);
        }
        let mut before = None;
        while !cursor.is_empty() {
            let (at, unread) = (number(cursor)?, cursor.varint64()?);
            (before.is_none_or(|before| before < at) && unread > 0).then_some(())?;
            tail.points.get_mut(at as usize)?.unread = unread;
            before = Some(at);
        }
        Some(tail)
    }

    /// Its bytes.
    #[cfg(not(target_family = "wasm"))]
    pub(in crate::formats::mirror) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        push_prefixed(self.bucket.as_bytes(), &mut out);
        push_varint(self.points.len() as u64, &mut out);
        for point in &self.points {
            push_prefixed(point.name.as_bytes(), &mut out);
            out.extend_from_slice(&point.manifest);
            push_varint(point.objects, &mut out);
            push_varint(point.bytes, &mut out);
        }
        let Totals { rows, markers, wanted, recorded, received, unproven, bytes } = self.totals;
        for total in [rows, markers, wanted, recorded, received, unproven, bytes] {
            push_varint(total, &mut out);
        }
        push_varint(self.blocks.len() as u64, &mut out);
        for block in &self.blocks {
            push_varint(u64::from(block.stored), &mut out);
            push_varint(u64::from(block.rows), &mut out);
            out.extend_from_slice(&block.sum);
            push_prefixed(&block.first, &mut out);
        }
        push_varint(self.asides.len() as u64, &mut out);
        let mut before: &[u8] = &[];
        for key in &self.asides {
            let shared = before.iter().zip(key).take_while(|(one, other)| one == other).count();
            push_varint(shared as u64, &mut out);
            push_prefixed(key.get(shared..).unwrap_or_default(), &mut out);
            before = key;
        }
        for (at, point) in self.points.iter().enumerate().filter(|(_, point)| point.unread > 0) {
            push_varint(at as u64, &mut out);
            push_varint(point.unread, &mut out);
        }
        out
    }

    /// The blocks, in the order of keys.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The number of the newest point.
    #[must_use]
    pub fn newest(&self) -> u32 {
        u32::try_from(self.points.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The number of a point.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        let at = self.points.binary_search_by(|point| point.name.as_str().cmp(name)).ok()?;
        u32::try_from(at).ok()
    }

    /// Whether the latest version of a key lies aside, as its name is that of a folder too.
    #[must_use]
    pub fn is_aside(&self, key: &[u8]) -> bool {
        self.asides.binary_search_by(|aside| aside.as_slice().cmp(key)).is_ok()
    }

    /// The first block that can have rows of a key, or of what comes behind it.
    #[must_use]
    pub fn block_of(&self, key: &[u8]) -> usize {
        // Rows of one key may begin at the end of the block before.
        self.blocks.partition_point(|block| block.first.as_slice() < key).saturating_sub(1)
    }
}

fn is_key(key: &[u8]) -> bool {
    (1..=LONGEST_KEY).contains(&key.len())
}

/// Whether a text names a point: `YYYY-MM-DDThh-mmZ`, as folders of inventories are called.
#[must_use]
pub fn is_point(name: &str) -> bool {
    let bytes = name.as_bytes();
    let fits = name.len() == 17 && bytes.get(10) == Some(&b'T') && bytes.get(13) == Some(&b'-');
    fits && name.ends_with('Z') && stamp::point(name).is_ok()
}
