//! Lists in Parquet: brings the parts of the file that their reader asks for, and hands on its rows.

use highwater_core::codec::Flow;
use highwater_core::inventory::Schema;
use highwater_core::inventory::parquet::{Broken, Reader, Step};

use super::list::{Each, List};
use crate::disk::Disk;
use crate::error::Error;

/// Reads are of so many bytes.
const PIECE: usize = 64 << 10;

/// Reads a list until its end, or until `each` stops.
///
/// # Errors
/// As [`List::read`].
pub(super) fn read(list: &List, disk: &dyn Disk, schema: &Schema, each: &mut Each<'_>) -> Result<Flow, Error> {
    let object = disk.open(&list.name).map_err(Error::at("open", disk, &list.name))?;
    let mut reader = Reader::new(schema.clone(), list.size);
    // Columns are passed over, and headers of pages read twice: what is told of is the whole list, all the same.
    let (mut piece, mut part, mut untold) = (vec![0; PIECE], Vec::new(), list.size);
    let broken = |Broken { at, what }| list.broken(disk, at, &what);
    loop {
        match reader.step().map_err(broken)? {
            Step::Read { at, length } => {
                part.clear();
                let read = object.for_each_piece(at, at.saturating_add(length), &mut piece, |piece| {
                    part.extend_from_slice(piece);
                    true
                });
                _ = read.map_err(Error::at("read", disk, &list.name))?;
                reader.give(&part).map_err(broken)?;
                let some = (part.len() as u64).min(untold);
                untold -= some;
                if each(some, None)?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
            Step::Row(row) => {
                if each(0, Some(row))?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
            Step::End => return each(untold, None),
        }
    }
}
