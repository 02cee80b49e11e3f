//! A full restore: every chunk to its place in a work file, in parallel, which then takes the target's name.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::facts::Shape;
use highwater_core::key::Key;
use highwater_core::name::Name;

use super::alone::{Alone, GIVEN_UP, Old, PART, part_of, still, was_target};
use super::image::lost::{self, Lost};
use super::write::{self, is_zero};
use super::zeros::Zeros;
use super::{Run, sound, target, tell_chunks, tell_whole};
use crate::disk::like::Like;
use crate::disk::{self, Disk, Draft, Inode, Writable};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::{Identity, Object};
use crate::watch::Watch;

/// The longest chunk that is taken over from an old target in one piece, in bytes: what other programs make of images
/// at most.
const LONGEST: usize = 16 << 20;

/// The permissions of a work file.
const PRIVATE: u32 = 0o600;

/// A full restore that has begun: the work file, and what it will be.
pub(super) struct Begun<'a> {
    pub(super) draft: Draft<'a>,
    /// The work file was there: chunks in it that are sound stay.
    pub(super) resumed: bool,
    pub(super) like: Like,
    /// The file that it replaces; none when nothing has the target's name.
    pub(super) replaces: Option<Identity>,
    /// The old target, as far as it is still to be held.
    pub(super) old: Option<Old>,
}

/// What a full restore came to.
pub(super) struct Written {
    /// How many bytes were there already.
    pub(super) had: u64,
    /// The target, held: by itself, or where it was the old target before, by that.
    pub(super) file: Arc<dyn Writable>,
    pub(super) _old: Option<Old>,
}

/// What else belongs to a target of some kind, beside its bytes.
pub(super) trait Company: Sync {
    /// Comes before a whole work file takes the target's name.
    fn before(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Whether it reads a whole work file while that is being made durable: the disk works, and there is time.
    fn reads(&self) -> bool {
        false
    }

    /// Reads it.
    fn read(&self, _whole: &dyn Object) {}
}

/// Nothing else does.
pub(super) struct Nothing;

impl Company for Nothing {}

/// Writes all of a plan anew. What an interrupted run left is taken up: chunks in it that are sound stay. Of an archive
/// whose points do not grow out of one another, chunks that the old target holds are taken from there.
///
/// With `lost`, what is not sound is noted there and zeros take its place, unless all of it is lost.
pub(super) fn restore(
    run: &Run<'_>,
    alone: Alone,
    zeros: &Zeros,
    lost: Option<&Lost>,
    company: &dyn Company,
) -> Result<Written, Error> {
    let Run { to, watch, .. } = *run;
    let begun = begin(run, alone)?;
    match fill(run, &begun, zeros, lost) {
        Ok(had) => end(begun, (to, run.target), had, company, watch),
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
    let old = begun.old.as_ref().filter(|_| plan.shape == Shape::Image && !job.full && !job.in_place);
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
        let fresh = claim.target().start >= length;
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
        if let Some(why) = lost::why(from, claim, verdict) {
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
    write::chunks(run, (file, &part), length, &look, &settled)?;
    if lost.is_some() && left.into_inner() + had.load(Ordering::Relaxed) == 0 {
        return Err(Error::damage(format!("no chunk of {} is sound: nothing of it can be salvaged", plan.point)));
    }
    if job.whole_sum {
        tell_whole(file.as_object(), &part, 0, plan.end, watch)?;
    } else {
        tell_chunks(from, plan.claims.iter(), watch);
    }
    file.set_length(plan.end).map_err(Error::io("write", &part))?;
    Ok(if plan.shape == Shape::Image { had.into_inner() } else { 0 })
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
pub(super) fn like(
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

/// Puts a whole work file in the place of the target, whose owner and permissions it gets. Gives it, held.
pub(super) fn end(
    begun: Begun<'_>,
    (to, target): (&dyn Disk, &Name),
    had: u64,
    company: &dyn Company,
    watch: &Watch<'_>,
) -> Result<Written, Error> {
    let Begun { draft, like, replaces, old, .. } = begun;
    let path = to.told(Some(draft.work()));
    company.before()?;
    let given = draft.give(&like).map_err(Error::io("set the permissions of", &path))?;
    given.tell(to, target, watch);
    let file = draft.held();
    thread::scope(|scope| {
        let read = company.reads().then_some(|| company.read(file.as_object()));
        // Where no thread can be started, whoever needs it reads later.
        _ = read.and_then(|read| thread::Builder::new().spawn_scoped(scope, read).ok());
        file.sync().map_err(Error::io("write", &path))
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
    Ok(Written { had, file, _old: old })
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
pub(super) fn kept(error: Error, to: &dyn Disk, target: &Name, draft: Draft<'_>) -> Error {
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
