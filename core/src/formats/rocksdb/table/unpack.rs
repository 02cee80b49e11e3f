//! Decompresses a block of a table that must be read: an index, that is.
//!
//! From version 2 of RocksDB's tables on, the length of what comes out stands before the compressed bytes (varint),
//! except before Snappy's, which have it anyway; before that, LZ4 had it in eight bytes, and the others had it not
//! (RocksDB 10.4 `util/compression.h`). LevelDB has Snappy alone; its descendants use 2 and 4 for zlib, with and
//! without its header, and 2 for zstd as well.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};

use super::super::Engine;
use crate::codec::unzstd;
use crate::cursor::Cursor;

/// The most that is read of an index, and the most that comes out of it, in bytes: enough for tables of some gigabytes.
pub(super) const MOST: usize = 64 << 20;

/// How much longer an index may be than what is stored of it, and then some: what is more is no index.
const RATIO: usize = 64;
const MORE: usize = 64 << 10;

/// Why a block cannot be decompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packed {
    /// Nothing here can do that: what it is compressed with.
    Unknown(&'static str),
    /// More comes out than any index has.
    Large,
    /// It is broken.
    Broken(&'static str),
}

/// Decompresses a block that is stored as `kind` in a table of this engine and version.
pub(super) fn unpack(engine: Engine, version: u32, kind: u8, stored: &[u8]) -> Result<Cow<'_, [u8]>, Packed> {
    match (kind, engine) {
        (0, _) => Ok(Cow::Borrowed(stored)),
        (1, _) => snappy(stored).map(Cow::Owned),
        (2, Engine::LevelDb) if stored.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => zstd(stored, None).map(Cow::Owned),
        (2 | 4, Engine::LevelDb) => inflate(stored, kind == 2, None).map(Cow::Owned),
        (2, Engine::RocksDb) => {
            let (length, stored) = prefixed(stored, version >= 2)?;
            inflate(stored, false, length).map(Cow::Owned)
        }
        (3, Engine::RocksDb) => Err(Packed::Unknown("bzip2")),
        (4 | 5, Engine::RocksDb) if version >= 2 => {
            let (length, stored) = prefixed(stored, true)?;
            lz4(stored, length.unwrap_or(0)).map(Cow::Owned)
        }
        (4 | 5, Engine::RocksDb) => {
            let (length, stored) = stored.split_first_chunk::<8>().ok_or(Packed::Broken(SHORT))?;
            let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Packed::Large)?;
            lz4(stored, length).map(Cow::Owned)
        }
        (6, Engine::RocksDb) => Err(Packed::Unknown("Xpress")),
        (7, Engine::RocksDb) => {
            let (length, stored) = prefixed(stored, true)?;
            zstd(stored, length).map(Cow::Owned)
        }
        _ => Err(Packed::Unknown("something of its own")),
    }
}

const SHORT: &str = "the compressed bytes are shorter than the length before them";
const BROKEN: &str = "the compressed bytes are broken";
const LENGTH: &str = "the compressed bytes give another length than the one before them";

/// How much may come out of these bytes.
fn most(stored: &[u8]) -> usize {
    stored.len().saturating_mul(RATIO).saturating_add(MORE).min(MOST)
}

/// The length that stands before the compressed bytes, if one does.
fn prefixed(stored: &[u8], is: bool) -> Result<(Option<usize>, &[u8]), Packed> {
    if !is {
        return Ok((None, stored));
    }
    let mut cursor = Cursor::new(stored);
    let length = cursor.varint32().ok_or(Packed::Broken(SHORT))?;
    let length = usize::try_from(length).ok().filter(|length| *length <= most(stored)).ok_or(Packed::Large)?;
    Ok((Some(length), cursor.rest()))
}

/// Room for what comes out.
fn room(length: usize, stored: &[u8]) -> Result<Vec<u8>, Packed> {
    if length > most(stored) { Err(Packed::Large) } else { Ok(vec![0; length]) }
}

fn snappy(stored: &[u8]) -> Result<Vec<u8>, Packed> {
    let length = snap::raw::decompress_len(stored).map_err(|_| Packed::Broken(BROKEN))?;
    let mut out = room(length, stored)?;
    let written = snap::raw::Decoder::new().decompress(stored, &mut out).map_err(|_| Packed::Broken(BROKEN))?;
    if written == length { Ok(out) } else { Err(Packed::Broken(LENGTH)) }
}

fn lz4(stored: &[u8], length: usize) -> Result<Vec<u8>, Packed> {
    let mut out = room(length, stored)?;
    let written = lz4_flex::block::decompress_into(stored, &mut out).map_err(|_| Packed::Broken(BROKEN))?;
    if written == length { Ok(out) } else { Err(Packed::Broken(LENGTH)) }
}

fn zstd(stored: &[u8], length: Option<usize>) -> Result<Vec<u8>, Packed> {
    let out = unzstd(stored, length.unwrap_or(most(stored))).map_err(Packed::Broken)?.ok_or(Packed::Large)?;
    if length.is_none_or(|length| length == out.len()) { Ok(out) } else { Err(Packed::Broken(LENGTH)) }
}

fn inflate(stored: &[u8], header: bool, length: Option<usize>) -> Result<Vec<u8>, Packed> {
    let most = length.unwrap_or(most(stored));
    let (mut inflate, mut out, mut piece) = (Decompress::new(header), Vec::new(), vec![0; 32 << 10]);
    loop {
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let taken = usize::try_from(before_in).unwrap_or(usize::MAX);
        let rest = stored.get(taken..).unwrap_or_default();
        let status = inflate.decompress(rest, &mut piece, FlushDecompress::None);
        let status = status.map_err(|_| Packed::Broken(BROKEN))?;
        let made = usize::try_from(inflate.total_out().saturating_sub(before_out)).unwrap_or(0);
        out.extend_from_slice(piece.get(..made).unwrap_or_default());
        if out.len() > most {
            return Err(if length.is_some() { Packed::Broken(LENGTH) } else { Packed::Large });
        }
        if status == Status::StreamEnd {
            break;
        }
        if made == 0 && inflate.total_in() == before_in {
            return Err(Packed::Broken(BROKEN));
        }
    }
    if length.is_none_or(|length| length == out.len()) { Ok(out) } else { Err(Packed::Broken(LENGTH)) }
}
