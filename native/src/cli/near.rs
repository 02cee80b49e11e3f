//! `near`: what a command has only on this machine is named as a path of it.

use std::path::Path;

use super::repository::usage;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Scheme;

/// Refuses the name of a root that lies elsewhere.
///
/// # Errors
/// One sentence that names it as it was typed.
pub(super) fn near(path: &Path) -> Result<(), Error> {
    Scheme::of(path).map_or(Ok(()), |far| {
        let (path, lies) = (quoted(path), far.lies());
        Err(usage(format!("{path} {lies}, which is not read or written in this way: name a path of this machine")))
    })
}
