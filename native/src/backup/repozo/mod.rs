//! Backs up a `Data.fs` into a repozo repository: decide, copy, publish.
//!
//! The order of writes makes every published point whole: data, fsync, rename, the OID index likewise, fsync of the
//! folder, then the line of the `.dat` likewise, fsync of the folder. Marks come last, and nothing depends on them. A
//! source that contradicts itself is refused, and so is a new full backup of one that does not succeed the newest
//! point, unless either is wanted: then nothing is removed behind damage. Whatever an interrupted run leaves behind is
//! no point, since no line names it; the next run finishes it when the source proves what it is, and sets it aside
//! otherwise.

mod copy;
mod damage;
mod decide;
mod interrupted;
mod member;
mod prefix;
mod prune;
mod publish;
mod source;
mod state;
mod stored;
mod succession;

use highwater_core::codec::Codec;
use highwater_core::filestorage::OidIndex;
use highwater_core::formats::repozo::names::{self, DataFile, Kind};
use highwater_core::name::Name;

pub use decide::Decision;
pub(crate) use source::{QUICK_ENTRIES, open};

use crate::disk::Disk;
use crate::error::Error;
use crate::marking;
use crate::shown::{quoted, shown};
use crate::store::Place;
use crate::watch::Watch;
use crate::{clock, lock};
use copy::Base;
use source::Source;
use state::State;

/// How to back up.
#[derive(Debug, Clone)]
pub struct BackupOptions {
    /// Make a full backup whatever is there.
    pub full: bool,
    /// Trust the last line of the index and the sizes of the files it names.
    pub quick: bool,
    /// Compress, at this zlib level.
    pub gzip: Option<u32>,
    /// Remove every older chain once a full backup is whole.
    pub kill_old: bool,
    /// Take a source that contradicts itself as it is: every byte, without an OID index, and with nothing removed.
    pub damaged_source: bool,
    /// The source may be another one than the newest point grew from, or an older state of it.
    pub other_source: bool,
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
    /// The stamp to give the backup, in place of the clock's.
    pub now: Option<String>,
    /// Bytes from mark to mark, a power of two: [`highwater_core::marks::DISTANCE`] but in tests.
    pub marks: u64,
    /// Also work out the sums that only the original's log lines show.
    pub sums: bool,
}

/// What a backup did, or in a dry run would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupSummary {
    /// The repository holds everything already, up to this offset.
    Nothing(u64),
    /// A new point was made.
    Made(Made),
}

/// A new point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The data file's name.
    pub file: String,
    /// Full or increment.
    pub kind: Kind,
    /// Where its bytes begin in the source.
    pub start: u64,
    /// Where they end: the end of the last complete transaction.
    pub end: u64,
    /// Bytes stored.
    pub stored: u64,
    /// Older files that were removed.
    pub removed: usize,
}

