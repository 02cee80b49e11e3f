//! `Sealing`: what an index says of a blob's encryption.

use super::blob;
use crate::key::Key;

/// Whether a blob is encrypted. Without the feature `datastore` there are no blobs: this cannot be, and whatever would open one is
/// left out of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sealing {
    /// It is not.
    #[cfg(feature = "datastore")]
    Open,
    /// It is, with this key, if it is at hand.
    #[cfg(feature = "datastore")]
    Sealed(Option<Key>),
    /// Nothing says so; if it is, then maybe with this key.
    #[cfg(feature = "datastore")]
    Unsaid(Option<Key>),
}

impl Sealing {
    /// Whether it must be encrypted, if that is said.
    pub(super) fn is_sealed(self) -> Option<bool> {
        match self {
            #[cfg(feature = "datastore")]
            Self::Open => Some(false),
            #[cfg(feature = "datastore")]
            Self::Sealed(_) => Some(true),
            #[cfg(feature = "datastore")]
            Self::Unsaid(_) => None,
        }
    }

    /// The key.
    pub(super) fn key(&self) -> Option<&Key> {
        match *self {
            #[cfg(feature = "datastore")]
            Self::Open => None,
            #[cfg(feature = "datastore")]
            Self::Sealed(ref key) | Self::Unsaid(ref key) => key.as_ref(),
        }
    }

    /// The length of the shortest header that the blob can have, in bytes.
    pub(crate) fn header(self) -> u64 {
        if self.is_sealed() == Some(true) { blob::SEALED_HEADER as u64 } else { blob::HEADER as u64 }
    }
}
