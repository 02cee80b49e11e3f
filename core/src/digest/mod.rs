//! Digests: what a claim expects, and the hashers that compute it.

pub mod chained;
pub mod cpu;
pub(crate) mod crc;
pub mod etag;
mod hash;
pub mod lanes;
pub mod md5;
pub mod parts;
pub mod sha256;

pub use hash::{Hasher, digest as of, md5 as md5_of, sha256 as sha256_of, update_lanes};

use std::fmt;

/// The digest algorithms that an index may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5 (RFC 1321), 16 bytes: repozo's `.dat`, the ETag of an S3 object in one piece.
    Md5,
    /// SHA-256 (FIPS 180-4), 32 bytes: chunk datastores, mtree.
    Sha256,
    /// SHA-1 (FIPS 180-4), 20 bytes: git, S3's additional checksums.
    #[cfg(feature = "sha1")]
    Sha1,
    /// XXH3 with 128 bits and seed 0 (xxHash 0.8), 16 bytes: whole files of the stores that fjall keeps.
    Xxh3,
    /// CRC-32C (RFC 3720, appendix B.4), 4 bytes: RocksDB, S3's additional checksums.
    Crc32c,
    /// The ETag of an S3 object that was uploaded in parts, 20 bytes: [`etag`].
    Etag {
        /// Bytes of each part but the last.
        part: u64,
    },
}

impl Algorithm {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            #[cfg(feature = "sha1")]
            Self::Sha1 => "sha1",
            Self::Xxh3 => "xxh3-128",
            Self::Crc32c => "crc32c",
            Self::Etag { .. } => "etag",
        }
    }

    /// How long its digests are in bytes, and its chaining values, where it has such.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Md5 | Self::Xxh3 => 16,
            Self::Sha256 => 32,
            #[cfg(feature = "sha1")]
            Self::Sha1 => 20,
            Self::Crc32c => 4,
            Self::Etag { .. } => etag::LENGTH,
        }
    }

    /// Whether its chaining value can be kept and gone on from. Only such an algorithm has lanes and marks; any other
    /// goes through its bytes in one stream.
    #[must_use]
    pub fn chains(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha256)
    }
}

/// A digest's value together with its algorithm. `Display` writes lower-case hex, and an ETag as S3 does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// An MD5 value.
    Md5([u8; 16]),
    /// A SHA-256 value.
    Sha256([u8; 32]),
    /// A SHA-1 value.
    #[cfg(feature = "sha1")]
    Sha1([u8; 20]),
    /// An XXH3 value of 128 bits in the canonical form of xxHash, most significant byte first. See
    /// [`Digest::xxh3`] for one that is stored as a number.
    Xxh3([u8; 16]),
    /// A CRC-32C, most significant byte first.
    Crc32c([u8; 4]),
    /// The ETag of an object in parts.
    Etag {
        /// The MD5 of the parts' MD5s, then the number of parts, most significant byte first.
        value: [u8; etag::LENGTH],
        /// Bytes of each part but the last.
        part: u64,
    },
}

impl Digest {
    /// Takes `bytes` as a value of `algorithm`; none when their number is wrong.
    #[must_use]
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Md5 => bytes.try_into().ok().map(Self::Md5),
            Algorithm::Sha256 => bytes.try_into().ok().map(Self::Sha256),
            #[cfg(feature = "sha1")]
            Algorithm::Sha1 => bytes.try_into().ok().map(Self::Sha1),
            Algorithm::Xxh3 => bytes.try_into().ok().map(Self::Xxh3),
            Algorithm::Crc32c => bytes.try_into().ok().map(Self::Crc32c),
            Algorithm::Etag { part } => bytes.try_into().ok().map(|value| Self::Etag { value, part }),
        }
    }

    /// The XXH3 value of this number. fjall stores the number's bytes with the least significant one first
    /// (`u128::from_le_bytes`); the canonical form, and what `xxhsum -H2` prints, has the most significant one first.
    #[must_use]
    pub fn xxh3(number: u128) -> Self {
        Self::Xxh3(number.to_be_bytes())
    }

    /// Reads hex digits, of either case, as a value of `algorithm`; of an ETag, what S3 writes, without the quotes.
    #[must_use]
    pub fn from_hex(algorithm: Algorithm, hex: &[u8]) -> Option<Self> {
        if let Algorithm::Etag { part } = algorithm {
            let (hex, parts) = etag::parse(hex)?;
            let sum = Self::from_hex(Algorithm::Md5, hex)?;
            return etag::of(sum.as_bytes(), parts).map(|value| Self::Etag { value, part });
        }
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
            #[cfg(feature = "sha1")]
            Self::Sha1(_) => Algorithm::Sha1,
            Self::Xxh3(_) => Algorithm::Xxh3,
            Self::Crc32c(_) => Algorithm::Crc32c,
            Self::Etag { part, .. } => Algorithm::Etag { part: *part },
        }
    }

    /// The value's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Md5(value) | Self::Xxh3(value) => value,
            Self::Sha256(value) => value,
            #[cfg(feature = "sha1")]
            Self::Sha1(value) => value,
            Self::Etag { value, .. } => value,
            Self::Crc32c(value) => value,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"));
        if let Self::Etag { value, .. } = self {
            let (sum, parts) = etag::parted(value);
            hex(f, sum)?;
            return write!(f, "-{parts}");
        }
        hex(f, self.as_bytes())
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

    #[test]
    fn an_etag_is_read_as_s3_writes_it() {
        let etag = |text: &str| Digest::from_hex(Algorithm::Etag { part: 5 << 20 }, text.as_bytes());
        let text = "9b2cf535f27731c974343645a3985328-12";
        let read = etag(text).unwrap();
        assert_eq!((read.to_string(), read.algorithm()), (text.to_owned(), Algorithm::Etag { part: 5 << 20 }));
        assert_eq!(Digest::new(read.algorithm(), read.as_bytes()), Some(read));
        let sum = &text[..32];
        for bad in ["", "-0", "-", "-01", "-+1", "-1x", "-4294967296", "1", "--1"] {
            assert!(etag(&format!("{sum}{bad}")).is_none(), "{bad}");
        }
        assert!(etag(&text[1..]).is_none() && etag("").is_none());
    }

    #[test]
    fn a_number_of_128_bits_is_canonical_with_its_first_byte_first() {
        let stored = 0x99aa_06d3_0147_98d8_6001_c324_468d_497f_u128.to_le_bytes();
        let digest = Digest::xxh3(u128::from_le_bytes(stored));
        assert_eq!(digest.to_string(), "99aa06d3014798d86001c324468d497f");
    }
}
