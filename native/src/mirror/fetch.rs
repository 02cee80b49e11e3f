//! Fetches what a plan wants: each version checked as it arrives, and put where it belongs, or where it waits until its
//! place is free.
//!
//! A body is written in the stage, by the number of its row, and then renamed. So nothing in the tree is ever half
//! there, a temporary name makes no name longer, and what a killed run leaves lies in one folder. What may be in its
//! place already, as a run was killed or another program made the mirror, is held against S3's record before anything
//! is asked for, if it has the right length.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use highwater_core::formats::mirror::plan::Wish;
use highwater_core::formats::mirror::plan::outcome::{Had, Outcome};
use highwater_core::formats::mirror::plan::part::Part;
use highwater_core::formats::mirror::wanted::{Wanted, Why};
use highwater_core::inventory::Etag;
use highwater_core::name::Name;
use highwater_core::shard::Shard;

use super::area::{Area, LOOK};
use super::body::{Body, Outcome as Bytes};
use super::journal::{self, Journal};
use super::outcomes::Outcomes;
use super::parts::Parts;
use super::place::{draft, settle, stage};
use super::there;
use super::wants::why;
use crate::disk::like::Like;
use crate::error::Error;
use crate::s3::{Ask, Client};
use crate::store::Locks;
use crate::watch::Watch;

/// How often bytes are asked for anew that are not what S3 recorded.
const TRIES: u32 = 3;

/// Versions that a worker takes at a time: so many, or less if they have so many bytes. Those of a folder go to one
/// worker, and none waits for another to take one.
const TAKEN: usize = 32;
const TAKEN_BYTES: u64 = 1 << 20;

/// Such batches that wait for a worker.
const AHEAD: usize = 64;

/// What may lie where a version belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expects {
    /// Nothing: what does is in the way.
    Nothing,
    /// What an earlier run of the same plan fetched.
    Ours,
    /// What another program mirrored.
    Anybodys,
}

/// What a fetch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Versions that arrived.
    pub arrived: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that were there already.
    pub there: u64,
    /// Versions that could not be had.
    pub missing: u64,
    /// Records of what had become of a part that were not what was written. Nothing that they say is believed.
    pub damaged: u64,
}

/// Fetches for one plan.
struct Fetching<'a> {
    area: &'a Area<'a>,
    client: &'a Client,
    journal: &'a Journal,
    parts: Parts<'a>,
    outcomes: Outcomes<'a>,
    like: Like,
    expects: Expects,
    /// No pointer is there yet: what lies in the tree may be another program's.
    is_bare: bool,
    watch: &'a Watch<'a>,
    arrived: AtomicU64,
    bytes: AtomicU64,
    there: AtomicU64,
    missing: AtomicU64,
    failed: Mutex<Option<Error>>,
}

/// Starts another worker, as long as there are not enough.
type Hire<'h> = &'h mut dyn FnMut() -> Result<(), Error>;

/// Versions of one part, by the number of the part.
type Batch = (u64, Vec<Wish>);

/// Carries out what a share of the parts of a plan has to fetch, with so many workers; what became of each part, a file
/// says.
///
/// # Errors
/// What stands in the way of all of it: the disk, credentials; the user.
pub(super) fn all(
    area: &Area<'_>,
    client: &Client,
    (journal, share): (&Journal, Shard),
    jobs: usize,
    expects: Expects,
    watch: &Watch<'_>,
) -> Result<Fetched, Error> {
    let look = area.disk.look(None).map_err(Error::of_folder("look at", area.disk, None))?;
    let look = look.ok_or_else(|| Error::failed("the mirror's folder is gone"))?;
    let fetching = Fetching {
        area,
        client,
        journal,
        parts: Parts::open(area, journal)?,
        outcomes: Outcomes::new(area)?,
        like: Like::new_in(&look),
        expects,
        is_bare: area.applied()?.is_none(),
        watch,
        arrived: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        there: AtomicU64::new(0),
        missing: AtomicU64::new(0),
        failed: Mutex::new(None),
    };
    let mine = (0..fetching.parts.count()).filter(|number| share.takes(*number));
    let mine: Vec<(u64, Part)> =
        mine.map(|number| Ok((number, fetching.parts.get(number)?))).collect::<Result<_, Error>>()?;
    mine.iter().for_each(|(_, part)| watch.expect(part.bytes));
    let (give, take) = sync_channel::<Batch>(AHEAD);
    let take = Mutex::new(take);
    let given = thread::scope(|scope| {
        let mut workers = 0;
        // One more for each batch: a rerun that has nothing to ask for starts none.
        let mut hire = || {
            if workers < jobs.max(1) {
                thread::Builder::new().spawn_scoped(scope, || fetching.work(&take)).map_err(Error::no_thread)?;
                workers += 1;
            }
            Ok(())
        };
        fetching.give_all(mine, give, &mut hire)
    });
    // What was fetched by then is kept, whatever came after.
    let flushed = fetching.outcomes.flush();
    let failed = fetching.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
    failed.map_or(Ok(()), Err)?;
    given.and(flushed)?;
    Ok(Fetched {
        arrived: fetching.arrived.into_inner(),
        bytes: fetching.bytes.into_inner(),
        there: fetching.there.into_inner(),
        missing: fetching.missing.into_inner(),
        damaged: fetching.parts.damaged(),
    })
}

