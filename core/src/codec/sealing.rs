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
    /// Nothing says so; if it is, then maybe with this key.
    Unsaid(Option<Key>),
}

impl Sealing {
    /// Whether it must be encrypted, if that is said.
    pub(super) fn is_sealed(self) -> Option<bool> {
        match self {
            Self::Open => Some(false),
            Self::Sealed(_) => Some(true),
            Self::Unsaid(_) => None,
        }
    }

    /// The key.
    pub(super) fn key(&self) -> Option<&Key> {
        match *self {
            Self::Open => None,
            Self::Sealed(ref key) | Self::Unsaid(ref key) => key.as_ref(),
        }
    }

    /// The length of the shortest header that the blob can have, in bytes.
    pub(crate) fn header(self) -> u64 {
        if self.is_sealed() == Some(true) { blob::SEALED_HEADER as u64 } else { blob::HEADER as u64 }
    }
}
