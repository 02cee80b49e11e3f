//! `Out`: what is sent to the near end, a frame at a time, from any thread.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use highwater_core::wire::{Answer, Answered, framed};

/// The stream to the near end.
pub(super) struct Out<'a> {
    output: Mutex<Box<dyn Write + Send + 'a>>,
    stop: &'a AtomicBool,
}

impl<'a> Out<'a> {
    pub(super) fn new(output: impl Write + Send + 'a, stop: &'a AtomicBool) -> Self {
        Self { output: Mutex::new(Box::new(output)), stop }
    }

    /// Sends a message. Where nobody takes it any more, all ends.
    pub(super) fn send(&self, message: &[u8]) {
        let frame = framed(message);
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if output.write_all(&frame).and_then(|()| output.flush()).is_err() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Whether all is to end.
    pub(super) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sends an answer.
    pub(super) fn answer(&self, id: u32, answer: Answer) {
        self.send(&Answered { id, answer }.encode());
    }
}
