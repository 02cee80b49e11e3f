//! Progress: a bar on a terminal, one plain line a minute elsewhere, nothing in the first two seconds; and a line
//! whenever a signal asks for one.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use highwater_core::render::{bytes, thousands};
use indicatif::{ProgressBar, ProgressStyle};

use super::{out, signals};
use crate::watch::Watch;

const PATIENCE: Duration = Duration::from_secs(2);
const REDRAW: Duration = Duration::from_millis(100);
const PLAIN: Duration = Duration::from_secs(60);

/// What is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Bytes,
    /// Rows; of bytes, how much is left.
    Rows,
}

/// How far the work was when it began: a watch counts on from one piece of work to the next.
#[derive(Debug, Clone, Copy)]
struct Begun {
    unit: Unit,
    done: u64,
    rows: u64,
    at: Instant,
}

/// Runs `work` and shows how far it is, on standard error; if `quiet`, only when a signal asks.
pub(super) fn with<T>(what: &str, quiet: bool, watch: &Watch<'_>, work: impl FnOnce() -> T) -> T {
    of(Unit::Bytes, what, quiet, watch, work)
}

/// The same, of work whose rows are counted.
pub(super) fn of_rows<T>(what: &str, quiet: bool, watch: &Watch<'_>, work: impl FnOnce() -> T) -> T {
    of(Unit::Rows, what, quiet, watch, work)
}

fn of<T>(unit: Unit, what: &str, quiet: bool, watch: &Watch<'_>, work: impl FnOnce() -> T) -> T {
    let begun = Begun { unit, done: watch.progress().0, rows: watch.counted(), at: Instant::now() };
    thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        // Where no thread can be started for it, there is no progress.
        _ = thread::Builder::new().spawn_scoped(scope, move || show(what, begun, quiet, watch, &ended));
        let result = work();
        drop(done);
        result
    })
}

fn show(what: &str, begun: Begun, quiet: bool, watch: &Watch<'_>, ended: &Receiver<()>) {
    let mut last_line = begun.at;
    let mut bar: Option<ProgressBar> = None;
    let say = || out::say(&begun.line(what, watch, begun.at.elapsed()));
    while ended.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
        if signals::asked() {
            bar.as_ref().map_or_else(say, |bar| bar.suspend(say));
        }
        if quiet || begun.at.elapsed() < PATIENCE {
            continue;
        }
        if stderr().is_terminal() {
            let (at, total) = begun.progress(watch);
            let bar = bar.get_or_insert_with(|| begun.bar(what));
            bar.set_length(total);
            bar.set_position(at);
            if begun.unit == Unit::Rows {
                bar.set_prefix(begun.rows(watch, begun.at.elapsed()));
            }
        } else if last_line.elapsed() >= PLAIN {
            last_line = Instant::now();
            say();
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

impl Begun {
    /// Bytes worked off since, and bytes that there were to do.
    fn progress(self, watch: &Watch<'_>) -> (u64, u64) {
        let (at, total) = watch.progress();
        (at.saturating_sub(self.done), total.saturating_sub(self.done))
    }

    /// How far it is after so much time.
    fn line(self, what: &str, watch: &Watch<'_>, elapsed: Duration) -> String {
        let progress @ (at, total) = self.progress(watch);
        let left = left(progress, elapsed).map(|left| format!(", {left}")).unwrap_or_default();
        match self.unit {
            Unit::Bytes => {
                format!("{what}: {} of {}{left}, {}/s", bytes(at), bytes(total), bytes(each_second(at, elapsed)))
            }
            Unit::Rows => format!("{what}: {}{left}", self.rows(watch, elapsed)),
        }
    }

    /// Rows worked off since, and how many a second.
    fn rows(self, watch: &Watch<'_>, elapsed: Duration) -> String {
        let rows = watch.counted().saturating_sub(self.rows);
        format!("{} rows, {} rows/s", thousands(rows), thousands(each_second(rows, elapsed)))
    }

    fn bar(self, what: &str) -> ProgressBar {
        let template = match self.unit {
            Unit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}",
            Unit::Rows => "{msg} {wide_bar} {prefix} {eta}",
        };
        let style = ProgressStyle::with_template(template);
        ProgressBar::no_length()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            .with_message(what.to_owned())
    }
}

fn each_second(count: u64, elapsed: Duration) -> u64 {
    count / elapsed.as_secs().max(1)
}

/// How much time is left, by how much was needed so far; none where nothing was done yet, or nothing is known.
fn left((at, total): (u64, u64), elapsed: Duration) -> Option<String> {
    let ahead = total.checked_sub(at).filter(|_| at > 0 && total > 0)?;
    let seconds = u128::from(elapsed.as_secs()) * u128::from(ahead) / u128::from(at);
    Some(match seconds {
        0..120 => format!("about {seconds} s left"),
        120..7200 => format!("about {} min left", seconds / 60),
        _ => format!("about {} h left", seconds / 3600),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rows_their_rate_and_the_time_left_of_this_piece_of_work_alone() {
        let watch = Watch::silent();
        // What another piece of work did before.
        watch.expect(1000);
        watch.advance(1000);
        watch.count(77);
        let begun = |unit| Begun { unit, done: 1000, rows: 77, at: Instant::now() };
        watch.expect(4096);
        let line = |unit| begun(unit).line("planning", &watch, Duration::from_secs(10));
        assert_eq!(line(Unit::Rows), "planning: 0 rows, 0 rows/s");
        watch.advance(1024);
        watch.count(2_000_000);
        assert_eq!(line(Unit::Rows), "planning: 2,000,000 rows, 200,000 rows/s, about 30 s left");
        assert_eq!(line(Unit::Bytes), "planning: 1.0 KiB of 4.0 KiB, about 30 s left, 102 bytes/s");
        let left = |seconds| left((1, 2), Duration::from_secs(seconds));
        assert_eq!(left(119).as_deref(), Some("about 119 s left"));
        assert_eq!(left(180).as_deref(), Some("about 3 min left"));
        assert_eq!(left(7200).as_deref(), Some("about 2 h left"));
    }
}
