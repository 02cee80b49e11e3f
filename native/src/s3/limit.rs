//! `Limit`: how many requests may be in flight; halved when S3 asks for fewer, grown by one a round when all goes well.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How soon one who waits sees that it is to end.
const STEP: Duration = Duration::from_millis(100);

/// Shared by all threads of a client ("additive increase, multiplicative decrease").
#[derive(Debug)]
pub struct Limit {
    most: f64,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    limit: f64,
    flying: u32,
    waiting: u32,
    /// Grows with each cut: requests that flew before one say nothing new.
    cuts: u64,
}

/// One request in flight.
#[derive(Debug)]
pub struct Permit {
    limit: Arc<Limit>,
    cuts: u64,
}

impl Limit {
    /// At most so many, at least one, and as many at the start.
    #[must_use]
    pub fn new(most: u32) -> Self {
        let most = f64::from(most.max(1));
        Self { most, state: Mutex::new(State { limit: most, flying: 0, waiting: 0, cuts: 0 }), freed: Condvar::new() }
    }

    /// How many may be in flight now.
    pub fn now(&self) -> f64 {
        self.state().limit
    }

    /// Waits for a place; `None` when `stop` is set.
    pub fn acquire(self: &Arc<Self>, stop: &AtomicBool) -> Option<Permit> {
        let mut state = self.state();
        while f64::from(state.flying) + 1.0 > state.limit {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            state.waiting += 1;
            (state, _) = self.freed.wait_timeout(state, STEP).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        state.flying += 1;
        Some(Permit { limit: Arc::clone(self), cuts: state.cuts })
    }

    /// Wakes one who waits: nobody does, most often, and a call to the system saved is worth it.
    fn wake(&self, state: &State) {
        if state.waiting > 0 {
            self.freed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// S3 asked for fewer: half as many, once for all that are in flight together.
    pub fn throttled(&self) {
        let mut state = self.limit.state();
        if state.cuts == self.cuts {
            state.cuts += 1;
            state.limit = (state.limit / 2.0).max(1.0);
        }
    }

    /// It went well: a little more, which is one more for a full round.
    pub fn went_well(&self) {
        let mut state = self.limit.state();
        state.limit = (state.limit + 1.0 / state.limit).min(self.limit.most);
        self.limit.wake(&state);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.limit.state();
        state.flying -= 1;
        self.limit.wake(&state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_halves_once_a_round_and_grows_by_one_a_round() {
        let stop = AtomicBool::new(false);
        let limit = Arc::new(Limit::new(8));
        let round: Vec<Permit> = (0..8).map_while(|_| limit.acquire(&stop)).collect();
        round.iter().for_each(Permit::throttled);
        assert_eq!(limit.now(), 4.0);
        drop(round);
        let round: Vec<Permit> = (0..4).map_while(|_| limit.acquire(&stop)).collect();
        round.iter().for_each(Permit::went_well);
        assert!(limit.now() > 4.8 && limit.now() < 5.1, "{}", limit.now());
        drop(round);
        for _ in 0..10 {
            limit.acquire(&stop).expect("a place").throttled();
        }
        assert_eq!(limit.now(), 1.0);
        let only = limit.acquire(&stop).expect("a place");
        stop.store(true, Ordering::Relaxed);
        assert!(limit.acquire(&stop).is_none());
        drop(only);
    }
}
