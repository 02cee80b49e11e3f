//! Whose run it is: the program, the machine and the time, for those who keep what runs leave.

use std::path::Path;

use highwater_core::name::printable;
use highwater_core::origin::Origin;

use super::repository::Repository;
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

/// A run that begins now, over these roots.
///
/// # Errors
/// When nobody knows the time.
pub(super) fn begun(roots: &[Repository]) -> Result<Origin, Error> {
    let start = now()?;
    let path = |root: &Repository| {
        let point = root.point.as_ref().map(|point| format!("@{}", printable(point.as_bytes()))).unwrap_or_default();
        format!("{}{point}", whole(&root.path))
    };
    let (tool, version) = (TOOL.to_owned(), VERSION.to_owned());
    Ok(Origin { end: start.clone(), start, host: host(), paths: roots.iter().map(path).collect(), tool, version })
}

/// A path from the root of the file system, or an address as it is.
fn whole(path: &Path) -> String {
    match (Scheme::of(path), std::path::absolute(path)) {
        (None, Ok(whole)) => shown(whole),
        _ => shown(path),
    }
}
