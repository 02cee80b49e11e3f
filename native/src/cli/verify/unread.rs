//! The report on a root that could not be looked at, with what to do about it.

use std::path::Path;

use highwater_core::report::{Depth, Report};
use highwater_core::shard::Shard;
use highwater_core::survey::Options;
use highwater_core::unread;

use crate::error::Error;
use crate::store::Scheme;

/// The report on a root that could not be looked at.
pub(super) fn unread(label: &str, path: &Path, depth: Depth, strict: bool, error: &Error) -> Report {
    let options = Options { label: label.to_owned(), format: None, depth, strict, shard: Shard::WHOLE };
    let advice = match (Scheme::of(path), path.metadata()) {
        (Some(far), _) => far.advice(),
        (None, Ok(found)) if found.is_dir() => "Name a folder that holds a backup, or leave this one out.",
        (None, Ok(_)) => "Name the folder of the backup, or leave this one out.",
        (None, Err(_)) => "See that the path is right and that its disk is mounted, then verify again.",
    };
    unread::unread(options, error.to_string(), advice)
}
