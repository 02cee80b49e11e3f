//! Lists of files that lie beside what is verified: they are looked at, too.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use highwater_core::formats;
use highwater_core::formats::listed::LIST;
use highwater_core::inspect::Entry;

use crate::cli::repository::Repository;
use crate::store::{Files, Links, Store};

/// The list of a folder, if it is there: beside the folder as it was named, or where it really lies.
fn list_of(folder: &Path) -> Option<PathBuf> {
    let beside = |folder: &Path| {
        let mut list = OsString::from(folder.file_name()?);
        list.push(LIST);
        Some(folder.with_file_name(list)).filter(|list| list.is_file())
    };
    beside(folder).or_else(|| beside(&folder.canonicalize().ok()?))
}

/// A list, as a point of the folder that it lies in.
fn listed(list: &Path) -> Option<Repository> {
    let around = list.parent().filter(|around| !around.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = list.file_name()?.to_str()?.strip_suffix(LIST)?.to_owned();
    Some(Repository { path: around.to_owned(), point: Some(name), kind: Some(formats::listed::NAME) })
}

/// Whether the folder itself is of some kind.
fn is_known(folder: &Path) -> bool {
    let mut entries: Vec<Entry> = Vec::new();
    let listed =
        Files::open(folder, Links::Beneath).and_then(|files| files.list(None, &mut |entry| entries.push(entry)));
    listed.is_err() || formats::recognise(&entries).next().is_some()
}

/// What is to be verified when this is asked for: of a folder with a list beside it both, or the list alone where the
/// folder is of no kind of its own; of a list, what it lists.
pub(super) fn with_lists(repository: Repository) -> Vec<Repository> {
    let path = &repository.path;
    if repository.point.is_some() {
        return vec![repository];
    }
    if path.is_file() {
        return vec![listed(path).unwrap_or(repository)];
    }
    match list_of(path).and_then(|list| listed(&list)) {
        Some(list) if is_known(path) => vec![repository, list],
        Some(list) => vec![list],
        None => vec![repository],
    }
}
