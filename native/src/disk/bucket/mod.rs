//! `Shelf`: a prefix of a bucket as a disk. What has a name there is an object, which came there as a whole.
//!
//! * A draft lies on this machine ([`spool`]) until it gets its name: that is the upload, under a name that must be
//!   free, or in the place of the object that this run knows (see [`crate::s3::Put`]). It is durable when it has its
//!   name, so nothing is left to sync, and no draft outlasts its run.
//! * Folders need no making: one that was made is remembered as long as the run goes on.
//! * What is there is known from lists. The names that this run gave are added to what is known; a barrier ends the
//!   trust in all of it, so that what comes behind looks anew.
//! * The lock is an object, too ([`lease`]). While it is held, each upload and each removal sees first whether it still
//!   is; and a sync, which comes before whatever makes a point, asks S3.
//! * Owners, permissions and times are not kept, links and devices are refused. An object that gets another name is
//!   copied by S3, and removed.

mod lease;
mod life;
mod ops;
mod spool;
mod there;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use highwater_core::name::Name;

use super::{Look, What};
use crate::s3::{Ask, Client, Error, Put, Stored, Under};
use crate::store::{Bucket, Known, Object, Store as _, Told, cannot};
use spool::{Spool, Upload};
use there::{looked, number};

/// S3 copies no longer objects in one step, in bytes.
const COPIED: u64 = 5 << 30;

/// Of so many names that were given last it is remembered which drafts they were.
const PLACED: usize = 1024;

/// How much waits on this machine before it is uploaded: bytes, and drafts.
const WAITS: (u64, usize) = (256 << 20, 256);

/// A root in a bucket, or a folder of it.
pub struct Shelf {
    all: Arc<All>,
    /// None for the root.
    below: Option<Name>,
}

/// What all folders of a root share.
struct All {
    bucket: Arc<Bucket>,
    /// The client for the lock, until that is taken.
    keeper: Mutex<Option<Arc<Client>>>,
    made: Mutex<Made>,
    next: AtomicU64,
    lease: Mutex<Option<Arc<lease::Shared>>>,
}

/// What this run made.
#[derive(Default)]
struct Made {
    drafts: BTreeMap<Name, Arc<Spool>>,
    folders: BTreeMap<Name, u64>,
    placed: VecDeque<(Name, u64)>,
}

impl Made {
    /// The name of something that lay in `from`, or was it, when it lies in `to`.
    fn moved(name: &Name, from: &Name, to: &Name) -> Option<Name> {
        let rest = name.as_bytes().strip_prefix(from.as_bytes())?;
        match rest {
            [] => Some(to.clone()),
            [b'/', rest @ ..] => to.join(rest).ok(),
            _ => None,
        }
    }
}

impl Shelf {
    /// A root to be written to; `keeper` asks for its lock, also when the run is to stop.
    #[must_use]
    pub fn new(bucket: Bucket, keeper: Client) -> Self {
        let all = All {
            bucket: Arc::new(bucket),
            keeper: Mutex::new(Some(Arc::new(keeper))),
            made: Mutex::default(),
            next: AtomicU64::new(1),
            lease: Mutex::default(),
        };
        Self { all: Arc::new(all), below: None }
    }

    fn full(&self, name: &Name) -> io::Result<Name> {
        self.below
            .as_ref()
            .map_or_else(|| Ok(name.clone()), |below| below.join(name.as_bytes()))
            .map_err(io::Error::other)
    }

