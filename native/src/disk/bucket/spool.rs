//! `Spool`: a draft of an object, kept in memory while it is short and in a local file without a name when it is not.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

use super::there::looked;
use crate::disk::{Inode, Look, Time, What, Writable};
use crate::s3::Content;
use crate::store::{Identity, Object};

/// What is longer lies in a file, in bytes.
const SHORT: u64 = 256 << 10;

/// A draft, by its number.
pub(super) struct Spool {
    number: u64,
    mode: AtomicU32,
    body: RwLock<Body>,
}

enum Body {
    Memory(Vec<u8>),
    File(File),
}

impl Spool {
    pub(super) fn new(number: u64) -> Self {
        Self { number, mode: AtomicU32::new(0o600), body: RwLock::new(Body::Memory(Vec::new())) }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn looked(&self) -> io::Result<Look> {
        let look = looked(What::File, self.number, Object::length(self)?, None);
        Ok(Look { mode: self.mode.load(Ordering::Relaxed), ..look })
    }

    /// Has it so that `end` bytes have room: in memory, if it is short; else in a file.
    fn with_room<T>(&self, end: u64, deed: impl Fn(&Body) -> Option<io::Result<T>>) -> io::Result<T> {
        if let Some(done) = deed(&self.body.read().unwrap_or_else(PoisonError::into_inner)) {
            return done;
        }
        let mut body = self.body.write().unwrap_or_else(PoisonError::into_inner);
        if let Body::Memory(bytes) = &mut *body {
            if end <= SHORT {
                bytes.resize(bytes.len().max(usize::try_from(end).map_err(io::Error::other)?), 0);
            } else {
                let file = tempfile::tempfile()?;
                file.write_all_at(bytes, 0)?;
                *body = Body::File(file);
            }
        }
        deed(&body).unwrap_or_else(|| Err(io::Error::other("a draft has no room")))
    }
}

impl Object for Spool {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &*self.body.read().unwrap_or_else(PoisonError::into_inner) {
            Body::Memory(bytes) => bytes.as_slice().read_at(at, buffer),
            Body::File(file) => FileExt::read_at(file, buffer, at),
        }
    }

    fn length(&self) -> io::Result<u64> {
        match &*self.body.read().unwrap_or_else(PoisonError::into_inner) {
            Body::Memory(bytes) => Ok(bytes.len() as u64),
            Body::File(file) => Ok(file.metadata()?.len()),
        }
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(self.looked()?.identity)
    }
}

impl Inode for Spool {
    fn look(&self) -> io::Result<Look> {
        self.looked()
    }

    fn set_owner(&self, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
        Ok(())
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.mode.store(mode, Ordering::Relaxed);
        Ok(())
    }

    fn set_modified(&self, _: Time) -> io::Result<()> {
        Ok(())
    }

    /// It is durable when it has its name, and not before.
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
}

impl Writable for Spool {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let end = at.checked_add(bytes.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        if end <= SHORT {
            let mut body = self.body.write().unwrap_or_else(PoisonError::into_inner);
            if let Body::Memory(own) = &mut *body {
                let (from, to) = (usize::try_from(at), usize::try_from(end));
                let (from, to) = (from.map_err(io::Error::other)?, to.map_err(io::Error::other)?);
                own.resize(own.len().max(to), 0);
                own[from..to].copy_from_slice(bytes);
                return Ok(());
            }
        }
        self.with_room(end, |body| match body {
            Body::Memory(_) => None,
            Body::File(file) => Some(file.write_all_at(bytes, at)),
        })
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut body = self.body.write().unwrap_or_else(PoisonError::into_inner);
        if let Body::Memory(own) = &mut *body
            && length <= SHORT
        {
            own.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
            return Ok(());
        }
        drop(body);
        self.with_room(length, |body| match body {
            Body::Memory(_) => None,
            Body::File(file) => Some(file.set_len(length)),
        })
    }

    fn as_object(&self) -> &dyn Object {
        self
    }

    fn reflink(&self, _: &dyn Object) -> bool {
        false
    }
}

/// A draft that is uploaded, with the length that it has.
pub(super) struct Upload<'a> {
    pub(super) spool: &'a Spool,
    pub(super) length: u64,
}

impl Content for Upload<'_> {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Object::read_at(self.spool, at, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_written_however_long_it_grows() {
        let spool = Spool::new(1);
        let mut wanted = Vec::new();
        for (at, length) in [(0, 10), (5, 100), (200_000, 70_000), (100, 3), (1_000_000, 50), (10, 20)] {
            let bytes: Vec<u8> = (0..length).map(|byte: usize| (byte * 7 + at) as u8).collect();
            spool.write_at(at as u64, &bytes).expect("room");
            wanted.resize(wanted.len().max(at + length), 0);
            wanted[at..at + length].copy_from_slice(&bytes);
            let object: &dyn Object = &spool;
            assert!(object.read_whole().expect("bytes") == wanted, "{at}");
        }
        for length in [300_000, 100, 200] {
            spool.set_length(length).expect("room");
            wanted.resize(usize::try_from(length).expect("small"), 0);
            assert!(spool.as_object().read_whole().expect("bytes") == wanted, "{length}");
        }
    }
}
