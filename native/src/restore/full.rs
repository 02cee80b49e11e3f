//! A full restore: every chunk to its place in a work file, in parallel, which then takes the target's name.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::key::Key;
use highwater_core::name::Name;
use rayon::prelude::*;

use super::alone::{Alone, GIVEN_UP, Old, PART, part_of, still, was_target};
use super::append::{database, index, newest};
use super::salvage::{self, Lost};
use super::write::{Ranges, is_zero};
use super::zeros::Zeros;
use super::{Run, known, sound, target, tell_chunks, tell_whole};
use crate::disk::like::Like;
use crate::disk::{self, Appender, Disk, Draft, Inode, Writable};
use crate::drive::{self, at_place};
use crate::error::Error;
use crate::filestorage::{Records, records as records_of};
use crate::shown::{quoted, shown};
use crate::store::{Identity, Object, Store};
use crate::watch::Watch;

/// The longest chunk that is taken over from an old target in one piece, in bytes: the longest of a datastore.
const LONGEST: usize = 16 << 20;

/// How many chunks are dealt out to threads at a time: a disk image may have millions.
pub(super) const TOGETHER: usize = 4096;

/// From so many bytes on, the records of a database are read while it is being made durable.
const BESIDE: u64 = 8 << 20;

/// The permissions of a work file.
const PRIVATE: u32 = 0o600;

/// A full restore that has begun: the work file, and what it will be.
struct Begun<'a> {
    draft: Draft<'a>,
    /// The work file was there: chunks in it that are sound stay.
    resumed: bool,
    like: Like,
    /// The file that it replaces; none when nothing has the target's name.
    replaces: Option<Identity>,
    /// The old target, as far as it is still to be held.
    old: Option<Old>,
}

/// What a full restore came to.
pub(super) struct Written {
    /// How many bytes were there already.
    pub(super) had: u64,
    /// What its records give, if that was looked at.
    pub(super) records: Option<io::Result<Records>>,
    /// The target, held: by itself, or where it was the old target before, by that.
    pub(super) file: Arc<dyn Writable>,
    pub(super) _old: Option<Old>,
}

/// Writes all of a plan anew. What an interrupted run left is taken up: chunks in it that are sound stay. Of an archive
/// whose points do not grow out of one another, chunks that the old target holds are taken from there.
///
/// With `lost`, what is not sound is noted there and zeros take its place, unless all of it is lost.
pub(super) fn write(run: &Run<'_>, alone: Alone, zeros: &Zeros, lost: Option<&Lost>) -> Result<Written, Error> {
    let Run { plan, to, watch, .. } = *run;
    let begun = begin(run, alone)?;
    match fill(run, &begun, zeros, lost) {
        Ok(had) => {
            let records = (plan.grows && plan.index.is_some() && plan.end >= BESIDE).then_some(plan.end);
            end(begun, to, run.target, (plan.grows, records), watch).map(|written| Written { had, ..written })
        }
        Err(error) => Err(kept(error, to, run.target, begun.draft)),
    }
}

