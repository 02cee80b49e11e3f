//! Printing: results to standard output, everything else to standard error.
//!
//! A result that cannot be printed is a failure. A line for standard error that cannot be written is nobody's loss but
//! the reader's, and stops nothing.

use std::io::{self, Write};

use serde_json::Value;

use super::{closed, events, whence};
use crate::clock;
use crate::disk::Disk;
use crate::error::{Class, Error};

/// Prints text to standard output, or to standard error where events have that one. A reader that went away is no
/// error.
pub(super) fn print(text: &str) -> Result<(), Error> {
    if events::have_stdout() {
        say(text.trim_end_matches('\n'));
        return Ok(());
    }
    through(|out| out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints a document for programs, with whose run it is, if that was asked for.
///
/// # Errors
/// As [`print`]; nobody knows the time.
pub(super) fn document(document: Value) -> Result<(), Error> {
    print(&format!("{:#}\n", whence::stamped(document)?))
}

/// Prints to standard output by `write`. A reader that went away is no error.
pub(super) fn through(write: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>) -> Result<(), Error> {
    match stdout().and_then(|mut out| write(&mut out)) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Standard output, to write data to.
///
/// # Errors
/// When it was closed before the program began.
pub(super) fn stdout() -> io::Result<io::StdoutLock<'static>> {
    if closed::stdout() {
        return Err(io::Error::new(io::ErrorKind::NotConnected, "it is closed"));
    }
    Ok(io::stdout().lock())
}

/// The same, to restore to.
///
/// # Errors
/// As [`stdout`].
pub(super) fn stream() -> Result<io::StdoutLock<'static>, Error> {
    if events::have_stdout() {
        let what = "both the events and what is asked for would go to standard output: name a file for one of them";
        return Err(Error::Refused { class: Class::Usage, what: what.to_owned() });
    }
    stdout().map_err(|error| Error::failed(format!("cannot write to standard output: {error}")))
}

/// Prints why the command failed.
pub(super) fn error(error: &Error) {
    say(&format!("highwater: {error}"));
}

/// Prints a line that is no result.
pub(super) fn say(line: &str) {
    _ = writeln!(io::stderr().lock(), "{line}");
}

/// Says that the clock was not the system's, if it was not: a variable that was left set would date every backup.
pub(super) fn clock() {
    if let Some(now) = clock::overridden() {
        say(&format!("highwater: the clock is {}: {now}; unset it for the system's", clock::OVERRIDE));
    }
}

/// Prints what the file systems that were written to turned out not to do.
pub(super) fn shortcomings(disk: &dyn Disk) {
    disk.doubts().iter().for_each(|doubt| say(&format!("highwater: {doubt}")));
}
