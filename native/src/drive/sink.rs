//! `Sink`: takes decoded bytes to their places while they are being hashed.

use crate::error::Error;

/// A place for decoded bytes. Nothing that it took counts before the digest of its claim was seen to hold.
pub(crate) trait Sink: Sync {
    /// Takes bytes that belong at offset `at`, from any thread and in any order. Where none came before (`fresh`),
    /// zeros may be left out, if nothing else was there.
    ///
    /// # Errors
    /// The bytes cannot be written; whatever else is under way ends.
    fn put(&self, at: u64, bytes: &[u8], fresh: bool) -> Result<(), Error>;
}

/// Where a stream's bytes go.
#[derive(Clone, Copy)]
pub(crate) struct Goes<'s> {
    /// Who takes them.
    pub(crate) sink: &'s dyn Sink,
    /// The offset of the next one.
    pub(crate) at: u64,
}
