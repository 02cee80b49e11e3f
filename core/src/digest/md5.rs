//! MD5 (RFC 1321) of one stream, with the chaining value at hand.
//!
//! The crate `md-5`, a fifth slower here, is the tests' oracle.

use super::lanes::{Chain, Padding, md5_one};

/// A running MD5.
#[derive(Clone, Debug)]
pub struct Md5(Chain<4>);

impl Default for Md5 {
    fn default() -> Self {
        Self::new()
    }
}

impl Md5 {
    /// Starts an MD5.
    #[must_use]
    pub fn new() -> Self {
        Self(Chain::new([0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]))
    }

    /// Goes on where [`Md5::state`] was `state` after `length` bytes; nothing if that is no multiple of 64.
    #[must_use]
    pub fn resume(state: [u32; 4], length: u64) -> Option<Self> {
        Chain::resume(state, length).map(Self)
    }

    /// The chaining value, at the border of a block: all that the next bytes' sum depends on, but for the length.
    #[must_use]
    pub fn state(&self) -> Option<[u32; 4]> {
        self.0.state()
    }

    /// How many bytes were taken.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes, md5_one);
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(mut self) -> [u8; 16] {
        let padding = self.padding();
        self.update(padding.bytes());
        self.bytes()
    }

    /// What the lanes work on.
    pub(super) fn chain(&mut self) -> &mut Chain<4> {
        &mut self.0
    }

    /// What is to be taken last.
    pub(super) fn padding(&self) -> Padding {
        self.0.padding(u64::to_le_bytes)
    }

    /// The state as a digest, which it is after the padding.
    pub(super) fn bytes(&self) -> [u8; 16] {
        let mut digest = [0; 16];
        for (out, word) in digest.as_chunks_mut().0.iter_mut().zip(self.0.words()) {
            *out = word.to_le_bytes();
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use md5::Digest as _;

    use super::*;

    fn data() -> Vec<u8> {
        (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    #[test]
    fn agrees_with_the_crate_at_every_border_and_split() {
        let data = data();
        for length in 0..300 {
            let message = &data[..length];
            let expected: [u8; 16] = md5::Md5::digest(message).into();
            for step in [1, 3, 55, 63, 64, 65, 300] {
                let mut md5 = Md5::new();
                message.chunks(step).for_each(|piece| md5.update(piece));
                assert_eq!(md5.finish(), expected, "length {length}, step {step}");
            }
        }
    }

    #[test]
    fn a_clone_keeps_the_state() {
        let mut md5 = Md5::new();
        md5.update(&[7; 100]);
        let kept = md5.clone();
        md5.update(b"more");
        let expected: [u8; 16] = md5::Md5::digest([7; 100]).into();
        assert_eq!(kept.finish(), expected);
    }

    #[test]
    fn goes_on_from_a_state_at_a_border_only() {
        let data = data();
        let expected: [u8; 16] = md5::Md5::digest(&data).into();
        for length in 0..200 {
            let mut md5 = Md5::new();
            md5.update(&data[..length]);
            assert_eq!(md5.length(), length as u64);
            let state = md5.state();
            assert_eq!(state.is_some(), length % 64 == 0, "length {length}");
            let Some(state) = state else { continue };
            let mut md5 = Md5::resume(state, length as u64).unwrap();
            md5.update(&data[length..]);
            assert_eq!(md5.finish(), expected, "length {length}");
            assert!(Md5::resume(state, length as u64 + 1).is_none());
        }
    }
}
