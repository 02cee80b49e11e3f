//! `Objects`: the pool that files are written into.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::formats::tree::names;
use highwater_core::name::{Name, TEMPORARY};

use super::like_object;
use super::walk::Found;
use crate::disk::like::Like;
use crate::disk::{Disk, Draft, Look, What, make_folder};
use crate::error::Error;
use crate::watch::Watch;

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// How often a file is read that changes meanwhile.
const TRIES: u32 = 3;

/// The pool.
pub(super) struct Objects<'a> {
    from: &'a dyn Disk,
    to: &'a dyn Disk,
    dry_run: bool,
    /// What this run has stored, and how long each is.
    new: Mutex<HashMap<Name, u64>>,
    /// Two files must not make one folder at the same time.
    folders: Mutex<()>,
}

/// What came of a file.
pub(super) enum Kept {
    /// It is in the pool.
    Whole {
        length: u64,
        digest: Digest,
        /// It changed each time while it was read.
        has_changed: bool,
    },
    /// It is not: why, as a clause.
    Not(String),
    /// It is not, as the file is there no more: why, as a clause.
    Gone(String),
}

/// What one reading of a file gave.
struct Read {
    length: u64,
    digest: Digest,
    is_still: bool,
}

impl<'a> Objects<'a> {
    pub(super) fn new(from: &'a dyn Disk, to: &'a dyn Disk, dry_run: bool) -> Self {
        Self { from, to, dry_run, new: Mutex::default(), folders: Mutex::default() }
    }

    fn stored(&self) -> MutexGuard<'_, HashMap<Name, u64>> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many objects were stored, and how long they are together.
    pub(super) fn new_ones(&self) -> (u64, u64) {
        let stored = self.stored();
        (stored.len() as u64, stored.values().sum())
    }

    /// Puts a file into the pool.
    pub(super) fn keep(&self, one: &Found, watch: &Watch<'_>) -> Result<Kept, Error> {
        let mut changed = None;
        for number in 1..=TRIES {
            watch.go_on()?;
            match self.read(one, watch, number == 1)? {
                Ok(Read { length, digest, is_still: true }) => {
                    return Ok(Kept::Whole { length, digest, has_changed: false });
                }
                Ok(Read { length, digest, is_still: false }) => {
                    watch.note(format!("'{}' changed while it was read", one.name));
                    changed = Some(Kept::Whole { length, digest, has_changed: true });
                }
                Err(error) => {
                    let is_gone = error.kind() == io::ErrorKind::NotFound;
                    let why = format!("cannot be read: {error}");
                    return Ok(if is_gone { Kept::Gone(why) } else { Kept::Not(why) });
                }
            }
        }
        Ok(changed.unwrap_or_else(|| Kept::Not("was not read".to_owned())))
    }

    /// Reads a file once, into a draft. The inner error is that of the source.
    fn read(&self, one: &Found, watch: &Watch<'_>, counts: bool) -> Result<io::Result<Read>, Error> {
        let object = match self.from.open(&one.name) {
            Ok(object) => object,
            Err(error) => return Ok(Err(error)),
        };
        let before = match self.look(one) {
            Ok(look) => look,
            Err(error) => return Ok(Err(error)),
        };
        let pool = Name::new(names::OBJECTS.as_bytes())?;
        let work = pool.join(b"new")?;
        let draft = if self.dry_run { None } else { Some(self.draft(&work)?) };
        let (mut hasher, mut at, mut failed) = (Hasher::new(Algorithm::Sha256), 0_u64, Ok(()));
        let read = object.for_each_piece(0, u64::MAX, &mut vec![0; PIECE], |piece| {
            hasher.update(piece);
            if let Some(draft) = &draft {
                failed = draft.file().write_at(at, piece);
            }
            at += piece.len() as u64;
            if counts {
                watch.advance(piece.len() as u64);
            }
            failed.is_ok() && !watch.stopping()
        });
        watch.go_on()?;
        failed.map_err(Error::at("write", self.to, &work))?;
        if let Err(error) = read {
            return Ok(Err(error));
        }
        let is_still = self.look(one).is_ok_and(|after| {
            let told = |look: &Look| (look.identity, look.length, look.modified);
            told(&after) == told(&before) && after.length == at
        });
        let digest = hasher.finish();
        self.publish(draft, one, (at, &digest))?;
        Ok(Ok(Read { length: at, digest, is_still }))
    }

    fn look(&self, one: &Found) -> io::Result<Look> {
        let look = self.from.look(Some(&one.name))?;
        look.filter(|look| look.what == What::File).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn draft(&self, work: &Name) -> Result<Draft<'_>, Error> {
        Draft::of(self.to, work, TEMPORARY).map_err(Error::at("write", self.to, work))
    }

    /// Gives a draft its name in the pool, unless that has the object.
    fn publish(&self, draft: Option<Draft<'_>>, one: &Found, (length, digest): (u64, &Digest)) -> Result<(), Error> {
        let name = names::object(digest).ok_or_else(|| Error::failed("a digest has no name"))?;
        let told = || Error::at("write", self.to, &name);
        if has(self.to, &name, length).map_err(told())? {
            return Ok(());
        }
        self.stored().insert(name.clone(), length);
        let Some(draft) = draft else { return Ok(()) };
        let publish = || {
            let folder = name.folder().ok_or(io::ErrorKind::NotFound)?;
            let pool = self.to.look(folder.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?;
            {
                let _alone = self.folders.lock();
                if self.to.look(Some(&folder))?.is_none() {
                    make_folder(self.to, &folder, &Like::of(&pool))?;
                }
            }
            _ = draft.give(&like_object(&pool, &one.look))?;
            // One that is there and has another length is damaged, and is replaced.
            draft.publish(&name)
        };
        publish().map_err(told())
    }
}

/// Whether the pool has an object of this length.
fn has(to: &dyn Disk, name: &Name, length: u64) -> io::Result<bool> {
    let there = to.look(Some(name))?;
    Ok(there.is_some_and(|there| there.what == What::File && there.length == length))
}

/// Makes all of it durable, and looks once more whether every object is there that a point is to name.
pub(super) fn complete<'s>(
    to: &dyn Disk,
    sums: impl Iterator<Item = &'s (u64, Digest)>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    to.barrier(None).map_err(Error::of_folder("sync", to, None))?;
    for (length, digest) in sums {
        watch.go_on()?;
        let name = names::object(digest).ok_or_else(|| Error::failed("a digest has no name"))?;
        if !has(to, &name, *length).map_err(Error::at("look at", to, &name))? {
            return Err(Error::failed(format!(
                "'{name}' is gone, and it was there: look who removes objects, and run again; no point was made"
            )));
        }
    }
    Ok(())
}
