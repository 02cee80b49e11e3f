//! `Footer`: the end of a table, which says where its indices are and what its checksums are.
//!
//! Forms, by the eight bytes at the very end (RocksDB 10.4 `table/format.cc`; LevelDB 1.22 `table/format.cc`):
//!
//! * LevelDB's, 48 bytes: the metaindex and the index as two handles, zeros up to 40 bytes, the magic number;
//! * RocksDB's versions 1 to 5, 53 bytes: kind of checksum 1, two handles and zeros 40, version 4, magic number 8;
//! * versions 6 and 7, 53 bytes: kind of checksum 1, `3e 00 7a 00`, checksum of the footer 4, base of the checksums 4,
//!   length of the metaindex, which lies right before the footer, 4, zeros 24, version 4, magic number 8.

use super::sum::{Context, Kind};
use crate::cursor::Cursor;

/// The longest footer, in bytes.
pub(super) const LONGEST: u64 = 53;

/// The shortest, in bytes.
const SHORT: usize = 48;

/// The last eight bytes, as a number.
const LEVELDB: u64 = 0xdb47_7524_8b80_fb57;
const ROCKSDB: u64 = 0x88e2_41b7_85f4_cff7;
/// Tables of other kinds, which have no checksums of blocks: plain ones, old and new, and cuckoo ones.
const OTHERS: [u64; 3] = [0x4f34_18eb_7a8f_13b8, 0x8242_2296_63bf_9564, 0x9267_89d0_c5f1_7873];

/// The length of what stands behind each block: how it is compressed 1, its checksum 4.
pub(super) const TRAILER: u64 = 5;

/// Where a block lies, without what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Handle {
    pub(super) at: u64,
    pub(super) size: u64,
}

impl Handle {
    /// Takes a handle off the front.
    pub(super) fn take(cursor: &mut Cursor<'_>) -> Option<Self> {
        Some(Self { at: cursor.varint64()?, size: cursor.varint64()? })
    }

    /// Where it ends with what stands behind it; none past the end of all numbers.
    pub(super) fn end(self) -> Option<u64> {
        self.at.checked_add(self.size)?.checked_add(TRAILER)
    }
}

/// The end of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footer {
    /// Where it begins in the table.
    pub(super) at: u64,
    /// The version of the table; 0 for LevelDB's.
    pub(super) version: u32,
    pub(super) sum: Kind,
    pub(super) context: Context,
    pub(super) metaindex: Handle,
    /// The index; none where the metaindex names it.
    pub(super) index: Option<Handle>,
    /// The first byte of it that should be zero and is not, and that no checksum covers.
    pub(super) dirt: Option<u64>,
}

/// Why the end of a table is no footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoFooter {
    /// It is of a kind whose blocks have no checksums.
    Other,
    /// It is wrong: where, and what, as half a sentence.
    Odd(u64, String),
}

impl Footer {
    /// Reads the last bytes of a table of `size` bytes.
    ///
    /// # Errors
    /// See [`NoFooter`].
    pub(super) fn parse(end: &[u8], size: u64) -> Result<Self, NoFooter> {
        let last = |count: usize| end.len().checked_sub(count).and_then(|from| end.get(from..));
        let at = |count: usize| size.saturating_sub(count as u64);
        let odd = |count: usize, what: &str| NoFooter::Odd(at(count), what.to_owned());
        let magic = last(8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        let length = match magic {
            Some(LEVELDB) => SHORT,
            Some(ROCKSDB) => SHORT + 5,
            Some(other) if OTHERS.contains(&other) => return Err(NoFooter::Other),
            _ => return Err(odd(8, "it does not end as a table does")),
        };
        let bytes = last(length).ok_or_else(|| odd(end.len(), "it is shorter than the footer of a table"))?;
        let mut cursor = Cursor::new(bytes);
        let begin = at(length);
        if length == SHORT {
            let (sum, context) = (Kind::Crc32c, Context::default());
            return Self { at: begin, version: 0, sum, context, metaindex: NOWHERE, index: None, dirt: None }.handles(
                &mut cursor,
                bytes,
                0,
            );
        }
        let kind = cursor.byte().and_then(Kind::new);
        let sum = kind.ok_or_else(|| odd(length, "its footer names a kind of checksum that does not exist"))?;
        let version = bytes.get(41..45).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
        let footer =
            Self { at: begin, version, sum, context: Context::default(), metaindex: NOWHERE, index: None, dirt: None };
        match version {
            0..=5 => footer.handles(&mut cursor, bytes, 1),
            6 | 7 => footer.extended(&mut cursor, bytes).map_err(|what| odd(length, what)),
            _ => Err(odd(12, &format!("it is of version {version}, and the newest that is known is 7"))),
        }
    }

    /// Takes the two handles, which begin at `from` of the footer's bytes.
    fn handles(self, cursor: &mut Cursor<'_>, bytes: &[u8], from: usize) -> Result<Self, NoFooter> {
        let (Some(metaindex), Some(index)) = (Handle::take(cursor), Handle::take(cursor)) else {
            return Err(NoFooter::Odd(self.at, "its footer does not say where its indices are".to_owned()));
        };
        // As an engine writes them: another way to write the same numbers is none of theirs.
        let numbers = [metaindex.at, metaindex.size, index.at, index.size];
        let written = numbers.into_iter().flat_map(varint).chain(std::iter::repeat(0));
        let there = bytes.iter().skip(from).take(40);
        let dirt = there.zip(written).position(|(there, written)| *there != written);
        let dirt = dirt.map(|behind| self.at.saturating_add((from + behind) as u64));
        Ok(Self { metaindex, index: Some(index), dirt, ..self })
    }

    /// Takes what the versions from 6 on say.
    fn extended(self, cursor: &mut Cursor<'_>, bytes: &[u8]) -> Result<Self, &'static str> {
        let short = "its footer is not whole";
        if cursor.take(4) != Some(&[0x3e, 0, 0x7a, 0]) {
            return Err("its footer lacks the mark of its version");
        }
        let stored = cursor.fixed32().ok_or(short)?;
        let context = Context::new(cursor.fixed32().ok_or(short)?);
        let size = u64::from(cursor.fixed32().ok_or(short)?);
        if context == Context::default() {
            return Err("its footer has no base of the checksums");
        }
        let zeroed: Vec<u8> =
            bytes.iter().enumerate().map(|(i, byte)| if (5..9).contains(&i) { 0 } else { *byte }).collect();
        let (last, all) = zeroed.split_last().ok_or(short)?;
        // Without a kind of checksum, only the part that tells blocks apart is there.
        let sum = self.sum.of(all, *last).wrapping_add(context.modifier(self.at));
        if sum != stored {
            return Err("the checksum of its footer is wrong");
        }
        let at = self.at.checked_sub(size.saturating_add(TRAILER)).ok_or("its metaindex is longer than it is")?;
        if bytes.get(33..41).unwrap_or_default().iter().any(|byte| *byte != 0) {
            return Err("its footer says that it needs a later version");
        }
        Ok(Self { context, metaindex: Handle { at, size }, ..self })
    }
}

/// A number as a varint.
fn varint(number: u64) -> impl Iterator<Item = u8> {
    let bytes = number.checked_ilog2().map_or(1, |bits| bits / 7 + 1);
    (0..bytes).map(move |byte| {
        let [seven, ..] = (number >> (7 * byte)).to_le_bytes();
        if byte + 1 < bytes { seven | 0x80 } else { seven & 0x7f }
    })
}

const NOWHERE: Handle = Handle { at: 0, size: 0 };
