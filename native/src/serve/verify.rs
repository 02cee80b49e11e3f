//! `Verifies`: runs a verification here, and sends how far it is and its report.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use highwater_core::render;
use highwater_core::report::Report;
use highwater_core::wire::{Answer, Verification, Why, cut};

use super::out::Out;
use crate::error::{Class, Error};
use crate::store::Files;
use crate::watch::{Event, Watch};
use crate::{kind, verify};

/// How often it is said how far a verification is: the near end takes silence for a line that broke.
pub(super) const TICK: Duration = Duration::from_secs(2);

/// Sentences that a verification may say.
const SAYS: usize = 100;

/// Bytes of a report that go together.
const PIECE: usize = 64 << 10;

/// Runs verifications, one at a time.
pub(super) struct Verifies {
    stop: Arc<AtomicBool>,
    running: Mutex<()>,
}

impl Verifies {
    pub(super) fn new(stop: Arc<AtomicBool>) -> Self {
        Self { stop, running: Mutex::new(()) }
    }

    /// Runs one, and answers.
    pub(super) fn run(&self, root: &Files, id: u32, how: &Verification, out: &Out<'_>) {
        let Ok(_running) = self.running.try_lock() else {
            let text = "another verification is under way".to_owned();
            return out.answer(id, Answer::Failed { why: Why::Full, text });
        };
        match told(&self.stop, id, out, |watch| report(root, how, watch)) {
            Ok(report) => {
                let text = render::json(&report);
                let mut pieces = text.as_bytes().chunks(PIECE).peekable();
                while let Some(piece) = pieces.next() {
                    out.answer(id, Answer::Report { bytes: piece.to_vec(), last: pieces.peek().is_none() });
                }
            }
            Err(error) => {
                out.answer(id, refused(&error));
            }
        }
    }
}

/// Does something that takes a while, and says meanwhile how far it is, and what it has to say.
pub(super) fn told<T>(
    stop: &Arc<AtomicBool>,
    id: u32,
    out: &Out<'_>,
    work: impl FnOnce(&Watch<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let said = AtomicUsize::new(0);
    let watch = Watch::new(Arc::clone(stop), |event| match event {
        Event::Decision(text) | Event::Notice(text) if said.fetch_add(1, Ordering::Relaxed) < SAYS => {
            out.answer(id, Answer::Notice(cut(text)));
        }
        _ => {}
    });
    thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        let watch = &watch;
        let tell = move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let (done, total) = watch.progress();
                out.answer(id, Answer::Progress { done, total });
            }
        };
        // What nobody hears of is taken for a line that broke.
        thread::Builder::new().spawn_scoped(scope, tell).map_err(Error::no_thread)?;
        let worked = work(watch);
        drop(done);
        worked
    })
}

/// Why something could not be done, as an answer.
pub(super) fn refused(error: &Error) -> Answer {
    let why = match error.class() {
        Class::Usage => Why::Usage,
        Class::CannotStart => Why::CannotStart,
        Class::Interrupted => Why::Interrupted,
        Class::Damage | Class::Failed => Why::Other,
    };
    Answer::Failed { why, text: cut(&error.to_string()) }
}

fn report(root: &Files, how: &Verification, watch: &Watch<'_>) -> Result<Report, Error> {
    // What lies around the root is not looked at for advice.
    let format = kind::of(root, how.kind.as_deref(), || None)?;
    let Verification { label, point, depth, strict, shard, .. } = how;
    let (point, depth, strict, shard) = (point.as_deref(), *depth, *strict, *shard);
    let how = verify::Verification { label, format, point, depth, strict, shard, key: None };
    verify::verify(root, how, watch, &mut |_, _| {})
}
