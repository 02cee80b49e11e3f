//! The lock of writers on a repository: an advisory lock on a file that says who holds it. Readers take none.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use highwater_core::formats::repozo::names;
use highwater_core::name::printable;
use rustix::fs::OFlags;

use crate::clock;
use crate::error::Error;
use crate::watch::quoted;

/// A held lock; dropping it, or the end of the process, releases it.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held open: closing it releases the lock")] File);

/// Whether a writer is at work in the repository, looked up without touching its lock: a lock taken just to look
/// would turn a writer away. False where the system does not tell.
#[must_use]
pub fn is_held(repository: &Path) -> bool {
    let Ok(meta) = std::fs::symlink_metadata(repository.join(names::LOCK)) else { return false };
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let ours = format!("{major:02x}:{minor:02x}:{}", meta.ino());
    let Ok(locks) = std::fs::read_to_string("/proc/locks") else { return false };
    locks.lines().any(|line| line.contains(" FLOCK ") && line.split_whitespace().any(|word| word == ours))
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
        Ok(()) => {
            // The file may have been deleted before it was locked; then it keeps nobody out.
            let (mine, there) = (file.metadata(), std::fs::symlink_metadata(&path));
            if !matches!((mine, there), (Ok(mine), Ok(there)) if mine.ino() == there.ino()) {
                return Err(Error::cannot_start(format!(
                    "the lock file {} was deleted meanwhile; run again",
                    quoted(&path)
                )));
            }
        }
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
