//! `Hasher`: one digest of one stream of bytes, or of many streams side by side.

use std::fmt;

#[cfg(feature = "sha1")]
use sha1::Digest as _;
use xxhash_rust::xxh3::Xxh3Default;

use super::crc::crc32c_append;
use super::etag::Etag;
use super::md5::Md5;
use super::sha256::Sha256;
use super::{Algorithm, Digest, lanes};

/// A running digest. Cloning one keeps the state at a place, which is how a copy that turns out to
/// end earlier gets its sum without a second pass.
#[derive(Clone, Debug)]
pub enum Hasher {
    /// A running MD5.
    Md5(Md5),
    /// A running SHA-256.
    Sha256(Sha256),
    /// Any other, which has no lanes.
    Serial(Box<Serial>),
}

/// A running digest of one stream that has no lanes.
#[derive(Clone)]
pub enum Serial {
    /// A running SHA-1.
    #[cfg(feature = "sha1")]
    Sha1(sha1::Sha1),
    /// A running XXH3 of 128 bits.
    Xxh3(Xxh3Default),
    /// A running CRC-32C.
    Crc32c(u32),
    /// A running ETag, and the size of its parts.
    Etag(Etag, u64),
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(feature = "sha1")]
            Self::Sha1(_) => "Sha1",
            Self::Xxh3(_) => "Xxh3",
            Self::Crc32c(_) => "Crc32c",
            Self::Etag(..) => "Etag",
        })
    }
}

impl Serial {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            #[cfg(feature = "sha1")]
            Self::Sha1(sha1) => sha1.update(bytes),
            Self::Xxh3(xxh3) => xxh3.update(bytes),
            Self::Crc32c(crc) => *crc = crc32c_append(*crc, bytes),
            Self::Etag(etag, _) => etag.update(bytes),
        }
    }

    fn finish(self) -> Digest {
        match self {
            #[cfg(feature = "sha1")]
            Self::Sha1(sha1) => Digest::Sha1(sha1.finalize().into()),
            Self::Xxh3(xxh3) => Digest::xxh3(xxh3.digest128()),
            Self::Crc32c(crc) => Digest::Crc32c(crc.to_be_bytes()),
            Self::Etag(etag, part) => Digest::Etag { value: etag.finish(), part },
        }
    }
}

impl Hasher {
    /// Starts a digest of `algorithm`.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            #[cfg(feature = "sha1")]
            Algorithm::Sha1 => Self::serial(Serial::Sha1(sha1::Sha1::new())),
            Algorithm::Xxh3 => Self::serial(Serial::Xxh3(Xxh3Default::new())),
            Algorithm::Crc32c => Self::serial(Serial::Crc32c(0)),
            Algorithm::Etag { part } => Self::serial(Serial::Etag(Etag::new(part), part)),
        }
    }

    fn serial(serial: Serial) -> Self {
        Self::Serial(Box::new(serial))
    }

    /// Goes on where [`Hasher::chaining`] was `value` after `length` bytes; none if no block ends there, or the
    /// algorithm does not [chain](Algorithm::chains).
    #[must_use]
    pub fn resume(value: Digest, length: u64) -> Option<Self> {
        match value {
            Digest::Md5(value) => Md5::resume(words(&value, u32::from_le_bytes), length).map(Self::Md5),
            Digest::Sha256(value) => Sha256::resume(words(&value, u32::from_be_bytes), length).map(Self::Sha256),
            _ => None,
        }
    }

    /// The chaining value, written as the algorithm writes a digest; only where a block of 64 bytes ends, of an
    /// algorithm that [chains](Algorithm::chains).
    #[must_use]
    pub fn chaining(&self) -> Option<Digest> {
        match self {
            Self::Md5(md5) => md5.state().map(|state| Digest::Md5(bytes(&state, u32::to_le_bytes))),
            Self::Sha256(sha256) => sha256.state().map(|state| Digest::Sha256(bytes(&state, u32::to_be_bytes))),
            Self::Serial(_) => None,
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(md5) => md5.update(bytes),
            Self::Sha256(sha256) => sha256.update(bytes),
            Self::Serial(serial) => serial.update(bytes),
        }
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self {
            Self::Md5(md5) => Digest::Md5(md5.finish()),
            Self::Sha256(sha256) => Digest::Sha256(sha256.finish()),
            Self::Serial(serial) => serial.finish(),
        }
    }
}

/// Gives each hasher its own next bytes, through the CPU's lanes: many streams take hardly longer than one. Hashers
/// that have no lanes take theirs one after the other. [`lanes::width`] says how many are worth offering at once.
pub fn update_lanes<'a>(work: impl IntoIterator<Item = (&'a mut Hasher, &'a [u8])>) {
    let (mut md5s, mut sha256s) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for (hasher, piece) in work {
        match hasher {
            Hasher::Md5(md5) => {
                md5s.0.push(md5);
                md5s.1.push(piece);
            }
            Hasher::Sha256(sha256) => {
                sha256s.0.push(sha256);
                sha256s.1.push(piece);
            }
            Hasher::Serial(serial) => serial.update(piece),
        }
    }
    lanes::update_md5(&mut md5s.0, &md5s.1);
    lanes::update_sha256(&mut sha256s.0, &sha256s.1);
}

