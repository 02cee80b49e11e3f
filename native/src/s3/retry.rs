//! `Backoff`: how long to wait before another attempt, at random, so that many clients do not come back at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most time that may lie between the first two attempts.
const FIRST: Duration = Duration::from_millis(100);

/// The most time that may lie between any two.
const MOST: Duration = Duration::from_secs(20);

/// Waits of "full jitter": from nothing up to a bound that doubles with each attempt.
#[derive(Debug)]
pub struct Backoff {
    state: AtomicU64,
}

impl Backoff {
    /// The same seed gives the same waits.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// The wait after so many attempts, counted from 1.
    pub fn wait(&self, attempts: u32) -> Duration {
        let bound = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(MOST);
        bound.mul_f64(self.fraction())
    }

    /// A number from 0 up to 1 (SplitMix64).
    fn fraction(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // 32 bits are exact in a double.
        f64::from(u32::try_from(z >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_spread_below_a_bound_that_doubles() {
        for attempt in 1..12 {
            let backoff = Backoff::new(7);
            let bound = (FIRST * (1 << (attempt - 1))).min(MOST);
            let waits: Vec<Duration> = (0..200).map(|_| backoff.wait(attempt)).collect();
            assert!(waits.iter().all(|wait| *wait < bound), "{attempt}");
            assert!(waits.iter().any(|wait| *wait < bound / 10) && waits.iter().any(|wait| *wait > bound * 9 / 10));
        }
        assert_eq!(Backoff::new(7).wait(3), Backoff::new(7).wait(3));
        assert_ne!(Backoff::new(7).wait(3), Backoff::new(8).wait(3));
    }
}
