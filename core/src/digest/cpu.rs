//! What this CPU can do, and how much of it the host lets the digests use.
//!
//! A [`Features`] can only be asked of the CPU and then lessened, never made up: holding one with a
//! bit set proves that the CPU has the instructions, and the kernels rest on that.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// A set of instruction sets, none of which this CPU lacks. `Debug` and `Display` write its words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Features(u8);

const AVX2: u8 = 1;
const AVX512: u8 = 2;
const SHA: u8 = 4;
const NEON: u8 = 8;
/// AVX-512 whose rotations take one cycle: what one stream of MD5 needs to gain from it.
const QUICK: u8 = 16;
/// SHA-256 instructions at which four streams together take as long as one.
const QUICK_SHA: u8 = 32;
/// In [`CURRENT`]: a set has been put there.
const KNOWN: u8 = 128;

/// Each word with the bits that go with it when it is taken away.
const WORDS: [(&str, u8, u8); 4] = [
    ("avx512", AVX512, AVX512 | QUICK),
    ("avx2", AVX2, AVX2 | AVX512 | QUICK),
    ("sha", SHA, SHA | QUICK_SHA),
    ("neon", NEON, NEON),
];

/// What the digests of this process use.
static CURRENT: AtomicU8 = AtomicU8::new(0);

impl Features {
    /// All that this CPU has of what the digests can use.
    #[must_use]
    pub fn detected() -> Self {
        Self(detect())
    }

    /// This set without what `word` names: `avx512` (its foundation, byte and short-vector parts),
    /// `avx2` (and with it `avx512`), `sha` (the SHA-256 instructions) or `neon`. What the CPU
    /// lacks may be named as well; any other word gives nothing.
    ///
    /// Only lanes are limited by `sha`: one stream of SHA-256 is left to the crate `sha2`.
    #[must_use]
    pub fn without(self, word: &str) -> Option<Self> {
        WORDS.iter().find(|(name, ..)| *name == word).map(|(_, _, gone)| Self(self.0 & !gone))
    }

    /// This set without any member: what every CPU of the architecture has.
    #[must_use]
    pub fn none(self) -> Self {
        Self(0)
    }

    /// The words of this set's members.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        WORDS.iter().filter(move |(_, bit, _)| self.0 & bit != 0).map(|(name, ..)| *name)
    }

    /// AVX2.
    #[must_use]
    pub fn avx2(self) -> bool {
        self.0 & AVX2 != 0
    }

    /// AVX-512 F, BW and VL, with AVX2.
    #[must_use]
    pub fn avx512(self) -> bool {
        self.0 & AVX512 != 0
    }

    /// [`Features::avx512`], and one stream of MD5 gains from it.
    #[must_use]
    pub fn avx512_quick(self) -> bool {
        self.0 & QUICK != 0
    }

    /// The SHA-256 instructions; on x86 with SSSE3 and SSE4.1.
    #[must_use]
    pub fn sha(self) -> bool {
        self.0 & SHA != 0
    }

    /// [`Features::sha`], and several streams together gain so much from it that wider vectors do not.
    #[must_use]
    pub fn sha_quick(self) -> bool {
        self.0 & QUICK_SHA != 0
    }

    /// NEON.
    #[must_use]
    pub fn neon(self) -> bool {
        self.0 & NEON != 0
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = self.words();
        f.write_str(words.next().unwrap_or("none"))?;
        words.try_for_each(|word| write!(f, " {word}"))
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Features({self})")
    }
}

/// What the digests of this process use: all that the CPU has, unless [`limit`] was called.
#[must_use]
pub fn features() -> Features {
    let current = CURRENT.load(Ordering::Relaxed);
    if current & KNOWN != 0 {
        return Features(current & !KNOWN);
    }
    let detected = Features::detected();
    // A limit set in the meantime stays.
    match CURRENT.compare_exchange(0, detected.0 | KNOWN, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => detected,
        Err(current) => Features(current & !KNOWN),
    }
}

/// From now on the digests of this process use `features` and no more.
pub fn limit(features: Features) {
    CURRENT.store(features.0 | KNOWN, Ordering::Relaxed);
}

#[cfg(target_arch = "x86_64")]
fn detect() -> u8 {
    let mut bits = 0;
    if is_x86_feature_detected!("avx2") {
        bits |= AVX2;
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
        {
            bits |= AVX512;
            if super::lanes::rotates_quickly() {
                bits |= QUICK;
            }
        }
    }
    if is_x86_feature_detected!("sha") && is_x86_feature_detected!("ssse3") && is_x86_feature_detected!("sse4.1") {
        bits |= SHA;
        if super::lanes::hashes_quickly() {
            bits |= QUICK_SHA;
        }
    }
    bits
}

#[cfg(target_arch = "aarch64")]
fn detect() -> u8 {
    let mut bits = 0;
    if std::arch::is_aarch64_feature_detected!("neon") {
        bits |= NEON;
    }
    if std::arch::is_aarch64_feature_detected!("sha2") {
        bits |= SHA;
    }
    bits
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn detect() -> u8 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_takes_away_what_it_names_and_what_rests_on_it() {
        let all = Features(AVX2 | AVX512 | QUICK | SHA | QUICK_SHA | NEON);
        let left = |word| all.without(word).map(|features| features.to_string());
        assert_eq!(left("avx512").as_deref(), Some("avx2 sha neon"));
        assert_eq!(left("avx2").as_deref(), Some("sha neon"));
        assert_eq!(left("sha").as_deref(), Some("avx512 avx2 neon"));
        assert_eq!(left("neon").as_deref(), Some("avx512 avx2 sha"));
        assert_eq!(left("AVX2"), None);
        assert_eq!(left(""), None);
        assert!(!all.without("avx512").unwrap().avx512_quick());
        assert!(!all.without("sha").unwrap().sha_quick());
        assert_eq!(all.none().to_string(), "none");
    }

    #[test]
    fn a_limit_is_kept() {
        // The only test that sets it; every limit is right for every other test.
        let all = Features::detected();
        limit(all.none());
        assert_eq!(features(), all.none());
        limit(all);
        assert_eq!(features(), all);
    }
}
