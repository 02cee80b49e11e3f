//! `Rows`: reads the rows of a block, whose bytes may be anything.

use super::BYTES;
use super::last::Last;
use super::row::{Before, Row};
use super::tail::Tail;
use crate::codec::unzstd;
use crate::cursor::Cursor;
use crate::digest::{Algorithm, of};
use crate::odd::Odd;

/// The rows of a block, one after another. Holds what the block decodes to, at most 8 MiB.
#[derive(Debug)]
pub struct Rows {
    decoded: Vec<u8>,
    /// Where the next row begins in it.
    at: usize,
    before: Before,
    newest: u32,
    /// Where the block begins in the file, and how many of its rows were read.
    block: u64,
    count: u32,
    total: u32,
    last: Last,
}

impl Rows {
    /// Opens block `number` of an index, which has these bytes.
    ///
    /// # Errors
    /// They are not those of the block.
    pub fn open(tail: &Tail, number: usize, stored: &[u8]) -> Result<Self, Odd> {
        let none = || Odd::new(0, format!("it has no block {number}"));
        let block = tail.blocks().get(number).ok_or_else(none)?;
        let odd = |what: String| Odd::new(block.at, format!("block {number} {what}"));
        if stored.len() as u64 != u64::from(block.stored) {
            return Err(odd(format!("has {} bytes of {}", stored.len(), block.stored)));
        }
        if of(Algorithm::Xxh3, stored).as_bytes() != block.sum {
            return Err(odd("is not what was written: its checksum differs".to_owned()));
        }
        let decoded = unzstd(stored, BYTES).map_err(|what| odd(format!("cannot be decompressed: {what}")))?;
        let decoded = decoded.ok_or_else(|| odd(format!("decompresses to more than {BYTES} bytes")))?;
        let rows = Self {
            decoded,
            at: 0,
            before: Before::default(),
            newest: tail.newest(),
            block: block.at,
            count: 0,
            total: block.rows,
            last: Last::default(),
        };
        let mut first = Before::default();
        let begins = Row::read(&mut Cursor::new(&rows.decoded), &mut first, rows.newest);
        if !begins.is_ok_and(|row| row.key == block.first) {
            return Err(odd("does not begin with the key that it should".to_owned()));
        }
        Ok(rows)
    }

    /// The next row; none behind the last one.
    ///
    /// # Errors
    /// A row is none, or not behind the one before it. Nothing more is to be read then.
    pub fn row(&mut self) -> Result<Option<Row<'_>>, Odd> {
        let rest = self.decoded.get(self.at..).unwrap_or_default();
        let (block, count, total, begin) = (self.block, self.count, self.total, self.at);
        let odd = |what: &str| Odd::new(block, format!("row {count} of the block, at byte {begin} of it, {what}"));
        if self.count == self.total || rest.is_empty() {
            return match rest.len() {
                0 if self.count == total => Ok(None),
                0 => Err(odd("is not there")),
                _ => Err(odd("is one too many")),
            };
        }
        let mut cursor = Cursor::new(rest);
        let row = Row::read(&mut cursor, &mut self.before, self.newest).map_err(odd)?;
        if !self.last.take(&row) {
            return Err(odd("does not come behind the one before it"));
        }
        self.at = self.at.saturating_add(rest.len().saturating_sub(cursor.rest().len()));
        self.count = self.count.saturating_add(1);
        Ok(Some(row))
    }
}
