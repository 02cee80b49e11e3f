//! What signals do: the first one that asks for an end is a clean stop, and one asks for a line of progress.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

#[cfg(any(
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "openbsd",
    target_os = "netbsd"
))]
use signal_hook::consts::SIGINFO;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

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

/// A flag that the first interrupt, hang-up or termination sets; the second one ends the process at once. What was
/// ignored when the program began, as a hang-up under `nohup`, stays so.
pub(super) fn stop() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let ignored = ignored();
    for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0) {
        // The order matters: the first signal finds the flag unset and sets it.
        _ = flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop));
        _ = flag::register(signal, Arc::clone(&stop));
    }
    let asked = ASKED.get_or_init(Arc::default);
    for signal in ASKING {
        _ = flag::register(signal, Arc::clone(asked));
    }
    stop
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
