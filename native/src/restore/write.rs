//! `Writer`: writes decoded bytes on a thread of its own, while the thread that made them goes on hashing.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use crate::disk::Writable;
use crate::flush::Flusher;

/// Bytes handed over at a time.
const BLOCK: usize = 1024 * 1024;

/// Blocks that wait to be written.
const WAITING: usize = 4;

/// Below this many bytes, a thread costs more than it brings.
const WORTH_A_THREAD: u64 = 8 * 1024 * 1024;

/// Writes a run of bytes from an offset on; errors are kept until the end.
pub(super) enum Writer<'scope, 'a> {
    /// On this thread.
    Here { target: &'a dyn Writable, at: u64, sparse: bool, result: io::Result<()> },
    /// On another one.
    There {
        block: Vec<u8>,
        send: SyncSender<Vec<u8>>,
        spare: Receiver<Vec<u8>>,
        thread: ScopedJoinHandle<'scope, io::Result<()>>,
    },
}

impl<'scope, 'a: 'scope> Writer<'scope, 'a> {
    /// Begins to write about `length` bytes at offset `at` of `target`; if that is `sparse`, nothing was there yet, and zeros stay away.
    pub(super) fn new(
        scope: &'scope std::thread::Scope<'scope, '_>,
        target: &'a dyn Writable,
        at: u64,
        length: u64,
        sparse: bool,
    ) -> Self {
        let here = Self::Here { target, at, sparse, result: Ok(()) };
        if length < WORTH_A_THREAD {
            return here;
        }
        let (send, receive) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, spare) = sync_channel(WAITING + 2);
        let writing = move || {
            let mut at = at;
            thread::scope(|scope| {
                let mut flusher = Flusher::new(scope, target);
                for mut block in receive {
                    if !(sparse && is_zero(&block)) {
                        target.write_at(at, &block)?;
                    }
                    at += block.len() as u64;
                    flusher.wrote(block.len() as u64);
                    block.clear();
                    // When nobody takes spare blocks any more, everything has been sent.
                    _ = give_back.try_send(block);
                }
                flusher.finish()
            })
        };
        // Where no thread can be started, this one writes.
        thread::Builder::new().spawn_scoped(scope, writing).map_or(here, |thread| Self::There {
            block: Vec::with_capacity(BLOCK),
            send,
            spare,
            thread,
        })
    }

    /// Takes the next bytes. After a write has failed, they go nowhere.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        match self {
            Self::Here { target, at, sparse, result } => {
                if result.is_ok() {
                    if !(*sparse && is_zero(bytes)) {
                        *result = target.write_at(*at, bytes);
                    }
                    *at += bytes.len() as u64;
                }
            }
            Self::There { block, send, spare, .. } => {
                block.extend_from_slice(bytes);
                if block.len() >= BLOCK {
                    let next = spare.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK + bytes.len()));
                    // The thread is gone only when a write failed, which `finish` tells.
                    _ = send.send(std::mem::replace(block, next));
                }
            }
        }
    }

    /// Waits until all is written.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Here { result, .. } => result,
            Self::There { block, send, thread, .. } => {
                _ = send.send(block);
                drop(send);
                thread.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread ended early")))
            }
        }
    }
}

/// Whether there are so many zeros, and nothing else, that leaving them out saves a block.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.len() >= 4096 && bytes.iter().fold(0, |any, byte| any | byte) == 0
}
