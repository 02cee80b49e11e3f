//! Progress: a bar on a terminal, one plain line every ten seconds elsewhere, nothing in the first two.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use highwater_core::render::bytes;
use indicatif::{ProgressBar, ProgressStyle};

use super::out;
use crate::watch::Watch;

const PATIENCE: Duration = Duration::from_secs(2);
const REDRAW: Duration = Duration::from_millis(100);
const PLAIN: Duration = Duration::from_secs(10);

/// Runs `job` and shows how far it is, on standard error.
pub(super) fn with<T>(what: &str, quiet: bool, watch: &Watch<'_>, job: impl FnOnce() -> T) -> T {
    if quiet {
        return job();
    }
    thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        scope.spawn(move || {
            if ended.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let started = Instant::now() - PATIENCE;
            if stderr().is_terminal() {
                let style =
                    ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}");
                let bar = ProgressBar::no_length()
                    .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                    .with_message(what.to_owned());
                while ended.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                    let (at, total) = watch.progress();
                    bar.set_length(total);
                    bar.set_position(at);
                }
                bar.finish_and_clear();
            } else {
                while ended.recv_timeout(PLAIN) == Err(RecvTimeoutError::Timeout) {
                    let (at, total) = watch.progress();
                    let rate = at.checked_div(started.elapsed().as_secs().max(1)).unwrap_or(0);
                    out::say(&format!("{what}: {} of {}, {}/s", bytes(at), bytes(total), bytes(rate)));
                }
            }
        });
        let result = job();
        drop(done);
        result
    })
}
