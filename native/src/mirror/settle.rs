//! Settles a plan: the next index, in which stands what was had of it and what proves that.

use std::collections::{BTreeSet, HashSet};
use std::io::{BufWriter, Write};

use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::index::Encoder;
use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::plan::outcome::Outcome;
use highwater_core::formats::mirror::plan::part::Part;
use highwater_core::formats::mirror::wanted::{Wanted, Why};
use highwater_core::name::Name;
use highwater_core::render::thousands;

use super::area::Area;
use super::fetch::wanted;
use super::index::Index;
use super::journal::{self, Journal};
use super::parts::Parts;
use super::place::stage;
use super::results::{self, InOrder, Results};
use super::state::for_each_wanted;
use super::sync::index_of;
use super::wants::Wants;
use crate::disk::Appender;
use crate::error::Error;
use crate::watch::Watch;

/// How many segments or parts are named one by one.
const FEW: usize = 20;

/// What is done where it is not known what became of a part of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    /// Nothing goes on. Whoever asks may say how many segments there were.
    Refused(Option<u64>),
    /// What is lacking is wanted.
    Wanted,
}

/// What is known of a plan that was settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// Versions that could not be had.
    pub(super) missing: u64,
    /// Records of what became of parts that were not what was written.
    pub(super) damaged: u64,
}

/// Writes the index in which what was fetched stands, and the pointer to it: from then on files are moved. Gives that
/// pointer, and what could not be had.
///
/// # Errors
/// It is not known what became of a part, or the plan is damaged; the disk; the user.
pub(super) fn settle(
    area: &Area<'_>,
    journal: &Journal,
    lacking: Lacking,
    watch: &Watch<'_>,
) -> Result<(Applied, Settled), Error> {
    // One that is damaged can still be thrown away; once it is settled, it cannot.
    Journal::prove(area, watch)?;
    let name = names::index(journal.applied.index).ok_or_else(|| Error::failed("the index has no name"))?;
    let (settled, had) = gather(area, journal, lacking, watch)?;
    let applied = match journal.fetched {
        0 => as_planned(area, journal, &name, watch)?,
        _ => with_results(area, journal, (&name, had), watch)?,
    };
    area.barrier()?;
    area.put(&journal::settled()?, applied.line().as_bytes())?;
    Ok((applied, settled))
}

/// What a plan that an earlier run settled could not have, by the list of it, or where that is not there, by the index.
///
/// # Errors
/// Either is damaged, or cannot be read.
pub(super) fn was_settled(area: &Area<'_>, journal: &Journal, applied: &Applied) -> Result<Settled, Error> {
    let mut settled = Settled::default();
    if journal.wanted.is_none() {
        return Ok(settled);
    }
    if !for_each_wanted(area.disk, &mut |_| settled.missing += 1)? {
        settled.missing = index_of(area, applied)?.tail.totals.wanted;
    }
    Ok(settled)
}

/// Brings together what became of all parts: what was had, and the list of what could not be. Gives how many were had,
/// too.
fn gather(area: &Area<'_>, journal: &Journal, lacking: Lacking, watch: &Watch<'_>) -> Result<(Settled, u64), Error> {
    let parts = Parts::open(area, journal)?;
    let (mut wants, mut results) = (Wants::begin(area)?, Results::begin(area)?);
    let (mut missing, mut had, mut fetches, mut untried) = (0, 0, 0_u64, Vec::new());
    for number in 0..parts.count() {
        watch.go_on()?;
        let part = parts.get(number)?;
        fetches = fetches.saturating_add(part.fetches);
        let outcome = match parts.outcome(number, &part, watch)? {
            Some(outcome) => outcome,
            None if lacking == Lacking::Wanted => go_without(area, &parts, (number, &part), watch)?,
            None => {
                untried.push(number);
                continue;
            }
        };
        if !untried.is_empty() {
            continue;
        }
        missing += outcome.wanted.len() as u64;
        had += outcome.had.len() as u64;
        outcome.had.iter().try_for_each(|(row, had)| results.put(*row, *had))?;
        outcome.wanted.iter().try_for_each(|wanted| wants.push(wanted))?;
    }
    if let Lacking::Refused(segments) = lacking
        && !untried.is_empty()
    {
        return Err(refused(&untried, (parts.count(), parts.damaged()), segments));
    }
    if fetches != journal.fetched {
        let (name, all) = (journal::parts()?, journal.fetched);
        return Err(journal::damaged(&format!(
            "'{name}' has {fetches} versions to be fetched, and the plan has {all}"
        )));
    }
    results.flush()?;
    wants.end()?;
    Ok((Settled { missing, damaged: parts.damaged() }, had))
}

