//! Copies of files that are open: shared blocks where the file system can, bytes with their digests elsewhere.

use std::io;

use highwater_core::codec::Flow;
use highwater_core::digest::{Algorithm, Digest, Hasher, sha256_of};
use highwater_core::name::Name;

use super::adapter::{Scan, Scanned};
use super::hashing::Hashing;
use crate::disk::like::Like;
use crate::disk::{Disk, Look};
use crate::store::Object;

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// No thread is started for a log that is no longer.
const SHORT: u64 = PIECE as u64;

/// A file that was written.
pub(super) struct Written {
    /// How long it is.
    pub(super) length: u64,
    /// What it gives, if its bytes were read.
    pub(super) sha256: Option<Digest>,
    /// It shares its bytes with what it was made from.
    pub(super) is_clone: bool,
}

/// A new file of these bytes, like another.
pub(super) fn write(to: &dyn Disk, name: &Name, bytes: &[u8], like: &Look) -> io::Result<Written> {
    let file = to.create(name)?;
    file.write_at(0, bytes)?;
    _ = Like::of(like).give(&*file)?;
    let sha256 = Some(sha256_of(bytes));
    Ok(Written { length: bytes.len() as u64, sha256, is_clone: false })
}

/// A copy of a file that does not change, up to `end`, and what it gives by `algorithm`, if one is asked for: then all
/// of it is read.
pub(super) fn copy(
    (from, end): (&dyn Object, u64),
    (to, name): (&dyn Disk, &Name),
    like: &Look,
    algorithm: Option<Algorithm>,
) -> io::Result<(Written, Option<Digest>)> {
    let file = to.create(name)?;
    let is_clone = end == from.length()? && file.reflink(from);
    let mut other = algorithm.map(Hasher::new);
    let mut sha256 = (!is_clone).then(|| Hasher::new(Algorithm::Sha256));
    let (mut at, mut failed) = (0, Ok(()));
    if other.is_some() || !is_clone {
        let read: &dyn Object = if is_clone { file.as_object() } else { from };
        read.for_each_piece(0, end, &mut vec![0; PIECE], |piece| {
            for hasher in other.iter_mut().chain(sha256.iter_mut()) {
                hasher.update(piece);
            }
            if !is_clone {
                failed = file.write_at(at, piece);
            }
            at += piece.len() as u64;
            failed.is_ok()
        })?;
        failed?;
    }
    _ = Like::of(like).give(&*file)?;
    let length = file.as_object().length()?;
    let sha256 = sha256.map(Hasher::finish);
    Ok((Written { length, sha256, is_clone }, other.map(Hasher::finish)))
}

/// A copy of a log up to the end of its last whole entry, and what hashes it meanwhile where threads are welcome. What
/// is a hole in the log is one in the copy.
pub(super) fn copy_log(
    from: &dyn Object,
    (to, name): (&dyn Disk, &Name),
    like: &Look,
    mut scan: Box<dyn Scan>,
) -> io::Result<(Written, Scanned, Option<Hashing>)> {
    let file = to.create(name)?;
    let is_clone = file.reflink(from);
    // What is appended from now on belongs to the next checkpoint.
    let read: &dyn Object = if is_clone { file.as_object() } else { from };
    let end = read.length()?;
    // Whoever has no descriptor or thread left is hashed afterwards.
    let copied = (to.takes_threads() && end > SHORT).then(|| to.open(name).ok()).flatten();
    let hashing = copied.and_then(Hashing::begin);
    let (mut at, mut failed) = (0, Ok(()));
    let mut buffer = vec![0; PIECE];
    while at < end {
        // A log that was given its length beforehand is a hole behind what was written: there is nothing to read.
        let hole = read.next_data(at).unwrap_or(at).min(end);
        if hole > at {
            let more = push_zeros(&mut *scan, hole - at, &mut buffer);
            at = hole;
            if more.is_break() {
                break;
            }
            continue;
        }
        let mut flow = Flow::Continue(());
        let before = at;
        read.for_each_piece(before, end.min(before.saturating_add(PIECE as u64)), &mut buffer, |piece| {
            flow = scan.push(piece);
            if !is_clone {
                failed = file.write_at(at, piece);
            }
            at += piece.len() as u64;
            failed.is_ok() && flow.is_continue()
        })?;
        std::mem::replace(&mut failed, Ok(()))?;
        hashing.iter().for_each(|hashing| hashing.grown(at));
        if flow.is_break() || at == before {
            break;
        }
    }
    let scanned = scan.end();
    file.set_length(scanned.whole)?;
    _ = Like::of(like).give(&*file)?;
    let written = Written { length: scanned.whole, sha256: None, is_clone };
    Ok((written, scanned, hashing))
}

/// The SHA-256 of the first bytes of a file.
pub(super) fn sum_of(file: &dyn Object, end: u64) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    file.for_each_piece(0, end, &mut vec![0; PIECE], |piece| {
        hasher.update(piece);
        true
    })?;
    Ok(hasher.finish())
}

/// Hands so many zeros on.
fn push_zeros(scan: &mut dyn Scan, mut length: u64, buffer: &mut [u8]) -> Flow {
    buffer.fill(0);
    while length > 0 {
        let room = usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
        scan.push(&buffer[..room])?;
        length -= room as u64;
    }
    Flow::Continue(())
}
