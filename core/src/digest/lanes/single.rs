//! One set of lanes as words: where a step of a round table becomes the arithmetic of one register.

use super::word::{Word, Words};
use super::{md5_rounds, sha256_rounds};

impl<W: Word> Words for W {
    const LANES: usize = W::LANES;

    #[inline(always)]
    fn gather(self, lanes: &[u32]) -> Self {
        Word::gather(self, lanes)
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        Word::scatter(self, lanes);
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        Word::load(self, rows, at)
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Word::plus(self, other)
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        Word::swap_bytes(self)
    }
    #[inline(always)]
    fn md5_step<const ROUND: u8, const L: i32, const R: i32>(self, rest: [Self; 3], m: Self, k: u32) -> Self {
        md5_rounds::step::<W, ROUND, L, R>(self, rest, m, k).in_turn()
    }
    #[inline(always)]
    fn sha256_extend(self, others: [Self; 3]) -> Self {
        sha256_rounds::extend(self, others)
    }
    #[inline(always)]
    fn sha256_round(state: [Self; 8], w: Self, k: u32) -> [Self; 2] {
        let [d, h] = sha256_rounds::round(state, w, k);
        [d.in_turn(), h.in_turn()]
    }
}
