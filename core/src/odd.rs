//! `Odd`: why bytes of a store cannot be read on.

use std::fmt;

/// Bytes are not what the store's program writes, or what it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Where, in bytes from the start of the file.
    pub at: u64,
    /// What is wrong, as a sentence.
    pub what: String,
}

impl Odd {
    pub(crate) fn new(at: u64, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.at, self.what)
    }
}
