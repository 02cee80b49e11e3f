//! Digests: what a claim expects, and the hashers that compute it.

mod hash;
pub mod md5;

pub use hash::{Hasher, md5 as md5_of};

use std::fmt;

/// The digest algorithms that an index may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5 (RFC 1321), 16 bytes: repozo's `.dat`.
    Md5,
}

/// A digest's value together with its algorithm. `Display` writes lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// An MD5 value.
    Md5([u8; 16]),
}

impl Digest {
    /// Which algorithm made this value.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Md5(_) => Algorithm::Md5,
        }
    }

    /// The value's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Md5(value) => value,
        }
    }

    /// Reads 32 hex digits, of either case, as an MD5 value.
    #[must_use]
    pub fn md5_from_hex(hex: &[u8]) -> Option<Self> {
        let mut value = [0u8; 16];
        if hex.len() != 32 {
            return None;
        }
        for (byte, pair) in value.iter_mut().zip(hex.chunks_exact(2)) {
            let mut digits = pair.iter().map(|&c| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()));
            *byte = digits.next()?? << 4 | digits.next()??;
        }
        Some(Self::Md5(value))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{self}", self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_strictly() {
        let hex = b"d41d8cd98f00b204e9800998ecf8427e";
        assert_eq!(Digest::md5_from_hex(hex).unwrap().to_string().as_bytes(), hex);
        assert!(Digest::md5_from_hex(b"D41D8CD98F00B204E9800998ECF8427E").is_some());
        assert!(Digest::md5_from_hex(&hex[1..]).is_none());
        assert!(Digest::md5_from_hex(b"+41d8cd98f00b204e9800998ecf8427e").is_none());
        assert!(Digest::md5_from_hex(b"g41d8cd98f00b204e9800998ecf8427e").is_none());
    }
}
