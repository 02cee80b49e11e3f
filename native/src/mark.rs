//! Marks the data files of a repository that has none: hashes each once and keeps the chaining values.
//!
//! Marks are written only for bytes that give the digest on record; a file that does not is reported, and nothing is
//! written beside it. Whether marks hold is seen by whoever verifies with them, so those that are there are left alone
//! when they are of the file's digest.
//!
//! Of what is short or has marks, only the number is kept. A file that is to be marked takes about 300 bytes until all
//! are marked: it is longer than the distance of marks, so that is one byte for 14 KiB of what is hashed.

use std::sync::atomic::{AtomicU64, Ordering};

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::finding::Finding;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::marks::Marker;
use highwater_core::report::{Depth, Report};
use highwater_core::segments::Segments;
use highwater_core::survey::{Options, Survey};
use rayon::prelude::*;

use crate::disk::Disk;
use crate::drive::{self, check_bytes, read_marks};
use crate::error::Error;
use crate::lock;
use crate::marking;
use crate::watch::Watch;

/// How to mark.
#[derive(Debug, Clone, Copy)]
pub struct MarkOptions<'a> {
    /// What reports call it.
    pub label: &'a str,
    /// Bytes from mark to mark, a power of two: [`highwater_core::marks::DISTANCE`] but in tests.
    pub distance: u64,
    /// Say what would be done, and write nothing.
    pub dry_run: bool,
}

/// What was done, or in a dry run would be.
#[derive(Debug)]
pub struct MarkSummary {
    /// Files that got marks.
    pub made: u64,
    /// Files that had them.
    pub there: u64,
    /// Files that are too short for any.
    pub short: u64,
    /// What is wrong with files that were to get marks.
    pub findings: Vec<Finding>,
    /// What the indices and the listing show.
    pub report: Report,
}

/// Marks every file that has none.
///
/// # Errors
/// When the repository cannot be locked, or the user interrupts.
pub fn mark(
    job: MarkOptions<'_>,
    format: &'static dyn Format,
    disk: &dyn Disk,
    watch: &Watch<'_>,
) -> Result<MarkSummary, Error> {
    let _lock = if job.dry_run { None } else { Some(lock::write(disk, format.facts().lock)?) };
    let options = Options::whole(format, job.label, Depth::List);
    let survey = Survey::new(format.inspect(&Scope::new(Of::All)), options);
    let (mut bare, mut short, mut there) = (Vec::new(), 0, 0);
    let survey = drive::run(disk.as_store(), survey, Depth::List, watch, &mut |claim, verdict| {
        if *verdict != Verdict::Sound {
            return;
        }
        if claim.expect.length <= job.distance {
            short += 1;
        } else if has_marks(disk, claim) {
            there += 1;
        } else {
            bare.push(claim.clone());
        }
    })?;
    let report = survey.finish();
    let made = AtomicU64::new(0);
    let findings = if job.dry_run {
        made.store(bare.len() as u64, Ordering::Relaxed);
        Vec::new()
    } else {
        watch.expect(bare.iter().map(|claim| claim.expect.length).sum());
        let one = |claim: &Claim| match one(disk, job, claim, watch) {
            Ok(Verdict::Sound) => {
                made.fetch_add(1, Ordering::Relaxed);
                None
            }
            Ok(verdict) => verdict.finding(claim).map(Ok),
            Err(error) => Some(Err(error)),
        };
        bare.par_iter().filter_map(one).collect::<Result<_, _>>()?
    };
    Ok(MarkSummary { made: made.into_inner(), there, short, findings, report })
}

fn has_marks(disk: &dyn Disk, claim: &Claim) -> bool {
    let marks = claim.marks.as_ref().and_then(|name| read_marks(disk.as_store(), name));
    marks.is_some_and(|marks| claim.expect.sum().is_some_and(|sum| Segments::new(claim.codec, sum, marks).is_some()))
}

/// Hashes one file, and marks it when it is sound.
fn one(disk: &dyn Disk, job: MarkOptions<'_>, claim: &Claim, watch: &Watch<'_>) -> Result<Verdict, Error> {
    let unrecorded = "no digest of it is on record, and marks are those of one";
    let Some(sum) = claim.expect.sum() else { return Ok(Verdict::Unverifiable(unrecorded)) };
    if !sum.digest.algorithm().chains() {
        return Ok(Verdict::Unverifiable("the digest on record is of a kind that has no marks"));
    }
    let mut marker = Marker::new(sum.digest.algorithm(), job.distance);
    let (verdict, _) =
        check_bytes(disk.as_store(), claim, (Depth::Size, None), watch, &mut |bytes| marker.update(bytes))?;
    if verdict != Verdict::Sound {
        return Ok(verdict);
    }
    let found = marker.hasher().clone().finish();
    if found != sum.digest {
        let damage = highwater_core::check::Damage::Digest { expected: sum.digest, found, place: None };
        return Ok(Verdict::Damaged(damage));
    }
    if let Some(marks) = marker.marks(sum) {
        marking::put(disk, &claim.object, &marks, watch);
    }
    Ok(Verdict::Sound)
}
