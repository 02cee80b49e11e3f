//! AVX-512: sixteen lanes per register, rotations and any function of three bits in one instruction.
#![expect(unsafe_code, reason = "vector instructions are behind unsafe functions")]

use std::arch::x86_64::*;
use std::slice::from_mut;

use super::schedule::Blocks;
use super::word::{Word, block};
use super::{avx2, md5_rounds, portable, sha256_rounds};
use crate::digest::cpu::Features;

/// Sixteen streams. Made only in functions with AVX-512 F and BW enabled, or of another.
#[derive(Clone, Copy)]
struct Sixteen(__m512i);

/// Truth tables: bit `4 * a + 2 * b + c` is the result for the bits a, b and c.
const CHOOSE: i32 = 0xca;
const XOR3: i32 = 0x96;
const MAJORITY: i32 = 0xe8;
const MD5_I: i32 = 0x39;

// SAFETY, for every block in this implementation: a `Sixteen` is at hand, so AVX-512 F and BW are there. Pointers come
// from references to as many bytes as are read or written through them, and the instructions need no alignment.
impl Word for Sixteen {
    const LANES: usize = 16;

    #[inline(always)]
    fn splat(self, value: u32) -> Self {
        Self(unsafe { _mm512_set1_epi32(value.cast_signed()) })
    }
    #[inline(always)]
    fn gather(self, lanes: &[u32]) -> Self {
        lanes.first_chunk::<16>().map_or(self, |lanes| Self(unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }))
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        if let Some(lanes) = lanes.first_chunk_mut::<16>() {
            unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), self.0) }
        }
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        macro_rules! row {
            ($lane:expr) => {
                _mm512_loadu_si512(block(rows, $lane, at).as_ptr().cast())
            };
        }
        // Four rows become four registers, each with one column's words of the four rows in every quarter.
        macro_rules! four {
            ($lane:literal) => {
                unsafe {
                    let (r0, r1, r2, r3) = (row!($lane), row!($lane + 1), row!($lane + 2), row!($lane + 3));
                    let (low01, high01) = (_mm512_unpacklo_epi32(r0, r1), _mm512_unpackhi_epi32(r0, r1));
                    let (low23, high23) = (_mm512_unpacklo_epi32(r2, r3), _mm512_unpackhi_epi32(r2, r3));
                    [
                        _mm512_unpacklo_epi64(low01, low23),
                        _mm512_unpackhi_epi64(low01, low23),
                        _mm512_unpacklo_epi64(high01, high23),
                        _mm512_unpackhi_epi64(high01, high23),
                    ]
                }
            };
        }
        // The quarters of four such registers are put together, which makes columns 0, 4, 8 and 12 further.
        macro_rules! quarters {
            ($a:expr, $b:expr, $c:expr, $d:expr) => {
                unsafe {
                    let (ab01, ab23) = (_mm512_shuffle_i32x4::<0x44>($a, $b), _mm512_shuffle_i32x4::<0xee>($a, $b));
                    let (cd01, cd23) = (_mm512_shuffle_i32x4::<0x44>($c, $d), _mm512_shuffle_i32x4::<0xee>($c, $d));
                    [
                        Self(_mm512_shuffle_i32x4::<0x88>(ab01, cd01)),
                        Self(_mm512_shuffle_i32x4::<0xdd>(ab01, cd01)),
                        Self(_mm512_shuffle_i32x4::<0x88>(ab23, cd23)),
                        Self(_mm512_shuffle_i32x4::<0xdd>(ab23, cd23)),
                    ]
                }
            };
        }
        for row in rows {
            // The CPU does not foresee so many streams by itself. An address behind the row's end does no harm.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().wrapping_add(at + 8).cast()) }
        }
        let (a, b, c, d) = (four!(0), four!(4), four!(8), four!(12));
        let [w0, w4, w8, w12] = quarters!(a[0], b[0], c[0], d[0]);
        let [w1, w5, w9, w13] = quarters!(a[1], b[1], c[1], d[1]);
        let [w2, w6, w10, w14] = quarters!(a[2], b[2], c[2], d[2]);
        let [w3, w7, w11, w15] = quarters!(a[3], b[3], c[3], d[3]);
        [w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, w12, w13, w14, w15]
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        Self(unsafe { _mm512_rol_epi32::<L>(self.0) })
    }
    #[inline(always)]
    fn shift<const R: i32>(self) -> Self {
        Self(unsafe { _mm512_srl_epi32(self.0, _mm_cvtsi32_si128(R)) })
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm512_ternarylogic_epi32::<CHOOSE>(self.0, yes.0, no.0) })
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm512_ternarylogic_epi32::<XOR3>(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm512_ternarylogic_epi32::<MAJORITY>(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn md5_i(self, c: Self, d: Self) -> Self {
        Self(unsafe { _mm512_ternarylogic_epi32::<MD5_I>(self.0, c.0, d.0) })
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        Self(unsafe { _mm512_shuffle_epi8(self.0, _mm512_broadcast_i32x4(avx2::backwards())) })
    }
}

/// One stream, in the lowest word of a short register: shorter ways than through the general registers. Made only in
/// functions with AVX-512 F and VL enabled, or of another.
#[derive(Clone, Copy)]
struct Single(__m128i);

// SAFETY, for every block in this implementation: a `Single` is at hand, so AVX-512 F and VL are there.
impl Word for Single {
    const LANES: usize = 1;

    #[inline(always)]
    fn splat(self, value: u32) -> Self {
        Self(unsafe { _mm_cvtsi32_si128(value.cast_signed()) })
    }
    #[inline(always)]
    fn gather(self, lanes: &[u32]) -> Self {
        self.splat(lanes.first().copied().unwrap_or_default())
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        if let Some(lane) = lanes.first_mut() {
            *lane = unsafe { _mm_cvtsi128_si32(self.0) }.cast_unsigned();
        }
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        let mut words = [self; 16];
        for (word, bytes) in words.iter_mut().zip(block(rows, 0, at).as_chunks().0) {
            *word = self.splat(u32::from_le_bytes(*bytes));
        }
        words
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(unsafe { _mm_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        Self(unsafe { _mm_rol_epi32::<L>(self.0) })
    }
    #[inline(always)]
    fn shift<const R: i32>(self) -> Self {
        Self(unsafe { _mm_srli_epi32::<R>(self.0) })
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm_ternarylogic_epi32::<CHOOSE>(self.0, yes.0, no.0) })
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm_ternarylogic_epi32::<XOR3>(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        Self(unsafe { _mm_ternarylogic_epi32::<MAJORITY>(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn md5_i(self, c: Self, d: Self) -> Self {
        Self(unsafe { _mm_ternarylogic_epi32::<MD5_I>(self.0, c.0, d.0) })
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        Self(unsafe { _mm_shuffle_epi8(self.0, avx2::backwards()) })
    }
}

/// One stream of MD5.
pub(super) fn md5_one(features: Features, state: &mut [u32; 4], blocks: Blocks<'_>) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn run(state: &mut [u32; 4], blocks: Blocks<'_>) {
        md5_rounds::advance(Single(_mm_setzero_si128()), from_mut(state), &[blocks], blocks.len());
    }
    if features.avx512() {
        // SAFETY: the CPU has what `run` enables.
        unsafe { run(state, blocks) }
    } else {
        portable::md5_one(features, state, blocks);
    }
}

/// Sixteen streams of MD5.
pub(super) fn md5_16(features: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn run(states: &mut [[u32; 4]; 16], rows: &[Blocks<'_>; 16], count: usize) {
        md5_rounds::advance(Sixteen(_mm512_setzero_si512()), states, rows, count);
    }
    match (states.first_chunk_mut(), rows.first_chunk()) {
        // SAFETY: the CPU has what `run` enables.
        (Some(states), Some(rows)) if features.avx512() => unsafe { run(states, rows, count) },
        _ => portable::md5::<16>(features, states, rows, count),
    }
}

/// Thirty-two streams of MD5.
pub(super) fn md5_32(features: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn run(states: &mut [[u32; 4]; 32], rows: &[Blocks<'_>; 32], count: usize) {
        let any = Sixteen(_mm512_setzero_si512());
        md5_rounds::advance((any, any), states, rows, count);
    }
    match (states.first_chunk_mut(), rows.first_chunk()) {
        // SAFETY: the CPU has what `run` enables.
        (Some(states), Some(rows)) if features.avx512() => unsafe { run(states, rows, count) },
        _ => portable::md5::<32>(features, states, rows, count),
    }
}

/// Sixteen streams of SHA-256.
pub(super) fn sha256_16(features: Features, states: &mut [[u32; 8]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    fn run(states: &mut [[u32; 8]; 16], rows: &[Blocks<'_>; 16], count: usize) {
        sha256_rounds::advance(Sixteen(_mm512_setzero_si512()), states, rows, count);
    }
    match (states.first_chunk_mut(), rows.first_chunk()) {
        // SAFETY: the CPU has what `run` enables.
        (Some(states), Some(rows)) if features.avx512() => unsafe { run(states, rows, count) },
        _ => portable::sha256::<16>(features, states, rows, count),
    }
}

/// Whether rotations take one cycle. On AMD's Zen 4 they take two, which makes one stream slower
/// than through the general registers; other makers are untried and treated alike.
pub(in crate::digest) fn rotates_quickly() -> bool {
    super::sha_ni::is_intel()
}
