//! Whose run it is: the program, the machine and the time, for those who keep what runs leave.

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

use highwater_core::name::printable;
use highwater_core::origin::Origin;
use serde_json::{Value, json};

use super::verb::Asked;
use crate::clock;
use crate::error::Error;
use crate::shown::shown;
use crate::store::Scheme;

/// The program.
pub(super) const TOOL: &str = "highwater";

/// Its version.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The machine's name.
pub(super) fn host() -> String {
    printable(rustix::system::uname().nodename().to_bytes())
}

/// Now: `YYYY-MM-DDThh:mm:ssZ`.
///
/// # Errors
/// When nobody knows the time.
pub(super) fn now() -> Result<String, Error> {
    clock::snapshot(clock::seconds()?)
}

/// The run, if it is to be told whose it is.
static RUN: OnceLock<Origin> = OnceLock::new();

/// Begins the run with these arguments: if `--stamp` is one, what it prints for programs tells of it.
///
/// # Errors
/// When nobody knows the time.
pub(super) fn begin(args: &[OsString]) -> Result<(), Error> {
    let asked = Asked::by(args);
    if asked.is_stamped {
        let (start, host, tool, version) = (now()?, host(), TOOL.to_owned(), VERSION.to_owned());
        let paths = asked.paths.iter().map(|path| whole(Path::new(path))).collect();
        _ = RUN.set(Origin { end: start.clone(), start, host, paths, tool, version });
    }
    Ok(())
}

/// The run, which ends now, if it is to be told.
///
/// # Errors
/// When nobody knows the time.
pub(super) fn ended() -> Result<Option<Origin>, Error> {
    RUN.get().map(|run| Ok(Origin { end: now()?, ..run.clone() })).transpose()
}

/// A document for programs, with the run that it is of, if that is to be told.
///
/// # Errors
/// When nobody knows the time.
pub(super) fn stamped(mut document: Value) -> Result<Value, Error> {
    if let (Some(run), Some(fields)) = (ended()?, document.as_object_mut()) {
        fields.insert("origins".to_owned(), json!([run]));
    }
    Ok(document)
}

/// A path from the root of the file system, or an address as it is.
fn whole(path: &Path) -> String {
    match (Scheme::of(path), std::path::absolute(path)) {
        (None, Ok(whole)) => shown(whole),
        _ => shown(path),
    }
}
