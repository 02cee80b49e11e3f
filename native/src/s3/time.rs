//! `Clock`: the time, and waiting, as the client sees them; tests bring their own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// Seconds since 1970-01-01, UTC.
    fn unix(&self) -> i64;

    /// Time since some moment; never goes back.
    fn steady(&self) -> Duration;

    /// Returns after so long, or soon after `stop` is set.
    fn sleep(&self, time: Duration, stop: &AtomicBool);
}

/// The system's clock.
#[derive(Debug)]
pub struct System {
    started: Instant,
}

impl System {
    /// The system's clock, with steady time from now on.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for System {
    fn default() -> Self {
        Self::new()
    }
}

/// How soon a wait sees that it is to end.
const STEP: Duration = Duration::from_millis(100);

impl Clock for System {
    fn unix(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    fn steady(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, time: Duration, stop: &AtomicBool) {
        let end = Instant::now() + time;
        while !stop.load(Ordering::Relaxed) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(STEP));
        }
    }
}