/// What became of a version.
enum Became {
    /// It lies where it should, or waits.
    Had(Had),
    /// It could not be had.
    Missing(Why, String),
}

impl Fetching<'_> {
    /// Hands all parts to workers: those that another process has, when it lets go of them.
    fn give_all(&self, mut parts: Vec<(u64, Part)>, give: SyncSender<Batch>, hire: Hire<'_>) -> Result<(), Error> {
        loop {
            let mut later = Vec::new();
            for (number, part) in parts {
                self.go_on()?;
                if !self.give(number, part, (&give, &mut *hire))? {
                    later.push((number, part));
                }
            }
            if later.is_empty() {
                return Ok(());
            }
            // Another may wait for what is ours.
            if self.outcomes.has_whole() {
                self.outcomes.flush()?;
            }
            thread::sleep(LOOK);
            parts = later;
        }
    }

    /// Hands a part to workers, as far as it is not known what became of it; false if another process has it.
    fn give(&self, number: u64, part: Part, (give, hire): (&SyncSender<Batch>, Hire<'_>)) -> Result<bool, Error> {
        let is_had = |outcome: &Outcome| outcome.wanted.is_empty();
        let mut outcome = self.parts.outcome(number, &part, self.watch)?;
        let mut claim = None;
        if self.area.is_shared && !outcome.as_ref().is_some_and(is_had) {
            claim = self.area.claim(&journal::part_lock(number)?)?;
            if claim.is_none() && self.area.disk.locks() == Locks::Needed {
                return Ok(false);
            }
            // Whoever had it may have come to its end.
            outcome = self.parts.outcome(number, &part, self.watch)?;
        }
        if outcome.as_ref().is_some_and(is_had) {
            self.there.fetch_add(part.fetches, Ordering::Relaxed);
            self.watch.advance(part.bytes);
            return Ok(true);
        }
        // What could not be had is tried again.
        let had = match outcome {
            Some(outcome) => outcome.had,
            None => self.parts.so_far(number, &part, self.watch)?.had,
        };
        let known: HashSet<u64> = had.iter().map(|(row, _)| *row).collect();
        self.outcomes.begin(number, part, had, claim);
        let (mut batch, mut bytes) = (Vec::new(), 0_u64);
        let mut send = |batch: &mut Vec<Wish>| {
            self.go_on()?;
            if batch.is_empty() {
                return Ok(());
            }
            hire()?;
            give.send((number, std::mem::take(batch))).map_err(|_| Error::Interrupted)
        };
        self.parts.wishes(&part, &mut |wish| {
            if known.contains(&wish.number) {
                self.there.fetch_add(1, Ordering::Relaxed);
                self.watch.advance(wish.size);
                return Ok(());
            }
            bytes = bytes.saturating_add(wish.size);
            batch.push(wish);
            if batch.len() < TAKEN && bytes < TAKEN_BYTES {
                return Ok(());
            }
            bytes = 0;
            send(&mut batch)
        })?;
        send(&mut batch).map(|()| true)
    }

    /// Whether there is any use in going on.
    fn go_on(&self) -> Result<(), Error> {
        self.watch.go_on()?;
        let has_failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if has_failed { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Works until nothing is left to do.
    fn work(&self, take: &Mutex<Receiver<Batch>>) {
        loop {
            let batch = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((part, batch)) = batch else { return };
            let each = |wish| self.watch.go_on().and_then(|()| self.one(part, wish));
            if let Err(error) = batch.iter().try_for_each(each) {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                // Whoever gives steps may wait for a worker.
                while take.lock().unwrap_or_else(PoisonError::into_inner).recv().is_ok() {}
                return;
            }
        }
    }

    fn one(&self, part: u64, wish: &Wish) -> Result<(), Error> {
        match self.have(wish)? {
            Became::Had(had) => self.outcomes.had(part, wish.number, had),
            Became::Missing(why, message) => {
                self.missing.fetch_add(1, Ordering::Relaxed);
                self.outcomes.wanted(part, wanted(wish, why, message))
            }
        }
    }

    fn have(&self, wish: &Wish) -> Result<Became, Error> {
        let Some(place) = wish.place() else {
            return Ok(Became::Missing(Why::Other, "no file can be named by this key".to_owned()));
        };
        let stage = stage(wish.number)?;
        let at = if wish.staged { &stage } else { &place };
        if (wish.again || self.expects != Expects::Nothing)
            && let Some(had) = self.found(wish, at)?
        {
            self.there.fetch_add(1, Ordering::Relaxed);
            self.watch.advance(wish.size);
            return Ok(Became::Had(had));
        }
        let draft = draft(self.area, wish.number)?;
        let became = self.fetch(wish, &draft)?;
        if let Became::Had(had) = became {
            match wish.staged {
                true if draft == stage => {}
                true => self.area.disk.rename(&draft, &stage).map_err(Error::at("name", self.area.disk, &stage))?,
                false => self.put(wish, (&draft, &place), had)?,
            }
        }
        Ok(became)
    }

    /// Puts what arrived into its place. If the same lies there, as an earlier plan fetched it, that stays.
    fn put(&self, wish: &Wish, (stage, place): (&Name, &Name), had: Had) -> Result<(), Error> {
        let area = self.area;
        match area.disk.rename_new(stage, place) {
            Ok(()) => Ok(()),
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && (there::is_the_same(area, wish, place, had)?
                        || there::found(area, wish, place, false)?.is_some()) =>
            {
                area.remove(stage)
            }
            Err(_) => settle(area, stage, place, self.watch).map(drop),
        }
    }

    /// What is known of a version that lies there already.
    fn found(&self, wish: &Wish, at: &Name) -> Result<Option<Had>, Error> {
        let by_time = self.expects == Expects::Anybodys;
        if let Some(had) = there::found(self.area, wish, at, by_time)? {
            return Ok(Some(had));
        }
        let Some(before) = there::before(wish).filter(|_| self.is_bare && !wish.staged) else { return Ok(None) };
        let had = there::found(self.area, wish, &before, by_time)?;
        if had.is_some() {
            settle(self.area, &before, at, self.watch)?;
        }
        Ok(had)
    }

    /// Fetches a version into the stage.
    fn fetch(&self, wish: &Wish, stage: &Name) -> Result<Became, Error> {
        let (disk, etag) = (self.area.disk, Etag::parse(&wish.etag));
        let bucket = self.journal.applied.bucket.as_str();
        let (version, text) = (String::from_utf8_lossy(&wish.version), String::from_utf8_lossy(&wish.etag));
        let ask = match self.journal.is_versioned {
            true => Ask::version(bucket, &wish.key, &version),
            // Whatever is there now may be newer than what is listed.
            false => Ask { if_match: Some(&text), ..Ask::latest(bucket, &wish.key) },
        };
        let mut last = String::new();
        for _ in 0..TRIES {
            let file = self.area.create(stage)?;
            let mut body = Body {
                file: &*file,
                etag,
                text: &wish.etag,
                size: wish.size,
                at: 0,
                sums: None,
                advance: &|bytes| self.watch.advance(bytes),
            };
            if let Err(error) = self.client.get(&ask, &mut body) {
                let (why, message) = why(error)?;
                self.area.remove(stage)?;
                return Ok(Became::Missing(why, message));
            }
            match body.sums.map(super::body::Sums::end) {
                Some(Bytes::Is(had)) => {
                    let give = || {
                        file.set_modified(wish.modified)?;
                        self.like.give(&*file)
                    };
                    _ = give().map_err(Error::at("write", disk, stage))?;
                    self.arrived.fetch_add(1, Ordering::Relaxed);
                    self.bytes.fetch_add(wish.size, Ordering::Relaxed);
                    return Ok(Became::Had(had));
                }
                Some(Bytes::IsNot) | None => {
                    last = format!("what arrived, {TRIES} times, does not have the MD5 that its ETag says");
                }
            }
        }
        self.area.remove(stage)?;
        Ok(Became::Missing(Why::Other, last))
    }
}

/// A version that could not be had, as it is told of.
pub(super) fn wanted(wish: &Wish, why: Why, message: String) -> Wanted {
    let Wish { key, version, etag, size, .. } = wish.clone();
    Wanted { why, key, version, etag, size, message }
}
