//! `Remote`: an object that a far end holds open, read in blocks; of one that is read from front to back, some are asked
//! for ahead.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use highwater_core::wire::{Answer, MOST, Meta, Request};

use super::link::{Link, Pending};
use crate::store::{Identity, Kept, Object};

/// What is asked for at once of an object that is read on, and of one that somebody only looks at.
const BLOCK: u64 = MOST as u64;
const GLANCE: u64 = 64 << 10;

/// Whoever takes less only looks.
const READING: usize = 32 << 10;

/// Blocks that are asked for ahead, of one object and of all.
const AHEAD: usize = 4;
const AHEAD_OF_ALL: usize = 32;

/// An object of a far end: one version of it.
pub(super) struct Remote {
    link: Arc<Link>,
    /// None where all of its bytes came at once.
    handle: Option<u32>,
    meta: Meta,
    blocks: Mutex<Blocks>,
    /// Blocks that were asked for ahead, of all objects.
    ahead: Arc<AtomicUsize>,
}

/// What was read and not given yet.
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
    pending: Pending,
    _permit: Permit,
}

impl Blocks {
    /// Gives bytes from an offset on, as far as they are here.
    fn give(&self, at: u64, buffer: &mut [u8]) -> usize {
        let (start, bytes) = &self.here;
        let from = at.checked_sub(*start).and_then(|from| usize::try_from(from).ok());
        let rest = from.and_then(|from| bytes.get(from..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    }
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

impl Remote {
    /// One of which the first bytes came already.
    pub(super) fn new(
        link: Arc<Link>,
        handle: Option<u32>,
        meta: Meta,
        first: Vec<u8>,
        ahead: Arc<AtomicUsize>,
    ) -> Self {
        let blocks = Blocks { here: (0, first), coming: VecDeque::new(), run: 0 };
        Self { link, handle, meta, blocks: Mutex::new(blocks), ahead }
    }

    fn ask(&self, handle: u32, range: &Range<u64>) -> io::Result<Pending> {
        let most = u32::try_from(range.end - range.start).unwrap_or(u32::MAX);
        self.link.ask(Request::Read { handle, at: range.start, most })
    }

    /// The bytes of a block that was asked for.
    fn have(&self, pending: &Pending, range: &Range<u64>) -> io::Result<Vec<u8>> {
        match pending.next()? {
            Answer::Bytes(bytes) if bytes.len() as u64 <= range.end - range.start => Ok(bytes),
            _ => Err(self.link.broken("no bytes, or too many")),
        }
    }

    /// Has the block that holds byte `at`, for somebody who takes so many at a time.
    fn turn(&self, handle: u32, blocks: &mut Blocks, at: u64, room: usize) -> io::Result<()> {
        let end = blocks.here.0.saturating_add(blocks.here.1.len() as u64);
        let goes_on = at == end && at > 0;
        blocks.run = if goes_on { blocks.run.saturating_add(1) } else { 0 };
        let bytes = match blocks.coming.pop_front() {
            Some(coming) if coming.at.start == at => self.have(&coming.pending, &coming.at)?,
            _ => {
                blocks.coming.clear();
                let most = if goes_on || room >= READING { BLOCK } else { GLANCE.max(room as u64) };
                let range = at..at.saturating_add(most.min(BLOCK)).min(self.meta.length);
                self.have(&self.ask(handle, &range)?, &range)?
            }
        };
        blocks.here = (at, bytes);
        let here = at.saturating_add(blocks.here.1.len() as u64);
        let mut next = blocks.coming.back().map_or(here, |last| last.at.end);
        while next < self.meta.length && blocks.coming.len() < blocks.run.min(AHEAD) {
            let Some(permit) = Permit::take(&self.ahead) else { break };
            let range = next..next.saturating_add(BLOCK).min(self.meta.length);
            next = range.end;
            let pending = self.ask(handle, &range)?;
            blocks.coming.push_back(Coming { at: range, pending, _permit: permit });
        }
        Ok(())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(handle) = self.handle {
            self.link.close(handle);
        }
    }
}

impl Object for Remote {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if at >= self.meta.length || buffer.is_empty() {
            return Ok(0);
        }
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let given = blocks.give(at, buffer);
        if given > 0 {
            return Ok(given);
        }
        let Some(handle) = self.handle else { return Ok(0) };
        self.turn(handle, &mut blocks, at, buffer.len())?;
        // Nothing where the object was cut meanwhile.
        Ok(blocks.give(at, buffer))
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.meta.length)
    }

    fn identity(&self) -> io::Result<Identity> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn kept(&self) -> io::Result<Kept> {
        Ok(Kept { mode: Some(self.meta.mode & 0o7777), modified: Some(self.meta.mtime) })
    }
}