/// Writes every chunk to its place. Gives how many bytes were there already.
fn fill(run: &Run<'_>, begun: &Begun<'_>, zeros: &Zeros, lost: Option<&Lost>) -> Result<u64, Error> {
    let Run { job, plan, from, to, watch, .. } = *run;
    let (file, resumed) = (begun.draft.file(), begun.resumed);
    let part = to.told(Some(begun.draft.work()));
    watch.note(format!("Recovering file to {}", shown(run.told())));
    watch.expect(plan.end);
    if resumed {
        watch.note(format!("taking up {}: what is sound in it stays", quoted(&part)));
    }
    let first = plan.claims.iter().next().filter(|claim| claim.codec == Codec::Plain && !resumed);
    let shared = first.is_some_and(|claim| from.open(&claim.object).is_ok_and(|object| file.reflink(&*object)));
    let old = begun.old.as_ref().filter(|_| !plan.grows && !job.full && !job.in_place);
    // Where blocks can be shared, only what differs takes any.
    let old = old.filter(|old| resumed || !file.reflink(old.file.as_object()));
    let length = file.length().map_err(Error::io("read", &part))?;
    let cloned = length > 0 && !shared;
    let there = |at: usize, claim: &Claim| (resumed || cloned || (shared && at == 0)) && claim.target().end <= length;
    let key = plan.opens.as_ref();
    let (had, left) = (AtomicU64::new(0), AtomicU64::new(0));
    let count = |counts: &AtomicU64, claim: &Claim| {
        counts.fetch_add(claim.expect.length, Ordering::Relaxed);
        watch.advance(claim.expect.length);
    };
    let held = begun.draft.held() as Arc<dyn Object>;
    // Gives the chunk if it is still to be written.
    let look = |at: usize| -> Result<Option<Claim>, Error> {
        watch.go_on()?;
        let claim = plan.claims.get(at);
        let fresh = at_place(&claim) >= length;
        if fresh && zeros.are(&claim) {
            // Beside an old target, only what differs from it counts as written.
            count(if begun.replaces.is_some() { &had } else { &left }, &claim);
            return Ok(None);
        }
        if there(at, &claim) && target::is_there(from, &held, (&claim, key), watch).map_err(Error::io("read", &part))? {
            had.fetch_add(claim.expect.length, Ordering::Relaxed);
            return Ok(None);
        }
        if let Some(old) = &old
            && take_over(old.file.as_object(), (&claim, key), file, fresh).map_err(Error::io("write", &part))?
        {
            count(&had, &claim);
            return Ok(None);
        }
        if zeros.are(&claim) {
            count(&left, &claim);
            Zeros::put(&claim, |at, bytes| file.write_at(at, bytes)).map_err(Error::io("write", &part))?;
            return Ok(None);
        }
        Ok(Some(claim))
    };
    let settled = |claim: &Claim, verdict: Verdict| -> Result<(), Error> {
        let Some(lost) = lost else { return sound(from, claim, verdict) };
        if let Some(why) = salvage::why(from, claim, verdict) {
            // What of the chunk was written before it proved bad must not stay.
            let taken = begun.old.as_ref().map(|old| take_over(old.file.as_object(), (claim, key), file, false));
            if !taken.transpose().map_err(Error::io("write", &part))?.unwrap_or(false) {
                Zeros::put(claim, |at, bytes| file.write_at(at, bytes)).map_err(Error::io("write", &part))?;
                lost.note(claim.target(), why);
                return Ok(());
            }
        }
        left.fetch_add(claim.expect.length, Ordering::Relaxed);
        Ok(())
    };
    thread::scope(|scope| {
        let ranges = Ranges::new(scope, file, &part, length);
        let all: Vec<usize> = (0..plan.claims.len()).collect();
        let written = all.chunks(TOGETHER).try_for_each(|some| {
            let looked: Vec<Option<Claim>> = some.par_iter().map(|at| look(*at)).collect::<Result<_, _>>()?;
            drive::write((from, plan.opens.as_ref()), looked.into_iter().flatten().collect(), &ranges, watch, &settled)
        });
        ranges.finish().and(written)
    })?;
    if lost.is_some() && left.into_inner() + had.load(Ordering::Relaxed) == 0 {
        return Err(Error::damage(format!("no chunk of {} is sound: nothing of it can be salvaged", plan.point)));
    }
    if job.whole_sum {
        tell_whole(file.as_object(), &part, 0, plan.end, watch)?;
    } else {
        tell_chunks(from, plan.claims.iter(), watch);
    }
    file.set_length(plan.end).map_err(Error::io("write", &part))?;
    Ok(if plan.grows { 0 } else { had.into_inner() })
}

