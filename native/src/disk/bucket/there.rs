//! What lies in a bucket, as a disk tells of it: objects, and folders, which need no making.

use std::hash::{DefaultHasher, Hasher as _};
use std::io;
use std::sync::Arc;

use super::spool::Spool;
use crate::disk::{Inode, Look, Owner, Time, What, Writable};
use crate::store::{Identity, Object};

/// The device of all that lies in buckets.
const DEVICE: u64 = u64::MAX;

/// What is told of something. A bucket knows neither owners nor permissions: all is this user's.
pub(super) fn looked(what: What, number: u64, length: u64, modified: Option<i64>) -> Look {
    let owner = Owner { user: rustix::process::geteuid().as_raw(), group: rustix::process::getegid().as_raw() };
    let mode = if what == What::Folder { 0o700 } else { 0o600 };
    let modified = (modified.unwrap_or(0), 0);
    let identity = (DEVICE, number);
    Look { what, identity, names: 1, length, stored: length, owner, mode, modified, changed: modified }
}

/// The number of what is known by this only. Those that are given out begin below.
pub(super) fn number(of: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish() | 1 << 63
}

/// An object or a folder that is there: nothing of it can be changed.
pub(super) struct There {
    pub(super) look: Look,
    /// None for a folder.
    pub(super) object: Option<Box<dyn Object>>,
}

fn unchangeable() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "an object of a bucket is written once and as a whole")
}

impl There {
    fn object(&self) -> io::Result<&dyn Object> {
        self.object.as_deref().ok_or_else(|| io::ErrorKind::IsADirectory.into())
    }
}

impl Object for There {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.object()?.read_at(at, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        self.object()?.length()
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(self.look.identity)
    }
}

impl Inode for There {
    fn look(&self) -> io::Result<Look> {
        Ok(self.look)
    }

    fn set_owner(&self, _: Option<u32>, _: Option<u32>) -> io::Result<()> {
        Ok(())
    }

    fn set_mode(&self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_modified(&self, _: Time) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }
}

impl Writable for There {
    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(unchangeable())
    }

    fn set_length(&self, _: u64) -> io::Result<()> {
        Err(unchangeable())
    }

    fn as_object(&self) -> &dyn Object {
        self
    }

    fn reflink(&self, _: &dyn Object) -> bool {
        false
    }
}

/// A draft, for whoever holds it.
pub(super) struct Drafted(pub(super) Arc<Spool>);

impl Object for Drafted {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(at, buffer)
    }

    fn length(&self) -> io::Result<u64> {
        Object::length(&*self.0)
    }

    fn identity(&self) -> io::Result<Identity> {
        self.0.identity()
    }
}

impl Inode for Drafted {
    fn look(&self) -> io::Result<Look> {
        self.0.looked()
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> io::Result<()> {
        self.0.set_owner(user, group)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.0.set_mode(mode)
    }

    fn set_modified(&self, modified: Time) -> io::Result<()> {
        self.0.set_modified(modified)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.0.try_lock()
    }
}

impl Writable for Drafted {
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(at, bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_length(length)
    }

    fn as_object(&self) -> &dyn Object {
        self
    }

    fn reflink(&self, _: &dyn Object) -> bool {
        false
    }
}
