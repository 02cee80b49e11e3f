//! `Ranges`: the file that a restore writes, range by range and from all threads, made durable while it grows.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

use highwater_core::claim::Claim;
use rayon::prelude::*;

use super::Run;
use crate::disk::Writable;
use crate::drive::{self, Judge, Sink};
use crate::error::Error;
use crate::flush::Flusher;

/// How many chunks are given out to threads at a time: a disk image may have millions.
const TOGETHER: usize = 4096;

/// A file that takes bytes at their offsets.
pub(super) struct Ranges<'scope, 'env> {
    file: &'scope dyn Writable,
    path: &'scope Path,
    /// From here on, nothing was there, and zeros stay away.
    bare: u64,
    flusher: Mutex<Flusher<'scope, 'env>>,
}

impl<'scope, 'env> Ranges<'scope, 'env> {
    /// Of `file`, which is called `path` in sentences, and of which nothing was written from offset `bare` on.
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        file: &'scope dyn Writable,
        path: &'scope Path,
        bare: u64,
    ) -> Self {
        Self { file, path, bare, flusher: Mutex::new(Flusher::new(scope, file)) }
    }

    /// Waits for what is being made durable; the rest is the caller's to sync.
    ///
    /// # Errors
    /// A sync that failed, which the system tells once only.
    pub(super) fn finish(self) -> Result<(), Error> {
        let flusher = self.flusher.into_inner().unwrap_or_else(PoisonError::into_inner);
        flusher.finish().map_err(Error::io("write", self.path))
    }
}

impl Sink for Ranges<'_, '_> {
    fn put(&self, at: u64, bytes: &[u8], fresh: bool) -> Result<(), Error> {
        if fresh && at >= self.bare && is_zero(bytes) {
            return Ok(());
        }
        self.file.write_at(at, bytes).map_err(Error::io("write", self.path))?;
        self.flusher.lock().unwrap_or_else(PoisonError::into_inner).wrote(bytes.len() as u64);
        Ok(())
    }
}

/// Writes those of a plan's chunks that `look` gives to `file`, which is called `path`, and of which nothing was
/// written from offset `bare` on.
///
/// # Errors
/// Those of `look` and `settled`, and a write that fails.
pub(super) fn chunks(
    run: &Run<'_>,
    (file, path): (&dyn Writable, &Path),
    bare: u64,
    look: &(dyn Fn(usize) -> Result<Option<Claim>, Error> + Sync),
    settled: Judge<'_>,
) -> Result<(), Error> {
    let count = run.plan.claims.len();
    thread::scope(|scope| {
        let ranges = Ranges::new(scope, file, path, bare);
        let written = (0..count).step_by(TOGETHER).try_for_each(|first| {
            let some = (first..count.min(first + TOGETHER)).into_par_iter();
            let looked: Vec<Option<Claim>> = some.map(look).collect::<Result<_, _>>()?;
            drive::write(
                (run.from, run.plan.opens.as_ref()),
                looked.into_iter().flatten().collect(),
                &ranges,
                run.watch,
                settled,
            )
        });
        ranges.finish().and(written)
    })
}

/// Whether there are so many zeros, and nothing else, that leaving them out saves a block.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.len() >= 4096 && bytes.iter().fold(0, |any, byte| any | byte) == 0
}
