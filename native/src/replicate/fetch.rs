//! `Fetch`: the source, of which whatever is read of an object is written into the work folder on its way to the check.
//!
//! What comes of an object is known when its claim is settled: it is kept for its place, or removed. A long one that an
//! earlier run began is read from what has come already, then from the source; it is checked from its first byte on.

use std::any::Any;
use std::collections::{HashMap, hash_map};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::inspect::Entry;
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::part::{Change, Part};
use highwater_core::report::Depth;

use super::catalogue::Catalogue;
use super::copied;
use super::work::Work;
use crate::disk::{What, Writable};
use crate::drive::{check_bytes, fits};
use crate::error::Error;
use crate::store::{Identity, Kept, Object, Store};
use crate::watch::Watch;

/// From this length on, in bytes, the next run goes on with an object that has not come to its end.
pub const LONG: u64 = 64 << 20;

/// The source, and what has come of it.
pub(super) struct Fetch<'a> {
    pub(super) catalogue: &'a Catalogue<'a>,
    /// None where nothing is written.
    pub(super) work: Option<&'a Work<'a>>,
    pub(super) key: Option<&'a Key>,
    /// Reads what the replica has.
    pub(super) reads: bool,
    pub(super) watch: &'a Watch<'a>,
    /// Objects that are being read, or wait for their verdict.
    coming: Mutex<HashMap<Name, Arc<Coming>>>,
    /// Why nothing more can be written, or the replica not be read.
    failed: Mutex<Option<Error>>,
    /// Bytes that are known to be lacking, and how many there is room for.
    lacking: AtomicU64,
    room: Option<u64>,
}

/// An object that comes.
struct Coming {
    source: Box<dyn Object>,
    length: u64,
    kept: Kept,
    work: Name,
    file: Box<dyn Writable>,
    /// So many of its first bytes are in the file.
    have: AtomicU64,
    /// How many of these an earlier run left.
    resumed: u64,
    /// Why the file could not be read or written.
    broken: Mutex<Option<io::Error>>,
}

/// What became of an object that was read.
pub(super) enum Came {
    /// It is whole, under this name in the work folder, and so long.
    Whole(Name, u64),
    /// It is not, and nothing of it is left.
    Nothing,
    /// The same; an earlier run had begun it, and may have begun another one.
    Resumed,
}

impl<'a> Fetch<'a> {
    pub(super) fn new(
        catalogue: &'a Catalogue<'a>,
        work: Option<&'a Work<'a>>,
        (key, reads): (Option<&'a Key>, bool),
        watch: &'a Watch<'a>,
    ) -> Result<Self, Error> {
        let room = catalogue.to.room().map_err(Error::of_folder("look at", catalogue.to, None))?;
        let room = room.filter(|room| !room.shares).map(|room| room.free);
        let (coming, failed, lacking) = (Mutex::default(), Mutex::default(), AtomicU64::new(0));
        Ok(Self { catalogue, work, key, reads, watch, coming, failed, lacking, room })
    }

    /// Whether the replica has the object of a claim. Its name is enough where objects never change and what it holds
    /// can be what is claimed: nothing has its name before it is whole and durable.
    ///
    /// # Errors
    /// The replica cannot be read.
    pub(super) fn has(&self, claim: &Claim) -> Result<bool, Error> {
        let (catalogue, to, name) = (self.catalogue, self.catalogue.to, &claim.object);
        let Part::Object(change) = (catalogue.parts)(name, false) else { return Ok(false) };
        let there = match to.look(Some(name)) {
            // A file has the name of its folder.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => None,
            there => there.map_err(Error::at("look at", to, name))?.filter(|look| look.what == What::File),
        };
        let Some(there) = there else { return Ok(false) };
        let is_plain = claim.codec == Codec::Plain && claim.range.is_none();
        let as_source = || {
            let source = catalogue.from.open(name).and_then(|object| Ok((object.length()?, object.kept()?)));
            source.is_ok_and(|(length, kept)| {
                length == there.length && (change != Change::Any || kept.modified == Some(there.modified))
            })
        };
        let fits = match change {
            _ if is_plain && there.length != claim.expect.length => false,
            Change::Never | Change::Grows if is_plain => true,
            Change::Never | Change::Grows if claim.codec.sealing().is_some() => {
                fits(to.as_store(), claim, self.key) == Verdict::Sound
            }
            _ => as_source(),
        };
        if !fits || !self.reads {
            return Ok(fits);
        }
        match check_bytes(to.as_store(), claim, (Depth::Digest, self.key), self.watch, &mut |_| {})?.0 {
            Verdict::Sound | Verdict::Unverifiable(_) => Ok(true),
            Verdict::Damaged(_) => Ok(false),
            Verdict::Unreadable(fault) => Err(Error::failed(format!("{}: {fault}", to.told(Some(name)).display()))),
        }
    }

    /// Says that the object of a claim is to be fetched, and stops where there is no room for it.
    pub(super) fn lacks(&self, claim: &Claim) {
        let least = if claim.codec == Codec::Plain { claim.expect.length } else { 0 };
        let least = least.saturating_sub(self.begun(claim, least));
        let lacking = self.lacking.fetch_add(least, Ordering::Relaxed).saturating_add(least);
        if let Some(free) = self.room.filter(|free| lacking > *free && self.work.is_some()) {
            let what = format!(
                "the replica lacks at least {}, and its file system has room for {}; make room, and run again",
                highwater_core::render::bytes(lacking),
                highwater_core::render::bytes(free)
            );
            self.fail(Error::failed(what));
        }
    }

    /// How many bytes of an object an earlier run left: they have their room already.
    fn begun(&self, claim: &Claim, most: u64) -> u64 {
        let Some(work) = self.work.filter(|_| most >= LONG) else { return 0 };
        let left = work.long(&claim.object).and_then(|name| self.catalogue.to.look(Some(&name)));
        left.ok().flatten().map_or(0, |left| left.length.min(most))
    }

    /// Ends the run: whatever is opened from now on cannot be read.
    pub(super) fn fail(&self, error: Error) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Why the run had to end.
    pub(super) fn failed(&self) -> Option<Error> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn has_failed(&self) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Takes an object whose claim is settled, if it was fetched: whether it is to be kept says `keep`.
    ///
    /// # Errors
    /// The replica cannot be written.
    pub(super) fn settle(&self, name: &Name, keep: bool, is_read: bool) -> Result<Option<Came>, Error> {
        let coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        let Some(coming) = coming else { return Ok(None) };
        let to = self.catalogue.to;
        if let Some(error) = coming.broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(Error::at("write", to, name)(error));
        }
        let have = coming.have.load(Ordering::Acquire);
        if keep && have == coming.length {
            let like = self.catalogue.like(coming.kept.mode)?;
            copied(&*coming.file, &like, coming.kept).map_err(Error::at("write", to, name))?;
            return Ok(Some(Came::Whole(coming.work.clone(), have)));
        }
        // What came of a long one that cannot be read on now is the next run's.
        if is_read || !Work::is_long(&coming.work) {
            to.remove(&coming.work).map_err(Error::at("remove", to, &coming.work))?;
        }
        Ok(Some(if coming.resumed > 0 && is_read { Came::Resumed } else { Came::Nothing }))
    }

