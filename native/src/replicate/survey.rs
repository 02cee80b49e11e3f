//! `survey`: asks the source what it claims, and copies what of that the replica lacks.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::name::Name;
use highwater_core::part::{Change, Part};
use highwater_core::report::Depth;
use highwater_core::survey::Survey;

use super::below::Below;
use super::fetch::{Came, Fetch};
use super::place::Placing;
use crate::drive;
use crate::error::Error;
use crate::watch::Watch;

/// What the surveys of a set found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) copied: u64,
    pub(super) bytes: u64,
    pub(super) unproven: u64,
    pub(super) had: u64,
    /// Objects that are not whole in the source, or cannot be read.
    pub(super) bad: BTreeSet<Name>,
    /// What an earlier run left of an object is of another one.
    pub(super) stale: bool,
    /// In a dry run, what is to be copied of what points are made of.
    pub(super) planned: BTreeSet<Name>,
}

/// Does a survey of the source or of a folder in it, and copies what it claims and the replica lacks.
pub(super) fn survey(
    survey: Survey,
    below: &Below<'_, Fetch<'_>>,
    placing: &mut Option<Placing<'_>>,
    found: &mut Found,
    watch: &Watch<'_>,
) -> Result<Survey, Error> {
    let fetch = below.store;
    let [had, lacking, bytes] = [const { AtomicU64::new(0) }; 3];
    let is_dry = fetch.work.is_none();
    let planned = Mutex::new(std::mem::take(&mut found.planned));
    let has = |claim: &mut Claim| {
        (claim.object, claim.index) = (below.full(&claim.object), below.full(&claim.index));
        // Marks are for whoever reads an object out of order.
        claim.marks = None;
        let part = (fetch.catalogue.parts)(&claim.object, false);
        if !matches!(part, Part::Object(_)) {
            return false;
        }
        match fetch.has(claim) {
            Ok(true) => {
                had.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            Ok(false) => fetch.lacks(claim),
            Err(error) => fetch.fail(error),
        }
        // What points of the set are made of is claimed twice.
        let is_first = || planned.lock().unwrap_or_else(PoisonError::into_inner).insert(claim.object.clone());
        if is_dry && (part != Part::Object(Change::Grows) || is_first()) {
            lacking.fetch_add(1, Ordering::Relaxed);
            bytes.fetch_add(claim.expect.length, Ordering::Relaxed);
        }
        is_dry
    };
    let mut settled = |claim: &Claim, verdict: &Verdict| {
        if let Err(error) = settle(fetch, claim, verdict, placing, found) {
            fetch.fail(error);
        }
    };
    let survey = drive::run_but(below, survey, Depth::Digest, watch, Some(&has), &mut settled)?;
    found.planned = planned.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.had += had.into_inner();
    found.copied += lacking.into_inner();
    found.bytes += bytes.into_inner();
    match fetch.failed() {
        Some(error) => Err(error),
        None => Ok(survey),
    }
}

/// Takes the verdict on a claim, and what came of its object.
fn settle(
    fetch: &Fetch<'_>,
    claim: &Claim,
    verdict: &Verdict,
    placing: &mut Option<Placing<'_>>,
    found: &mut Found,
) -> Result<(), Error> {
    let keep = matches!(verdict, Verdict::Sound | Verdict::Unverifiable(_));
    let came = fetch.settle(&claim.object, keep, !matches!(verdict, Verdict::Unreadable(_)))?;
    match (came, placing) {
        (Some(Came::Whole(work, length)), Some(placing)) => {
            found.copied += 1;
            found.bytes += length;
            found.unproven += u64::from(*verdict != Verdict::Sound);
            return placing.add(work, claim, length);
        }
        (Some(Came::Resumed), _) => found.stale = true,
        (None, _) if keep => return Ok(()),
        _ => {}
    }
    found.bad.insert(claim.object.clone());
    Ok(())
}
