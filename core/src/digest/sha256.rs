//! SHA-256 (FIPS 180-4) of one stream, with the chaining value at hand.
//!
//! The steps of one stream are the crate `sha2`'s.

use super::chained::{Chained, Steps};
use super::lanes::sha256_one;

/// A running SHA-256.
pub type Sha256 = Chained<Rounds, 8, 32>;

/// Those of SHA-256.
#[derive(Clone, Debug)]
pub struct Rounds;

impl Steps<8, 32> for Rounds {
    const START: [u32; 8] =
        [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

    fn advance(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
        sha256_one(state, blocks);
    }

    fn word(word: u32) -> [u8; 4] {
        word.to_be_bytes()
    }

    fn bits(bits: u64) -> [u8; 8] {
        bits.to_be_bytes()
    }
}
