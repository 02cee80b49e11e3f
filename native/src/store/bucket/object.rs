//! `Far`: an object of a bucket, read in blocks; of one that is read from front to back, some are asked for ahead.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::Lists;
use crate::s3::{Ask, Client};
use crate::store::{Identity, Object};

/// What is asked for at once, in bytes, of an object that is read on.
const BLOCK: u64 = 4 << 20;

/// The same for whoever only looks at some bytes.
const GLANCE: u64 = 64 << 10;

/// Whoever takes less only looks.
const READING: usize = 32 << 10;

/// Blocks that are asked for ahead, of one object and of all.
const AHEAD: usize = 4;
const AHEAD_OF_ALL: usize = 16;

/// An object of a bucket, of one version.
pub(super) struct Far {
    of: Arc<Which>,
    blocks: Mutex<Blocks>,
    /// Blocks that were asked for ahead, of all objects.
    ahead: Arc<AtomicUsize>,
}

/// Which object.
pub(super) struct Which {
    pub(super) client: Arc<Client>,
    pub(super) bucket: Arc<str>,
    pub(super) key: Vec<u8>,
    pub(super) length: u64,
    /// That of its one version, once it is known.
    pub(super) etag: Mutex<Option<String>>,
    pub(super) known: Arc<Lists>,
}

/// What was read and not given yet.
#[derive(Default)]
struct Blocks {
    /// Where the block begins, and its bytes.
    here: (u64, Vec<u8>),
    coming: VecDeque<Coming>,
    /// How many blocks came one behind the other.
    run: usize,
}

/// A block that was asked for.
struct Coming {
    at: Range<u64>,
    bytes: Receiver<io::Result<Vec<u8>>>,
    _permit: Arc<Permit>,
}

/// One block ahead, of those that all may have.
struct Permit(Arc<AtomicUsize>);

impl Permit {
    fn take(all: &Arc<AtomicUsize>) -> Option<Self> {
        let more = |count: usize| (count < AHEAD_OF_ALL).then_some(count + 1);
        all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self(Arc::clone(all)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Far {
    pub(super) fn new(which: Which, ahead: Arc<AtomicUsize>) -> Self {
        Self { of: Arc::new(which), blocks: Mutex::default(), ahead }
    }

    /// Has the block that holds byte `at`, for somebody who takes so many at a time.
    fn turn(&self, blocks: &mut Blocks, at: u64, room: usize) -> io::Result<()> {
        let end = blocks.here.0.saturating_add(blocks.here.1.len() as u64);
        let goes_on = at == end && at > 0;
        blocks.run = if goes_on { blocks.run.saturating_add(1) } else { 0 };
        // What was given is not kept beside what comes.
        blocks.here = (at, Vec::new());
        match blocks.coming.pop_front() {
            Some(coming) if coming.at.start == at => {
                let bytes = coming.bytes.recv().unwrap_or_else(|_| Err(io::Error::other("a read ended early")))?;
                blocks.here = (at, bytes);
            }
            _ => {
                blocks.coming.clear();
                let most = if goes_on || room >= READING { BLOCK } else { GLANCE.max(room as u64) };
                blocks.here = (at, self.of.read(at..at.saturating_add(most).min(self.of.length))?);
            }
        }
        let here = blocks.here.0.saturating_add(blocks.here.1.len() as u64);
        let mut next = blocks.coming.back().map_or(here, |last| last.at.end);
        while next < self.of.length && blocks.coming.len() < blocks.run.min(AHEAD) {
            let Some(permit) = Permit::take(&self.ahead) else { break };
            let range = next..next.saturating_add(BLOCK).min(self.of.length);
            let ((send, receive), of, asked) = (sync_channel(1), Arc::clone(&self.of), range.clone());
            // It is held as long as either end has the bytes.
            let permit = Arc::new(permit);
            let held = Arc::clone(&permit);
            let read = move || {
                // Nobody waits for it any more when the object was given up.
                _ = send.send(of.read(asked));
                drop(held);
            };
            if thread::Builder::new().spawn(read).is_err() {
                break;
            }
            next = range.end;
            blocks.coming.push_back(Coming { at: range, bytes: receive, _permit: permit });
        }
        Ok(())
    }
}

impl Which {
    fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let etag = self.etag.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let most = range.end.saturating_sub(range.start);
        let ask = Ask { if_match: etag.as_deref(), range: Some(range), ..Ask::latest(&self.bucket, &self.key) };
        let read = self.client.get_bytes(&ask, most);
        let (head, bytes) = read.map_err(|error| self.known.cannot(error))?;
        let mut etag = self.etag.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = head.length == self.length && (etag.is_none() || *etag == head.etag);
        if !is_it || bytes.is_empty() {
            let (was, is) = (self.length, head.length);
            let what = format!("it changed while it was read: it had {was} bytes and has {is}, or its ETag is another");
            return Err(io::Error::other(what));
        }
        // Without one in the list, the first answer says which version it is.
        if etag.is_none() {
            *etag = head.etag;
        }
        Ok(bytes)
    }
}

impl Object for Far {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if at >= self.of.length || buffer.is_empty() {
            return Ok(0);
        }
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (start, bytes) = &blocks.here;
            let from = at.checked_sub(*start).and_then(|from| usize::try_from(from).ok());
            if let Some(rest) = from.and_then(|from| bytes.get(from..)).filter(|rest| !rest.is_empty()) {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                return Ok(count);
            }
            self.turn(&mut blocks, at, buffer.len())?;
        }
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.of.length)
    }

    fn identity(&self) -> io::Result<Identity> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
