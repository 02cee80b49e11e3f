//! The newest transaction of a FileStorage: whether a point holds it too, so that the file holds nothing newer.

use std::io;
use std::path::Path;

use highwater_core::codec::{Decoder, Flow};
use highwater_core::filestorage::{MAGIC_LEN, Magic, Sink, State, Status, TXN_HEADER, Tid, Txn, TxnHeader, Walk};

use crate::drive::buffer;
use crate::error::Error;
use crate::restore::claims::Claims;
use crate::restore::known::Unread;
use crate::shown::quoted;
use crate::store::{Object, Store};
use crate::watch::Watch;

/// The length of a transaction's length where it is repeated after it, in bytes.
const REPEATED: u64 = 8;

/// What the end of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::restore) enum Newest {
    /// It is a FileStorage without any transaction.
    None,
    /// It is one, and this is its newest.
    Some(Tid),
    /// It is none, or does not end with a finished transaction.
    Unknown,
}

/// Looks for the newest transaction, from the end. A header of the right length is enough, whatever its records say: a
/// database that is damaged there has a newest transaction all the same.
///
/// # Errors
/// When the file cannot be read.
pub(in crate::restore) fn transaction(object: &dyn Object) -> io::Result<Newest> {
    let length = object.length()?;
    if magic(object)?.is_none() {
        return Ok(Newest::Unknown);
    }
    if length == MAGIC_LEN {
        return Ok(Newest::None);
    }
    let mut repeated = [0; 8];
    let mut header = [0; TXN_HEADER];
    let Some(end) = length.checked_sub(REPEATED) else { return Ok(Newest::Unknown) };
    object.read_exact_at(end, &mut repeated)?;
    let tlen = u64::from_be_bytes(repeated);
    let start = end.checked_sub(tlen).filter(|start| *start >= MAGIC_LEN && tlen >= TXN_HEADER as u64);
    let Some(start) = start else { return Ok(Newest::Unknown) };
    object.read_exact_at(start, &mut header)?;
    let header = TxnHeader::parse(&header);
    let finished = header.tlen == tlen && header.status != Status::Voted;
    Ok(if finished { Newest::Some(header.tid) } else { Newest::Unknown })
}

/// Whether some chunks, one behind the other, hold a transaction.
///
/// # Errors
/// When the user wants to stop. What cannot be read holds nothing, and is noted.
pub(in crate::restore) fn is_in(
    tid: Tid,
    from: &dyn Store,
    claims: &Claims,
    unread: &Unread,
    watch: &Watch<'_>,
) -> Result<bool, Error> {
    let mut walk = Walk::new(0, claims.end());
    let mut wanted = Wanted { tid, found: false };
    for claim in claims.iter() {
        let note = || unread.note(|| format!("{} cannot be read", quoted(&from.told(Some(&claim.object)))));
        let Ok(object) = from.open(&claim.object) else {
            note();
            return Ok(false);
        };
        let mut decoder = Decoder::new(claim.codec, None);
        let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
            let pushed = decoder.push(piece, &mut |decoded| {
                walk.push(decoded, &mut wanted);
                let on = !wanted.found && walk.last_tid() <= tid && walk.want().is_some();
                if on { Flow::Continue(()) } else { Flow::Break(()) }
            });
            pushed.is_ok_and(|flow| flow.is_continue()) && !watch.stopping()
        });
        watch.go_on()?;
        if read.is_err() {
            note();
        }
        if wanted.found || read.is_err() || walk.last_tid() > tid {
            break;
        }
    }
    Ok(wanted.found)
}

/// Whether a file holds a transaction.
///
/// # Errors
/// When the user wants to stop. What cannot be read holds nothing.
pub(in crate::restore) fn is_in_file(tid: Tid, object: &dyn Object, watch: &Watch<'_>) -> Result<bool, Error> {
    let Ok(length) = object.length() else { return Ok(false) };
    let mut walk = Walk::new(0, length);
    let mut wanted = Wanted { tid, found: false };
    let read = object.for_each_piece(0, length, &mut buffer(), |piece| {
        walk.push(piece, &mut wanted);
        !wanted.found && walk.last_tid() <= tid && walk.want().is_some() && !watch.stopping()
    });
    watch.go_on()?;
    Ok(wanted.found && read.is_ok())
}

/// Where a FileStorage contradicts itself, as a clause; none in what is none. Transactions say where they lie, so that
/// a file of them in which some are missing, or there twice, does.
///
/// # Errors
/// When the file cannot be read, or the user wants to stop.
pub(in crate::restore) fn contradiction(
    object: &dyn Object,
    path: &Path,
    watch: &Watch<'_>,
) -> Result<Option<String>, Error> {
    let failed = |error| Error::io("read", path)(error);
    let length = object.length().map_err(failed)?;
    if magic(object).map_err(failed)?.is_none() {
        return Ok(None);
    }
    let mut tail = [0; 8];
    let tail = object.read_exact_at(length.saturating_sub(REPEATED), &mut tail).is_ok().then_some(tail);
    let mut walk = Walk::new(0, length).with_tail(tail);
    let read = object.for_each_piece(0, length, &mut buffer(), |piece| {
        walk.push(piece, &mut ());
        walk.want().is_some() && !watch.stopping()
    });
    read.map_err(failed)?;
    watch.go_on()?;
    Ok(match walk.state() {
        State::Corrupt { at, what } => Some(format!("at byte {at}, {what}")),
        State::Running | State::Stopped { .. } => None,
    })
}

/// Why a file that no point explains is a stranger, as a clause.
///
/// # Errors
/// When the file cannot be read.
pub(in crate::restore) fn stranger(object: &dyn Object, repository: &str) -> io::Result<String> {
    Ok(match transaction(object)? {
        _ if magic(object)?.is_none() => "it is no database: it begins with neither FS30 nor FS21".to_owned(),
        Newest::Some(tid) => {
            format!(
                "it is another database, or a newer one: its newest transaction 0x{tid:016x} is not in that point of \
                 {repository}"
            )
        }
        Newest::None | Newest::Unknown => {
            format!("it is no point of {repository} and does not end with a finished transaction")
        }
    })
}

fn magic(object: &dyn Object) -> io::Result<Option<Magic>> {
    let mut bytes = [0; 4];
    match object.read_exact_at(0, &mut bytes) {
        Ok(()) => Ok(Magic::parse(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Looks for one transaction.
struct Wanted {
    tid: Tid,
    found: bool,
}

impl Sink for Wanted {
    fn transaction(&mut self, txn: &Txn) {
        self.found |= txn.tid == self.tid;
    }
}
