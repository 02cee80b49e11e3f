//! What a drive tells while it goes on: claims, verdicts, and how far it is.

/// What became known on the way, for whoever draws it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Claim `number` (from 0, in the order of the indices) is to be checked.
    Claim {
        /// Its number.
        number: u32,
        /// The group of sets it belongs to, and the first of them.
        group: u64,
        /// The first set that needs it.
        from: u64,
    },
    /// Claim `number` was brought to a verdict.
    Settled {
        /// Its number.
        number: u32,
        /// What is known of it.
        known: Known,
    },
}

/// A verdict in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It holds.
    Sound,
    /// It does not.
    Damaged,
    /// It could not be read.
    Unreadable,
}

/// How far a drive is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are to be hashed, as far as that is known.
    pub expected: u64,
    /// Bytes that were hashed.
    pub done: u64,
    /// All indices were read: `expected` does not grow any more.
    pub complete: bool,
}
