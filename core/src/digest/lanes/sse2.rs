//! SSE2, which every x86-64 CPU has: four lanes per register, up to three registers side by side.
#![expect(unsafe_code, reason = "vector instructions are behind unsafe functions")]

use std::arch::x86_64::*;

use super::schedule::Blocks;
use super::word::{Word, block, quarter};
use super::{md5_rounds, sha256_rounds};
use crate::digest::cpu::Features;

/// Four streams.
#[derive(Clone, Copy)]
struct Four(__m128i);

impl Four {
    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: SSE2 is part of x86-64.
        Self(unsafe { _mm_setzero_si128() })
    }
}

// SAFETY, for every block in this implementation: SSE2 is part of x86-64. Pointers come from
// references to as many bytes as are read or written through them, and the instructions need no alignment.
impl Word for Four {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(self, value: u32) -> Self {
        Self(unsafe { _mm_set1_epi32(value.cast_signed()) })
    }
    #[inline(always)]
    fn gather(self, lanes: &[u32]) -> Self {
        lanes.first_chunk::<4>().map_or(self, |lanes| Self(unsafe { _mm_loadu_si128(lanes.as_ptr().cast()) }))
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        if let Some(lanes) = lanes.first_chunk_mut::<4>() {
            unsafe { _mm_storeu_si128(lanes.as_mut_ptr().cast(), self.0) }
        }
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        // Four words of one row.
        macro_rules! row {
            ($lane:literal $quarter:literal) => {
                _mm_loadu_si128(quarter(block(rows, $lane, at), $quarter).as_ptr().cast())
            };
        }
        macro_rules! quarter {
            ($quarter:literal) => {
                unsafe {
                    let (r0, r1) = (row!(0 $quarter), row!(1 $quarter));
                    let (r2, r3) = (row!(2 $quarter), row!(3 $quarter));
                    let (low01, high01) = (_mm_unpacklo_epi32(r0, r1), _mm_unpackhi_epi32(r0, r1));
                    let (low23, high23) = (_mm_unpacklo_epi32(r2, r3), _mm_unpackhi_epi32(r2, r3));
                    [
                        Self(_mm_unpacklo_epi64(low01, low23)),
                        Self(_mm_unpackhi_epi64(low01, low23)),
                        Self(_mm_unpacklo_epi64(high01, high23)),
                        Self(_mm_unpackhi_epi64(high01, high23)),
                    ]
                }
            };
        }
        let ([w0, w1, w2, w3], [w4, w5, w6, w7]) = (quarter!(0), quarter!(1));
        let ([w8, w9, w10, w11], [w12, w13, w14, w15]) = (quarter!(2), quarter!(3));
        [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15]
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(unsafe { _mm_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        Self(unsafe { _mm_or_si128(_mm_slli_epi32::<L>(self.0), _mm_srli_epi32::<R>(self.0)) })
    }
    #[inline(always)]
    fn shift<const R: i32>(self) -> Self {
        Self(unsafe { _mm_srli_epi32::<R>(self.0) })
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm_xor_si128(no.0, _mm_and_si128(self.0, _mm_xor_si128(yes.0, no.0))) })
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm_xor_si128(self.0, _mm_xor_si128(b.0, c.0)) })
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // Where a and b differ, c decides.
        Self(unsafe { _mm_xor_si128(self.0, _mm_and_si128(_mm_xor_si128(self.0, b.0), _mm_xor_si128(self.0, c.0))) })
    }
    #[inline(always)]
    fn md5_i(self, c: Self, d: Self) -> Self {
        Self(unsafe { _mm_xor_si128(c.0, _mm_or_si128(self.0, _mm_xor_si128(d.0, _mm_set1_epi32(-1)))) })
    }
    #[inline(always)]
    fn plus_md5_g(self, b: Self, c: Self, d: Self) -> Self {
        unsafe {
            let early = _mm_add_epi32(self.0, _mm_andnot_si128(d.0, c.0));
            Self(_mm_add_epi32(early, _mm_and_si128(b.0, d.0)))
        }
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        // First the bytes of each half, then the halves.
        let halves = unsafe { _mm_or_si128(_mm_slli_epi16::<8>(self.0), _mm_srli_epi16::<8>(self.0)) };
        Self(halves).rotate::<16, 16>()
    }
}

/// Four streams of MD5.
pub(super) fn md5_4(_: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    let any = Four::zero();
    if let (Some(states), Some(rows)) = (states.first_chunk_mut::<4>(), rows.first_chunk::<4>()) {
        md5_rounds::advance(any, states, rows, count);
    }
}

/// Eight streams of MD5.
pub(super) fn md5_8(_: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    let any = Four::zero();
    if let (Some(states), Some(rows)) = (states.first_chunk_mut::<8>(), rows.first_chunk::<8>()) {
        md5_rounds::advance((any, any), states, rows, count);
    }
}

/// Twelve streams of MD5.
pub(super) fn md5_12(_: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    let any = Four::zero();
    if let (Some(states), Some(rows)) = (states.first_chunk_mut::<12>(), rows.first_chunk::<12>()) {
        md5_rounds::advance((any, (any, any)), states, rows, count);
    }
}

/// Four streams of SHA-256.
pub(super) fn sha256_4(_: Features, states: &mut [[u32; 8]], rows: &[Blocks<'_>], count: usize) {
    let any = Four::zero();
    if let (Some(states), Some(rows)) = (states.first_chunk_mut::<4>(), rows.first_chunk::<4>()) {
        sha256_rounds::advance(any, states, rows, count);
    }
}
