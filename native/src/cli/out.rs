//! Printing: results to standard output, everything else to standard error.
#![expect(clippy::print_stderr, reason = "this is where the command prints")]

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::args::Talk;
use crate::error::Error;
use crate::store::Files;
use crate::watch::{Event, Watch};

/// Prints text to standard output. A reader that went away is no error.
pub(super) fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints why the command failed.
pub(super) fn error(error: &Error) {
    eprintln!("highwater: {error}");
}

/// Prints a line that is no result.
pub(super) fn say(line: &str) {
    eprintln!("{line}");
}

/// Prints what the file systems that were written to turned out not to do.
pub(super) fn doubts(disk: &Files) {
    disk.doubts().iter().for_each(|doubt| say(&format!("highwater: {doubt}")));
}

/// A watch that prints notices always and notes when asked to.
pub(super) fn watch(talk: Talk, stop: &Arc<AtomicBool>) -> Watch<'static> {
    Watch::new(Arc::clone(stop), move |event| match event {
        Event::Note(text) if talk.verbose => say(text),
        Event::Decision(text) | Event::Notice(text) => say(&format!("highwater: {text}")),
        Event::Note(_) => {}
    })
}
