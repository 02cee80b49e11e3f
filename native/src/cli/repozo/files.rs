//! Which data files a state needs, as the original finds them: by the order of their names alone.

use std::path::Path;

use highwater_core::formats::repozo::names::{DataFile, Kind};

use crate::clock;
use crate::error::Error;
use crate::shown::shown;
use crate::store::{Files, Store};
use crate::watch::Watch;

/// The newest full backup whose stamp sorts at or before `when` (none: now), and the increments after it, in order.
pub(super) fn find(repository: &Path, when: Option<&str>, watch: &Watch<'_>) -> Result<Vec<String>, Error> {
    let now = clock::stamp()?;
    let when = when.unwrap_or(&now);
    watch.note(format!("looking for files between last full backup and {when}..."));
    let mut all = Vec::new();
    let add = &mut |entry: highwater_core::inspect::Entry| {
        all.extend(entry.name.as_str().filter(|name| DataFile::parse(name.as_bytes()).is_some()).map(str::to_owned));
    };
    Files.list(repository, add).map_err(Error::io("list", repository))?;
    all.sort_unstable_by(|a, b| b.cmp(a));
    let mut needed = Vec::new();
    for name in all {
        let Some(data) = DataFile::parse(name.as_bytes()).filter(|data| data.stem <= when) else { continue };
        let full = data.kind == Kind::Full;
        needed.push(name);
        if full {
            break;
        }
    }
    needed.reverse();
    if needed.is_empty() {
        watch.note("no files found");
    } else {
        watch.note(format!("files needed to recover state as of {when}:"));
        needed.iter().for_each(|name| watch.note(format!("\t{}", shown(repository.join(name)))));
    }
    Ok(needed)
}

/// The stem of a data file's name.
pub(super) fn stem(name: &str) -> &str {
    DataFile::parse(name.as_bytes()).map_or("", |data| data.stem)
}

/// The first of `files` must be a full backup: the original would put increments together without one.
pub(super) fn begins_with_full(repository: &Path, files: &[String]) -> Result<(), Error> {
    let first = files.first().map_or("", String::as_str);
    if DataFile::parse(first.as_bytes()).is_some_and(|data| data.kind == Kind::Full) {
        return Ok(());
    }
    let first = repository.join(first);
    Err(Error::damage(format!(
        "{} is an increment and no full backup lies before it: bring the full backup back from another copy",
        shown(&first)
    )))
}