    fn begin(&self, name: &Name, work: &Work<'_>) -> Result<io::Result<Coming>, Error> {
        let opened = || {
            let source = self.catalogue.from.open(name)?;
            let (length, kept) = (source.length()?, source.kept()?);
            Ok::<_, io::Error>((source, length, kept))
        };
        let (source, length, kept) = match opened() {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error)),
        };
        let to = self.catalogue.to;
        let file = || {
            if length < LONG && (self.catalogue.parts)(name, false) != Part::Object(Change::Grows) {
                let work = work.name()?;
                return Ok((to.create(&work)?, work, 0));
            }
            let work = work.long(name)?;
            match to.open_for_writing(&work) {
                Ok(file) => {
                    let resumed = Object::length(&*file)?.min(length);
                    Ok((file, work, resumed))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((to.create(&work)?, work, 0)),
                Err(error) => Err(error),
            }
        };
        let (file, work, resumed) = file().map_err(Error::at("write", to, name))?;
        let (have, broken) = (AtomicU64::new(resumed), Mutex::default());
        Ok(Ok(Coming { source, length, kept, work, file, have, resumed, broken }))
    }
}

impl Store for Fetch<'_> {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.catalogue.told(name)
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        self.catalogue.list(folder, each)
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        if self.has_failed() {
            return Err(io::Error::other("the run is ending"));
        }
        let is_object = matches!((self.catalogue.parts)(name, false), Part::Object(_));
        let Some(work) = self.work.filter(|_| is_object) else { return self.catalogue.open(name) };
        match self.begin(name, work) {
            Ok(Ok(coming)) => {
                let coming = Arc::new(coming);
                match self.coming.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()) {
                    hash_map::Entry::Vacant(free) => _ = free.insert(Arc::clone(&coming)),
                    // What one claim proves of it is nothing that the other may take.
                    hash_map::Entry::Occupied(_) => {
                        return Err(io::Error::other("two claims of an index read it at once"));
                    }
                }
                Ok(Box::new(Reading(coming)))
            }
            Ok(Err(error)) => Err(error),
            Err(error) => {
                self.fail(error);
                Err(io::Error::other("the replica cannot be written"))
            }
        }
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.catalogue.length(name)
    }

    fn place(&self, name: &Name) -> u64 {
        self.catalogue.place(name)
    }

    fn is_locked(&self, name: &Name) -> bool {
        self.catalogue.is_locked(name)
    }

    fn identity(&self, folder: Option<&Name>) -> Option<Identity> {
        self.catalogue.identity(folder)
    }

    fn ways(&self) -> Option<usize> {
        self.catalogue.ways()
    }

    fn as_any(&self) -> Option<&dyn Any> {
        None
    }
}

/// An object, for whoever checks it.
struct Reading(Arc<Coming>);

impl Object for Reading {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let Coming { source, file, have, broken, .. } = &*self.0;
        let had = have.load(Ordering::Acquire);
        let break_with = |error: io::Error| {
            let told = io::Error::new(error.kind(), error.to_string());
            broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            told
        };
        if at > had {
            return Err(io::Error::other("it is not read from front to back"));
        }
        if at < had {
            let room = usize::try_from(had - at).unwrap_or(usize::MAX).min(buffer.len());
            let read = file.as_object().read_at(at, &mut buffer[..room]).map_err(break_with)?;
            return if read == 0 { Err(break_with(io::ErrorKind::UnexpectedEof.into())) } else { Ok(read) };
        }
        let read = source.read_at(at, buffer)?;
        if read > 0 {
            file.write_at(at, &buffer[..read]).map_err(break_with)?;
            have.store(at + read as u64, Ordering::Release);
        }
        Ok(read)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.length)
    }

    fn will_need(&self, at: u64, length: u64) {
        self.0.source.will_need(at, length);
    }

    fn identity(&self) -> io::Result<Identity> {
        self.0.source.identity()
    }

    fn kept(&self) -> io::Result<Kept> {
        Ok(self.0.kept)
    }
}
