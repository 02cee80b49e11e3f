//! AVX2: eight lanes per register, two or three registers side by side.
#![expect(unsafe_code, reason = "vector instructions are behind unsafe functions")]

use std::arch::x86_64::*;

use super::schedule::Blocks;
use super::word::{Word, block, quarter};
use super::{md5_rounds, portable, sha256_rounds};
use crate::digest::cpu::Features;

/// Eight streams. Made only in functions with AVX2 enabled, or of another.
#[derive(Clone, Copy)]
struct Eight(__m256i);

/// The shuffle of bytes which turns each word round.
#[inline(always)]
pub(super) fn backwards() -> __m128i {
    // SAFETY: SSE2, which every x86-64 CPU has.
    unsafe { _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3) }
}

// SAFETY, for every block in this implementation: an `Eight` is at hand, so AVX2 is there. Pointers come from
// references to as many bytes as are read or written through them, and the instructions need no alignment.
impl Word for Eight {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(self, value: u32) -> Self {
        Self(unsafe { _mm256_set1_epi32(value.cast_signed()) })
    }
    #[inline(always)]
    fn gather(self, lanes: &[u32]) -> Self {
        lanes.first_chunk::<8>().map_or(self, |lanes| Self(unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) }))
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        if let Some(lanes) = lanes.first_chunk_mut::<8>() {
            unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), self.0) }
        }
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        // Four words of rows `$lane` and `$lane + 4` in one register.
        macro_rules! two {
            ($lane:literal $quarter:literal) => {
                _mm256_inserti128_si256::<1>(
                    _mm256_castsi128_si256(_mm_loadu_si128(quarter(block(rows, $lane, at), $quarter).as_ptr().cast())),
                    _mm_loadu_si128(quarter(block(rows, $lane + 4, at), $quarter).as_ptr().cast()),
                )
            };
        }
        macro_rules! quarter {
            ($quarter:literal) => {
                unsafe {
                    let (r0, r1) = (two!(0 $quarter), two!(1 $quarter));
                    let (r2, r3) = (two!(2 $quarter), two!(3 $quarter));
                    let (low01, high01) = (_mm256_unpacklo_epi32(r0, r1), _mm256_unpackhi_epi32(r0, r1));
                    let (low23, high23) = (_mm256_unpacklo_epi32(r2, r3), _mm256_unpackhi_epi32(r2, r3));
                    [
                        Self(_mm256_unpacklo_epi64(low01, low23)),
                        Self(_mm256_unpackhi_epi64(low01, low23)),
                        Self(_mm256_unpacklo_epi64(high01, high23)),
                        Self(_mm256_unpackhi_epi64(high01, high23)),
                    ]
                }
            };
        }
        for row in rows {
            // The CPU does not foresee so many streams by itself. An address behind the row's end does no harm.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().wrapping_add(at + 8).cast()) }
        }
        let ([w0, w1, w2, w3], [w4, w5, w6, w7]) = (quarter!(0), quarter!(1));
        let ([w8, w9, w10, w11], [w12, w13, w14, w15]) = (quarter!(2), quarter!(3));
        [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15]
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(unsafe { _mm256_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        Self(unsafe { _mm256_or_si256(_mm256_slli_epi32::<L>(self.0), _mm256_srli_epi32::<R>(self.0)) })
    }
    #[inline(always)]
    fn shift<const R: i32>(self) -> Self {
        Self(unsafe { _mm256_srli_epi32::<R>(self.0) })
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm256_xor_si256(no.0, _mm256_and_si256(self.0, _mm256_xor_si256(yes.0, no.0))) })
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm256_xor_si256(self.0, _mm256_xor_si256(b.0, c.0)) })
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // Where a and b differ, c decides.
        Self(unsafe {
            _mm256_xor_si256(self.0, _mm256_and_si256(_mm256_xor_si256(self.0, b.0), _mm256_xor_si256(self.0, c.0)))
        })
    }
    #[inline(always)]
    fn md5_i(self, c: Self, d: Self) -> Self {
        Self(unsafe { _mm256_xor_si256(c.0, _mm256_or_si256(self.0, _mm256_xor_si256(d.0, _mm256_set1_epi32(-1)))) })
    }
    #[inline(always)]
    fn plus_md5_g(self, b: Self, c: Self, d: Self) -> Self {
        unsafe {
            let early = _mm256_add_epi32(self.0, _mm256_andnot_si256(d.0, c.0));
            Self(_mm256_add_epi32(early, _mm256_and_si256(b.0, d.0)))
        }
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        Self(unsafe { _mm256_shuffle_epi8(self.0, _mm256_broadcastsi128_si256(backwards())) })
    }
}

/// Eight streams of MD5.
pub(super) fn md5_8(features: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "avx2")]
    fn run(states: &mut [[u32; 4]; 8], rows: &[Blocks<'_>; 8], count: usize) {
        md5_rounds::advance(Eight(_mm256_setzero_si256()), states, rows, count);
    }
    match (states.first_chunk_mut(), rows.first_chunk()) {
        // SAFETY: the CPU has what `run` enables.
        (Some(states), Some(rows)) if features.avx2() => unsafe { run(states, rows, count) },
        _ => portable::md5::<8>(features, states, rows, count),
    }
}

/// Sixteen streams of MD5.
pub(super) fn md5_16(features: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "avx2")]
    fn run(states: &mut [[u32; 4]; 16], rows: &[Blocks<'_>; 16], count: usize) {
        let any = Eight(_mm256_setzero_si256());
        md5_rounds::advance((any, any), states, rows, count);
    }
    match (states.first_chunk_mut(), rows.first_chunk()) {
        // SAFETY: the CPU has what `run` enables.
        (Some(states), Some(rows)) if features.avx2() => unsafe { run(states, rows, count) },
        _ => portable::md5::<16>(features, states, rows, count),
    }
}

/// Twenty-four streams of MD5.
pub(super) fn md5_24(features: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "avx2")]
    fn run(states: &mut [[u32; 4]; 24], rows: &[Blocks<'_>; 24], count: usize) {
        let any = Eight(_mm256_setzero_si256());
        md5_rounds::advance((any, (any, any)), states, rows, count);
    }
    match (states.first_chunk_mut(), rows.first_chunk()) {
        // SAFETY: the CPU has what `run` enables.
        (Some(states), Some(rows)) if features.avx2() => unsafe { run(states, rows, count) },
        _ => portable::md5::<24>(features, states, rows, count),
    }
}

/// Eight streams of SHA-256.
pub(super) fn sha256_8(features: Features, states: &mut [[u32; 8]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "avx2")]
    fn run(states: &mut [[u32; 8]; 8], rows: &[Blocks<'_>; 8], count: usize) {
        sha256_rounds::advance(Eight(_mm256_setzero_si256()), states, rows, count);
    }
    match (states.first_chunk_mut(), rows.first_chunk()) {
        // SAFETY: the CPU has what `run` enables.
        (Some(states), Some(rows)) if features.avx2() => unsafe { run(states, rows, count) },
        _ => portable::sha256::<8>(features, states, rows, count),
    }
}
