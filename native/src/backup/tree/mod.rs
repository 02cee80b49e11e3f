//! Backs up a folder into a set of points: each file becomes an object of the pool that is named by its SHA-256, and a
//! list names all that was there.
//!
//! The source is frozen (`source`), which is what makes its files one state, and walked (`walk`). Every file is read
//! once: it is hashed while it is written (`reading`), and let go of when the pool has it (`pool`). Then the source is
//! thawed. What is new is made durable (`stage`) and gets its name in the pool; every object is looked for once more;
//! and then the list gets its name (`list`), which is what makes a point of it. Whoever is killed before that leaves
//! objects that the next run uses, or that nobody names.
//!
//! A file that cannot be read is left out, and one that changes while it is read, however often that is tried, is kept
//! as it was found: either is said, in the list too, and the run does not end as if all were well. Whether the files of
//! a folder fit each other, nobody knows but the program that writes them.
//!
//! | file | is |
//! |---|---|
//! | `source/` | what points are made of, a kind each |
//! | `walk` | what is there |
//! | `since` | what a point had, but for what changed since |
//! | `known` | what the last run remembers, so that the same is not read again |
//! | `reading` | files on their way into the pool, side by side |
//! | `pool` | the objects |
//! | `stage` | where they lie until they are durable |
//! | `capture` | all of these, one after the other |
//! | `twins` | files with several names |
//! | `list` | the list, which is the point |

mod capture;
mod known;
mod list;
mod pool;
mod reading;
mod since;
mod source;
mod stage;
mod twins;
mod walk;

use std::thread;
use std::time::Duration;

use highwater_core::formats::tree::names;
use highwater_core::name::{Name, TEMPORARY};

use crate::disk::like::Like;
use crate::disk::{Disk, clear, clear_folders, is_any_draft, make_folder};
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;
use crate::{clock, lock};
use capture::Captured;
use pool::Pool;
pub use source::{
    Changes, DirStorage, Elsewhere, Exec, Folder, Frozen, Hook, Lack, Listed, Live, Set, Source, Zodb, ZodbOptions,
};

/// How long is waited until it is looked whether the next second has come.
const TICK: Duration = Duration::from_millis(20);

/// How often a store is frozen that goes on from the state that it was frozen in.
const FREEZES: u32 = 5;

/// What the comment begins with that keeps what a source calls its list; a quote ends it.
const TOKEN: &str = "token: '";

/// What to do.
#[derive(Debug, Clone, Default)]
pub struct TreeOptions {
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
    /// Files that nobody may write become objects by a second name, and are not copied.
    pub link: bool,
    /// The time of the point, in place of the clock's: `YYYY-MM-DD-hh-mm-ss`, UTC.
    pub now: Option<String>,
}

/// What was made, or in a dry run what would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeMade {
    /// The point.
    pub point: String,
    /// Up to where it goes, in words of the store.
    pub position: Option<String>,
    /// How many entries it has: folders, files and links.
    pub entries: u64,
    /// How many bytes its files have.
    pub bytes: u64,
    /// Objects that the pool did not have, and their bytes.
    pub new: (u64, u64),
    /// How many files were read, and their bytes: of the others the last run or the store told.
    pub read: (u64, u64),
    /// What is not in it, a sentence each.
    pub left_out: Vec<String>,
    /// Files that changed while they were read, each time.
    pub changed: Vec<Name>,
    /// What whoever relies on it should know, a sentence each.
    pub notes: Vec<String>,
    /// Why the source could not be thawed, though the point is whole.
    pub still_frozen: Option<String>,
}

/// Backs up a source into the set `to`.
///
/// # Errors
/// Whatever stands in the way; no point is made then.
pub fn backup(job: &TreeOptions, source: &mut dyn Source, to: &dyn Disk, watch: &Watch<'_>) -> Result<TreeMade, Error> {
    refuse_each_in_the_other(source.store(), to)?;
    let _lock = if job.dry_run { None } else { Some(prepare(to, watch)?) };
    let (stamp, point) = free_point(job, to, watch)?;
    let kind = source.kind();
    let mut made = TreeMade { point, ..TreeMade::default() };
    let set = Set { disk: to, dry_run: job.dry_run, stamp: &stamp };
    let pool = Pool::new(to, job.dry_run);
    let (mut captured, frozen) = hold(job, source, (&set, &pool), &mut made, watch)?;
    made.position.clone_from(&frozen.position);
    if !job.dry_run {
        pool.place(watch)?;
        to.barrier(None).map_err(Error::of_folder("sync", to, None))?;
        captured.complete(&frozen, &pool, watch)?;
        captured.look_again(&frozen);
        // All that is known is in the pool for good.
        known::remember(to, captured.known(&frozen.tokens), watch);
    }
    (made.new, made.read) = (pool.new_ones(), captured.read);
    drop(pool);
    let text = list::Text { kind, captured: &captured, frozen: &frozen };
    text.count(&mut made);
    if !job.dry_run {
        text.publish(to, &made)?;
    }
    (made.left_out, made.changed) = (captured.left_out, captured.changed);
    Ok(made)
}

