//! `Opened`: a file or folder of the real disk, whose lock ends with it, whoever else has its descriptor.

use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FlockOperation, Gid, Mode, Uid, fchmod, fchown, fcntl_lock, fstat, futimens, ioctl_ficlone};
use rustix::io::Errno;

use super::real::{UNSYNCED, looked, no_locks, times};
use super::{Inode, Look, Time, What, Writable};
use crate::store::{Identity, Kept, Object};

/// An open file or folder.
pub(super) struct Opened {
    file: File,
    is_locked: AtomicBool,
}

impl From<OwnedFd> for Opened {
    fn from(fd: OwnedFd) -> Self {
        Self { file: fd.into(), is_locked: AtomicBool::new(false) }
    }
}

impl AsFd for Opened {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if *self.is_locked.get_mut() {
            // Closing alone would leave the lock to a command that another thread is just starting, until it runs.
            _ = self.file.unlock();
        }
    }
}

impl Opened {
    /// Takes it for this process alone, until it is dropped.
    ///
    /// # Errors
    /// `WouldBlock` when another process has it; or the operating system's.
    pub(super) fn lock_alone(&self) -> Result<(), TryLockError> {
        self.locked(self.file.try_lock())
    }

    /// Takes it beside others, by both kinds of locks: they know nothing of each other, and whoever holds the file
    /// alone may use either.
    ///
    /// # Errors
    /// `WouldBlock` when another process has it alone; or the operating system's.
    pub(super) fn lock_shared(&self) -> Result<(), TryLockError> {
        match fcntl_lock(self, FlockOperation::NonBlockingLockShared) {
            Ok(()) => self.locked(self.file.try_lock_shared()),
            Err(Errno::AGAIN | Errno::ACCESS) => Err(TryLockError::WouldBlock),
            Err(error) => Err(TryLockError::Error(error.into())),
        }
    }

    fn locked(&self, taken: Result<(), TryLockError>) -> Result<(), TryLockError> {
        if taken.is_ok() {
            self.is_locked.store(true, Ordering::Relaxed);
        }
        taken
    }
}

impl Object for Opened {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Object::read_at(&self.file, at, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn will_need(&self, at: u64, length: u64) {
        self.file.will_need(at, length);
    }

    fn next_data(&self, at: u64) -> Option<u64> {
        self.file.next_data(at)
    }

    fn identity(&self) -> io::Result<Identity> {
        self.file.identity()
    }

    fn kept(&self) -> io::Result<Kept> {
        self.file.kept()
    }

    fn as_file(&self) -> Option<&File> {
        Some(&self.file)
    }
}

impl Inode for Opened {
    fn look(&self) -> io::Result<Look> {
        Ok(looked(&fstat(self)?))
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        Ok(fchown(self, user.map(Uid::from_raw), group.map(Gid::from_raw))?)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        Ok(fchmod(self, Mode::from_raw_mode(mode))?)
    }

    fn set_modified(&self, modified: Time) -> io::Result<()> {
        Ok(futimens(self, &times(modified)?)?)
    }

    fn sync(&self) -> io::Result<()> {
        let unsynced = UNSYNCED.map(|errno| Some(errno.raw_os_error()));
        match self.file.sync_all() {
            Err(error) if unsynced.contains(&error.raw_os_error()) && Inode::look(self)?.what == What::Folder => {
                Err(io::Error::new(io::ErrorKind::Unsupported, error))
            }
            synced => synced,
        }
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.lock_alone() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(no_locks(error)),
        }
    }
}

impl Writable for Opened {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, at)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn as_object(&self) -> &dyn Object {
        self
    }

    fn reflink(&self, from: &dyn Object) -> bool {
        from.as_file().is_some_and(|from| ioctl_ficlone(self, from).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command that another thread starts has every descriptor from its fork until it runs.
    #[test]
    fn a_lock_ends_with_it_though_its_descriptor_lives_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        File::create(&path).unwrap();
        let open = || Opened::from(OwnedFd::from(File::options().read(true).write(true).open(&path).unwrap()));
        for lock in [Opened::lock_alone, Opened::lock_shared] {
            let held = open();
            lock(&held).unwrap();
            assert!(open().lock_alone().is_err(), "it is held");
            let inherited = held.file.try_clone().unwrap();
            drop(held);
            open().lock_alone().expect("it is free");
            drop(inherited);
        }
    }
}
