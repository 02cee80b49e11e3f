//! Many digests at once: each stream of bytes goes through a lane of the CPU's vectors.
//!
//! One stream of MD5 waits for its own last step most of the time, and nothing makes it faster.
//! Sixteen or more streams side by side take hardly longer than one. The steps are written once per
//! algorithm (`md5_rounds`, `sha256_rounds`) over a `word::Word` of so many lanes; there is one file per
//! instruction set; `schedule` puts streams of any number and length into lanes.

mod chain;
mod md5_rounds;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "some targets leave SHA-256 to one stream"))]
mod portable;
mod schedule;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "some targets leave SHA-256 to one stream"))]
mod sha256_rounds;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "some targets leave SHA-256 to one stream"))]
mod single;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "some targets leave SHA-256 to one stream"))]
mod word;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(test)]
mod tests;

pub(super) use chain::{Chain, Padding};

#[cfg(target_arch = "x86_64")]
pub(super) use avx512::rotates_quickly;
#[cfg(target_arch = "x86_64")]
pub(super) use sha_ni::hashes_quickly;

use super::Algorithm;
use super::cpu::{Features, features};
use super::md5::Md5;
use super::sha256::Sha256;
use schedule::{Engine, Kernel, Kernels, MOST, Stream};
use word::Words;

/// Advances each MD5 state by its own blocks. Of slices of different lengths, the surplus of the
/// longer one is left alone.
pub fn md5(states: &mut [[u32; 4]], pieces: &[&[[u8; 64]]]) {
    md5_engine(features()).run(&mut streams(states, pieces));
}

/// Advances each SHA-256 state by its own blocks. Of slices of different lengths, the surplus of
/// the longer one is left alone.
pub fn sha256(states: &mut [[u32; 8]], pieces: &[&[[u8; 64]]]) {
    sha256_engine(features()).run(&mut streams(states, pieces));
}

/// How many streams are worth offering at once: one of an algorithm that has no lanes.
#[must_use]
pub fn width(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Md5 => md5_engine(features()).width(),
        Algorithm::Sha256 => sha256_engine(features()).width(),
        _ => 1,
    }
}

/// Gives each MD5 its own bytes; of slices of different lengths, the surplus is left alone.
pub fn update_md5(digests: &mut [&mut Md5], pieces: &[&[u8]]) {
    let work = digests.iter_mut().map(|digest| digest.chain()).zip(pieces.iter().copied());
    chain::update(&md5_engine(features()), work.collect());
}

/// Gives each SHA-256 its own bytes; of slices of different lengths, the surplus is left alone.
pub fn update_sha256(digests: &mut [&mut Sha256], pieces: &[&[u8]]) {
    let work = digests.iter_mut().map(|digest| digest.chain()).zip(pieces.iter().copied());
    chain::update(&sha256_engine(features()), work.collect());
}

/// The digests of everything taken so far, in order.
#[must_use]
pub fn finish_md5(mut digests: Vec<Md5>) -> Vec<[u8; 16]> {
    let paddings: Vec<_> = digests.iter().map(Md5::padding).collect();
    let work = digests.iter_mut().map(Md5::chain).zip(paddings.iter().map(Padding::bytes));
    chain::update(&md5_engine(features()), work.collect());
    digests.iter().map(Md5::bytes).collect()
}

/// The digests of everything taken so far, in order.
#[must_use]
pub fn finish_sha256(mut digests: Vec<Sha256>) -> Vec<[u8; 32]> {
    let paddings: Vec<_> = digests.iter().map(Sha256::padding).collect();
    let work = digests.iter_mut().map(Sha256::chain).zip(paddings.iter().map(Padding::bytes));
    chain::update(&sha256_engine(features()), work.collect());
    digests.iter().map(Sha256::bytes).collect()
}

/// Advances one MD5 state.
pub(super) fn md5_one(state: &mut [u32; 4], blocks: &[[u8; 64]]) {
    let engine = md5_engine(features());
    (engine.one)(engine.features, state, blocks);
}

