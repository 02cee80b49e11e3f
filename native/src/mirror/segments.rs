//! A sync in several runs: segments of a plan that was begun are fetched by any number of processes, on any number of
//! machines that share the mirror's file system; and one run applies it when all are.
//!
//! Whoever fetches holds the mirror's lock together with the others, so that nobody plans, applies, goes back or prunes
//! meanwhile, and each part that it is at alone. A process that is killed holds nothing; a rerun passes over what
//! became of parts on record, looks at what lies there of the others, and fetches the rest.

use highwater_core::shard::Shard;

use super::apply::Applying;
use super::area::{Area, Begins};
use super::fetch::{self, Expects, Fetched};
use super::journal::{self, Journal};
use super::settle::{self, Lacking, Settled};
use super::sync::{Summary, finish};
use crate::disk::Disk;
use crate::error::Error;
use crate::s3::Client;
use crate::watch::Watch;

/// What was fetched of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The point that it is for.
    pub point: String,
    /// Parts of the plan that are this segment's.
    pub parts: u64,
    /// Parts that the plan has.
    pub of: u64,
    /// What was fetched.
    pub fetched: Fetched,
}

/// Fetches the parts of the plan that was begun which are the `share`'s; none if nothing is to be fetched, as no plan
/// was begun, or as it is being applied already.
///
/// # Errors
/// Another run has the mirror alone; the disk, credentials, the user: what was done by then is kept.
pub fn fetch(
    disk: &dyn Disk,
    share: Shard,
    client: &Client,
    jobs: usize,
    watch: &Watch<'_>,
) -> Result<Option<Segment>, Error> {
    let area = Area::join(disk)?;
    let Some(journal) = Journal::find(&area)? else { return Ok(None) };
    if journal.wanted.is_none() || area.pointer(&journal::settled()?)?.is_some() {
        return Ok(None);
    }
    let fetched = fetch::all(&area, client, (&journal, share), jobs, Expects::Ours, watch)?;
    let (of, parts) = (journal.parts, (0..journal.parts).filter(|number| share.takes(*number)).count() as u64);
    Ok(Some(Segment { point: journal.applied.point, parts, of, fetched }))
}

/// Applies the plan that was begun; none if none was. Asks nobody.
///
/// # Errors
/// Not all of it was fetched, unless `goes_without`: then what is lacking is wanted; the disk, the user: the next run
/// goes on.
pub fn apply(
    disk: &dyn Disk,
    (goes_without, segments): (bool, Option<u64>),
    watch: &Watch<'_>,
) -> Result<Option<Summary>, Error> {
    let area = Area::take(disk, Begins::Never)?;
    let Some(journal) = Journal::find(&area)? else {
        Journal::end(&area)?;
        return Ok(None);
    };
    let lacking = if goes_without { Lacking::Wanted } else { Lacking::Refused(segments) };
    let (applied, settled) = match area.pointer(&journal::settled()?)? {
        // An earlier run settled it.
        Some(applied) => {
            let settled = settle::was_settled(&area, &journal, &applied)?;
            (applied, settled)
        }
        // A rollback or a prune.
        None if journal.wanted.is_none() => (journal.applied.clone(), Settled::default()),
        None => settle::settle(&area, &journal, lacking, watch)?,
    };
    let done: Applying = finish(&area, &applied, true, watch)?;
    let fetched = Fetched { missing: settled.missing, damaged: settled.damaged, ..Fetched::default() };
    Ok(Some(Summary { point: applied.point, resumed: false, fetched, applied: done, unread: applied.unread }))
}

/// Throws a plan away that was begun, and of which nothing was applied; gives the point that it was for, if there was
/// one. Bodies that were put where they belong stay there, and the next plan finds them.
///
/// # Errors
/// Files may have been moved already; the operating system's.
pub fn discard(disk: &dyn Disk) -> Result<Option<String>, Error> {
    let area = Area::take(disk, Begins::Never)?;
    let journal = Journal::find(&area)?;
    if let Some(journal) = &journal
        && (journal.wanted.is_none() || area.pointer(&journal::settled()?)?.is_some())
    {
        return Err(Error::cannot_start(format!(
            "the change to {} is being applied: files may have been moved, so it cannot be thrown away any more; \
             `highwater mirror apply` brings it to its end",
            journal.applied.point
        )));
    }
    Journal::end(&area)?;
    Ok(journal.map(|journal| journal.applied.point))
}
