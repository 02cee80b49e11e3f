//! A file that a run writes beside its work lies apart from what it works on: it is no other file that the command
//! line names, and lies in no set and no store.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use highwater_core::formats;
use highwater_core::inspect::Entry;

use super::repository::usage;
use super::verb::Asked;
use crate::error::Error;
use crate::live;
use crate::shown::quoted;
use crate::store::{Files, Links, Store};

/// Where that lies which the command line names, each path as often as it is named.
static NAMED: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// Begins the run with these arguments.
pub(super) fn begin(args: &[OsString]) {
    let asked = Asked::by(args);
    _ = NAMED.set(asked.paths.iter().chain(&asked.options).filter_map(|path| place(Path::new(path))).collect());
}

/// Refuses a file that would take the place of another one of the command line, or of a part of a set or store. What
/// is no plain file takes nothing's place.
///
/// # Errors
/// One sentence that names what is there.
pub(super) fn refuse(path: &Path) -> Result<(), Error> {
    let Some(place) = place(path) else { return Ok(()) };
    if place.metadata().is_ok_and(|there| !there.is_file()) {
        return Ok(());
    }
    if NAMED.get().is_some_and(|named| named.iter().filter(|other| **other == place).count() > 1) {
        let path = quoted(path);
        return Err(usage(format!(
            "{path} is named twice, and what is written to it would replace what is there: name another file"
        )));
    }
    // What a link of the kernel's leads to was chosen by a shell.
    let is_kernels = path.parent().is_some_and(|folder| ["/dev", "/proc"].iter().any(|own| folder.starts_with(own)));
    match around(&place).filter(|_| !is_kernels) {
        Some((folder, kind)) => Err(usage(format!(
            "{} lies in {}, of kind {kind}, and would be taken for a part of it, or replace one: name a file elsewhere",
            quoted(path),
            quoted(folder)
        ))),
        None => Ok(()),
    }
}

/// Where something lies, or would: through links, and by one way alone.
fn place(path: &Path) -> Option<PathBuf> {
    if path == Path::new("-") || path.as_os_str().is_empty() {
        return None;
    }
    path.canonicalize().ok().or_else(|| {
        let around = path.parent().filter(|around| !around.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(around.canonicalize().ok()?.join(path.file_name()?))
    })
}

/// The nearest set or store in which a file lies, and its kind.
fn around(place: &Path) -> Option<(&Path, &'static str)> {
    place.ancestors().skip(1).find_map(|folder| {
        let mut entries: Vec<Entry> = Vec::new();
        Files::open(folder, Links::Beneath).ok()?.list(None, &mut |entry| entries.push(entry)).ok()?;
        let set = formats::recognise(&entries).next().map(|format| format.facts().name);
        Some((folder, set.or_else(|| live::recognise(&entries))?))
    })
}
