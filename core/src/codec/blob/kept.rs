//! `Kept`: opens a blob whose stored bytes are what a digest speaks of, to see that it opens at all.
//!
//! A manifest sums the bytes of a small file as they are stored, so whoever changes both leaves a sum that holds and a
//! file that nobody can open.

use super::Unblob;
use crate::codec::{Broken, Flow, Sealing};
use crate::key::Key;

/// The most that a blob holds, in bytes: servers store and read no more.
const MOST: u64 = 128 * 1024 * 1024;

/// The state.
pub struct Kept {
    unblob: Unblob,
    length: u64,
    broken: Option<Broken>,
}

impl Kept {
    /// A blob of which this is said.
    pub(crate) fn new(sealing: Sealing, key: Option<&Key>) -> Self {
        Self { unblob: Unblob::new(sealing, key), length: 0, broken: None }
    }

    /// Takes the next stored bytes, hands on what they decode to.
    pub(crate) fn open(&mut self, mut stored: &[u8], each: &mut dyn FnMut(&[u8])) {
        let Self { unblob, length, broken } = self;
        while broken.is_none() && !stored.is_empty() {
            let some = unblob.some(&mut stored, &mut |decoded| {
                *length = length.saturating_add(decoded.len() as u64);
                if *length > MOST {
                    return Flow::Break(());
                }
                each(decoded);
                Flow::Continue(())
            });
            *broken = some.err();
        }
    }

    /// Takes the next stored bytes.
    pub(in crate::codec) fn push(&mut self, stored: &[u8]) {
        self.open(stored, &mut |_| {});
    }

    /// Nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let ended = self.unblob.end();
        if self.length > MOST && !self.is_sealed() {
            return Err(Broken { at: 0, what: "it holds more than 134217728 bytes, which no server reads" });
        }
        ended
    }

    /// It is encrypted, and nothing here opens it.
    pub(crate) fn is_sealed(&self) -> bool {
        self.unblob.is_sealed()
    }
}
