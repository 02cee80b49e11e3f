//! Fetches what a plan wants: each version checked as it arrives, and put where it belongs, or where it waits until its
//! place is free.
//!
//! A body is written in the stage, by the number of its row, and then renamed. So nothing in the tree is ever half
//! there, a temporary name makes no name longer, and what a killed run leaves lies in one folder. What may be in its place
//! already, as a run was killed or another program made the mirror, is held against S3's record before anything is asked
//! for, if it has the right length.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::plan::{Step, Wish};
use highwater_core::formats::mirror::wanted::{Wanted, Why};
use highwater_core::inventory::Etag;
use highwater_core::name::Name;

use super::area::{Area, FOUND, folder, named};
use super::body::{Body, Outcome};
use super::journal::Journal;
use super::results::{Had, Results};
use super::there;
use super::wants::{Wants, why};
use crate::disk::like::Like;
use crate::disk::{Disk, What};
use crate::error::Error;
use crate::s3::{Ask, Client};
use crate::watch::Watch;

/// How often bytes are asked for anew that are not what S3 recorded.
const TRIES: u32 = 3;

/// How a folder is called in the stage that is made.
pub(super) const FOLDER: &[u8] = b"folder";

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
}

/// Fetches for one plan.
struct Fetching<'a> {
    area: &'a Area<'a>,
    client: &'a Client,
    journal: &'a Journal,
    results: Results<'a>,
    wants: Mutex<Wants<'a>>,
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

/// Carries out what a plan has to fetch, with so many workers; says what could not be had in a file.
///
/// # Errors
/// What stands in the way of all of it: the disk, credentials; the user.
pub(super) fn all(
    area: &Area<'_>,
    client: &Client,
    journal: &Journal,
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
        results: Results::open(area)?,
        wants: Mutex::new(Wants::begin(area)?),
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
    watch.expect(journal.bytes);
    let (give, take) = sync_channel::<Vec<Wish>>(AHEAD);
    let take = Mutex::new(take);
    let given = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..jobs.max(1)).map(|_| thread::Builder::new().spawn_scoped(scope, || fetching.work(&take))).collect();
        if let Some(error) = workers.into_iter().find_map(Result::err) {
            drop(give);
            return Err(Error::no_thread(error));
        }
        let (mut batch, mut bytes) = (Vec::new(), 0_u64);
        let give_batch = |batch: &mut Vec<Wish>| {
            watch.go_on()?;
            if fetching.failed.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                return Err(Error::Interrupted);
            }
            give.send(std::mem::take(batch)).map_err(|_| Error::Interrupted)
        };
        let given = Journal::for_each(area, &mut |step| {
            let Step::Fetch(wish) = step else { return Ok(()) };
            bytes = bytes.saturating_add(wish.size);
            batch.push(wish);
            if batch.len() < TAKEN && bytes < TAKEN_BYTES {
                return Ok(());
            }
            bytes = 0;
            give_batch(&mut batch)
        });
        let given = given.and_then(|()| give_batch(&mut batch));
        drop(give);
        given
    });
    // What was fetched by then is kept, whatever came after.
    let flushed = fetching.results.flush();
    let failed = fetching.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
    failed.map_or(Ok(()), Err)?;
    given.and(flushed)?;
    fetching.wants.into_inner().unwrap_or_else(PoisonError::into_inner).end()?;
    Ok(Fetched {
        arrived: fetching.arrived.into_inner(),
        bytes: fetching.bytes.into_inner(),
        there: fetching.there.into_inner(),
        missing: fetching.missing.into_inner(),
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
    /// Works until nothing is left to do.
    fn work(&self, take: &Mutex<Receiver<Vec<Wish>>>) {
        loop {
            let batch = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(batch) = batch else { return };
            let each = |wish| self.watch.go_on().and_then(|()| self.one(wish));
            if let Err(error) = batch.iter().try_for_each(each) {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                // Whoever gives steps may wait for a worker.
                while take.lock().unwrap_or_else(PoisonError::into_inner).recv().is_ok() {}
                return;
            }
        }
    }

    fn one(&self, wish: &Wish) -> Result<(), Error> {
        if self.results.get(wish.number)?.is_some() {
            self.there.fetch_add(1, Ordering::Relaxed);
            self.watch.advance(wish.size);
            return Ok(());
        }
        match self.have(wish)? {
            Became::Had(had) => self.results.put(wish.number, had),
            Became::Missing(why, message) => {
                self.missing.fetch_add(1, Ordering::Relaxed);
                let Wish { key, version, etag, size, .. } = wish.clone();
                let wanted = Wanted { why, key, version, etag, size, message };
                self.wants.lock().unwrap_or_else(PoisonError::into_inner).push(&wanted)
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
        let became = self.fetch(wish, &stage)?;
        if let Became::Had(had) = became
            && !wish.staged
        {
            match there::is_the_same(self.area, wish, &place, had)? {
                true => self.area.remove(&stage)?,
                false => drop(settle(self.area, &stage, &place, self.watch)?),
            }
        }
        Ok(became)
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
                Some(Outcome::Is(had)) => {
                    let give = || {
                        file.set_modified(wish.modified)?;
                        self.like.give(&*file)
                    };
                    _ = give().map_err(Error::at("write", disk, stage))?;
                    self.arrived.fetch_add(1, Ordering::Relaxed);
                    self.bytes.fetch_add(wish.size, Ordering::Relaxed);
                    return Ok(Became::Had(had));
                }
                Some(Outcome::IsNot) | None => {
                    last = format!("what arrived, {TRIES} times, does not have the MD5 that its ETag says");
                }
            }
        }
        self.area.remove(stage)?;
        Ok(Became::Missing(Why::Other, last))
    }
}

/// Where the version of a row waits.
pub(super) fn stage(number: u64) -> Result<Name, Error> {
    Ok(named(names::STAGE)?.join(number.to_string().as_bytes())?)
}

/// Puts a file from the stage into its place. What lies there that nobody planned is kept, out of the way; whether
/// something did, is handed back.
pub(super) fn settle(area: &Area<'_>, stage: &Name, place: &Name, watch: &Watch<'_>) -> Result<bool, Error> {
    let (disk, mut was_taken) = (area.disk, false);
    for _ in 0..3 {
        let failed = match disk.rename_new(stage, place) {
            Ok(()) => return Ok(was_taken),
            Err(error) => error,
        };
        match failed.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => folders(area, place, watch)?,
            io::ErrorKind::AlreadyExists => {
                make_way(area, place, watch)?;
                was_taken = true;
            }
            _ => return Err(Error::at("name", disk, place)(failed)),
        }
    }
    Err(Error::failed(format!("somebody else writes '{place}' again and again; look who writes there")))
}

