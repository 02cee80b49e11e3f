//! `Odd`: what is wrong inside an archive.

use crate::finding::Code;

/// Something in an archive that contradicts it, or that is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// What kind of finding it is.
    pub code: Code,
    /// Where in the archive, in bytes.
    pub at: u64,
    /// What is wrong, as a clause about what is there.
    pub what: String,
}

impl Odd {
    pub(super) fn record(at: u64, what: impl Into<String>) -> Self {
        Self { code: Code::Record, at, what: what.into() }
    }

    pub(super) fn unlooked(at: u64, what: impl Into<String>) -> Self {
        Self { code: Code::Unreadable, at, what: what.into() }
    }
}
