//! Forgets what is old of a mirror: points, and files that no point which stays shows. Asks nobody.
//!
//! The next index is written first, without what goes, and beside it the list of what goes. When both are durable, a
//! file says that this was begun ([`journal`]); the pointer is renamed; and only then do files go. Cut off before that,
//! all is as it was. Cut off after it, the mirror is whole by its new index, and whichever run comes next goes on
//! removing.

use std::collections::BTreeMap;

use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::index::{Point, Row, Written, text};
use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::plan::{Out, Prune, Pruned, Step};
use highwater_core::formats::mirror::wanted::Wanted;
use highwater_core::name::Name;

use super::apply::Applying;
use super::area::Area;
use super::index::Index;
use super::journal::{self, Journal};
use super::plan::Writing;
use super::rollback::{Taken, number, take};
use super::state::for_each_wanted;
use super::sync::finish;
use super::wants::Wants;
use crate::disk::{Disk, Writable};
use crate::error::Error;
use crate::watch::Watch;

/// Rows between two looks whether the user wants to stop.
const ROWS: u64 = 1 << 14;

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruning {
    /// Every point, the oldest first.
    pub points: Vec<Told>,
    /// How much goes.
    pub pruned: Pruned,
    /// What became of the files, those of an earlier run with them that was ended first.
    pub applied: Applying,
}

/// What becomes of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// Why it stays, in a few words; none when it goes.
    pub kept: Option<&'static str>,
}

/// Forgets what is older than `until`, in seconds since 1970. In a dry run, hands on each file that would go instead,
/// with its length.
///
/// # Errors
/// A sync is under way; something cannot be read or written; those of `each`.
pub fn prune(
    disk: &dyn Disk,
    until: i64,
    dry_run: bool,
    watch: &Watch<'_>,
    each: &mut dyn FnMut(&Name, u64) -> Result<(), Error>,
) -> Result<Pruning, Error> {
    let Taken { area, applied, index, before } = take(disk, dry_run, watch)?;
    if applied.unread > 0 {
        return Err(Error::cannot_start(format!(
            "the newest inventory has {} rows that cannot be read, so what it does not list may be in the bucket: sync to a \
             newer one first",
            applied.unread
        )));
    }
    let prune = Prune::new(&index.tail, number(&index, &applied.point)?, until);
    let mut pruning = Pruning { points: told(&index, &prune), pruned: Pruned::default(), applied: before };
    let next = names::index(applied.index.saturating_add(1)).ok_or_else(|| Error::failed("the index has no name"))?;
    let name = if dry_run { journal::rows()? } else { next };
    let file = area.create(&name)?;
    let listed = if index.tail.totals.wanted > 0 { listed(disk, watch)? } else { Some(BTreeMap::new()) };
    let (is_read, mut wanted) = (listed.is_some(), listed.unwrap_or_default());
    let written = write(&area, &*file, (&index, prune), &mut pruning.pruned, &mut wanted, watch)?;
    if dry_run {
        Journal::for_each(&area, &mut |step| match step {
            Step::Remove { at, size } => each(&at, size),
            Step::Fetch(_) | Step::Move { .. } | Step::Touch { .. } => Ok(()),
        })?;
        Journal::end(&area)?;
        return Ok(pruning);
    }
    if pruning.pruned == Pruned::default() && pruning.points.iter().all(|point| point.kept.is_some()) {
        Journal::end(&area)?;
        area.remove(&name)?;
        return Ok(pruning);
    }
    file.set_mode(0o666 & !crate::store::umask()).map_err(Error::at("write", disk, &name))?;
    if pruning.pruned.wanted > 0 && is_read {
        let mut wants = Wants::at(&area, journal::wanted()?)?;
        wanted.values().filter(|(_, stays)| *stays).try_for_each(|(wanted, _)| wants.push(wanted))?;
        wants.end()?;
    }
    let index = applied.index.saturating_add(1);
    let applied = Applied { index, size: written.size, tail: written.sum, ..applied };
    area.barrier()?;
    Journal::of_moves(&applied).begin(&area)?;
    pruning.applied += finish(&area, &applied, false, watch)?;
    Ok(pruning)
}

/// What becomes of each point.
fn told(index: &Index, prune: &Prune<'_>) -> Vec<Told> {
    let newest = index.tail.points.last();
    let mut stays = prune.stays().peekable();
    let told = |point: &Point| {
        let kept = stays.next_if(|(stays, _)| stays.name == point.name).map(|(_, is_shown)| match is_shown {
            true => "the tree shows it",
            false if newest.is_some_and(|newest| newest.name == point.name) => "the newest",
            false => "not older",
        });
        Told { name: point.name.clone(), kept }
    };
    index.tail.points.iter().map(told).collect()
}

/// Key, version and ETag.
type Which = (Vec<u8>, Vec<u8>, Vec<u8>);

/// What is wanted, and whether it stays so.
type Listed = BTreeMap<Which, (Wanted, bool)>;

/// What the mirror's list says that it wants, none of which was found in the index yet; none where it cannot be read.
fn listed(disk: &dyn Disk, watch: &Watch<'_>) -> Result<Option<Listed>, Error> {
    let mut all = BTreeMap::new();
    let read = for_each_wanted(disk, &mut |wanted| {
        all.insert((wanted.key.clone(), wanted.version.clone(), wanted.etag.clone()), (wanted, false));
    });
    match read {
        Err(error @ Error::Refused { .. }) => {
            watch.notice(format!("{error}; it stays as it is"));
            Ok(None)
        }
        read => read.map(|_| Some(all)),
    }
}

/// Writes the next index and the steps; notes of what is wanted whether it stays.
fn write(
    area: &Area<'_>,
    file: &dyn Writable,
    (index, mut prune): (&Index, Prune<'_>),
    pruned: &mut Pruned,
    wanted: &mut Listed,
    watch: &Watch<'_>,
) -> Result<Written, Error> {
    let steps = area.create(&journal::steps()?)?;
    let points = prune.stays().map(|(point, _)| point.clone()).collect();
    let mut writing = Writing::begin(&index.tail.bucket, points, (file, &*steps), &|_| true)?;
    let mut take = |writing: &mut Writing<'_>, out: Out<'_>| {
        if let Out::Row(Row { key, version, etag, wanted: true, .. }) = &out
            && !wanted.is_empty()
            && let Some((_, stays)) = wanted.get_mut(&(key.to_vec(), version.to_vec(), text(etag)))
        {
            *stays = true;
        }
        writing.take(out);
    };
    let mut count = 0_u64;
    index.rows().all(&mut |row| {
        count += 1;
        if count.is_multiple_of(ROWS) {
            watch.go_on()?;
        }
        prune.take(row, &mut |out| take(&mut writing, out));
        writing.failed.take().map_or(Ok(()), Err)
    })?;
    *pruned = prune.end(&mut |out| take(&mut writing, out));
    writing.end().map(|(written, _)| written)
}