    fn folder(&self, name: Option<&Name>) -> io::Result<Option<Name>> {
        name.map_or_else(|| Ok(self.below.clone()), |name| self.full(name).map(Some))
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.all.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self) -> u64 {
        self.all.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether the lock is held still, if one was taken.
    fn holds(&self) -> io::Result<()> {
        let lease = self.all.lease.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lease.map_or(Ok(()), |lease| lease.holds())
    }

    /// The same, as S3 says.
    fn holds_now(&self) -> io::Result<()> {
        let lease = self.all.lease.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lease.map_or(Ok(()), |lease| lease.holds_now())
    }

    /// The object that has a name, as far as is known.
    fn object(&self, full: &Name) -> io::Result<Option<Known>> {
        Ok(if let Told::Object(known) = self.all.bucket.tell(full)? { Some(known) } else { None })
    }

    fn put(&self, under: Under<'_>, to: &Name, draft: &Upload<'_>) -> Result<Stored, Error> {
        let (bucket, key, guard) = (&self.all.bucket, self.all.bucket.key(to), || self.holds());
        bucket.client().put(&Put { bucket: bucket.called(), key: &key, under, guard: Some(&guard) }, draft)
    }

    /// Uploads a draft.
    fn upload(&self, spool: &Spool, to: &Name, is_new: bool) -> io::Result<()> {
        let bucket = &self.all.bucket;
        let draft = Upload { spool, length: Object::length(spool)? };
        let old = if is_new { None } else { self.object(to)? };
        if old.as_ref().is_some_and(|old| old.etag.is_empty()) {
            return Err(io::Error::other("S3 does not tell its ETag, without which it cannot be replaced"));
        }
        let under = old.as_ref().map_or(Under::Free, |old| Under::Of(&old.etag));
        let stored = match self.put(under, to, &draft) {
            Ok(stored) => stored,
            Err(Error::Changed { .. }) if is_new => {
                bucket.known().forget(to, false);
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            // A list may have been older than what is there.
            Err(error @ (Error::Changed { .. } | Error::NotFound { .. })) => {
                bucket.known().forget(to, false);
                let key = bucket.key(to);
                let same = bucket.client().has(&Ask::latest(bucket.called(), &key), &draft).map_err(cannot)?;
                same.ok_or_else(|| io::Error::other(format!("{error}; look who else writes there, and run again")))?
            }
            Err(error) => return Err(cannot(error)),
        };
        bucket.known().keep(to, Known { length: draft.length, etag: stored.etag, modified: None });
        let mut made = self.made();
        made.placed.push_back((to.clone(), spool.number()));
        if made.placed.len() > PLACED {
            made.placed.pop_front();
        }
        Ok(())
    }

    /// Gives a draft, a folder that this run made, or an object another name.
    fn moved(&self, from: &Name, to: &Name, is_new: bool) -> io::Result<()> {
        let (from, to) = (self.full(from)?, self.full(to)?);
        let draft = self.made().drafts.get(&from).cloned();
        if let Some(spool) = draft {
            self.upload(&spool, &to, is_new)?;
            self.made().drafts.remove(&from);
            return Ok(());
        }
        let mut made = self.made();
        if made.folders.contains_key(&from) {
            let Made { drafts, folders, .. } = &mut *made;
            let inside: Vec<Name> =
                drafts.keys().filter(|name| Made::moved(name, &from, &to).is_some()).cloned().collect();
            for name in inside {
                if let (Some(moved), Some(draft)) = (Made::moved(&name, &from, &to), drafts.remove(&name)) {
                    drafts.insert(moved, draft);
                }
            }
            let inside: Vec<Name> =
                folders.keys().filter(|name| Made::moved(name, &from, &to).is_some()).cloned().collect();
            for name in inside {
                if let (Some(moved), Some(number)) = (Made::moved(&name, &from, &to), folders.remove(&name)) {
                    folders.insert(moved, number);
                }
            }
            return Ok(());
        }
        drop(made);
        self.copied(&from, &to, is_new)
    }

    fn copied(&self, from: &Name, to: &Name, is_new: bool) -> io::Result<()> {
        let bucket = &self.all.bucket;
        let known = self.object(from)?.ok_or(io::ErrorKind::NotFound)?;
        if known.length > COPIED {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "S3 copies no object of more than 5 GiB in one step: move it by hand (aws s3 mv), and run again",
            ));
        }
        // Not every server looks at the condition of a copy.
        if is_new && bucket.head(to)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let old = if is_new { None } else { self.object(to)? };
        let under = old.as_ref().map_or(Under::Free, |old| Under::Of(&old.etag));
        let (source, key, guard) = (bucket.key(from), bucket.key(to), || self.holds());
        let put = Put { bucket: bucket.called(), key: &key, under, guard: Some(&guard) };
        let ask = Ask { if_match: Some(&known.etag), ..Ask::latest(bucket.called(), &source) };
        let stored = bucket.client().copy(&ask, &put).map_err(cannot)?;
        bucket.known().keep(to, Known { etag: stored.etag, ..known });
        self.gone(from)
    }

    /// Removes an object.
    fn gone(&self, full: &Name) -> io::Result<()> {
        let bucket = &self.all.bucket;
        let (key, guard) = (bucket.key(full), || self.holds());
        bucket.client().remove(&Ask::latest(bucket.called(), &key), Some(&guard)).map_err(cannot)?;
        bucket.known().forget(full, true);
        Ok(())
    }

    fn looked_at(&self, full: &Name) -> io::Result<Option<Look>> {
        let placed = {
            let made = self.made();
            if let Some(spool) = made.drafts.get(full) {
                return spool.looked().map(Some);
            }
            if let Some(number) = made.folders.get(full) {
                return Ok(Some(looked(What::Folder, *number, 0, None)));
            }
            made.placed.iter().rev().find(|(name, _)| name == full).map(|(_, number)| *number)
        };
        // What lies in the root may be a folder, which only a list tells.
        if full.folder().is_none() && self.all.bucket.known().get(full) == Told::Unknown {
            match self.all.bucket.list(None, &mut |_| {}) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                listed => listed?,
            }
        }
        Ok(match self.all.bucket.tell(full)? {
            Told::Object(Known { length, etag, modified }) => {
                let number = placed.unwrap_or_else(|| number((full, etag)));
                Some(looked(What::File, number, length, modified))
            }
            Told::Folder => Some(looked(What::Folder, number(full), 0, None)),
            Told::Nothing | Told::Unknown => None,
        })
    }
}
