//! SHA-256 (FIPS 180-4) of one stream, with the chaining value at hand.
//!
//! The steps of one stream are the crate `sha2`'s.

use super::lanes::{Chain, Padding, sha256_one};

/// A running SHA-256.
#[derive(Clone, Debug)]
pub struct Sha256(Chain<8>);

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl Sha256 {
    /// Starts a SHA-256.
    #[must_use]
    pub fn new() -> Self {
        Self(Chain::new([
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ]))
    }

    /// Goes on where [`Sha256::state`] was `state` after `length` bytes; nothing if that is no multiple of 64.
    #[must_use]
    pub fn resume(state: [u32; 8], length: u64) -> Option<Self> {
        Chain::resume(state, length).map(Self)
    }

    /// The chaining value, at the border of a block: all that the next bytes' sum depends on, but for the length.
    #[must_use]
    pub fn state(&self) -> Option<[u32; 8]> {
        self.0.state()
    }

    /// How many bytes were taken.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes, sha256_one);
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(mut self) -> [u8; 32] {
        let padding = self.padding();
        self.update(padding.bytes());
        self.bytes()
    }

    /// What the lanes work on.
    pub(super) fn chain(&mut self) -> &mut Chain<8> {
        &mut self.0
    }

    /// What is to be taken last.
    pub(super) fn padding(&self) -> Padding {
        self.0.padding(u64::to_be_bytes)
    }

    /// The state as a digest, which it is after the padding.
    pub(super) fn bytes(&self) -> [u8; 32] {
        let mut digest = [0; 32];
        for (out, word) in digest.as_chunks_mut().0.iter_mut().zip(self.0.words()) {
            *out = word.to_be_bytes();
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    fn data() -> Vec<u8> {
        (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    #[test]
    fn agrees_with_the_crate_at_every_border_and_split() {
        let data = data();
        for length in 0..300 {
            let message = &data[..length];
            let expected: [u8; 32] = sha2::Sha256::digest(message).into();
            for step in [1, 3, 55, 63, 64, 65, 300] {
                let mut sha256 = Sha256::new();
                message.chunks(step).for_each(|piece| sha256.update(piece));
                assert_eq!(sha256.clone().finish(), expected, "length {length}, step {step}");
            }
        }
    }

    #[test]
    fn goes_on_from_a_state_at_a_border_only() {
        let data = data();
        let expected: [u8; 32] = sha2::Sha256::digest(&data).into();
        for length in 0..200 {
            let mut sha256 = Sha256::new();
            sha256.update(&data[..length]);
            assert_eq!(sha256.length(), length as u64);
            let state = sha256.state();
            assert_eq!(state.is_some(), length % 64 == 0, "length {length}");
            let Some(state) = state else { continue };
            let mut sha256 = Sha256::resume(state, length as u64).unwrap();
            sha256.update(&data[length..]);
            assert_eq!(sha256.finish(), expected, "length {length}");
            assert!(Sha256::resume(state, length as u64 + 1).is_none());
        }
    }
}
