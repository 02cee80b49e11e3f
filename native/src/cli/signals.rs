//! What signals do: the first one that asks for an end is a clean stop, and one asks for a line of progress. While work
//! is guarded, an interrupt counts when it comes three times within five seconds.

use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

#[cfg(any(
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "openbsd",
    target_os = "netbsd"
))]
use signal_hook::consts::SIGINFO;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::{SigId, flag, low_level};

use super::out;
use crate::watch::Guard;

/// Those that ask how far the work is.
#[cfg(not(any(
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "openbsd",
    target_os = "netbsd"
)))]
const ASKING: [i32; 1] = [SIGUSR1];
#[cfg(any(target_os = "macos", target_os = "ios", target_os = "freebsd", target_os = "openbsd", target_os = "netbsd"))]
const ASKING: [i32; 2] = [SIGUSR1, SIGINFO];

/// Set when somebody asked.
static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Set when the run is to end.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// So often within so much time must an interrupt come to count, while work is guarded.
const OFTEN: usize = 3;
const WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether one came.
const LOOK: Duration = Duration::from_millis(10);

/// What an interrupt sets, and by which registration; none where interrupts were ignored when the program began.
static INTERRUPT: Mutex<Option<(Arc<AtomicBool>, SigId)>> = Mutex::new(None);

/// A flag that the first interrupt, hang-up or termination sets; the second one ends the process at once. What was
/// ignored when the program began, as a hang-up under `nohup`, stays so.
pub(super) fn stop() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let ignored = ignored();
    for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0) {
        // The order matters: the first signal finds the flag unset and sets it.
        _ = flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop));
        let registered = flag::register(signal, Arc::clone(&stop));
        if let (SIGINT, Ok(id)) = (signal, registered) {
            *INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&stop), id));
        }
    }
    let asked = ASKED.get_or_init(Arc::default);
    for signal in ASKING {
        _ = flag::register(signal, Arc::clone(asked));
    }
    // A file that grows past a limit of the shell is an error like a full disk. Commands that are run get the signal.
    _ = flag::register(SIGXFSZ, Arc::default());
    _ = STOP.set(Arc::clone(&stop));
    stop
}

/// Whether the run is to end.
pub(super) fn stopping() -> bool {
    STOP.get().is_some_and(|stop| stop.load(Ordering::Relaxed))
}

/// Guards work until the value is dropped: an interrupt is answered by a sentence, and the third within five seconds is
/// a clean stop. Other signals do what they always do. None where interrupts are ignored anyway, or no thread is to be
/// had that waits for them.
pub(super) fn guard() -> Guard {
    let interrupt = INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner);
    let (stop, usual) = interrupt.as_ref()?;
    let came = Arc::new(AtomicBool::new(false));
    let ours = flag::register(SIGINT, Arc::clone(&came)).ok()?;
    let (over, is_over) = channel::<()>();
    let stop = Arc::clone(stop);
    let wait = move || {
        let mut times = VecDeque::new();
        loop {
            let ended = is_over.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout);
            if came.swap(false, Ordering::Relaxed) && !stop.load(Ordering::Relaxed) {
                if is_enough(&mut times, Instant::now()) {
                    out::say("highwater: ends before all files are moved; run the same again, which goes on");
                    stop.store(true, Ordering::Relaxed);
                } else {
                    out::say(
                        "highwater: files are being moved, which is over soon; Ctrl-C three times within five seconds \
                         ends it, and the next run goes on",
                    );
                }
            }
            if ended {
                return;
            }
        }
    };
    let Ok(waits) = thread::Builder::new().spawn(wait) else {
        low_level::unregister(ours);
        return None;
    };
    // Ours is there before the usual one goes: no interrupt is lost between.
    low_level::unregister(*usual);
    Some(Box::new(Guarding { ours, over: Some(over), waits: Some(waits) }))
}

/// Takes one more interrupt: whether there were enough of them now.
fn is_enough(times: &mut VecDeque<Instant>, now: Instant) -> bool {
    times.push_back(now);
    while times.front().is_some_and(|first| now.duration_since(*first) > WITHIN) {
        times.pop_front();
    }
    times.len() >= OFTEN
}

/// Guarded work; see [`guard`].
struct Guarding {
    ours: SigId,
    over: Option<Sender<()>>,
    waits: Option<JoinHandle<()>>,
}

impl Drop for Guarding {
    fn drop(&mut self) {
        if let Some((stop, usual)) = &mut *INTERRUPT.lock().unwrap_or_else(PoisonError::into_inner)
            && let Ok(id) = flag::register(SIGINT, Arc::clone(stop))
        {
            *usual = id;
        }
        low_level::unregister(self.ours);
        drop(self.over.take());
        _ = self.waits.take().map(JoinHandle::join);
    }
}

/// Whether somebody asked, since the last time, how far the work is.
pub(super) fn asked() -> bool {
    ASKED.get().is_some_and(|asked| asked.swap(false, Ordering::Relaxed))
}

/// The signals that are ignored, a bit each, from the lowest; none where the system does not tell.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_within_five_seconds_are_enough() {
        let begin = Instant::now();
        let after = |all: &[u64]| {
            let mut times = VecDeque::new();
            all.iter().map(|at| is_enough(&mut times, begin + Duration::from_millis(*at))).collect::<Vec<_>>()
        };
        assert_eq!(after(&[0, 1, 2]), [false, false, true]);
        assert_eq!(after(&[0, 2000, 5000]), [false, false, true]);
        assert_eq!(after(&[0, 2000, 5001, 6999, 7000]), [false, false, false, true, true]);
        assert_eq!(after(&[0, 6000, 12000, 18000]), [false; 4]);
    }
}