/// Begins with the work file; in place, the old target is given up for it.
fn begin<'a>(run: &Run<'a>, mut alone: Alone) -> Result<Begun<'a>, Error> {
    let Run { job, to, target, watch, .. } = *run;
    let Some(old) = alone.old.take_if(|_| job.in_place) else {
        let given_up = alone.is_given_up();
        let (draft, resumed) = alone.part(to, target, if job.in_place { GIVEN_UP } else { PART }, watch)?;
        if job.in_place {
            // A run that was killed may have taken the target away a moment ago.
            to.sync_folder(None).map_err(Error::of_folder("sync", to, None))?;
        }
        let like = like((to, target), alone.old.as_ref(), given_up, &draft, watch)?;
        let replaces = alone.old.as_ref().map(|old| old.look.identity);
        return Ok(Begun { draft, resumed, like, replaces, old: alone.old });
    };
    watch.notice(format!("restoring in place: until this ends, there is no whole database at {}", quoted(&run.told())));
    let like = Like::of(&old.look);
    let (draft, resumed, old) = if !alone.has_part() && disk::is_ours(to, &old.look) {
        let draft = Alone::reuse(to, target, old.open(to, target)?)?;
        // Before the first byte is written: a power cut must not bring the name back with half of the new bytes.
        to.sync_folder(None).map_err(Error::of_folder("sync", to, None))?;
        (draft, true, Some(old))
    } else {
        let (draft, resumed) = alone.part(to, target, GIVEN_UP, watch)?;
        // As long as the work file is there, a run that finds no target knows that there was one.
        to.sync_folder(None).map_err(Error::of_folder("sync", to, None))?;
        old.is_still(to, target)?;
        to.remove(target).map_err(run.failed("remove"))?;
        // Its room is free when nobody has it open any more.
        (draft, resumed, None)
    };
    Ok(Begun { draft, resumed, like, replaces: None, old })
}

/// Whom the target is to belong to, and who may do what with it: as the old one, or where there is none, as a new file.
/// Where a run in place gave the old one up, the work file may be that; else nobody knows what it was like, and nobody
/// may read it who could not read that.
fn like(
    (to, target): (&dyn Disk, &Name),
    old: Option<&Old>,
    given_up: bool,
    draft: &Draft<'_>,
    watch: &Watch<'_>,
) -> Result<Like, Error> {
    let looking = |error| Error::at("look at", to, target)(error);
    let new = match (old, given_up) {
        (Some(old), _) => return Ok(Like::of(&old.look)),
        (None, false) => return Like::in_place_of(to, target).map_err(looking),
        (None, true) => Like::in_place_of(to, target).map_err(looking)?,
    };
    let work = Inode::look(draft.file()).map_err(looking)?;
    if was_target(draft.work(), target) && work.mode & 0o777 != PRIVATE {
        return Ok(Like::of(&work));
    }
    let path = quoted(&to.told(Some(target)));
    watch.notice(format!(
        "an interrupted run in place has given {path} up, and nobody knows who could read it: now its owner alone can"
    ));
    Ok(new.with_mode(PRIVATE))
}

/// Puts a whole work file in the place of the target, whose owner and permissions it gets. Gives it, held, and what its
/// `records` give up to this byte.
fn end(
    begun: Begun<'_>,
    to: &dyn Disk,
    target: &Name,
    (grows, records): (bool, Option<u64>),
    watch: &Watch<'_>,
) -> Result<Written, Error> {
    let Begun { draft, like, replaces, old, .. } = begun;
    let path = to.told(Some(draft.work()));
    if grows {
        // An index of the old file beside the new one could mislead the database; none never does.
        index::remove(to, target)?;
    }
    let given = draft.give(&like).map_err(Error::io("set the permissions of", &path))?;
    given.tell(to, target, watch);
    let file = draft.held();
    // While the disk works, there is time to read.
    let records = thread::scope(|scope| {
        let object = file.as_object();
        let read = records.map(|end| move || records_of(object, end));
        let reading = read.and_then(|read| thread::Builder::new().spawn_scoped(scope, read).ok());
        file.sync().map_err(Error::io("write", &path))?;
        Ok::<_, Error>(reading.and_then(|reading| reading.join().ok()))
    })?;
    let published = match replaces {
        Some(identity) => {
            let now = to.look(Some(target)).map_err(Error::at("look at", to, target))?;
            still(to, target, now.is_some_and(|now| now.identity == identity))?;
            draft.publish(target)
        }
        None => draft.publish_new(target),
    };
    match published {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => still(to, target, false)?,
        published => published.map_err(Error::at("put in place", to, target))?,
    }
    to.sync_folder(None).map_err(Error::of_folder("sync", to, None))?;
    Ok(Written { had: 0, records, file, _old: old })
}

