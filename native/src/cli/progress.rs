//! Progress: a bar on a terminal, one plain line every ten seconds elsewhere, nothing in the first two; and a line
//! whenever a signal asks for one.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use highwater_core::render::bytes;
use indicatif::{ProgressBar, ProgressStyle};

use super::{out, signals};
use crate::watch::Watch;

const PATIENCE: Duration = Duration::from_secs(2);
const REDRAW: Duration = Duration::from_millis(100);
const PLAIN: Duration = Duration::from_secs(10);

/// Runs `work` and shows how far it is, on standard error; if `quiet`, only when a signal asks.
pub(super) fn with<T>(what: &str, quiet: bool, watch: &Watch<'_>, work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        // Where no thread can be started for it, there is no progress.
        _ = thread::Builder::new().spawn_scoped(scope, move || show(what, quiet, watch, &ended));
        let result = work();
        drop(done);
        result
    })
}

fn show(what: &str, quiet: bool, watch: &Watch<'_>, ended: &Receiver<()>) {
    let started = Instant::now();
    let mut last_line = started;
    let mut bar: Option<ProgressBar> = None;
    let say = || {
        let (at, total) = watch.progress();
        let seconds = started.elapsed().as_secs().max(1);
        out::say(&format!("{what}: {} of {}, {}/s", bytes(at), bytes(total), bytes(at / seconds)));
    };
    while ended.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
        if signals::asked() {
            bar.as_ref().map_or_else(say, |bar| bar.suspend(say));
        }
        if quiet || started.elapsed() < PATIENCE {
            continue;
        }
        if stderr().is_terminal() {
            let (at, total) = watch.progress();
            let bar = bar.get_or_insert_with(|| begin(what));
            bar.set_length(total);
            bar.set_position(at);
        } else if last_line.elapsed() >= PLAIN {
            last_line = Instant::now();
            say();
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn begin(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}");
    ProgressBar::no_length()
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.to_owned())
}
