//! `Sealing`: what an index says of a blob's encryption.

use super::blob;
use crate::key::Key;

/// Whether a blob is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sealing {
    /// It is not.
    Open,
    /// It is, with this key, if it is at hand.
    Sealed(Option<Key>),
    /// It is, and nothing says with which key; maybe with this one. That it does not open with it is no damage.
    Tried(Key),
    /// Nothing says so; if it is, then maybe with this key.
    Unsaid(Option<Key>),
}

impl Sealing {
    /// Whether it must be encrypted, if that is said.
    pub(super) fn is_sealed(self) -> Option<bool> {
        match self {
            Self::Open => Some(false),
            Self::Sealed(_) | Self::Tried(_) => Some(true),
            Self::Unsaid(_) => None,
        }
    }

    /// The key.
    pub(crate) fn key(&self) -> Option<&Key> {
        match *self {
            Self::Open => None,
            Self::Tried(ref key) => Some(key),
            Self::Sealed(ref key) | Self::Unsaid(ref key) => key.as_ref(),
        }
    }

    /// Whether there is a key of which nobody knows that it is the right one.
    pub(crate) fn is_tried(self) -> bool {
        matches!(self, Self::Tried(_))
    }

    /// The length of the shortest header that the blob can have, in bytes.
    pub(crate) fn header(self) -> u64 {
        if self.is_sealed() == Some(true) { blob::SEALED_HEADER as u64 } else { blob::HEADER as u64 }
    }
}