/// Restores to a file whose bytes `fill` puts together, and then puts an index beside it if there is a saved one. Unless it
/// may `give_up` whatever has that name, that must hold nothing that those bytes do not.
pub(crate) fn put_together(
    (from, saved): (&dyn Store, &Name),
    (to, target): (&dyn Disk, &Name),
    give_up: bool,
    watch: &Watch<'_>,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut alone = Alone::take(to, target, false, watch)?;
    let _database = database::keep_closed(to, target)?;
    let given_up = alone.is_given_up();
    let (draft, _) = alone.part(to, target, PART, watch)?;
    draft.file().set_length(0).map_err(Error::at("write", to, draft.work()))?;
    let filled = fill(&mut io::BufWriter::with_capacity(1 << 20, Appender { file: draft.file(), at: 0 }));
    if let Err(error) = filled {
        return Err(kept(error, to, target, draft));
    }
    let path = to.told(Some(draft.work()));
    match newest::contradiction(draft.file().as_object(), &path, watch) {
        Ok(None) => {}
        Ok(Some(what)) => {
            let what =
                format!("what is there does not fit together: {what}. A file is missing, damaged, or there twice");
            return Err(kept(Error::damage(what), to, target, draft));
        }
        Err(error) => return Err(kept(error, to, target, draft)),
    }
    if let Some(old) = alone.old.as_ref().filter(|_| !give_up) {
        known::of_file(old.file.as_object(), draft.file().as_object(), &to.told(Some(target)), watch)?;
    }
    let like = like((to, target), alone.old.as_ref(), given_up, &draft, watch)?;
    let replaces = alone.old.as_ref().map(|old| old.look.identity);
    let begun = Begun { draft, resumed: false, like, replaces, old: alone.old };
    let _held = end(begun, to, target, (true, None), watch)?;
    index::put_beside(from, saved, to, target, watch)
}

/// Writes a chunk from the old target, if that holds it. What is all zeros need not be written where nothing was.
fn take_over(
    old: &dyn Object,
    (claim, key): (&Claim, Option<&Key>),
    file: &dyn Writable,
    fresh: bool,
) -> io::Result<bool> {
    let Ok(length) = usize::try_from(claim.expect.length) else { return Ok(false) };
    if length > LONGEST || old.length()? < claim.target().end {
        return Ok(false);
    }
    let mut data = vec![0; length];
    old.read_exact_at(claim.target().start, &mut data)?;
    let Some(mut hasher) = claim.hasher() else { return Ok(false) };
    hasher.update(&data);
    if !claim.gives(hasher, key) {
        return Ok(false);
    }
    if !(fresh && is_zero(&data)) {
        file.write_at(claim.target().start, &data)?;
    }
    Ok(true)
}

/// An error that says where what was written so far lies: under a name by which it is found.
fn kept(error: Error, to: &dyn Disk, target: &Name, draft: Draft<'_>) -> Error {
    let work = to.told(Some(draft.work()));
    let part = match part_of(target) {
        // Its name says that the target was given up for it, and must go on to do so.
        _ if was_target(draft.work(), target) => work.clone(),
        Ok(name) => to.told(Some(&draft.give_up(&name))),
        Err(_) => work.clone(),
    };
    match error {
        Error::Refused { class, what } => {
            let what = what.trim_end_matches('.');
            let what = format!("{what}. What was written stays in {}; the next restore takes it up", quoted(&part));
            Error::Refused { class, what }
        }
        Error::Io { doing, path, source } if path == work => Error::failed(format!(
            "cannot {doing} {}: {source}. What was written stays there; the next restore takes it up",
            quoted(&part)
        )),
        other => other,
    }
}
