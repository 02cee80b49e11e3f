//! NEON: four lanes per register, four registers side by side.
#![expect(unsafe_code, reason = "vector instructions are behind unsafe functions")]

use std::arch::aarch64::*;

use super::schedule::Blocks;
use super::word::{Word, block, quarter};
use super::{md5_rounds, portable, sha256_rounds};
use crate::digest::cpu::Features;

/// Four streams. Made only in functions with NEON enabled, or of another.
#[derive(Clone, Copy)]
struct Four(uint32x4_t);

// SAFETY, for every block in this implementation: a `Four` is at hand, so NEON is there. Pointers come from references
// to as many bytes as are read or written through them, and the instructions need no alignment.
impl Word for Four {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(self, value: u32) -> Self {
        Self(unsafe { vdupq_n_u32(value) })
    }
    #[inline(always)]
    fn gather(self, lanes: &[u32]) -> Self {
        lanes.first_chunk::<4>().map_or(self, |lanes| Self(unsafe { vld1q_u32(lanes.as_ptr()) }))
    }
    #[inline(always)]
    fn scatter(self, lanes: &mut [u32]) {
        if let Some(lanes) = lanes.first_chunk_mut::<4>() {
            unsafe { vst1q_u32(lanes.as_mut_ptr(), self.0) }
        }
    }
    #[inline(always)]
    fn load(self, rows: &[&[[u8; 64]]], at: usize) -> [Self; 16] {
        // Four words of one row.
        macro_rules! row {
            ($lane:literal $quarter:literal) => {
                vreinterpretq_u32_u8(vld1q_u8(quarter(block(rows, $lane, at), $quarter).as_ptr()))
            };
        }
        // Bytes which do not lie lowest first, as on some big-endian targets, are turned round.
        macro_rules! quarter {
            ($quarter:literal) => {
                unsafe {
                    let (r0, r1) = (row!(0 $quarter), row!(1 $quarter));
                    let (r2, r3) = (row!(2 $quarter), row!(3 $quarter));
                    let (even01, odd01) = (vtrn1q_u32(r0, r1), vtrn2q_u32(r0, r1));
                    let (even23, odd23) = (vtrn1q_u32(r2, r3), vtrn2q_u32(r2, r3));
                    let [even01, odd01] = [even01, odd01].map(|pair| vreinterpretq_u64_u32(pair));
                    let [even23, odd23] = [even23, odd23].map(|pair| vreinterpretq_u64_u32(pair));
                    [
                        Self(vreinterpretq_u32_u64(vtrn1q_u64(even01, even23))),
                        Self(vreinterpretq_u32_u64(vtrn1q_u64(odd01, odd23))),
                        Self(vreinterpretq_u32_u64(vtrn2q_u64(even01, even23))),
                        Self(vreinterpretq_u32_u64(vtrn2q_u64(odd01, odd23))),
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
        Self(unsafe { vaddq_u32(self.0, other.0) })
    }
    #[inline(always)]
    fn rotate<const L: i32, const R: i32>(self) -> Self {
        Self(unsafe { vsriq_n_u32::<R>(vshlq_n_u32::<L>(self.0), self.0) })
    }
    #[inline(always)]
    fn shift<const R: i32>(self) -> Self {
        Self(unsafe { vshrq_n_u32::<R>(self.0) })
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        Self(unsafe { vbslq_u32(self.0, yes.0, no.0) })
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        Self(unsafe { veorq_u32(self.0, veorq_u32(b.0, c.0)) })
    }
    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // Where a and b differ, c decides.
        Self(unsafe { vbslq_u32(veorq_u32(self.0, b.0), c.0, self.0) })
    }
    #[inline(always)]
    fn md5_i(self, c: Self, d: Self) -> Self {
        Self(unsafe { veorq_u32(c.0, vornq_u32(self.0, d.0)) })
    }
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        Self(unsafe { vreinterpretq_u32_u8(vrev32q_u8(vreinterpretq_u8_u32(self.0))) })
    }
}

/// Eight streams of MD5.
pub(super) fn md5_8(features: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "neon")]
    fn run(states: &mut [[u32; 4]], rows: &[Blocks<'_>; 8], count: usize) {
        let any = Four(vdupq_n_u32(0));
        md5_rounds::advance((any, any), states, rows, count);
    }
    match rows.first_chunk() {
        // SAFETY: the CPU has what `run` enables.
        Some(rows) if features.neon() => unsafe { run(states, rows, count) },
        _ => portable::md5::<8>(features, states, rows, count),
    }
}

/// Sixteen streams of MD5.
pub(super) fn md5_16(features: Features, states: &mut [[u32; 4]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "neon")]
    fn run(states: &mut [[u32; 4]], rows: &[Blocks<'_>; 16], count: usize) {
        let any = Four(vdupq_n_u32(0));
        md5_rounds::advance(((any, any), (any, any)), states, rows, count);
    }
    match rows.first_chunk() {
        // SAFETY: the CPU has what `run` enables.
        Some(rows) if features.neon() => unsafe { run(states, rows, count) },
        _ => portable::md5::<16>(features, states, rows, count),
    }
}

/// Eight streams of SHA-256.
pub(super) fn sha256_8(features: Features, states: &mut [[u32; 8]], rows: &[Blocks<'_>], count: usize) {
    #[target_feature(enable = "neon")]
    fn run(states: &mut [[u32; 8]], rows: &[Blocks<'_>; 8], count: usize) {
        let any = Four(vdupq_n_u32(0));
        sha256_rounds::advance((any, any), states, rows, count);
    }
    match rows.first_chunk() {
        // SAFETY: the CPU has what `run` enables.
        Some(rows) if features.neon() => unsafe { run(states, rows, count) },
        _ => portable::sha256::<8>(features, states, rows, count),
    }
}
