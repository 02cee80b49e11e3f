//! `Scan`: reads a journal from its start, and says where its last whole batch ends and what stands behind that.
//!
//! A journal (fjall 3.1.13, `journal/entry.rs`, `batch_reader.rs` and `reader.rs`; all numbers little-endian) is
//! batches, one behind the other, then nothing or the zeros of a file that was made 64 MiB long. A batch is a start,
//! its items and an end:
//! * start: tag 1, the number of items (4), the sequence number (8);
//! * item: tag 2, the kind of value (1: 0, 1, 2 or 4), the compression (1: 0 or 1), the keyspace (8), the length of the
//!   key (2), of the value (4) and of the value as it is stored (4), then the key and the stored value;
//! * clear, which counts as an item: tag 4, the keyspace (8);
//! * end: tag 3, the XXH3-64 of all items as they are stored (8), then `FJL` and 3.
//!
//! The engine cuts a journal off behind its last whole batch, in silence, where what follows cannot be taken for an
//! entry, or begins out of its turn; it refuses to open a store where a batch has other items than its start or its end
//! says. The same is told apart here, with one difference. The engine unpacks values and packs them again to check
//! them, so it passes over the length of a value that is not packed, and cuts off where a value cannot be unpacked.
//! Here the bytes are checked as they are stored: a batch in which any of them was changed is refused.
//!
//! Sequence numbers are in no checksum. The engine gives rising ones; after a keyspace was dropped and the store opened
//! again, it may give some a second time.

mod entry;
mod tail;

use std::ops::ControlFlow;

use crate::codec::Flow;
use entry::{Batches, End};

pub use tail::Ends;

/// What a journal comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The first byte behind the last whole batch.
    pub whole: u64,
    /// How many whole batches there are.
    pub batches: u64,
    /// The sequence number of the last whole batch.
    pub last: Option<u64>,
    /// The first batch whose sequence number is not above that of the batch before it.
    pub disorder: Option<Disorder>,
    /// What stands behind the last whole batch.
    pub tail: Tail,
}

/// Sequence numbers that do not rise. No checksum covers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disorder {
    /// Where the batch begins, in bytes.
    pub at: u64,
    /// The sequence number of the batch before it.
    pub before: u64,
    /// Its own.
    pub number: u64,
}

/// What stands behind the last whole batch of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Nothing,
    /// Zeros to the end.
    Zeros,
    /// Something that the engine cuts off in silence.
    Torn {
        /// Where what cannot be read begins, in bytes.
        at: u64,
    },
    /// A batch for which the engine does not open the store.
    Broken {
        /// Where it shows, in bytes.
        at: u64,
        /// What is wrong, as a sentence.
        what: String,
    },
}

/// A journal on its way in. It takes the same small memory whatever the journal says of itself.
pub struct Scan {
    batches: Batches,
    /// Why no more batches can be read, once that is so.
    end: Option<End>,
    /// Some byte behind the last whole batch is not zero.
    filled: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self::new()
    }
}

impl Scan {
    /// A journal from its first byte on.
    #[must_use]
    pub fn new() -> Self {
        Self::resume(&Journal { whole: 0, batches: 0, last: None, disorder: None, tail: Tail::Nothing })
    }

    /// A journal that was read before, from the first byte behind what was whole then.
    #[must_use]
    pub fn resume(journal: &Journal) -> Self {
        Self { batches: Batches::resume(journal), end: None, filled: false }
    }

    /// Takes the next bytes. `Break` when no more of them matter.
    pub fn push(&mut self, mut bytes: &[u8]) -> Flow {
        if self.end.is_none() {
            (bytes, self.end) = self.batches.push(bytes);
            // A batch that was begun, or an entry that is none: more than the zeros of a file that was made too long.
            self.filled = !self.batches.is_between();
        }
        match self.end {
            None => ControlFlow::Continue(()),
            Some(End::Refused { .. }) => ControlFlow::Break(()),
            Some(End::Cut { .. }) => {
                self.filled = self.filled || !is_zeros(bytes);
                if self.filled { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
    }

    /// What the journal comes to, when nothing follows.
    #[must_use]
    pub fn end(self) -> Journal {
        let Self { batches, end, filled } = self;
        let tail = match end {
            Some(End::Refused { at, what }) => Tail::Broken { at, what },
            Some(End::Cut { at }) if filled => Tail::Torn { at },
            Some(End::Cut { .. }) => Tail::Zeros,
            None if batches.is_between() => Tail::Nothing,
            None => Tail::Torn { at: batches.entry() },
        };
        batches.journal(tail)
    }
}

/// Whether all are zero: 64 MiB of them are looked at by words.
fn is_zeros(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<64>();
    blocks.iter().all(|block| block.iter().fold(0, |all, byte| all | byte) == 0) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests;
