//! `Behind`: hands one stream's decoded bytes to a sink on a thread of its own, while the thread that made them goes on
//! hashing.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use super::sink::Goes;
use crate::error::Error;

/// Bytes handed over at a time.
const BLOCK: usize = 1024 * 1024;

/// Blocks that wait to be written.
const WAITING: usize = 4;

/// Below this many bytes, a thread costs more than it brings.
const WORTH_A_THREAD: u64 = 8 * 1024 * 1024;

/// Writes a run of bytes; errors are kept until the end.
pub(super) enum Behind<'scope> {
    /// On this thread.
    Here { goes: Goes<'scope>, fresh: bool, result: Result<(), Error> },
    /// On another one.
    There {
        block: Vec<u8>,
        send: SyncSender<Vec<u8>>,
        spare: Receiver<Vec<u8>>,
        thread: ScopedJoinHandle<'scope, Result<(), Error>>,
    },
}

impl<'scope> Behind<'scope> {
    /// Begins to write about `length` bytes; `fresh` as the sink takes it.
    pub(super) fn new(scope: &'scope Scope<'scope, '_>, goes: Goes<'scope>, length: u64, fresh: bool) -> Self {
        let here = Self::Here { goes, fresh, result: Ok(()) };
        if length < WORTH_A_THREAD {
            return here;
        }
        let (send, receive) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, spare) = sync_channel(WAITING + 2);
        let writing = move || {
            let mut at = goes.at;
            for mut block in receive {
                goes.sink.put(at, &block, fresh)?;
                at += block.len() as u64;
                block.clear();
                // When nobody takes spare blocks any more, everything has been sent.
                _ = give_back.try_send(block);
            }
            Ok(())
        };
        // Where no thread can be started, this one writes.
        Builder::new().spawn_scoped(scope, writing).map_or(here, |thread| Self::There {
            block: Vec::with_capacity(BLOCK),
            send,
            spare,
            thread,
        })
    }

    /// Takes the next bytes. After a write has failed, they go nowhere.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        match self {
            Self::Here { goes, fresh, result } => {
                if result.is_ok() {
                    *result = goes.sink.put(goes.at, bytes, *fresh);
                    goes.at += bytes.len() as u64;
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
    ///
    /// # Errors
    /// The sink's.
    pub(super) fn finish(self) -> Result<(), Error> {
        match self {
            Self::Here { result, .. } => result,
            Self::There { block, send, thread, .. } => {
                if !block.is_empty() {
                    _ = send.send(block);
                }
                drop(send);
                thread.join().unwrap_or_else(|_| Err(Error::failed("the writing thread ended early")))
            }
        }
    }
}
