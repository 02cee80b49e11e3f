//! `Bandwidth`: so many bytes a second, for all threads that share a line.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How much of a second may come at once after a pause.
const BURST: Duration = Duration::from_millis(250);

/// A token bucket.
#[derive(Debug)]
pub struct Bandwidth {
    rate: f64,
    /// When the bytes taken so far will have had their time.
    paid: Mutex<Duration>,
}

impl Bandwidth {
    /// Bytes a second, at least one.
    #[must_use]
    pub fn new(rate: u64) -> Self {
        // Rates of more than 2⁵³ bytes a second may be rounded.
        #[expect(clippy::cast_precision_loss)]
        let rate = rate.max(1) as f64;
        Self { rate, paid: Mutex::new(Duration::ZERO) }
    }

    /// How much may be read at once, in bytes: what has its time in a quarter of a second.
    #[must_use]
    pub fn piece(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let piece = (self.rate / 4.0) as usize;
        piece.max(1)
    }

    /// Takes so many bytes at a moment, and says how long to wait before the next are read.
    pub fn take(&self, bytes: usize, now: Duration) -> Duration {
        let bytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        *paid = (*paid).max(now.saturating_sub(BURST)) + Duration::from_secs_f64(bytes / self.rate);
        paid.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_their_time_however_many_take_them() {
        let bandwidth = Bandwidth::new(1_000_000);
        let mut now = Duration::from_secs(9);
        for _ in 0..100 {
            now += bandwidth.take(50_000, now);
        }
        // 5 MB take 5 s, less the burst.
        assert!((now.as_secs_f64() - 13.75).abs() < 0.01, "{now:?}");
        // After a pause there is a burst of a quarter of a second, and no more.
        now += Duration::from_secs(60);
        assert_eq!(bandwidth.take(250_000, now), Duration::ZERO);
        assert_eq!(bandwidth.take(100_000, now), Duration::from_millis(100));
    }
}
