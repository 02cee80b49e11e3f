//! Shows another point of a mirror: moves files, asks nobody, and loses nothing.

use std::io::{BufWriter, Write};

use highwater_core::digest::Digest;
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::index::Row;
use highwater_core::formats::mirror::plan::{Item, TITLE, Why};
use highwater_core::mtree::Seal;
use highwater_core::name::Name;
use highwater_core::stamp;

use super::apply::Applying;
use super::area::{Area, Begins};
use super::index::Index;
use super::journal::{self, Journal};
use super::sync::{finish, forget, index_of};
use crate::disk::{Appender, Disk};
use crate::error::Error;
use crate::watch::Watch;

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolled {
    /// The point that was shown, and the one that is now.
    pub from: String,
    /// The one that is now.
    pub to: String,
    /// What became of files that were to be moved.
    pub applied: Applying,
    /// A file of the point was never had: so many.
    pub wanted: u64,
}

/// Shows the newest point at or before `to`.
///
/// # Errors
/// There is none; a plan is under way; the disk.
pub fn rollback(disk: &dyn Disk, to: &str, dry_run: bool, watch: &Watch<'_>) -> Result<Rolled, Error> {
    let Taken { area, applied, index, before } = take(disk, dry_run, watch)?;
    let (from, number) = (number(&index, &applied.point)?, chosen(&index, to)?);
    let point = &index.tail.points[number as usize];
    let mut rolled = Rolled { from: applied.point.clone(), to: point.name.clone(), applied: before, wanted: 0 };
    rolled.wanted = write(&area, &index, from, number, watch)?;
    if from == number {
        // It may be an earlier run that came here, and was killed; what it lacks is told all the same.
        Journal::end(&area)?;
        return Ok(rolled);
    }
    if dry_run {
        Journal::for_each(&area, &mut |_| {
            rolled.applied.moved += 1;
            Ok(())
        })?;
        Journal::end(&area)?;
        return Ok(rolled);
    }
    let applied = Applied { point: point.name.clone(), manifest: Digest::Md5(point.manifest), ..applied };
    area.barrier()?;
    Journal::of_moves(&applied).begin(&area)?;
    rolled.applied += finish(&area, &applied, false, watch)?;
    Ok(rolled)
}

/// A mirror that is changed without the network.
pub(super) struct Taken<'a> {
    pub(super) area: Area<'a>,
    /// Its pointer, and the index that this means.
    pub(super) applied: Applied,
    pub(super) index: Index,
    /// What became of files in the change of an earlier run, which was ended first.
    pub(super) before: Applying,
}

/// Takes a mirror. A change that was begun and needs no network is ended first.
///
/// # Errors
/// It has no point; a sync is under way, or any change if this is a `dry_run`; the disk.
pub(super) fn take<'a>(disk: &'a dyn Disk, dry_run: bool, watch: &Watch<'_>) -> Result<Taken<'a>, Error> {
    let area = Area::take(disk, Begins::Never)?;
    let mut before = Applying::default();
    if let Some(journal) = Journal::find(&area)? {
        let point = &journal.applied.point;
        if journal.wanted.is_some() {
            return Err(Error::cannot_start(format!(
                "a sync to {point} was begun and is not at its end: `highwater mirror sync` goes on with it"
            )));
        }
        if dry_run {
            return Err(Error::cannot_start(format!(
                "a change to {point} was begun and is not at its end: without --dry-run, it is ended first"
            )));
        }
        watch.decision(format!("ends the change to {point} first, which an earlier run began"));
        before = finish(&area, &journal.applied, true, watch)?;
    }
    Journal::end(&area)?;
    let Some(applied) = area.applied()? else {
        return Err(Error::cannot_start("no sync into this mirror has come to its end, so it has no point"));
    };
    let index = index_of(&area, &applied)?;
    // Also what a run left that was killed when it had written the next one.
    forget(&area, &applied)?;
    Ok(Taken { area, applied, index, before })
}

pub(super) fn number(index: &Index, point: &str) -> Result<u32, Error> {
    index.tail.number(point).ok_or_else(|| Error::damage(format!("the index has no point {point}")))
}

/// The newest point at or before what was asked for.
fn chosen(index: &Index, asked: &str) -> Result<u32, Error> {
    let points = &index.tail.points;
    let at = match asked {
        "latest" => points.len().checked_sub(1),
        asked => {
            // A day stands for its end, as everywhere.
            stamp::point(asked).map_err(|no| Error::cannot_start(no.to_string()))?;
            points.iter().rposition(|point| point.name.as_str() <= asked || point.name.starts_with(asked))
        }
    };
    at.and_then(|at| u32::try_from(at).ok()).ok_or_else(|| {
        let first = points.first().map(|point| point.name.as_str()).unwrap_or_default();
        Error::cannot_start(format!("there is no point at or before {asked}: the first is {first}"))
    })
}

/// Writes the steps from one point to another; gives how many files of it were never had.
fn write(area: &Area<'_>, index: &Index, from: u32, to: u32, watch: &Watch<'_>) -> Result<u64, Error> {
    let file = area.create(&journal::steps()?)?;
    let mut out = BufWriter::with_capacity(256 << 10, Appender { file: &*file, at: 0 });
    let mut seal = Seal::default();
    let mut written = Ok(());
    let mut say = |line: &str| {
        seal.push(line);
        if written.is_ok() {
            written = out.write_all(line.as_bytes());
        }
    };
    say(TITLE);
    let (mut key, mut is_aside, mut back): (Vec<u8>, bool, Option<(Name, Name)>) = (Vec::new(), false, None);
    let (mut wanted, mut count) = (0, 0_u64);
    let push = |why: Why, (from, to): (Name, Name), say: &mut dyn FnMut(&str)| {
        let mut line = String::new();
        Item::Move { from, to, why }.push(&mut line);
        say(&line);
    };
    index.rows().all(&mut |row: &Row<'_>| {
        count += 1;
        if count.is_multiple_of(1 << 14) {
            watch.go_on()?;
        }
        if row.key != key.as_slice() {
            // Of each key, what makes room comes first.
            if let Some(back) = back.take() {
                push(Why::Back, back, &mut say);
            }
            key.clear();
            key.extend_from_slice(row.key);
            is_aside = index.tail.is_aside(row.key);
        }
        if row.marker || row.is_latest(from) == row.is_latest(to) && !row.wanted {
            return Ok(());
        }
        if row.wanted {
            wanted += u64::from(row.is_latest(to));
            return Ok(());
        }
        if let (Some(old), Some(new)) = (row.place(from, is_aside), row.place(to, is_aside)) {
            match row.is_latest(to) {
                true => back = Some((old, new)),
                false => push(Why::Retired, (old, new), &mut say),
            }
        }
        Ok(())
    })?;
    if let Some(back) = back.take() {
        push(Why::Back, back, &mut say);
    }
    let seal = seal.end();
    let end = || {
        written?;
        out.write_all(seal.as_bytes())?;
        out.flush()
    };
    end().map_err(|error| Error::failed(format!("cannot write the plan: {error}; make room, and run again")))?;
    Ok(wanted)
}
