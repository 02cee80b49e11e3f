//! `Flusher`: makes bytes durable while more are being written, so that the sync at the end has little left to do.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

use crate::disk::Writable;

/// Bytes written between two syncs. Less is made durable at the end, at once.
const STEP: u64 = 64 * 1024 * 1024;

/// Syncs a file on a thread of its own, which is started only for a file worth it.
pub(crate) struct Flusher<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    target: &'scope dyn Writable,
    since: u64,
    thread: Option<(SyncSender<()>, ScopedJoinHandle<'scope, io::Result<()>>)>,
}

impl<'scope, 'env> Flusher<'scope, 'env> {
    pub(crate) fn new(scope: &'scope Scope<'scope, 'env>, target: &'scope dyn Writable) -> Self {
        Self { scope, target, since: 0, thread: None }
    }

    /// So many bytes more were written.
    pub(crate) fn wrote(&mut self, bytes: u64) {
        self.since += bytes;
        if self.since < STEP {
            return;
        }
        self.since = 0;
        let target = self.target;
        if self.thread.is_none() {
            let (send, receive) = sync_channel(1);
            let syncing = move || receive.iter().try_for_each(|()| target.sync());
            // Where no thread can be started, all is made durable at the end.
            let thread = thread::Builder::new().spawn_scoped(self.scope, syncing).ok();
            self.thread = thread.map(|thread| (send, thread));
        }
        if let Some((send, _)) = &self.thread {
            // When it is busy, or has failed, this step goes with a later one.
            _ = send.try_send(());
        }
    }

    /// Waits for the thread.
    ///
    /// # Errors
    /// What a sync on it failed with: the system tells it once only, so the caller's own sync would succeed.
    pub(crate) fn finish(self) -> io::Result<()> {
        let Some((send, thread)) = self.thread else { return Ok(()) };
        drop(send);
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the syncing thread ended early")))
    }
}
