//! Many digests at once: each stream of bytes goes through a lane of the CPU's vectors.
//!
//! One stream of MD5 waits for its own last step most of the time, and nothing makes it faster.
//! Sixteen or more streams side by side take hardly longer than one. The steps are written once per
//! algorithm (`md5_rounds`, `sha256_rounds`) over a [`word::Word`] of so many lanes; there is one file per
//! instruction set; `schedule` puts streams of any number and length into lanes.

mod chain;
mod md5_rounds;
mod portable;
mod schedule;
mod sha256_rounds;
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

#[cfg(test)]
mod tests;

pub(super) use chain::{Chain, Padding};

#[cfg(target_arch = "x86_64")]
pub(super) use avx512::rotates_quickly;

use super::Algorithm;
use super::cpu::{Features, features};
use super::md5::Md5;
use super::sha256::Sha256;
use schedule::{Engine, Kernel, MOST, Stream};
use word::Word;

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

/// How many streams are worth offering at once.
#[must_use]
pub fn width(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Md5 => md5_engine(features()).width(),
        Algorithm::Sha256 => sha256_engine(features()).width(),
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
    let work = digests.iter_mut().map(Md5::chain).zip(paddings.iter().map(chain::Padding::bytes));
    chain::update(&md5_engine(features()), work.collect());
    digests.iter().map(Md5::bytes).collect()
}

/// The digests of everything taken so far, in order.
#[must_use]
pub fn finish_sha256(mut digests: Vec<Sha256>) -> Vec<[u8; 32]> {
    let paddings: Vec<_> = digests.iter().map(Sha256::padding).collect();
    let work = digests.iter_mut().map(Sha256::chain).zip(paddings.iter().map(chain::Padding::bytes));
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
    sha2::block_api::compress256(state, blocks);
}

fn streams<'a, const S: usize>(states: &'a mut [[u32; S]], pieces: &[&'a [[u8; 64]]]) -> Vec<Stream<'a, S>> {
    states.iter_mut().zip(pieces).map(|(state, blocks)| Stream { state, blocks }).collect()
}

/// The states of all lanes, word by word.
#[inline(always)]
fn gather<W: Word, const S: usize>(any: W, states: &[[u32; S]]) -> [W; S] {
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
fn scatter<W: Word, const S: usize>(words: [W; S], states: &mut [[u32; S]]) {
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

#[cfg(target_arch = "aarch64")]
fn md5_engine(features: Features) -> Engine<4> {
    let wide: &[Kernel<4>] = if features.neon() {
        &[Kernel { width: 8, cost: 190, run: neon::md5_8 }, Kernel { width: 16, cost: 320, run: neon::md5_16 }]
    } else {
        &[Kernel { width: 4, cost: 250, run: portable::md5::<4> }]
    };
    Engine { features, one: portable::md5_one, wide }
}

#[cfg(target_arch = "aarch64")]
fn sha256_engine(features: Features) -> Engine<8> {
    let wide: &[Kernel<8>] =
        if features.neon() && !features.sha() { &[Kernel { width: 8, cost: 500, run: neon::sha256_8 }] } else { &[] };
    Engine { features, one: |_, state, blocks| sha256_one(state, blocks), wide }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn md5_engine(features: Features) -> Engine<4> {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let wide: &[Kernel<4>] = &[
        Kernel { width: 4, cost: 140, run: simd128::md5_4 },
        Kernel { width: 12, cost: 150, run: simd128::md5_12 },
        Kernel { width: 24, cost: 180, run: simd128::md5_24 },
    ];
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let wide: &[Kernel<4>] = &[Kernel { width: 2, cost: 130, run: portable::md5::<2> }];
    Engine { features, one: portable::md5_one, wide }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn sha256_engine(features: Features) -> Engine<8> {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    let wide: &[Kernel<8>] = &[
        Kernel { width: 4, cost: 190, run: simd128::sha256_4 },
        Kernel { width: 8, cost: 260, run: simd128::sha256_8 },
    ];
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    let wide: &[Kernel<8>] = &[];
    Engine { features, one: |_, state, blocks| sha256_one(state, blocks), wide }
}

/// Costs as measured on a Sapphire Rapids with data in its cache.
#[cfg(target_arch = "x86_64")]
fn md5_engine(features: Features) -> Engine<4> {
    let one = if features.avx512_quick() { avx512::md5_one } else { portable::md5_one };
    let wide: &[Kernel<4>] = if features.avx512() {
        &[Kernel { width: 16, cost: 130, run: avx512::md5_16 }, Kernel { width: 32, cost: 140, run: avx512::md5_32 }]
    } else if features.avx2() {
        &[
            Kernel { width: 8, cost: 140, run: avx2::md5_8 },
            Kernel { width: 16, cost: 150, run: avx2::md5_16 },
            Kernel { width: 24, cost: 200, run: avx2::md5_24 },
        ]
    } else {
        &[
            Kernel { width: 4, cost: 150, run: portable::md5::<4> },
            Kernel { width: 8, cost: 200, run: portable::md5::<8> },
        ]
    };
    Engine { features, one, wide }
}

#[cfg(target_arch = "x86_64")]
fn sha256_engine(features: Features) -> Engine<8> {
    let wide: &[Kernel<8>] = if features.sha() {
        &[
            Kernel { width: 2, cost: 100, run: sha_ni::sha256::<2> },
            Kernel { width: 4, cost: 100, run: sha_ni::sha256::<4> },
        ]
    } else if features.avx512() {
        &[Kernel { width: 16, cost: 190, run: avx512::sha256_16 }]
    } else if features.avx2() {
        &[Kernel { width: 8, cost: 220, run: avx2::sha256_8 }]
    } else {
        &[Kernel { width: 4, cost: 300, run: portable::sha256::<4> }]
    };
    Engine { features, one: |_, state, blocks| sha256_one(state, blocks), wide }
}
