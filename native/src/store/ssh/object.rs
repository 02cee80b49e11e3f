//! `Remote`: how the bytes of an object that a far end holds open are asked for.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use highwater_core::wire::{Answer, MOST, Meta, Request};

use super::link::{Link, Pending};
use crate::store::Kept;
use crate::store::ahead::{Fetch, Place};

/// An object of a far end: one version of it.
pub(super) struct Remote {
    pub(super) link: Arc<Link>,
    /// None where all of its bytes came at once.
    pub(super) handle: Option<u32>,
    pub(super) meta: Meta,
}

/// Bytes that were asked for.
pub(super) struct Coming {
    most: u32,
    /// None once they came.
    pending: Option<Pending>,
    bytes: Vec<u8>,
    /// How many of them were taken.
    taken: usize,
    _place: Option<Place>,
}

impl Remote {
    fn asked(&self, range: &Range<u64>, place: Option<Place>) -> io::Result<Coming> {
        let handle = self.handle.ok_or_else(|| io::Error::other("all of its bytes came"))?;
        let most = u32::try_from(range.end - range.start).unwrap_or(u32::MAX);
        let pending = self.link.ask(Request::Read { handle, at: range.start, most })?;
        Ok(Coming { most, pending: Some(pending), bytes: Vec::new(), taken: 0, _place: place })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if let Some(handle) = self.handle {
            self.link.close(handle);
        }
    }
}

impl Fetch for Remote {
    type Coming = Coming;

    const BLOCK: u64 = MOST as u64;

    fn length(&self) -> u64 {
        self.meta.length
    }

    fn ask(&self, range: Range<u64>) -> io::Result<Coming> {
        self.asked(&range, None)
    }

    fn ask_ahead(&self, range: Range<u64>, place: Place) -> io::Result<Option<Coming>> {
        self.asked(&range, Some(place)).map(Some)
    }

    fn next(&self, coming: &mut Coming, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(pending) = coming.pending.take() {
            coming.bytes = match pending.next()? {
                Answer::Bytes(bytes) if bytes.len() as u64 <= u64::from(coming.most) => bytes,
                _ => return Err(self.link.broken("no bytes, or too many")),
            };
        }
        let rest = &coming.bytes[coming.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        coming.taken += count;
        Ok(count)
    }

    fn kept(&self) -> Kept {
        Kept { mode: Some(self.meta.mode & 0o7777), modified: Some(self.meta.mtime) }
    }
}