/// Keeps what lies in a place, out of the way, and says so.
pub(super) fn make_way(area: &Area<'_>, place: &Name, watch: &Watch<'_>) -> Result<(), Error> {
    let aside = aside(area, place)?;
    watch.notice(format!(
        "'{place}' held other bytes than the bucket has, or was none of the mirror's; it is '{aside}' now"
    ));
    Ok(())
}

/// Makes the folders that a place lies in. A file that lies where one should be is kept, out of the way.
pub(super) fn folders(area: &Area<'_>, place: &Name, watch: &Watch<'_>) -> Result<(), Error> {
    let disk = area.disk;
    let _alone = area.folders.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ahead = Vec::new();
    let mut next = place.folder();
    while let Some(name) = next {
        next = name.folder();
        match disk.look(Some(&name)) {
            Ok(Some(look)) if look.what == What::Folder => break,
            Ok(Some(_)) => {
                let aside = aside(area, &name)?;
                watch.notice(format!("'{name}' is to be a folder, and was none: what it was is '{aside}' now"));
            }
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(Error::at("look at", disk, &name)(error)),
        }
        ahead.push(name);
    }
    // Made where nobody puts anything into it, and named when it is open to others.
    let work = named(names::STAGE)?.join(FOLDER)?;
    for name in ahead.iter().rev() {
        forget_folder(disk, &work)?;
        folder(disk, &work)?;
        match disk.rename_new(&work, name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::at("make", disk, name)(error));
            }
            _ => {}
        }
    }
    forget_folder(disk, &work)
}

/// Removes the folder that was made and not named, if one was.
pub(super) fn forget_folder(disk: &dyn Disk, work: &Name) -> Result<(), Error> {
    match disk.remove_folder(work) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", disk, work)(error)),
        _ => Ok(()),
    }
}

/// Gives what lies in a place a name where it is in nobody's way, and lost to nobody.
fn aside(area: &Area<'_>, place: &Name) -> Result<Name, Error> {
    let disk = area.disk;
    let found = named(FOUND)?;
    for number in 0_u64.. {
        let name = found.join(number.to_string().as_bytes())?;
        match disk.rename_new(place, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            renamed => {
                renamed.map_err(Error::at("move", disk, place))?;
                return Ok(name);
            }
        }
    }
    Err(Error::failed("there are too many files in the mirror's folder 'found'"))
}