/// Backs up `source`, a `Data.fs`, into a repository.
///
/// # Errors
/// Whatever stands in its way; nothing half-made looks like a backup then.
pub fn backup(job: &BackupOptions, source: &Place, disk: &dyn Disk, watch: &Watch<'_>) -> Result<BackupSummary, Error> {
    let source = Source::open(source, watch)?;
    let _lock = if job.dry_run { None } else { Some(lock::take(disk, names::LOCK)?) };
    let mut state = State::read(disk)?;
    if !job.dry_run {
        interrupted::leftovers(disk, watch)?;
        state = interrupted::interrupted(job, disk, state, &source, watch)?;
    }
    let decision = decide::decide(job, disk, &state, &source, watch)?;
    let base = match &decision {
        Decision::Nothing(at) => return nothing(job, disk, &state, *at, watch),
        Decision::Full => Base { start: 0, index: Ok(OidIndex::new()) },
        Decision::Increment(base) => {
            let index = source.index_at(disk, job, &state, *base, watch)?;
            if let Err(damage) = &index
                && !job.damaged_source
            {
                return Err(damage.refusal(&source, *base));
            }
            Base { start: *base, index }
        }
    };
    let kind = if base.start > 0 { Kind::Delta } else { Kind::Full };
    let codec = if job.gzip.is_some() { Codec::Gzip } else { Codec::Plain };
    let start = base.start;
    let succeeds = |end, last| match &state.newest {
        Some(newest) if kind == Kind::Full && !job.other_source => {
            succession::check(disk, newest, &source, (end, last), watch)
        }
        _ => Ok(()),
    };
    if job.dry_run {
        let (end, last_tid, damage) = source.would_end(job, base)?;
        if kind == Kind::Delta && end == start {
            return Ok(BackupSummary::Nothing(end));
        }
        if damage.is_none() {
            succeeds(end, last_tid)?;
        }
        damage.iter().for_each(|damage| watch.notice(damage.warning(&source, end, job.kill_old)));
        let stem = now(job)?;
        let file = DataFile { stem: &stem, kind, codec }.name();
        return Ok(BackupSummary::Made(Made { file, kind, start, end, stored: 0, removed: 0 }));
    }
    let stem = free_stamp(job, disk, &state, kind, codec, watch)?;
    let file = Name::new(DataFile { stem: &stem, kind, codec }.name().as_bytes())?;
    let Some((draft, copied)) = copy::copy(job, disk, &source, base, &file, watch)? else {
        return nothing(job, disk, &state, start, watch);
    };
    let (end, stored) = (copied.end, copied.stored);
    if copied.damage.is_none() {
        succeeds(end, copied.last_tid)?;
    }
    let words = if kind == Kind::Full { "full backup" } else { "incremental" };
    watch.note("writing index");
    watch.note(format!("writing {words}: {} bytes to {}", end - start, shown(disk.told(Some(&file)))));
    publish::publish(disk, &state, &file, start, draft, &copied)?;
    if let Some(marks) = &copied.marks {
        marking::put(disk, &file, marks, watch);
    }
    source.still_there(watch);
    let kill_old = job.kill_old && kind == Kind::Full;
    let removed = match &copied.damage {
        Some(damage) => {
            watch.notice(damage.warning(&source, end, kill_old));
            0
        }
        None if kill_old => prune::older(disk, &stem, watch)?,
        None => prune::finish(disk, &state.listing, watch).map(|()| 0)?,
    };
    Ok(BackupSummary::Made(Made { file: file.to_string(), kind, start, end, stored, removed }))
}

/// The points of the newest chain of a repository, the oldest first: the name of each, and how long `Data.fs` was then,
/// in bytes. Each begins with what the one before it had.
///
/// # Errors
/// The repository cannot be read.
pub(crate) fn newest_chain(disk: &dyn Disk) -> Result<Vec<(String, u64)>, Error> {
    let links = State::read(disk)?.newest.map(|newest| newest.links).unwrap_or_default();
    Ok(links.into_iter().map(|link| (link.stem, link.end)).collect())
}

/// Says that the repository holds everything, up to `at`, once that is for good: a run that was killed may have
/// published it a moment ago.
fn nothing(
    job: &BackupOptions,
    disk: &dyn Disk,
    state: &State,
    at: u64,
    watch: &Watch<'_>,
) -> Result<BackupSummary, Error> {
    if !job.dry_run {
        prune::finish(disk, &state.listing, watch)?;
        disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))?;
    }
    watch.note("No changes, nothing to do");
    Ok(BackupSummary::Nothing(at))
}

fn now(job: &BackupOptions) -> Result<String, Error> {
    job.now.clone().map_or_else(clock::stamp, Ok)
}

/// A stamp for the new files: now, if that is after every stamp of the repository.
fn free_stamp(
    job: &BackupOptions,
    disk: &dyn Disk,
    state: &State,
    kind: Kind,
    codec: Codec,
    watch: &Watch<'_>,
) -> Result<String, Error> {
    loop {
        watch.go_on()?;
        let now = now(job)?;
        // An index begins a chain also when its full backup is not there.
        let chain = state.newest.as_ref().map(|newest| newest.chain.stem.as_str());
        let newest = state.listing.newest().max(chain).unwrap_or("");
        if now.as_str() > newest {
            return Ok(now);
        }
        // Stamps are to the second, so two backups within one must wait for the next.
        if now == newest && clock::ticks() && job.now.is_none() {
            std::thread::sleep(std::time::Duration::from_millis(20));
            continue;
        }
        if now == newest {
            let file = disk.told(None).join(DataFile { stem: &now, kind, codec }.name());
            return Err(Error::cannot_start(format!("Cannot overwrite existing file: {}", shown(file))));
        }
        let what = format!(
            "the newest file in {} is stamped {newest}, but it is only {now}: a backup made now would sort before \
             it; set the clock right, or wait; if it is right, move what is stamped later away, with its lines in \
             the .dat",
            quoted(&disk.told(None))
        );
        return Err(Error::cannot_start(what));
    }
}
