//! The lock of writers on a repository: an advisory lock on a file that says who holds it. Readers take none.

use std::path::{Path, PathBuf};

use highwater_core::formats::repozo::names;
use highwater_core::name::printable;

use crate::clock;
use crate::disk::{Disk, Held};
use crate::error::Error;
use crate::shown::quoted;

/// The lock file of a repository.
#[must_use]
pub fn path(repository: &Path) -> PathBuf {
    repository.join(names::LOCK)
}

/// Takes the repository for this process, or says who has it.
///
/// # Errors
/// When another writer holds it, or the lock file cannot be written.
pub fn take(disk: &dyn Disk, repository: &Path) -> Result<Held, Error> {
    let path = path(repository);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let text = format!("pid {} on {host} since {}\n", std::process::id(), clock::stamp()?);
    let taken = disk.lock(&path, &text);
    let taken = taken
        .map_err(|source| Error::cannot_start(format!("cannot write the lock file {}: {source}", quoted(&path))))?;
    taken.ok_or_else(|| {
        let mut holder = vec![0; 200];
        let read = disk.open(&path).and_then(|object| object.read_at(0, &mut holder)).unwrap_or(0);
        let holder = printable(holder[..read].trim_ascii());
        let who = if holder.is_empty() { "another process" } else { &holder };
        Error::cannot_start(format!(
            "another backup is running in {}: {who}; wait for it, or end it",
            quoted(repository)
        ))
    })
}
