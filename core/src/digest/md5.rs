//! MD5 (RFC 1321) of one stream, with the chaining value at hand.
//!
//! The crate `md-5`, a fifth slower here, is the tests' oracle.

use super::chained::{Chained, Steps};
use super::lanes::md5_one;

/// A running MD5.
pub type Md5 = Chained<Rounds, 4, 16>;

/// Those of MD5.
#[derive(Clone, Debug)]
pub struct Rounds;

impl Steps<4, 16> for Rounds {
    const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

    fn advance(state: &mut [u32; 4], blocks: &[[u8; 64]]) {
        md5_one(state, blocks);
    }

    fn word(word: u32) -> [u8; 4] {
        word.to_le_bytes()
    }

    fn bits(bits: u64) -> [u8; 8] {
        bits.to_le_bytes()
    }
}
