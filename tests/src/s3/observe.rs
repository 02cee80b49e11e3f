//! A clock whose waits take no time, and are written down.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use highwater::s3::time::{Clock, System};

/// Tells the true time of day; time passes only while somebody waits.
#[derive(Debug, Default)]
pub struct Watched {
    waits: Mutex<Vec<Duration>>,
    real: System,
}

impl Watched {
    /// The waits there were.
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().expect("no panic").clone()
    }
}

impl Clock for Watched {
    fn unix(&self) -> i64 {
        self.real.unix()
    }

    fn steady(&self) -> Duration {
        self.waits.lock().expect("no panic").iter().sum()
    }

    fn sleep(&self, time: Duration, _: &AtomicBool) {
        self.waits.lock().expect("no panic").push(time);
    }
}
