//! `Beyond`: takes the bytes of an append: those that are there are compared, and only what is missing is written.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use highwater_core::claim::Claim;

use super::seal::Seal;
use crate::disk::Writable;
use crate::drive::Sink;
use crate::error::Error;
use crate::restore::write::Ranges;
use crate::shown::quoted;

/// The end of a target.
pub(super) struct Beyond<'r, 'scope, 'env> {
    ranges: &'r Ranges<'scope, 'env>,
    file: &'r dyn Writable,
    path: &'r Path,
    /// The target's length when it began.
    length: u64,
    /// Where the seal belongs.
    sealed: u64,
    state: Mutex<State>,
    differs: AtomicBool,
}

struct State {
    seal: Seal,
    /// The bytes up to the seal that were written before all others, and where they begin.
    head: Option<(u64, Vec<u8>)>,
}

impl<'r, 'scope, 'env> Beyond<'r, 'scope, 'env> {
    /// Of `file`, called `path`, which has `length` bytes.
    pub(super) fn new(
        ranges: &'r Ranges<'scope, 'env>,
        file: &'r dyn Writable,
        path: &'r Path,
        seal: Seal,
        length: u64,
    ) -> Self {
        let (sealed, state) = (seal.at, Mutex::new(State { seal, head: None }));
        Self { ranges, file, path, length, sealed, state, differs: AtomicBool::new(false) }
    }

    /// Whether nothing of a chunk is there.
    pub(super) fn is_behind_the_end(&self, claim: &Claim) -> bool {
        claim.target().start >= self.length
    }

    /// Whether a chunk does not end before the seal.
    pub(super) fn is_behind_the_seal(&self, claim: &Claim) -> bool {
        claim.target().start.saturating_add(claim.expect.length) > self.sealed
    }

    /// Whether the bytes that are there are others.
    pub(super) fn differs(&self) -> bool {
        self.differs.load(Ordering::Relaxed)
    }

    /// How many bytes of a chunk go up to the seal, if that is in it and still to be written.
    pub(super) fn head_of(&self, claim: &Claim) -> Option<usize> {
        let wanted = self.sealed.checked_sub(claim.target().start).filter(|_| self.sealed >= self.length)?;
        usize::try_from(wanted + 1).ok().filter(|_| self.is_behind_the_seal(claim))
    }

    /// Writes a chunk's bytes up to the seal, for good, unless those that are there differ from them.
    pub(super) fn put_head(&self, claim: &Claim, bytes: &[u8]) -> Result<(), Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(there) = self.compare(&mut state.seal, claim.target().start, bytes)? else { return Ok(()) };
        let (start, bytes) = (claim.target().start + there as u64, &bytes[there..]);
        state.seal.put(self.file, bytes, start).map_err(Error::io("append to", self.path))?;
        state.head = Some((start, bytes.to_vec()));
        Ok(())
    }

    /// The seal, with the byte that belongs in its place.
    pub(super) fn finish(self) -> Seal {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).seal
    }

    /// How many of these bytes are there already; none if those that are there are others.
    fn compare(&self, seal: &mut Seal, at: u64, bytes: &[u8]) -> Result<Option<usize>, Error> {
        let there = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX).min(bytes.len());
        let mut old = vec![0; there];
        self.file.as_object().read_exact_at(at, &mut old).map_err(Error::io("append to", self.path))?;
        let same = seal.same(&bytes[..there], &old, at);
        self.differs.fetch_or(!same, Ordering::Relaxed);
        Ok(same.then_some(there))
    }
}

impl Sink for Beyond<'_, '_, '_> {
    fn put(&self, mut at: u64, mut bytes: &[u8], fresh: bool) -> Result<(), Error> {
        if self.differs() {
            return Ok(());
        }
        if at < self.length || at <= self.sealed {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(there) = self.compare(&mut state.seal, at, bytes)? else { return Ok(()) };
            (at, bytes) = (at + there as u64, &bytes[there..]);
            if let Some((start, head)) = state.head.as_ref().filter(|(start, head)| at < start + head.len() as u64) {
                // Written by now, and never again.
                let head = at.checked_sub(*start).and_then(|from| head.get(usize::try_from(from).ok()?..));
                let head = head.unwrap_or_default();
                let some = head.len().min(bytes.len());
                if head[..some] != bytes[..some] || some == 0 && !bytes.is_empty() {
                    return Err(changed(&format!("what is appended to {}", quoted(self.path))));
                }
                (at, bytes) = (at + some as u64, &bytes[some..]);
            }
        }
        if bytes.is_empty() { Ok(()) } else { self.ranges.put(at, bytes, fresh) }
    }
}

/// Why an append ends whose chunk was sound when it was read again.
pub(super) fn changed(what: &str) -> Error {
    Error::failed(format!("{what} changed while it was read; restore again"))
}
