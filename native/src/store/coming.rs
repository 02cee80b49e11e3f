//! `News`: the names that appear in folders, as the system tells of them (inotify).

use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use highwater_core::name::Name;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::io::Errno;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coming {
    /// These names appeared, which may be none.
    Names(Vec<Name>),
    /// So many that some were lost: list the folder.
    Lost,
}

/// Tells of names that appear in folders of a root.
pub trait News: Send + Sync {
    /// Waits for news, so long at most. False when there are none yet.
    ///
    /// # Errors
    /// The operating system's.
    fn wait(&self, most: Duration) -> io::Result<bool>;

    /// Takes what came so far, in its order. For one thread at a time.
    ///
    /// # Errors
    /// The operating system's.
    fn take(&self) -> io::Result<Coming>;

    /// Tells of this folder too, from now on; it is called so in the root. No matter how often this is asked for.
    ///
    /// # Errors
    /// The operating system's.
    fn add(&self, folder: BorrowedFd<'_>, called: Option<&Name>) -> io::Result<()>;
}

/// The news of folders of this machine.
pub(super) struct Inotify {
    queue: OwnedFd,
    /// What the folders are called, by the kernel's numbers for them.
    folders: Mutex<HashMap<i32, Option<Name>>>,
}

/// Room for some hundred names.
const ROOM: usize = 16 << 10;

impl Inotify {
    /// Of no folder yet.
    pub(super) fn new() -> io::Result<Self> {
        let queue = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { queue, folders: Mutex::default() })
    }

    fn folders(&self) -> MutexGuard<'_, HashMap<i32, Option<Name>>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl News for Inotify {
    fn add(&self, folder: BorrowedFd<'_>, called: Option<&Name>) -> io::Result<()> {
        // The kernel watches by path only; this one leads to what the descriptor holds.
        let path = format!("/proc/self/fd/{}", folder.as_raw_fd());
        // What comes before the number is known waits until it is.
        let mut folders = self.folders();
        let number = add_watch(&self.queue, path, WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR)?;
        folders.insert(number, called.cloned());
        Ok(())
    }

    fn wait(&self, most: Duration) -> io::Result<bool> {
        let most = Timespec { tv_sec: most.as_secs().cast_signed(), tv_nsec: most.subsec_nanos().into() };
        let mut ready = [PollFd::new(&self.queue, PollFlags::IN)];
        match poll(&mut ready, Some(&most)) {
            Err(Errno::INTR) => Ok(false),
            ready => Ok(ready? > 0),
        }
    }

    fn take(&self) -> io::Result<Coming> {
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut reader = Reader::new(&self.queue, &mut room);
        let mut names = Vec::new();
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => return Ok(Coming::Lost),
                Ok(event) => {
                    let Some(name) = event.file_name().map(CStr::to_bytes) else { continue };
                    names.extend(match self.folders().get(&event.wd()) {
                        Some(Some(folder)) => folder.join(name).ok(),
                        Some(None) => Name::new(name).ok(),
                        None => None,
                    });
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(Coming::Names(names)),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