/// Freezes the source, reads it and thaws it, and that again where the store went on from what was frozen.
fn hold(
    job: &TreeOptions,
    source: &mut dyn Source,
    (set, pool): (&Set<'_>, &Pool<'_>),
    made: &mut TreeMade,
    watch: &Watch<'_>,
) -> Result<(Captured, Frozen), Error> {
    for _ in 0..FREEZES {
        let mut frozen = source.freeze(set, watch)?;
        made.notes = std::mem::take(&mut frozen.notes);
        let captured = capture::capture(job, &mut frozen, pool, watch);
        let captured = captured.and_then(|captured| source.held_still().map(|()| captured));
        let lack = match &captured {
            Ok(captured) if !captured.gone.is_empty() => source.lacks(&captured.gone, watch),
            _ => Ok(Lack::Lost(Vec::new())),
        };
        if !source.stays() {
            frozen.root = None;
        }
        // Whatever came of that, and before anybody waits for a disk.
        let thawed = source.thaw(watch);
        let still_frozen = thawed.as_ref().err().map(ToString::to_string);
        let both = captured.and_then(|captured| Ok((captured, lack?)));
        let both = both.inspect_err(|_| still_frozen.iter().for_each(|why| watch.notice(why)))?;
        let (mut captured, lack) = both;
        match lack {
            Lack::Lost(what) => {
                made.still_frozen = still_frozen;
                captured.left_out.extend(what);
                return Ok((captured, frozen));
            }
            Lack::GoneOn => thawed?,
        }
    }
    let store = quoted(&source.store().told(None));
    Err(Error::failed(format!(
        "{store} has gone on from what was frozen each of {FREEZES} times, before all of it was read; run again when \
         less is done there; no point was made"
    )))
}

/// The time of the point, and its name. Should there be a point of this very second, that of the next.
fn free_point(job: &TreeOptions, to: &dyn Disk, watch: &Watch<'_>) -> Result<(String, String), Error> {
    let newest = source::newest(to)?.map(|(point, _)| point);
    loop {
        let stamp = job.now.clone().map_or_else(clock::stamp, Ok)?;
        let point = names::point(&stamp).ok_or_else(|| Error::failed(format!("'{stamp}' is no time")))?;
        match &newest {
            Some(newest) if point < *newest => {
                let set = quoted(&to.told(None));
                return Err(Error::cannot_start(format!(
                    "the newest point in {set} is {newest}, but it is only {point}: a point made now would sort before \
                     it; set the clock right, or wait; if it is right, move the lists of later points away"
                )));
            }
            Some(newest) if point == *newest && (job.now.is_some() || !clock::ticks()) => {
                return Err(Error::cannot_start(format!("there is a point {point} already")));
            }
            Some(newest) if point == *newest => {
                watch.go_on()?;
                thread::sleep(TICK);
            }
            _ => return Ok((stamp, point)),
        }
    }
}

/// Refuses a set in its own source, and a source in the set.
fn refuse_each_in_the_other(from: &dyn Disk, to: &dyn Disk) -> Result<(), Error> {
    let lies_in = |one: &dyn Disk, other: &dyn Disk| {
        let around = one.around().unwrap_or_default();
        other.identity(None).is_some_and(|other| around.contains(&other) || one.identity(None) == Some(other))
    };
    let (source, set) = (quoted(&from.told(None)), quoted(&to.told(None)));
    if lies_in(to, from) {
        return Err(Error::cannot_start(format!(
            "the set {set} lies in {source}, which would hold itself; name another place"
        )));
    }
    if lies_in(from, to) {
        return Err(Error::cannot_start(format!(
            "{source} lies in the set {set}: the source comes first, then the set"
        )));
    }
    Ok(())
}

/// Takes the set for this process, makes what an empty one lacks, and removes what interrupted runs left.
fn prepare(to: &dyn Disk, watch: &Watch<'_>) -> Result<crate::disk::Held, Error> {
    let held = lock::take(to, names::LOCK)?;
    let around = to.look(None).map_err(Error::of_folder("look at", to, None))?;
    let like = Like::of(&around.ok_or_else(|| Error::failed("the set is gone"))?);
    for folder in [names::OBJECTS, names::POINTS] {
        let name = Name::new(folder.as_bytes())?;
        if to.look(Some(&name)).map_err(Error::at("look at", to, &name))?.is_none() {
            make_folder(to, &name, &like).map_err(Error::at("make the folder", to, &name))?;
        }
    }
    clear(to, None, |last| is_any_draft(last, TEMPORARY), watch)?;
    let points = Name::new(names::POINTS.as_bytes())?;
    clear(to, Some(&points), |last| is_any_draft(last, TEMPORARY), watch)?;
    clear_folders(to, None, stage::holds, watch)?;
    clear_folders(to, Some(&Name::new(names::OBJECTS.as_bytes())?), stage::holds, watch)?;
    Ok(held)
}
