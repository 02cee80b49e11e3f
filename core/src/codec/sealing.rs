//! `Sealing`: what an index says of a blob's encryption.

use super::blob;
use crate::key::Key;

/// Whether a blob is encrypted. The key itself is not here: whoever decodes is given it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sealing {
    /// It is not.
    Open,
    /// It is, and the key is not at hand.
    Sealed,
    /// It is, with the key that is at hand.
    Keyed,
    /// It is, and nothing says with which key; maybe with the one at hand. That it does not open with it is no damage.
    Tried,
    /// Nothing says so; if it is, then maybe with the key at hand.
    Unsaid,
}

impl Sealing {
    /// Whether it must be encrypted, if that is said.
    pub(super) fn is_sealed(self) -> Option<bool> {
        match self {
            Self::Open => Some(false),
            Self::Sealed | Self::Keyed | Self::Tried => Some(true),
            Self::Unsaid => None,
        }
    }

    /// What opens it, of the key that is at hand.
    pub(crate) fn opens(self, key: Option<&Key>) -> Option<&Key> {
        key.filter(|_| !matches!(self, Self::Open | Self::Sealed))
    }

    /// Whether there is a key of which nobody knows that it is the right one.
    pub(crate) fn is_tried(self) -> bool {
        self == Self::Tried
    }

    /// What tells it from the others.
    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    /// The length of the shortest header that the blob can have, in bytes.
    pub(crate) fn header(self) -> u64 {
        if self.is_sealed() == Some(true) { blob::SEALED_HEADER as u64 } else { blob::HEADER as u64 }
    }
}
