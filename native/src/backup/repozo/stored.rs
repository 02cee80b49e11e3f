//! Whether a data file can be as long as its line says: a look that costs two reads and decompresses nothing.

use std::io;

use highwater_core::codec::Codec;
use highwater_core::codec::member::{HEADER, lengths};
use highwater_core::formats::repozo::chain::Link;

use crate::disk::Disk;

/// The shortest gzip file, in bytes: header, an empty block, sum and length.
const SHORTEST: u64 = 20;

/// What a look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It can be whole.
    Fits,
    /// A plain file of another length, which this is.
    Length(u64),
    /// Only decompressing it tells.
    Doubtful,
}

/// Looks at a data file. A gzip file ends with its decompressed length, modulo 2^32, or with that of its last member:
/// ours are all of one length but for the last. One that lost its end, or got zeros in its place, does not.
///
/// # Errors
/// When it cannot be read.
pub(super) fn look(disk: &dyn Disk, link: &Link) -> io::Result<Look> {
    let expected = link.end - link.start;
    if link.codec == Codec::Plain {
        let length = disk.length(&link.file)?;
        return Ok(if length == expected { Look::Fits } else { Look::Length(length) });
    }
    let object = disk.open(&link.file)?;
    let length = object.length()?;
    if length < SHORTEST {
        return Ok(Look::Doubtful);
    }
    let (mut first, mut last) = ([0; HEADER], [0; 4]);
    if length >= HEADER as u64 {
        object.read_exact_at(0, &mut first)?;
    }
    object.read_exact_at(length - 4, &mut last)?;
    let last = u64::from(u32::from_le_bytes(last));
    let fits = match lengths(&first).filter(|first| first.decoded > 0) {
        None => last == expected & 0xffff_ffff,
        Some(first) if expected <= u64::from(first.decoded) => last == expected && u64::from(first.stored) == length,
        // One that was cut after a member ends with a whole one.
        Some(first) => last == expected % u64::from(first.decoded) && last > 0,
    };
    Ok(if fits { Look::Fits } else { Look::Doubtful })
}
