//! Reads the records of an open `Data.fs` from header to header, without the data between them.

use std::io;

use highwater_core::filestorage::{Damage, Indexer, OidIndex, Sink, State, Walk};

use crate::store::Object;

/// Bytes read at once.
const HOP: usize = 16 * 1024;

/// Takes a walk to its end, or to where the file ends by now.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn hop(object: &dyn Object, walk: &mut Walk, sink: &mut impl Sink) -> io::Result<()> {
    let mut window = vec![0u8; HOP];
    let (mut at, mut filled) = (0u64, 0usize);
    while let Some(want) = walk.jump() {
        let inside = want.at.checked_sub(at).filter(|skip| skip + want.len as u64 <= filled as u64);
        let skip = match inside.and_then(|skip| usize::try_from(skip).ok()) {
            Some(skip) => skip,
            None => {
                at = want.at;
                filled = 0;
                while filled < want.len {
                    match object.read_at(at + filled as u64, &mut window[filled..]) {
                        Ok(0) => break,
                        Ok(read) => filled += read,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                if filled < want.len {
                    // The writer cut an aborted transaction off meanwhile.
                    break;
                }
                0
            }
        };
        walk.push(&window[skip..skip + want.len], sink);
    }
    Ok(())
}

/// What the records of a file give.
#[derive(Debug)]
pub(crate) enum Records {
    /// The OID index.
    Index(OidIndex),
    /// It does not begin as a FileStorage does.
    Foreign,
    /// Its records end here, or contradict themselves.
    Broken(u64),
}

/// Reads all records of a file up to `end`, where a transaction is to end.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn records(object: &dyn Object, end: u64) -> io::Result<Records> {
    let (mut walk, mut indexer) = (Walk::new(0, end), Indexer::default());
    hop(object, &mut walk, &mut indexer)?;
    Ok(match walk.state() {
        State::Corrupt { what: Damage::Magic, .. } => Records::Foreign,
        State::Corrupt { at, .. } => Records::Broken(at),
        _ if walk.end() != end => Records::Broken(walk.end()),
        _ => indexer.finish().map_or_else(|far| Records::Broken(far.offset), Records::Index),
    })
}
