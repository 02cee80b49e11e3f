//! `Input`: a file that the user named to be read. Of a FIFO, whoever writes it is waited for, and a signal is heard.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};

use super::signals;
use crate::error::Error;

/// How often it is looked whether a signal came.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// An open file.
pub(super) struct Input {
    file: File,
    path: PathBuf,
}

impl Input {
    /// Opens it, which waits for nobody.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = openat(CWD, path, flags, Mode::empty()).map_err(io::Error::from);
        Ok(Self { file: opened.map_err(Error::io("read", path))?.into(), path: path.to_owned() })
    }

    /// What a failure to read it was: a signal, or the operating system's.
    pub(super) fn failed(&self) -> impl FnOnce(io::Error) -> Error {
        let io = Error::io("read", &self.path);
        move |error| if signals::stopping() { Error::Interrupted } else { io(error) }
    }

    /// All of it.
    ///
    /// # Errors
    /// A signal, or the operating system's.
    pub(super) fn all(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).map_err(self.failed())?;
        Ok(bytes)
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if signals::stopping() {
                return Err(io::Error::other("a signal came"));
            }
            let ready = poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&LOOK));
            if matches!(ready, Ok(0) | Err(rustix::io::Errno::INTR)) {
                continue;
            }
            match self.file.read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }
}
