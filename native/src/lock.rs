//! The lock of writers on a repository: an advisory lock on a file that says who holds it. Readers take none.

use std::io;
use std::thread;
use std::time::Duration;

use highwater_core::formats::repozo::names;
use highwater_core::name::{Name, printable};

use crate::clock;
use crate::disk::{Disk, Held};
use crate::error::Error;
use crate::shown::quoted;

/// How often what another holds is tried again, and after how long.
const LOOKS: u32 = 5;
const LOOK: Duration = Duration::from_millis(20);

/// The lock file of a repository.
///
/// # Errors
/// None in practice: it is a name.
pub fn name() -> Result<Name, Error> {
    Ok(Name::new(names::LOCK.as_bytes())?)
}

/// Takes the repository for this process, or says who has it.
///
/// # Errors
/// When another writer holds it, or the lock file cannot be written.
pub fn take(disk: &dyn Disk) -> Result<Held, Error> {
    let name = name()?;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let text = format!("pid {} on {host} since {}\n", std::process::id(), clock::stamp()?);
    let taken = disk.lock(&name, &text).map_err(|error| cannot(disk, Some(&name), "take the lock file", &error))?;
    taken.ok_or_else(|| {
        let mut holder = vec![0; 200];
        let read = disk.open(&name).and_then(|object| object.read_at(0, &mut holder)).unwrap_or(0);
        let holder = printable(holder[..read].trim_ascii());
        let who = if holder.is_empty() { "another process" } else { &holder };
        Error::cannot_start(format!(
            "another backup is running in {}: {who}; wait for it, or end it",
            quoted(&disk.told(None))
        ))
    })
}

/// Holds a file with others, or a folder alone; when another process has it alone, `busy` says what that is.
///
/// # Errors
/// When another process has it, or there are no locks.
pub(crate) fn hold(disk: &dyn Disk, name: Option<&Name>, busy: impl FnOnce() -> String) -> Result<Held, Error> {
    for _ in 0..LOOKS {
        if let Some(held) = disk.hold(name).map_err(|error| cannot(disk, name, "lock", &error))? {
            return Ok(held);
        }
        // Another may only be looking whether it is held.
        thread::sleep(LOOK);
    }
    Err(Error::cannot_start(busy()))
}

/// Why a lock cannot be taken.
pub(crate) fn cannot(disk: &dyn Disk, name: Option<&Name>, doing: &str, error: &io::Error) -> Error {
    let path = quoted(&disk.told(name));
    Error::cannot_start(if error.kind() == io::ErrorKind::Unsupported {
        format!(
            "the file system of {path} keeps no locks ({error}): see to it that nobody else writes there, and say so with --no-lock"
        )
    } else {
        format!("cannot {doing} {path}: {error}")
    })
}
