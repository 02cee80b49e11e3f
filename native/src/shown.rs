//! Paths as they are printed: on one line, with what is not printable escaped.

use std::path::Path;

/// A path as it is, with what is not printable escaped.
#[must_use]
pub fn shown(path: impl AsRef<Path>) -> String {
    highwater_core::name::printable(path.as_ref().as_os_str().as_encoded_bytes())
}

/// A path in single quotes, with what is not printable escaped.
#[must_use]
pub fn quoted(path: &Path) -> String {
    format!("'{}'", shown(path))
}