fn words<const S: usize>(bytes: &[u8], read: fn([u8; 4]) -> u32) -> [u32; S] {
    let mut words = [0; S];
    words.iter_mut().zip(bytes.as_chunks().0).for_each(|(word, four)| *word = read(*four));
    words
}

fn bytes<const N: usize>(words: &[u32], write: fn(u32) -> [u8; 4]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.as_chunks_mut().0.iter_mut().zip(words).for_each(|(four, word)| *four = write(*word));
    bytes
}

/// The MD5 of `bytes`.
#[must_use]
pub fn md5(bytes: &[u8]) -> Digest {
    digest(Algorithm::Md5, bytes)
}

/// The SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    digest(Algorithm::Sha256, bytes)
}

/// What bytes give.
#[must_use]
pub fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_of_both_algorithms_give_what_one_stream_gives() {
        let data: Vec<u8> = (0..40_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let algorithm = |i: usize| if i.is_multiple_of(3) { Algorithm::Sha256 } else { Algorithm::Md5 };
        let pieces: Vec<&[u8]> = (0..90).map(|i| &data[i..i * i * 4]).collect();
        let mut many: Vec<Hasher> = (0..90).map(|i| Hasher::new(algorithm(i))).collect();
        update_lanes(many.iter_mut().zip(pieces.iter().copied()));
        update_lanes(many.iter_mut().zip(pieces.iter().rev().copied()));
        for (i, found) in many.into_iter().enumerate() {
            let mut one = Hasher::new(algorithm(i));
            one.update(pieces[i]);
            one.update(pieces[89 - i]);
            assert_eq!(found.finish(), one.finish(), "{i}");
        }
    }

    #[test]
    fn a_hasher_goes_on_from_its_chaining_value() {
        let data: Vec<u8> = (0..1000u32).map(|i| (i * i % 251) as u8).collect();
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let (mut whole, mut first) = (Hasher::new(algorithm), Hasher::new(algorithm));
            whole.update(&data);
            first.update(&data[..640]);
            let value = first.chaining().unwrap();
            assert_eq!(value.as_bytes().len(), algorithm.length());
            let mut second = Hasher::resume(value, 640).unwrap();
            second.update(&data[640..]);
            assert_eq!(second.finish(), whole.clone().finish());
            assert!(whole.chaining().is_none() && Hasher::resume(value, 641).is_none());
        }
    }

    /// SHA-1: FIPS 180-4's examples. CRC-32C: RFC 3720, B.4, and the check value of Castagnoli's polynomial. XXH3: what
    /// `xxhsum -H2` prints of the same bytes.
    #[test]
    fn published_values_are_met() {
        let ascending: Vec<u8> = (0..32).collect();
        let descending: Vec<u8> = (0..32).rev().collect();
        let (sha1, crc32c, xxh3) = (Algorithm::Sha1, Algorithm::Crc32c, Algorithm::Xxh3);
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        for (algorithm, bytes, wanted) in [
            (sha1, &b""[..], "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (sha1, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (sha1, long, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"),
            (crc32c, b"", "00000000"),
            (crc32c, b"123456789", "e3069283"),
            (crc32c, &[0; 32], "8a9136aa"),
            (crc32c, &[0xff; 32], "62a8ab43"),
            (crc32c, &ascending, "46dd794e"),
            (crc32c, &descending, "113fdb5c"),
            (xxh3, b"", "99aa06d3014798d86001c324468d497f"),
            (xxh3, b"abc", "06b05ab6733a618578af5f94892f3950"),
        ] {
            let found = digest(algorithm, bytes);
            assert_eq!(found.to_string(), wanted, "{algorithm:?}");
            assert_eq!(Digest::from_hex(algorithm, wanted.as_bytes()), Some(found));
        }
    }

    #[test]
    fn a_stream_in_pieces_gives_what_it_gives_at_once_and_goes_on_from_nothing() {
        let data: Vec<u8> = (0..5000u32).map(|i| (i * i % 251) as u8).collect();
        let etag = Algorithm::Etag { part: 700 };
        for algorithm in [Algorithm::Sha1, Algorithm::Xxh3, Algorithm::Crc32c, etag] {
            assert!(!algorithm.chains() && lanes::width(algorithm) == 1);
            for length in [0, 1, 64, 240, 241, 1023, 1024, 1025, 5000] {
                let whole = digest(algorithm, &data[..length]);
                assert_eq!((whole.algorithm(), whole.as_bytes().len()), (algorithm, algorithm.length()));
                for step in [1, 63, 256, 1000] {
                    let mut hasher = Hasher::new(algorithm);
                    data[..length].chunks(step).for_each(|piece| hasher.update(piece));
                    assert_eq!(hasher.clone().finish(), whole, "{algorithm:?}, length {length}, step {step}");
                    assert!(hasher.chaining().is_none());
                }
                assert!(Hasher::resume(whole, 0).is_none());
            }
        }
    }
}
