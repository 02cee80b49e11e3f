//! `Odd`: where a file of a store cannot be understood, and why.

/// A file of a store cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct Odd {
    /// Where, in bytes of the file.
    pub at: u64,
    /// What is wrong, as half a sentence.
    pub what: String,
}

impl Odd {
    pub(super) fn new(at: u64, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}
