//! Progress: a bar on a terminal, one plain line a minute elsewhere, nothing in the first two seconds; a line whenever
//! a signal asks for one; and an event a second for whoever takes events.

use std::io::{IsTerminal, stderr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use highwater_core::render::{bytes, thousands};
use indicatif::{ProgressBar, ProgressStyle};

use serde_json::json;

use super::{events, out, signals};
use crate::watch::Watch;

const PATIENCE: Duration = Duration::from_secs(2);
const REDRAW: Duration = Duration::from_millis(100);
const PLAIN: Duration = Duration::from_secs(60);
const EVENT: Duration = Duration::from_secs(1);

/// What is shown of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Nothing,
    Bar,
    Line,
}

/// What is shown so long after the begin, and so long after the last line.
fn shown(quiet: bool, on_terminal: bool, since_begin: Duration, since_line: Duration) -> Shown {
    match on_terminal {
        _ if quiet || since_begin < PATIENCE => Shown::Nothing,
        true => Shown::Bar,
        false if since_line >= PLAIN => Shown::Line,
        false => Shown::Nothing,
    }
}

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
    let (mut last_line, mut last_event) = (begun.at, begun.at);
    let mut bar: Option<ProgressBar> = None;
    let say = || out::say(&begun.line(what, watch, begun.at.elapsed()));
    while ended.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
        if signals::asked() {
            bar.as_ref().map_or_else(say, |bar| bar.suspend(say));
        }
        if last_event.elapsed() >= EVENT {
            last_event = Instant::now();
            begun.tell(what, watch);
        }
        match shown(quiet, stderr().is_terminal(), begun.at.elapsed(), last_line.elapsed()) {
            Shown::Nothing => {}
            Shown::Bar => {
                let (at, total) = begun.progress(watch);
                let bar = bar.get_or_insert_with(|| begun.bar(what));
                bar.set_length(total);
                bar.set_position(at);
                if begun.unit == Unit::Rows {
                    bar.set_prefix(begun.rows(watch, begun.at.elapsed()));
                }
            }
            Shown::Line => {
                last_line = Instant::now();
                say();
            }
        }
    }
    begun.tell(what, watch);
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

    /// Writes an event that says how far it is.
    fn tell(self, what: &str, watch: &Watch<'_>) {
        events::write(|| {
            let (done, total) = self.progress(watch);
            let rows = (self.unit == Unit::Rows).then(|| watch.counted().saturating_sub(self.rows));
            let seconds = self.at.elapsed().as_secs();
            json!({ "event": "progress", "what": what, "bytes": done, "of": total, "rows": rows, "seconds": seconds })
        });
        events::flush();
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
    // In a work's first second, whole seconds would promise that nothing is left.
    let seconds = (elapsed.as_millis() * u128::from(ahead)).div_ceil(u128::from(at) * 1000);
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
    fn a_terminal_gets_a_bar_and_what_is_none_a_line_a_minute() {
        let after = |quiet, on_terminal, begin, line| {
            shown(quiet, on_terminal, Duration::from_millis(begin), Duration::from_millis(line))
        };
        assert_eq!([after(false, true, 1_999, 0), after(false, false, 1_999, 0)], [Shown::Nothing; 2]);
        assert_eq!([after(false, true, 2_000, 0), after(false, true, 3_600_000, 0)], [Shown::Bar; 2]);
        assert_eq!([after(false, false, 59_999, 59_999), after(false, false, 3_600_000, 59_999)], [Shown::Nothing; 2]);
        assert_eq!([after(false, false, 60_000, 60_000), after(false, false, 3_600_000, 60_000)], [Shown::Line; 2]);
        assert_eq!([after(true, false, 60_000, 60_000), after(true, true, 60_000, 60_000)], [Shown::Nothing; 2]);
    }

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
        assert_eq!(super::left((1, 41), Duration::from_millis(500)).as_deref(), Some("about 20 s left"));
        assert_eq!(super::left((1, 2), Duration::from_millis(1)).as_deref(), Some("about 1 s left"));
        assert_eq!(left(119).as_deref(), Some("about 119 s left"));
        assert_eq!(left(180).as_deref(), Some("about 3 min left"));
        assert_eq!(left(7200).as_deref(), Some("about 2 h left"));
    }
}
