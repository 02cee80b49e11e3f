//! Lanes in plain Rust, which compilers turn into whatever vectors the target always has.

use super::schedule::Blocks;
use super::word::{Word, block};
use super::{md5_rounds, sha256_rounds};
use crate::digest::cpu::Features;

/// One stream.
impl Word for u32 {
    const LANES: usize = 1;

    #[inline(always)]
    fn splat(self, value: u32) -> Self {
        value
    }
    #[inline(always)]
    fn gather(self, lanes: &[u32]) -> Self {
        lanes.first().copied().unwrap_or_default()
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        lanes.iter_mut().take(1).for_each(|lane| *lane = self);
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(block(rows, 0, at).as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        self.rotate_left(L.unsigned_abs())
    }
    #[inline(always)]
    fn shift<const R: i32>(self) -> Self {
        self >> R
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        no ^ (self & (yes ^ no))
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self ^ (b ^ c)
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        (self & (b | c)) | (b & c)
    }
    #[inline(always)]
    fn md5_i(self, c: Self, d: Self) -> Self {
        c ^ (self | !d)
    }
    #[inline(always)]
    fn plus_md5_g(self, b: Self, c: Self, d: Self) -> Self {
        self.wrapping_add(c & !d).wrapping_add(b & d)
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        u32::swap_bytes(self)
    }
}

/// `N` streams.
#[derive(Clone, Copy)]
struct Array<const N: usize>([u32; N]);

impl<const N: usize> Array<N> {
    #[inline(always)]
    fn map(self, f: impl Fn(u32) -> u32) -> Self {
        Self(self.0.map(f))
    }
    #[inline(always)]
    fn zip(mut self, b: Self, f: impl Fn(u32, u32) -> u32) -> Self {
        for (a, b) in self.0.iter_mut().zip(b.0) {
            *a = f(*a, b);
        }
        self
    }
    #[inline(always)]
    fn zip3(mut self, b: Self, c: Self, f: impl Fn(u32, u32, u32) -> u32) -> Self {
        for ((a, b), c) in self.0.iter_mut().zip(b.0).zip(c.0) {
            *a = f(*a, b, c);
        }
        self
    }
}

impl<const N: usize> Word for Array<N> {
    const LANES: usize = N;

    #[inline(always)]
    fn splat(self, value: u32) -> Self {
        Self([value; N])
    }
    #[inline(always)]
    fn gather(mut self, lanes: &[u32]) -> Self {
        self.0.iter_mut().zip(lanes).for_each(|(to, from)| *to = *from);
        self
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        lanes.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        let mut words = [Self([0; N]); 16];
        for lane in 0..N {
            for (word, bytes) in words.iter_mut().zip(block(rows, lane, at).as_chunks().0) {
                if let Some(to) = word.0.get_mut(lane) {
                    *to = u32::from_le_bytes(*bytes);
                }
            }
        }
        words
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.zip(other, u32::wrapping_add)
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        self.map(|a| a << L | a >> R)
    }
    #[inline(always)]
    fn shift<const R: i32>(self) -> Self {
        self.map(|a| a >> R)
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        self.zip3(yes, no, |mask, yes, no| no ^ (mask & (yes ^ no)))
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self.zip3(b, c, |a, b, c| a ^ (b ^ c))
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        self.zip3(b, c, |a, b, c| (a & (b | c)) | (b & c))
    }
    #[inline(always)]
    fn md5_i(self, c: Self, d: Self) -> Self {
        self.zip3(c, d, |b, c, d| c ^ (b | !d))
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        self.map(u32::swap_bytes)
    }
}

/// One stream of MD5.
pub(super) fn md5_one(_: Features, state: &mut [u32; 4], blocks: Blocks<'_>) {
    md5_rounds::advance(0u32, std::slice::from_mut(state), &[blocks], blocks.len());
}

/// `N` streams of MD5.
pub(super) fn md5<const N: usize>(_: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    md5_rounds::advance(Array([0; N]), states, rows, count);
}

/// One stream of SHA-256.
#[cfg(not(feature = "sha2"))]
pub(super) fn sha256_one(state: &mut [u32; 8], blocks: Blocks<'_>) {
    sha256_rounds::advance(0u32, std::slice::from_mut(state), &[blocks], blocks.len());
}

/// `N` streams of SHA-256.
pub(super) fn sha256<const N: usize>(_: Features, states: &mut [[u32; 8]], rows: &[Blocks<'_>], count: usize) {
    sha256_rounds::advance(Array([0; N]), states, rows, count);
}
