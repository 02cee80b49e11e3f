//! `Pool`: the objects of a set: whether one is there, and how one comes to be there.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use highwater_core::digest::Digest;
use highwater_core::formats::tree::names;
use highwater_core::name::Name;

use super::stage::{Begun, Stage};
use crate::disk::like::Like;
use crate::disk::{self, Disk, Look, What, make_folder};
use crate::error::Error;
use crate::store::Store;
use crate::watch::Watch;

/// Objects of so many are looked for at once, between two looks at whether the user wants to stop.
const MANY: usize = 1024;

/// What an object is: its length and its digest.
pub(super) type Sum = (u64, Digest);

/// The pool.
pub(super) struct Pool<'a> {
    to: &'a dyn Disk,
    pub(super) dry_run: bool,
    /// Its folders, by the first byte of the digests, as far as they were needed.
    folders: [OnceLock<Box<dyn Disk>>; 256],
    /// Two files must not make one folder at the same time.
    making: Mutex<()>,
    /// What this run has stored, and how long each is.
    new: Mutex<HashMap<Digest, u64>>,
    /// Where objects lie until they are durable, if there are any.
    stage: OnceLock<Stage<'a>>,
    waiting: Mutex<Waiting>,
}

/// Objects that are whole and not durable.
#[derive(Default)]
struct Waiting {
    /// What they are called meanwhile, and what they hold.
    works: Vec<(Name, Digest)>,
    bytes: u64,
}

/// The first byte of a digest, which says in which folder its object lies.
fn first(digest: &Digest) -> u8 {
    digest.as_bytes().first().copied().unwrap_or_default()
}

/// The name of an object in its folder.
fn last(digest: &Digest) -> Result<Name, Error> {
    Ok(Name::new(digest.to_string().as_bytes())?)
}

/// How a file of the pool may be read: by whoever may read its source, if that is everybody.
fn like_object(around: &Look, source: &Look) -> Like {
    Like::new_in(around).with_mode(if source.mode & 0o444 == 0o444 { 0o444 } else { 0o400 })
}

impl<'a> Pool<'a> {
    pub(super) fn new(to: &'a dyn Disk, dry_run: bool) -> Self {
        Self {
            to,
            dry_run,
            folders: [const { OnceLock::new() }; 256],
            making: Mutex::default(),
            new: Mutex::default(),
            stage: OnceLock::new(),
            waiting: Mutex::default(),
        }
    }