/// Advances one SHA-256 state.
pub(super) fn sha256_one(state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    #[cfg(feature = "sha2")]
    sha2::block_api::compress256(state, blocks);
    #[cfg(not(feature = "sha2"))]
    portable::sha256_one(state, blocks);
}

fn sha256_by_crate(_: Features, state: &mut [u32; 8], blocks: &[[u8; 64]]) {
    sha256_one(state, blocks);
}

fn streams<'a, const S: usize>(states: &'a mut [[u32; S]], pieces: &[&'a [[u8; 64]]]) -> Vec<Stream<'a, S>> {
    states.iter_mut().zip(pieces).map(|(state, blocks)| Stream { state, blocks }).collect()
}

/// Makes the compiler align the frame of the function that it becomes a part of: vectors for which there is no register
/// left are kept there, and would lie across two lines of the cache each.
#[inline(always)]
fn align_frame() {
    #[repr(align(64))]
    struct Line([u8; 64]);
    let mut line = Line([0; 64]);
    std::hint::black_box(&mut line.0);
}

/// The states of all lanes, word by word.
#[inline(always)]
fn gather<W: Words, const S: usize>(any: W, states: &[[u32; S]]) -> [W; S] {
    let mut words = [any; S];
    let mut lanes = [0; MOST];
    for (number, word) in words.iter_mut().enumerate() {
        for (lane, state) in lanes.iter_mut().zip(states) {
            *lane = state.get(number).copied().unwrap_or_default();
        }
        *word = any.gather(&lanes);
    }
    words
}

/// The opposite of [`gather`].
#[inline(always)]
fn scatter<W: Words, const S: usize>(words: [W; S], states: &mut [[u32; S]]) {
    let mut lanes = [0; MOST];
    for (number, word) in words.into_iter().enumerate() {
        word.scatter(&mut lanes);
        for (lane, state) in lanes.iter().zip(states.iter_mut().take(W::LANES)) {
            if let Some(to) = state.get_mut(number) {
                *to = *lane;
            }
        }
    }
}

/// The costs are those of a Sapphire Rapids with data in its caches.
#[cfg(target_arch = "x86_64")]
fn md5_engine(features: Features) -> Engine<4> {
    static AVX512: Kernels<4> = Kernels::new(&[
        Kernel { width: 16, cost: 120, run: avx512::md5_16 },
        Kernel { width: 32, cost: 210, run: avx512::md5_32 },
    ]);
    static AVX2: Kernels<4> = Kernels::new(&[
        Kernel { width: 8, cost: 140, run: avx2::md5_8 },
        Kernel { width: 16, cost: 175, run: avx2::md5_16 },
        Kernel { width: 24, cost: 260, run: avx2::md5_24 },
    ]);
    static SSE2: Kernels<4> = Kernels::new(&[
        Kernel { width: 4, cost: 140, run: sse2::md5_4 },
        Kernel { width: 8, cost: 183, run: sse2::md5_8 },
        Kernel { width: 12, cost: 257, run: sse2::md5_12 },
    ]);
    let one = if features.avx512_quick() { avx512::md5_one } else { portable::md5_one };
    let several = if features.avx512() {
        &AVX512
    } else if features.avx2() {
        &AVX2
    } else {
        &SSE2
    };
    Engine { features, one, several }
}

/// The costs are those of a Sapphire Rapids, which has a slow unit for SHA-256; but for those of a quick one.
#[cfg(target_arch = "x86_64")]
fn sha256_engine(features: Features) -> Engine<8> {
    static QUICK: Kernels<8> = Kernels::new(&[
        Kernel { width: 2, cost: 100, run: sha_ni::sha256::<2> },
        Kernel { width: 4, cost: 100, run: sha_ni::sha256::<4> },
    ]);
    static SHA: Kernels<8> = Kernels::new(&[
        Kernel { width: 2, cost: 150, run: sha_ni::sha256::<2> },
        Kernel { width: 4, cost: 299, run: sha_ni::sha256::<4> },
    ]);
    static SHA_AVX512: Kernels<8> = Kernels::new(&[
        Kernel { width: 2, cost: 150, run: sha_ni::sha256::<2> },
        Kernel { width: 4, cost: 299, run: sha_ni::sha256::<4> },
        Kernel { width: 16, cost: 730, run: avx512::sha256_16 },
    ]);
    static AVX512: Kernels<8> = Kernels::new(&[Kernel { width: 16, cost: 190, run: avx512::sha256_16 }]);
    static AVX2: Kernels<8> = Kernels::new(&[Kernel { width: 8, cost: 250, run: avx2::sha256_8 }]);
    static SSE2: Kernels<8> = Kernels::new(&[Kernel { width: 4, cost: 230, run: sse2::sha256_4 }]);
    let several = match (features.sha(), features.avx512()) {
        (true, _) if features.sha_quick() => &QUICK,
        (true, true) => &SHA_AVX512,
        (true, false) => &SHA,
        (false, true) => &AVX512,
        (false, false) if features.avx2() => &AVX2,
        (false, false) => &SSE2,
    };
    Engine { features, one: sha256_by_crate, several }
}

/// The costs are guessed.
#[cfg(target_arch = "aarch64")]
fn md5_engine(features: Features) -> Engine<4> {
    static NEON: Kernels<4> = Kernels::new(&[
        Kernel { width: 8, cost: 190, run: neon::md5_8 },
        Kernel { width: 16, cost: 320, run: neon::md5_16 },
    ]);
    let several = if features.neon() { &NEON } else { &MD5_ANYWHERE };
    Engine { features, one: portable::md5_one, several }
}

/// The costs are guessed; one stream at a time has the CPU's own instructions for SHA-256.
#[cfg(target_arch = "aarch64")]
fn sha256_engine(features: Features) -> Engine<8> {
    static NEON: Kernels<8> = Kernels::new(&[Kernel { width: 8, cost: 500, run: neon::sha256_8 }]);
    static NONE: Kernels<8> = Kernels::new(&[]);
    let several = match (features.sha(), features.neon()) {
        (false, true) => &NEON,
        _ => &NONE,
    };
    Engine { features, one: sha256_by_crate, several }
}

/// The costs are those measured in a browser's engine.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn md5_engine(features: Features) -> Engine<4> {
    static SIMD128: Kernels<4> = Kernels::new(&[
        Kernel { width: 4, cost: 145, run: simd128::md5_4 },
        Kernel { width: 12, cost: 160, run: simd128::md5_12 },
    ]);
    Engine { features, one: portable::md5_one, several: &SIMD128 }
}

/// The costs are those measured in a browser's engine.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn sha256_engine(features: Features) -> Engine<8> {
    static SIMD128: Kernels<8> = Kernels::new(&[
        Kernel { width: 4, cost: 190, run: simd128::sha256_4 },
        Kernel { width: 8, cost: 265, run: simd128::sha256_8 },
    ]);
    Engine { features, one: sha256_by_crate, several: &SIMD128 }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_feature = "simd128")))]
fn md5_engine(features: Features) -> Engine<4> {
    Engine { features, one: portable::md5_one, several: &MD5_ANYWHERE }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_feature = "simd128")))]
fn sha256_engine(features: Features) -> Engine<8> {
    static NONE: Kernels<8> = Kernels::new(&[]);
    Engine { features, one: sha256_by_crate, several: &NONE }
}

/// Two streams of MD5 at once gain something on any CPU that does several things in one cycle.
#[cfg(not(any(target_arch = "x86_64", target_feature = "simd128")))]
static MD5_ANYWHERE: Kernels<4> = Kernels::new(&[Kernel { width: 2, cost: 130, run: portable::md5::<2> }]);
