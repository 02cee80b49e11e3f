//! `Appender`: writes one piece behind the other.

use std::io::{self, Write};
use std::ops::Deref;

use super::Writable;

/// A file, held by a reference of whichever kind, and where the next piece goes.
pub(crate) struct Appender<F> {
    pub(crate) file: F,
    pub(crate) at: u64,
}

impl<F: Deref<Target: Writable>> Write for Appender<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(self.at, bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
