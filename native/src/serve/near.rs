//! `Near`: what the near end sends, a frame at a time.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use highwater_core::wire::{Asked, HEAD, Hello, length};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How often it is looked whether there is to be an end.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// The stream from the near end.
pub(super) struct Near<'a, R> {
    input: R,
    stop: &'a AtomicBool,
}

impl<'a, R: Read + AsFd> Near<'a, R> {
    pub(super) fn new(input: R, stop: &'a AtomicBool) -> Self {
        Self { input, stop }
    }

    /// What it says first; none when it is gone.
    ///
    /// # Errors
    /// A sentence when it says something else.
    pub(super) fn hello(&mut self) -> Result<Option<Hello>, String> {
        let frame = self.frame()?;
        frame.map(|frame| Hello::decode(&frame).map_err(|bad| bad.to_string())).transpose()
    }

    /// What it asks for next; none when it is gone, or all is to end.
    ///
    /// # Errors
    /// A sentence when that is no request.
    pub(super) fn asked(&mut self) -> Result<Option<Asked>, String> {
        let frame = self.frame()?;
        frame.map(|frame| Asked::decode(&frame).map_err(|bad| bad.to_string())).transpose()
    }

    fn frame(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut head = [0; HEAD];
        if !self.fill(&mut head)? {
            return Ok(None);
        }
        let mut frame = vec![0; length(head).map_err(|bad| bad.what.to_owned())?];
        Ok(self.fill(&mut frame)?.then_some(frame))
    }

    /// Fills the buffer; false when the stream ended, or all is to end. One that ends within a message is a line that
    /// was cut, which is nobody's fault here.
    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<bool, String> {
        while !buffer.is_empty() {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let ready = poll(&mut [PollFd::new(&self.input, PollFlags::IN)], Some(&LOOK));
            match ready {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(format!("it cannot be read: {error}")),
            }
            match self.input.read(buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => buffer = &mut buffer[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("it cannot be read: {error}")),
            }
        }
        Ok(true)
    }
}
