//! Digests: what a claim expects, and the hashers that compute it.

pub mod cpu;
mod hash;
pub mod lanes;
pub mod md5;
pub mod sha256;

pub use hash::{Hasher, md5 as md5_of, sha256 as sha256_of, update_lanes};

use std::fmt;

/// The digest algorithms that an index may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5 (RFC 1321), 16 bytes: repozo's `.dat`.
    Md5,
    /// SHA-256 (FIPS 180-4), 32 bytes: chunk datastores, mtree.
    Sha256,
}

impl Algorithm {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
        }
    }

    /// How long its digests, and its chaining values, are in bytes.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha256 => 32,
        }
    }
}

/// A digest's value together with its algorithm. `Display` writes lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// An MD5 value.
    Md5([u8; 16]),
    /// A SHA-256 value.
    Sha256([u8; 32]),
}

impl Digest {
    /// Takes `bytes` as a value of `algorithm`; none when their number is wrong.
    #[must_use]
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Md5 => bytes.try_into().ok().map(Self::Md5),
            Algorithm::Sha256 => bytes.try_into().ok().map(Self::Sha256),
        }
    }

    /// Reads hex digits, of either case, as a value of `algorithm`.
    #[must_use]
    pub fn from_hex(algorithm: Algorithm, hex: &[u8]) -> Option<Self> {
        let mut value = [0u8; 32];
        let value = value.get_mut(..algorithm.length()).filter(|value| hex.len() == 2 * value.len())?;
        for (byte, pair) in value.iter_mut().zip(hex.chunks_exact(2)) {
            let mut digits = pair.iter().map(|&c| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()));
            *byte = digits.next()?? << 4 | digits.next()??;
        }
        Self::new(algorithm, value)
    }

    /// Which algorithm made this value.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Md5(_) => Algorithm::Md5,
            Self::Sha256(_) => Algorithm::Sha256,
        }
    }

    /// The value's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Md5(value) => value,
            Self::Sha256(value) => value,
        }
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
        let md5 = |hex: &[u8]| Digest::from_hex(Algorithm::Md5, hex);
        assert_eq!(md5(hex).unwrap().to_string().as_bytes(), hex);
        assert_eq!(md5(b"D41D8CD98F00B204E9800998ECF8427E"), md5(hex));
        assert!(md5(&hex[1..]).is_none());
        assert!(md5(b"+41d8cd98f00b204e9800998ecf8427e").is_none());
        assert!(md5(b"g41d8cd98f00b204e9800998ecf8427e").is_none());
        let long = [&hex[..], &hex[..]].concat();
        let sha = Digest::from_hex(Algorithm::Sha256, &long).unwrap();
        assert_eq!((sha.to_string().as_bytes(), sha.algorithm()), (&long[..], Algorithm::Sha256));
        assert!(Digest::from_hex(Algorithm::Sha256, hex).is_none() && md5(&long).is_none());
    }
}
