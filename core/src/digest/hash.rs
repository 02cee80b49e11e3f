//! `Hasher`: one digest of one stream of bytes.

use super::md5::Md5;
use super::{Algorithm, Digest};

/// A running digest. Cloning one keeps the state at a place, which is how a copy that turns out to
/// end earlier gets its sum without a second pass.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// A running MD5.
    Md5(Md5),
}

impl Hasher {
    /// Starts a digest of `algorithm`.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(md5) => md5.update(bytes),
        }
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self {
            Self::Md5(md5) => Digest::Md5(md5.finish()),
        }
    }
}

/// The MD5 of `bytes`.
#[must_use]
pub fn md5(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Md5);
    hasher.update(bytes);
    hasher.finish()
}
