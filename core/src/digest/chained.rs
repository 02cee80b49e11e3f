//! `Chained`: a digest that takes blocks of 64 bytes into a chaining value, with that value at hand: MD5 and SHA-256.

use std::marker::PhantomData;

use super::lanes::{Chain, Padding};

/// What tells one such digest, with `S` words of state and `N` bytes of value, from another.
pub trait Steps<const S: usize, const N: usize> {
    /// The state before the first block.
    const START: [u32; S];

    /// Takes blocks into a state.
    fn advance(state: &mut [u32; S], blocks: &[[u8; 64]]);

    /// A word of the state, as the value has it.
    fn word(word: u32) -> [u8; 4];

    /// The number of bits, as the padding has it.
    fn bits(bits: u64) -> [u8; 8];
}

/// A running digest with the steps `A`.
#[derive(Clone, Debug)]
pub struct Chained<A, const S: usize, const N: usize>(Chain<S>, PhantomData<A>);

impl<A: Steps<S, N>, const S: usize, const N: usize> Default for Chained<A, S, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Steps<S, N>, const S: usize, const N: usize> Chained<A, S, N> {
    /// Starts a digest.
    #[must_use]
    pub fn new() -> Self {
        Self(Chain::new(A::START), PhantomData)
    }

    /// Goes on where [`Chained::state`] was `state` after `length` bytes; nothing if that is no multiple of 64.
    #[must_use]
    pub fn resume(state: [u32; S], length: u64) -> Option<Self> {
        Chain::resume(state, length).map(|chain| Self(chain, PhantomData))
    }

    /// The chaining value, at the border of a block: all that the next bytes' sum depends on, but for the length.
    #[must_use]
    pub fn state(&self) -> Option<[u32; S]> {
        self.0.state()
    }

    /// How many bytes were taken.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes, A::advance);
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(mut self) -> [u8; N] {
        let padding = self.padding();
        self.update(padding.bytes());
        self.bytes()
    }

    /// What the lanes work on.
    pub(super) fn chain(&mut self) -> &mut Chain<S> {
        &mut self.0
    }

    /// What is to be taken last.
    pub(super) fn padding(&self) -> Padding {
        self.0.padding(A::bits)
    }

    /// The state as a digest, which it is after the padding.
    pub(super) fn bytes(&self) -> [u8; N] {
        let mut digest = [0; N];
        for (out, word) in digest.as_chunks_mut().0.iter_mut().zip(self.0.words()) {
            *out = A::word(word);
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;
    use crate::digest::md5::Md5;
    use crate::digest::sha256::Sha256;

    fn data() -> Vec<u8> {
        (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }

    fn splits<A: Steps<S, N> + Clone, const S: usize, const N: usize>(crate_: fn(&[u8]) -> [u8; N]) {
        let data = data();
        for length in 0..300 {
            let message = &data[..length];
            let expected = crate_(message);
            for step in [1, 3, 55, 63, 64, 65, 300] {
                let mut digest = Chained::<A, S, N>::new();
                message.chunks(step).for_each(|piece| digest.update(piece));
                let kept = digest.clone();
                digest.update(b"more");
                assert_eq!(kept.finish(), expected, "length {length}, step {step}");
                assert_eq!(digest.finish(), crate_(&[message, b"more"].concat()), "length {length}, step {step}");
            }
        }
    }

    fn borders<A: Steps<S, N>, const S: usize, const N: usize>(crate_: fn(&[u8]) -> [u8; N]) {
        let data = data();
        for length in 0..200 {
            let mut digest = Chained::<A, S, N>::new();
            digest.update(&data[..length]);
            assert_eq!(digest.length(), length as u64);
            let state = digest.state();
            assert_eq!(state.is_some(), length % 64 == 0, "length {length}");
            let Some(state) = state else { continue };
            let mut digest = Chained::<A, S, N>::resume(state, length as u64).unwrap();
            digest.update(&data[length..]);
            assert_eq!(digest.finish(), crate_(&data), "length {length}");
            assert!(Chained::<A, S, N>::resume(state, length as u64 + 1).is_none());
        }
    }

    #[test]
    fn agrees_with_the_crates_at_every_border_and_split() {
        splits::<crate::digest::md5::Rounds, 4, 16>(|bytes| md5::Md5::digest(bytes).into());
        splits::<crate::digest::sha256::Rounds, 8, 32>(|bytes| sha2::Sha256::digest(bytes).into());
    }

    #[test]
    fn goes_on_from_a_state_at_a_border_only() {
        borders::<crate::digest::md5::Rounds, 4, 16>(|bytes| md5::Md5::digest(bytes).into());
        borders::<crate::digest::sha256::Rounds, 8, 32>(|bytes| sha2::Sha256::digest(bytes).into());
        assert!(Md5::new().state().is_some() && Sha256::new().state().is_some());
    }
}
