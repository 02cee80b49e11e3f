//! Whether a source succeeds the newest point: a database that was packed does, one that was lost and begun anew does
//! not.
//!
//! A pack may shorten a database to any length, so lengths tell nothing. But it keeps the ids of the transactions that
//! it keeps, of which the last one stays. The first one is old, or, where every object was written again since the
//! point, marked as packed.

use std::io;

use highwater_core::codec::{Codec, Decoder, Flow};
use highwater_core::filestorage::{MAGIC_LEN, Status, TXN_HEADER, Tid, TxnHeader, Walk, last_tid, time_of};
use highwater_core::formats::repozo::chain::Link;

use super::source::Source;
use super::state::Newest;
use crate::disk::Disk;
use crate::drive::buffer;
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;

/// Refuses a new full backup, of `end` bytes with this last transaction, of a source that does not succeed the newest
/// point. A point of which the last transaction cannot be read is succeeded by any.
///
/// # Errors
/// When the source's last transaction is older than the point's, when its first one is newer, or when it has none.
pub(super) fn check(
    disk: &dyn Disk,
    newest: &Newest,
    source: &Source,
    (end, last): (u64, Tid),
    watch: &Watch<'_>,
) -> Result<(), Error> {
    if newest.end() <= MAGIC_LEN {
        return Ok(());
    }
    let reached = newest_tid(disk, newest, watch)?;
    let why = match reached {
        _ if end <= MAGIC_LEN => "has no transaction".to_owned(),
        Some(reached) if last < reached => {
            format!("ends with a transaction of {}, which is older", time_of(last))
        }
        Some(reached) => match source.first_transaction()? {
            Some(first) if first.tid > reached && first.status != Status::Packed => {
                format!("begins with a transaction of {}, so that nothing of the point is in it", time_of(first.tid))
            }
            _ => return Ok(()),
        },
        None => return Ok(()),
    };
    let stem = newest.links.last().map_or("", |link| link.stem.as_str());
    let of = reached.map(|reached| format!(" up to {}", time_of(reached))).unwrap_or_default();
    Err(Error::damage(format!(
        "the source {} is not what the newest point grew into: {stem} holds {} bytes{of}, and the source of {end} \
         bytes {why}; nothing was backed up and nothing removed; look whether a database was lost or the wrong one \
         named, and if it is meant, say so with --other-source",
        quoted(&source.told()),
        newest.end()
    )))
}

/// The id of the last transaction of the newest point. Where its last file does not tell, that of the file before it
/// does as well: the point is not older.
fn newest_tid(disk: &dyn Disk, newest: &Newest, watch: &Watch<'_>) -> Result<Option<Tid>, Error> {
    for link in newest.links.iter().rev().filter(|link| link.end > link.start) {
        if let Some(tid) = tid_of(disk, link, watch)? {
            return Ok(Some(tid));
        }
    }
    Ok(None)
}

/// The id of the last transaction of a file; none if it cannot be read to its end.
fn tid_of(disk: &dyn Disk, link: &Link, watch: &Watch<'_>) -> Result<Option<Tid>, Error> {
    let Ok(object) = disk.open(&link.file) else { return Ok(None) };
    if link.codec == Codec::Plain {
        let Ok(length) = object.length() else { return Ok(None) };
        // An increment has the bytes from its start on, and no magic number before them.
        let read = |at: u64, out: &mut [u8]| object.read_exact_at(at.checked_sub(link.start)?, out).ok();
        return Ok(link.start.checked_add(length).and_then(|end| last_tid(end, read)));
    }
    let mut walk = Walk::new(link.start, link.end);
    let mut decoder = Decoder::new(link.codec, None);
    let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |stored| {
        let pushed = decoder.push(stored, &mut |decoded| {
            walk.push(decoded, &mut ());
            Flow::Continue(())
        });
        pushed.is_ok() && !watch.stopping()
    });
    watch.go_on()?;
    Ok((read.is_ok() && walk.end() == link.end).then(|| walk.last_tid()))
}

impl Source {
    /// The header of the first transaction, if the file has any.
    fn first_transaction(&self) -> Result<Option<TxnHeader>, Error> {
        let mut header = [0; TXN_HEADER];
        match self.object.read_exact_at(MAGIC_LEN, &mut header) {
            Ok(()) => Ok(Some(TxnHeader::parse(&header))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(self.unread(error)),
        }
    }
}
