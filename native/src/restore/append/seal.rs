//! `Seal`: the status byte of the first appended transaction, held back until everything after it is durable.
//!
//! Appended bytes may reach the disk in any order, and a database that finds a whole transaction does not look inside
//! it. So that byte is first written as `c`, "voted but not finished", at which every FileStorage reader stops. The
//! bytes up to it are made durable before any other: a hole in their place would read as zeros, and ZODB takes a
//! transaction with an unknown status for a complete one.

use std::io;

use highwater_core::claim::Claim;

use crate::disk::Writable;
use crate::store::Object;

/// Where a transaction's status stands in it.
const STATUS: u64 = 16;

/// The status at which readers stop.
const VOTED: u8 = b'c';

/// The byte that is held back.
#[derive(Debug, Clone, Copy)]
pub(in crate::restore) struct Seal {
    /// Where it belongs in the target.
    pub(in crate::restore) at: u64,
    /// Its real value, once it has been seen; it has to be written at the end.
    pub(in crate::restore) real: Option<u8>,
}

impl Seal {
    /// The seal of an append that begins with `claim`.
    pub(in crate::restore) fn of(claim: &Claim) -> Self {
        Self { at: claim.target().start.saturating_add(STATUS), real: None }
    }

    /// Whether a chunk that an object holds may still bear the seal of an interrupted append.
    pub(in crate::restore) fn is_on(object: &dyn Object, claim: &Claim) -> bool {
        let at = Self::of(claim).at;
        let mut status = [0];
        claim.target().start > 0
            && at < claim.target().end
            && object.read_exact_at(at, &mut status).is_ok()
            && status == [VOTED]
    }

    /// Whether this byte of a target is the seal.
    pub(in crate::restore) fn is(&self, at: u64, byte: u8) -> bool {
        at == self.at && byte == VOTED
    }

    /// Compares bytes of the chunk with the target's, in which an earlier run may have left the seal.
    pub(in crate::restore) fn same(&mut self, chunk: &[u8], old: &[u8], start: u64) -> bool {
        if chunk == old {
            return true;
        }
        let Some(at) = self.inside(start, old.len()).filter(|at| chunk.len() == old.len() && old[*at] == VOTED) else {
            return false;
        };
        self.real = Some(chunk[at]);
        chunk[..at] == old[..at] && chunk[at + 1..] == old[at + 1..]
    }

    /// Writes bytes that begin at `start`, of which the last is the status byte, for good, with the seal in its place.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(in crate::restore) fn put(&mut self, file: &dyn Writable, bytes: &[u8], start: u64) -> io::Result<()> {
        if let Some((status, before)) = bytes.split_last() {
            self.real = Some(*status);
            file.write_at(start, &[before, &[VOTED]].concat())?;
        }
        file.sync()
    }

    /// The seal's place in `length` bytes that begin at `start`.
    fn inside(&self, start: u64, length: usize) -> Option<usize> {
        self.at.checked_sub(start).and_then(|at| usize::try_from(at).ok()).filter(|at| *at < length)
    }
}
