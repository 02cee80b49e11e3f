//! `pcat1`: the catalogue of the trees in a snapshot, read as a stream of bytes that nobody vouches for.
//!
//! A catalogue is a mark of 8 bytes, then a *table* for each folder, those of what is in a folder before its own, then
//! the place of the root's table, as 8 bytes little-endian. The entries of the root are folders, and named after the
//! archives. All other numbers have seven bits a byte, the low ones first; the highest bit says that more bytes follow.
//! Of a negative one, all bytes have it, and a zero follows.
//!
//! | a table | |
//! |---|---|
//! | number | bytes that follow |
//! | number | entries |
//! | entries | a letter, the length of a name, the name |
//! | | of a folder (`d`): how far its table begins before this one |
//! | | of a file (`f`): its size, and when it changed last, in seconds since 1970, which may be negative |
//! | | of a link, hard link, block or character device, pipe or socket (`l`, `h`, `b`, `c`, `p`, `s`): nothing |
//!
//! Format: that of Proxmox Backup Server 4.2, which has not changed since its 1.0 of 2020.
//!
//! What is kept in memory is bounded whatever a catalogue says: of each table that no folder has named yet, its place;
//! of each entry of the one table that is being read, 16 bytes; and one entry. Room is made for what was read, and for
//! nothing that a count or a length promises, and there are 2^21 of either at most. What is beyond that is said to be
//! not looked at. A [`Walk`] keeps a path, and the places of the folders in it.

mod entry;
mod number;
mod reader;
mod table;
mod unit;
mod walk;

pub use entry::Kind;
pub use reader::Reader;
pub use walk::{Event, Listed, Walk};

use super::odd::Odd;

/// What a catalogue begins with.
const MARK: [u8; 8] = [0x91, 0xfd, 0x60, 0xf9, 0xc4, 0x67, 0x58, 0xd5];

/// How long that is, and how long is what it ends with.
const EDGE: u64 = 8;

/// Sees that a catalogue begins as one, and is none that has no room for a table.
fn begins(mark: [u8; 8], length: u64) -> Result<(), Odd> {
    if mark != MARK {
        return Err(Odd::record(0, "it does not begin with the mark of a catalogue"));
    }
    if length <= 2 * EDGE {
        return Err(Odd::record(0, format!("it has {length} bytes, and no catalogue has so few")));
    }
    Ok(())
}
