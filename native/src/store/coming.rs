//! `News`: the names that appear in a folder, as the system tells of them (inotify).

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
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

/// Tells of names that appear in a folder.
pub trait News: Send {
    /// Waits for news, so long at most.
    ///
    /// # Errors
    /// The operating system's.
    fn wait(&mut self, most: Duration) -> io::Result<Coming>;
}

/// The news of one folder of this machine.
pub(super) struct Inotify {
    queue: OwnedFd,
}

/// Room for some hundred names.
const ROOM: usize = 16 << 10;

impl Inotify {
    /// From now on.
    pub(super) fn of(folder: BorrowedFd<'_>) -> io::Result<Self> {
        let queue = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // The kernel watches by path only; this one leads to what the descriptor holds.
        let path = format!("/proc/self/fd/{}", folder.as_raw_fd());
        add_watch(&queue, path, WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR)?;
        Ok(Self { queue })
    }
}

impl News for Inotify {
    fn wait(&mut self, most: Duration) -> io::Result<Coming> {
        let most = Timespec { tv_sec: most.as_secs().cast_signed(), tv_nsec: most.subsec_nanos().into() };
        let mut ready = [PollFd::new(&self.queue, PollFlags::IN)];
        match poll(&mut ready, Some(&most)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Coming::Names(Vec::new())),
            result => _ = result?,
        }
        let mut room = [MaybeUninit::uninit(); ROOM];
        let mut reader = Reader::new(&self.queue, &mut room);
        let mut names = Vec::new();
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => return Ok(Coming::Lost),
                Ok(event) => names.extend(event.file_name().map(CStr::to_bytes).and_then(|name| Name::new(name).ok())),
                Err(Errno::AGAIN | Errno::INTR) => return Ok(Coming::Names(names)),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
