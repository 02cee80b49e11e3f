//! The lock of writers on a repository: an advisory lock on a file that says who holds it. Readers take none.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use highwater_core::formats::repozo::names;
use highwater_core::name::printable;
use rustix::fs::OFlags;

use crate::clock;
use crate::error::Error;
use crate::watch::quoted;

/// A held lock; dropping it, or the end of the process, releases it.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Readers tell by the text whether a writer is at work; after a crash they find that its process is gone.
        _ = self.0.set_len(0);
    }
}

/// Whether a writer is at work in the repository, as far as can be known without touching its lock: the lock file
/// names a process of this machine that is alive.
#[must_use]
pub fn is_held(repository: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(repository.join(names::LOCK)) else { return false };
    let mut words = text.split_whitespace();
    let (Some("pid"), Some(pid), Some("on"), Some(host)) = (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    host == this_host() && pid.parse::<u32>().is_ok_and(|pid| Path::new(&format!("/proc/{pid}")).exists())
}

fn this_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Takes the repository for this process, or says who has it.
///
/// # Errors
/// When another writer holds it, or the lock file cannot be written.
pub fn take(repository: &Path) -> Result<Lock, Error> {
    let path = repository.join(names::LOCK);
    let cannot = |source| Error::cannot_start(format!("cannot write the lock file {}: {source}", quoted(&path)));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)
        .map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(cannot(error)),
        Err(TryLockError::WouldBlock) => {
            let mut holder = Vec::new();
            _ = file.take(200).read_to_end(&mut holder);
            let holder = printable(holder.trim_ascii());
            let who = if holder.is_empty() { "another process" } else { &holder };
            return Err(Error::cannot_start(format!(
                "another backup is running in {}: {who}; wait for it, or end it",
                quoted(repository)
            )));
        }
    }
    let host = this_host();
    let text = format!("pid {} on {host} since {}\n", std::process::id(), clock::stamp()?);
    file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(cannot)?;
    Ok(Lock(file))
}
