//! The SHA-256 instructions of x86: one stream leaves them idle three quarters of the time, so up to four take turns.
#![expect(unsafe_code, reason = "vector instructions are behind unsafe functions")]

use std::arch::x86_64::*;

use super::portable;
use super::schedule::Blocks;
use super::sha256_rounds::ROOTS;
use super::word::block;
use crate::digest::cpu::Features;

/// One stream: its state in the order of the instructions, and sixteen words of its schedule.
#[derive(Clone, Copy)]
struct Lane {
    abef: __m128i,
    cdgh: __m128i,
    words: [__m128i; 4],
}

/// `N` streams of SHA-256.
pub(super) fn sha256<const N: usize>(features: Features, states: &mut [[u32; 8]], rows: &[Blocks<'_>], count: usize) {
    match states.first_chunk_mut() {
        // SAFETY: the CPU has what `run` enables.
        Some(states) if features.sha() => unsafe { run::<N>(states, rows, count) },
        _ => portable::sha256::<N>(features, states, rows, count),
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn run<const N: usize>(states: &mut [[u32; 8]; N], rows: &[Blocks<'_>], count: usize) {
    let zero = _mm_setzero_si128();
    let mut lanes = [Lane { abef: zero, cdgh: zero, words: [zero; 4] }; N];
    for (lane, state) in lanes.iter_mut().zip(&*states) {
        let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
        (lane.abef, lane.cdgh) = (_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h));
    }
    for at in 0..count {
        let before = lanes;
        for (number, lane) in lanes.iter_mut().enumerate() {
            for (words, bytes) in lane.words.iter_mut().zip(block(rows, number, at).as_chunks::<16>().0) {
                *words = words_of(bytes);
            }
        }
        // Four rounds of every lane; `$i` to `$i3` are the words' places, oldest first.
        macro_rules! four {
            ($k:ident $at:literal: $i:literal $i1:literal $i2:literal $i3:literal, $extend:expr) => {
                let roots = _mm_set_epi32($k[$at + 3], $k[$at + 2], $k[$at + 1], $k[$at]);
                for lane in &mut lanes {
                    let sum = _mm_add_epi32(lane.words[$i], roots);
                    lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, sum);
                    lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32::<0x0e>(sum));
                    if $extend {
                        let [w0, w1, w2, w3] = [lane.words[$i], lane.words[$i1], lane.words[$i2], lane.words[$i3]];
                        let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
                        lane.words[$i] = _mm_sha256msg2_epu32(sum, w3);
                    }
                }
            };
        }
        for (quarter, k) in ROOTS.as_chunks::<16>().0.iter().enumerate() {
            let k = k.map(u32::cast_signed);
            four!(k 0: 0 1 2 3, quarter < 3);
            four!(k 4: 1 2 3 0, quarter < 3);
            four!(k 8: 2 3 0 1, quarter < 3);
            four!(k 12: 3 0 1 2, quarter < 3);
        }
        for (lane, before) in lanes.iter_mut().zip(before) {
            lane.abef = _mm_add_epi32(lane.abef, before.abef);
            lane.cdgh = _mm_add_epi32(lane.cdgh, before.cdgh);
        }
    }
    for (lane, state) in lanes.iter().zip(states) {
        let ([f, e, b, a], [h, g, d, c]) = (array(lane.abef), array(lane.cdgh));
        *state = [a, b, c, d, e, f, g, h];
    }
}

/// Four big-endian words.
#[inline]
#[target_feature(enable = "ssse3")]
fn words_of(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: sixteen bytes are read through a reference to as many; no alignment is needed.
    let words = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
    _mm_shuffle_epi8(words, super::avx2::backwards())
}

/// The four words, lowest first.
#[inline]
#[target_feature(enable = "sse4.1")]
fn array(words: __m128i) -> [u32; 4] {
    let (w0, w1) = (_mm_extract_epi32::<0>(words), _mm_extract_epi32::<1>(words));
    let (w2, w3) = (_mm_extract_epi32::<2>(words), _mm_extract_epi32::<3>(words));
    [w0, w1, w2, w3].map(i32::cast_unsigned)
}

/// Whether the CPU is Intel's.
#[allow(unused_unsafe, reason = "a safe function in newer compilers")]
pub(super) fn is_intel() -> bool {
    // SAFETY: every x86-64 CPU has the instruction and its first leaf.
    let vendor = unsafe { __cpuid(0) };
    [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel"
}

/// Whether four streams take about as long as one. So it is on Intel's servers from Granite Rapids on, whose mark is
/// AMX with half-precision numbers; Sapphire Rapids, a step before, gains a third from the second stream and then
/// nothing. Other CPUs are untried and treated like the latter.
#[allow(unused_unsafe, reason = "a safe function in newer compilers")]
pub(in crate::digest) fn hashes_quickly() -> bool {
    // SAFETY: every x86-64 CPU has the instruction, and the leaf is asked for only where it is.
    is_intel()
        && unsafe { __cpuid(0).eax >= 7 && __cpuid_count(7, 0).eax >= 1 && __cpuid_count(7, 1).eax & 1 << 21 != 0 }
}
