//! The lock of writers on a repository: an advisory lock on a file that says who holds it. Readers take none.

use std::io;
use std::thread;
use std::time::Duration;

use highwater_core::facts::Lock;
use highwater_core::name::{Name, printable};

use crate::clock;
use crate::disk::{Disk, Held};
use crate::error::Error;
use crate::shown::quoted;

/// How often what another holds is tried again, and after how long.
const LOOKS: u32 = 5;
const LOOK: Duration = Duration::from_millis(20);

/// Keeps away from a root whoever must not be there beside a writer.
///
/// # Errors
/// When somebody is, or there are no locks.
pub fn write(disk: &dyn Disk, lock: Lock) -> Result<Held, Error> {
    match lock {
        Lock::Alone(name) => take(disk, name),
        Lock::Together(name) => {
            let name = Name::new(name.as_bytes())?;
            hold(disk, Some(&name), || {
                format!("a process holds {} alone; wait for it", quoted(&disk.told(Some(&name))))
            })
        }
    }
}

/// Takes a root for this process by the lock file `name`, or says who has it.
///
/// # Errors
/// When another writer holds it, or the lock file cannot be written.
pub fn take(disk: &dyn Disk, name: &str) -> Result<Held, Error> {
    let name = Name::new(name.as_bytes())?;
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let text = format!("pid {} on {host} since {}\n", std::process::id(), clock::stamp()?);
    let lock = || disk.lock(&name, &text).map_err(|error| cannot(disk, Some(&name), "take the lock file", &error));
    let mut taken = lock()?;
    for _ in 1..LOOKS {
        if taken.is_some() {
            break;
        }
        // A command that another thread is just starting has it, too, until it runs.
        thread::sleep(LOOK);
        taken = lock()?;
    }
    taken.ok_or_else(|| {
        let mut holder = vec![0; 200];
        let read = disk.open(&name).and_then(|object| object.read_at(0, &mut holder)).unwrap_or(0);
        let holder = printable(holder[..read].trim_ascii());
        let who = if holder.is_empty() { "another process" } else { &holder };
        Error::cannot_start(format!(
            "another run is writing in {}: {who}; wait for it, or end it",
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
            "the file system of {path} keeps no locks ({error}): see to it that nobody else writes there, and say so \
             with --no-lock"
        )
    } else {
        format!("cannot {doing} {path}: {error}")
    })
}
