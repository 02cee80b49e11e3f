//! `Hasher`: one digest of one stream of bytes, or of many streams side by side.

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
}

impl Hasher {
    /// Starts a digest of `algorithm`.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    /// Goes on where [`Hasher::chaining`] was `value` after `length` bytes; none if no block ends there.
    #[must_use]
    pub fn resume(value: Digest, length: u64) -> Option<Self> {
        match value {
            Digest::Md5(value) => Md5::resume(words(&value, u32::from_le_bytes), length).map(Self::Md5),
            Digest::Sha256(value) => Sha256::resume(words(&value, u32::from_be_bytes), length).map(Self::Sha256),
        }
    }

    /// The chaining value, written as the algorithm writes a digest; only where a block of 64 bytes ends.
    #[must_use]
    pub fn chaining(&self) -> Option<Digest> {
        match self {
            Self::Md5(md5) => md5.state().map(|state| Digest::Md5(bytes(&state, u32::to_le_bytes))),
            Self::Sha256(sha256) => sha256.state().map(|state| Digest::Sha256(bytes(&state, u32::to_be_bytes))),
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(md5) => md5.update(bytes),
            Self::Sha256(sha256) => sha256.update(bytes),
        }
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self {
            Self::Md5(md5) => Digest::Md5(md5.finish()),
            Self::Sha256(sha256) => Digest::Sha256(sha256.finish()),
        }
    }
}

/// Gives each hasher its own next bytes, through the CPU's lanes: many streams take hardly longer than one.
/// [`lanes::width`] says how many are worth offering at once.
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

fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
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
}