    /// Its root is that of the set.
    pub(super) fn disk(&self) -> &'a dyn Disk {
        self.to
    }

    fn stored(&self) -> MutexGuard<'_, HashMap<Digest, u64>> {
        self.new.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many objects were stored, and how long they are together.
    pub(super) fn new_ones(&self) -> (u64, u64) {
        let stored = self.stored();
        (stored.len() as u64, stored.values().sum())
    }

    /// What is told of an object that something cannot be done with.
    fn told<'s>(&'s self, verb: &'static str, digest: &'s Digest) -> impl FnOnce(io::Error) -> Error + 's {
        move |error| match names::object(digest) {
            Some(name) => Error::at(verb, self.to, &name)(error),
            None => Error::failed(format!("cannot {verb} an object: {error}")),
        }
    }

    /// The folder that objects lie in whose digests begin with this byte; none if there is none.
    fn folder(&self, byte: u8) -> io::Result<Option<&dyn Disk>> {
        let slot = &self.folders[usize::from(byte)];
        if let Some(folder) = slot.get() {
            return Ok(Some(&**folder));
        }
        let name = Name::new(format!("{}/{byte:02x}", names::OBJECTS).as_bytes()).map_err(io::Error::other)?;
        match self.to.beneath(&name) {
            Ok(folder) => Ok(Some(&**slot.get_or_init(|| folder))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same, which is made if it is not there.
    fn made_folder(&self, byte: u8) -> io::Result<&dyn Disk> {
        if let Some(folder) = self.folder(byte)? {
            return Ok(folder);
        }
        let _alone = self.making.lock();
        let name = Name::new(format!("{}/{byte:02x}", names::OBJECTS).as_bytes()).map_err(io::Error::other)?;
        let pool = self.to.look(name.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?;
        if self.to.look(Some(&name))?.is_none() {
            make_folder(self.to, &name, &Like::of(&pool))?;
        }
        self.folder(byte)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Whether it has an object of this length.
    pub(super) fn has(&self, (length, digest): &Sum) -> Result<bool, Error> {
        let name = last(digest)?;
        let look = || self.folder(first(digest))?.map_or(Ok(None), |folder| folder.look(Some(&name)));
        let there = look().map_err(self.told("look at", digest))?;
        Ok(there.is_some_and(|there| there.what == What::File && there.length == *length))
    }

    /// Which of these it does not have, by their places, in order.
    pub(super) fn lacks(&self, sums: &[&Sum], watch: &Watch<'_>) -> Result<Vec<usize>, Error> {
        let mut order: Vec<usize> = (0..sums.len()).collect();
        // Those of one folder are looked for together.
        order.sort_unstable_by_key(|at| (first(&sums[*at].1), *at));
        let all = Mutex::new(Vec::new());
        let chunks: Vec<&[usize]> = order.chunks(MANY).collect();
        disk::each(self.to, &chunks, |places| {
            watch.go_on()?;
            for at in *places {
                if !self.has(sums[*at])? {
                    all.lock().unwrap_or_else(PoisonError::into_inner).push(*at);
                }
            }
            Ok(())
        })?;
        let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.sort_unstable();
        Ok(all)
    }

    /// Where objects lie until they are durable.
    fn stage(&self) -> io::Result<&Stage<'a>> {
        if let Some(stage) = self.stage.get() {
            return Ok(stage);
        }
        let _alone = self.making.lock();
        if let Some(stage) = self.stage.get() {
            return Ok(stage);
        }
        let made = Stage::begin(self.to)?;
        Ok(self.stage.get_or_init(|| made))
    }

    /// Begins an object whose digest nobody knows yet.
    pub(super) fn begin(&self) -> Result<Begun, Error> {
        let begin = || self.stage()?.create();
        begin().map_err(Error::of_folder("write in", self.to, None))
    }

    /// Gives up what was begun.
    pub(super) fn give_up(&self, begun: Begun) {
        if let Some(stage) = self.stage.get() {
            // What stays goes with the folder.
            _ = stage.inside.remove(&begun.work);
        }
    }

    /// What was begun is whole, and gets its name when it is durable, unless the pool has the object. It is a copy of a
    /// file like `source`.
    pub(super) fn publish(&self, begun: Begun, source: &Look, sum: &Sum, watch: &Watch<'_>) -> Result<(), Error> {
        if self.has(sum)? || !self.is_first(sum) {
            self.give_up(begun);
            return Ok(());
        }
        let give = || {
            let pool = self.to.look(Some(&Name::new(names::OBJECTS.as_bytes()).map_err(io::Error::other)?))?;
            _ = like_object(&pool.ok_or(io::ErrorKind::NotFound)?, source).give(&*begun.file)?;
            Ok(())
        };
        give().map_err(self.told("write", &sum.1))?;
        self.staged(begun.work, sum, watch)
    }

    /// Stores bytes, unless it has the object. They are those of a file like `source`.
    pub(super) fn put(&self, bytes: &[u8], source: &Look, sum: &Sum, watch: &Watch<'_>) -> Result<(), Error> {
        if self.has(sum)? {
            return Ok(());
        }
        let begun = self.begin()?;
        begun.file.write_at(0, bytes).map_err(self.told("write", &sum.1))?;
        self.publish(begun, source, sum, watch)
    }

    /// Counts an object that a run would store.
    pub(super) fn would_store(&self, sum: &Sum) -> Result<(), Error> {
        if !self.has(sum)? {
            self.is_first(sum);
        }
        Ok(())
    }

    /// Makes a file an object by a second name; why not, if that is not to be had. `look` is what the file is like.
    pub(super) fn link(
        &self,
        (from, file): (&dyn Store, &Name),
        look: &Look,
        sum: &Sum,
        watch: &Watch<'_>,
    ) -> Result<io::Result<()>, Error> {
        let link = || {
            let stage = self.stage()?;
            let work = stage.name()?;
            stage.inside.adopt(from, file, &work)?;
            if stage.inside.look(Some(&work))?.is_some_and(|there| there.identity == look.identity) {
                return Ok(work);
            }
            stage.inside.remove(&work)?;
            Err(io::Error::other("another file came in its place"))
        };
        let work = match link() {
            Ok(work) => work,
            Err(error) => return Ok(Err(error)),
        };
        if self.is_first(sum) {
            self.staged(work, sum, watch)?;
        } else if let Some(stage) = self.stage.get() {
            _ = stage.inside.remove(&work);
        }
        Ok(Ok(()))
    }

    /// Whether nobody has stored these bytes in this run; from now on somebody has.
    fn is_first(&self, (length, digest): &Sum) -> bool {
        self.stored().insert(*digest, *length).is_none()
    }

    /// Remembers what waits to be durable. When that is much, it is placed.
    fn staged(&self, work: Name, (length, digest): &Sum, watch: &Watch<'_>) -> Result<(), Error> {
        let is_much = {
            let (much, many) = self.to.waits();
            let mut waiting = self.waiting();
            waiting.works.push((work, *digest));
            waiting.bytes = waiting.bytes.saturating_add(*length);
            waiting.bytes > much || waiting.works.len() > many
        };
        if is_much { self.place(watch) } else { Ok(()) }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes durable what waits for it, and gives it its names: no name in the pool may outlast a power cut that its
    /// bytes do not.
    pub(super) fn place(&self, watch: &Watch<'_>) -> Result<(), Error> {
        let Waiting { works, .. } = std::mem::take(&mut *self.waiting());
        let Some(stage) = self.stage.get().filter(|_| !works.is_empty()) else { return Ok(()) };
        self.to.barrier(Some(&stage.work)).map_err(Error::of_folder("sync", self.to, Some(&stage.work)))?;
        let place = |(work, digest): &(Name, Digest)| {
            watch.go_on()?;
            let name = names::object(digest).ok_or_else(|| Error::failed("a digest has no name"))?;
            let from = stage.work.join(work.as_bytes())?;
            // One that is there and has another length is damaged, and is replaced.
            let place = || self.made_folder(first(digest)).and_then(|_| self.to.rename(&from, &name));
            place().map_err(self.told("write", digest))
        };
        disk::each(self.to, &works, place)
    }
}