/// Why a plan is not settled, of which some parts were not fetched.
fn refused(untried: &[u64], (of, damaged): (u64, u64), segments: Option<u64>) -> Error {
    let (few, more): (Vec<String>, usize) = match segments {
        Some(segments) => {
            let all: BTreeSet<u64> = untried.iter().map(|number| number % segments.max(1) + 1).collect();
            (all.iter().take(FEW).map(|at| format!("{at}/{segments}")).collect(), all.len().saturating_sub(FEW))
        }
        None => (untried.iter().take(FEW).map(u64::to_string).collect(), untried.len().saturating_sub(FEW)),
    };
    let more = if more > 0 { format!(" and {} more", thousands(more as u64)) } else { String::new() };
    let what = if segments.is_some() { "of the segments" } else { "which are, counted from 0," };
    let (lost, untried, of) = (thousands(damaged), thousands(untried.len() as u64), thousands(of));
    let lost = if damaged > 0 { format!(", or {lost} records of that are damaged") } else { String::new() };
    Error::cannot_start(format!(
        "{untried} of {of} parts of the plan were not fetched{lost}, {what} {}{more}: run `highwater mirror fetch` of \
         those segments again, or say --go-without",
        few.join(", ")
    ))
}

/// What is known of a part that not all was tried of. What is not on record of having been fetched is wanted; and if a
/// worker was killed while it lay in the stage, it goes, so that nothing takes it for whole.
fn go_without(area: &Area<'_>, parts: &Parts<'_>, of: (u64, &Part), watch: &Watch<'_>) -> Result<Outcome, Error> {
    let Outcome { had, wanted: tried } = parts.so_far(of.0, of.1, watch)?;
    let known: HashSet<u64> = had.iter().map(|(row, _)| *row).collect();
    let mut outcome = Outcome { had, wanted: Vec::new() };
    parts.wishes(of.1, &mut |wish| {
        if known.contains(&wish.number) {
            return Ok(());
        }
        area.remove(&stage(wish.number)?)?;
        let is_of =
            |wanted: &&Wanted| wanted.key == wish.key && wanted.version == wish.version && wanted.etag == wish.etag;
        outcome.wanted.push(match tried.iter().find(is_of) {
            Some(tried) => tried.clone(),
            None => wanted(&wish, Why::Failed, "its segment of the plan was not fetched".to_owned()),
        });
        Ok(())
    })?;
    Ok(outcome)
}

/// Nothing was to be fetched: the index that was planned is the next one. A run that was cut off may have named it.
fn as_planned(area: &Area<'_>, journal: &Journal, name: &Name, watch: &Watch<'_>) -> Result<Applied, Error> {
    let rows = journal::rows()?;
    if area.disk.look(Some(&rows)).map_err(Error::at("look at", area.disk, &rows))?.is_some() {
        Index::open(area.disk, rows.clone(), &journal.applied)?.prove(watch)?;
        area.remove(name)?;
        area.disk.rename_new(&rows, name).map_err(Error::at("name", area.disk, name))?;
    }
    _ = Index::open(area.disk, name.clone(), &journal.applied)?;
    Ok(journal.applied.clone())
}

/// Writes the index anew, with what became of the rows that were wanted, of which so many were had.
fn with_results(
    area: &Area<'_>,
    journal: &Journal,
    (name, had): (&Name, u64),
    watch: &Watch<'_>,
) -> Result<Applied, Error> {
    let planned = Index::open(area.disk, journal::rows()?, &journal.applied)?;
    let file = area.create(name)?;
    let mut out = BufWriter::with_capacity(256 << 10, Appender { file: &*file, at: 0 });
    let points = planned.tail.points.clone();
    let mut encoder = Encoder::new(&planned.tail.bucket, points).map_err(Error::failed)?;
    let mut results = InOrder::open(area)?;
    let mut written = Ok(());
    let (mut count, mut taken) = (0_u64, 0_u64);
    planned.rows().all(&mut |row| {
        count += 1;
        if count.is_multiple_of(1 << 14) {
            watch.go_on()?;
        }
        let mut row = *row;
        if row.wanted
            && let Some(had) = results.next()?
        {
            (row.wanted, row.proof, row.own) = (false, had.proof, had.own);
            taken += 1;
        }
        let mut push = |bytes: &[u8]| {
            if written.is_ok() {
                written = out.write_all(bytes);
            }
        };
        encoder.push(&row, &mut push).map_err(Error::failed)
    })?;
    if taken != had {
        let what = format!("{had} records were written, and {taken} were read");
        return Err(results::damaged(0, &what));
    }
    let ended = encoder.finish(&mut |bytes| {
        if written.is_ok() {
            written = out.write_all(bytes);
        }
    });
    let ended = ended.map_err(Error::failed)?;
    let set = || {
        written?;
        out.flush()?;
        drop(out);
        file.set_mode(0o666 & !crate::store::umask())
    };
    set().map_err(Error::at("write", area.disk, name))?;
    Ok(Applied { size: ended.size, tail: ended.sum, ..journal.applied.clone() })
}
