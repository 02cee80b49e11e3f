//! `--events`: what a run does, as it does it, a JSON document a line: its start, how far it is, what it finds, its
//! verdict.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::exit::Exit;
use super::output::Output;
use super::verb::Asked;
use super::whence;
use crate::error::Error;
use crate::watch::Watch;

/// The number of the shape of events; it grows when a field changes its meaning or goes.
const SCHEMA: u32 = 1;

/// Where they go, if anywhere: one place for a run, to which its threads write too.
static EVENTS: Mutex<Option<Events>> = Mutex::new(None);

/// Where events go, and the first error of writing them.
struct Events {
    to: Box<dyn Write + Send>,
    is_stdout: bool,
    /// The run checks whether something is sound, and does nothing else.
    is_check: bool,
    failed: Option<io::Error>,
}

/// Opens where they go, if anywhere, and writes the start of the run with these arguments.
///
/// # Errors
/// When that cannot be written, or nobody knows the time.
pub(super) fn begin(path: Option<&Path>, args: &[OsString], stop: &Arc<AtomicBool>) -> Result<(), Error> {
    let Some(output) = Output::open(path, &Watch::new(Arc::clone(stop), |_| {}))? else { return Ok(()) };
    let is_stdout = output.is_stdout();
    let verb = Asked::by(args).verb;
    let is_check = verb == "verify";
    let start = json!({
        "event": "start", "schema": SCHEMA, "verb": verb, "tool": whence::TOOL, "version": whence::VERSION,
        "host": whence::host(), "at": whence::now()?,
    });
    *events() = Some(Events { to: output.stream()?, is_stdout, is_check, failed: None });
    write(|| start);
    flush();
    Ok(())
}

/// Writes an event, which is made only if somebody asked for events.
pub(super) fn write(event: impl FnOnce() -> Value) {
    if let Some(Events { to, failed, .. }) = &mut *events()
        && failed.is_none()
    {
        // In one piece: other lines may go to the same place.
        *failed = to.write_all(format!("{}\n", event()).as_bytes()).err();
    }
}

/// Lets readers have what was written so far.
pub(super) fn flush() {
    if let Some(Events { to, failed, .. }) = &mut *events()
        && failed.is_none()
    {
        *failed = to.flush().err();
    }
}

/// Whether they go to standard output, which is then no place for anything else.
pub(super) fn have_stdout() -> bool {
    events().as_ref().is_some_and(|events| events.is_stdout)
}

/// Writes how the run ended, and why if it failed.
///
/// # Errors
/// When not every event could be written.
pub(super) fn end(exit: Exit, why: Option<&Error>) -> Result<(), Error> {
    let word = exit.word(events().as_ref().is_some_and(|events| events.is_check));
    write(|| {
        let why = why.map(ToString::to_string);
        json!({ "event": "verdict", "verdict": word, "exit": exit.code(), "error": why, "at": whence::now().ok() })
    });
    flush();
    match events().take().and_then(|events| events.failed) {
        Some(error) => Err(Error::failed(format!("cannot write the events: {error}"))),
        None => Ok(()),
    }
}

fn events() -> MutexGuard<'static, Option<Events>> {
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}
