//! `Interruption`: that a run is to stop, in the words of whatever reads or writes: an I/O error told from every other.

use std::fmt;
use std::io;

/// What such an error holds.
#[derive(Debug)]
struct Interruption;

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interruption {}

/// One. It is not of the kind `Interrupted`, which says that to try again helps.
pub(crate) fn interruption() -> io::Error {
    io::Error::other(Interruption)
}

/// Whether an error is one.
pub(crate) fn is_interruption(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Interruption>())
}
