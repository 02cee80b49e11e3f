//! `judge`: what came is compared with the digests that the store itself keeps, before it takes its place.

use highwater_core::formats;
use highwater_core::inspect::{Of, Scope};
use highwater_core::report::{Depth, Soundness};
use highwater_core::survey::{Options, Survey};

use super::{At, Filled, StoreOptions};
use crate::drive;
use crate::error::Error;
use crate::watch::Watch;

/// Judges it; false where the store keeps no digests that are known here. What the old replica had was judged when it
/// came.
///
/// # Errors
/// It is not sound, or cannot be read.
pub(super) fn judge(
    job: &StoreOptions<'_>,
    at: &At<'_>,
    kind: &str,
    filled: &Filled,
    watch: &Watch<'_>,
) -> Result<bool, Error> {
    let Some(format) = formats::by_name(kind) else { return Ok(false) };
    let inside = at.disk.beneath(&at.store).map_err(Error::at("open", at.disk, &at.store))?;
    let depth = Depth::Digest;
    let scope = Scope::new(Of::All).trailing(depth >= format.facts().trails);
    let survey = Survey::new(format.inspect(&scope), Options::whole(format, "", depth));
    let had = |claim: &mut highwater_core::claim::Claim| {
        !job.check && filled.files.get(&claim.object).is_some_and(|came| came.linked)
    };
    let report = drive::run_but(inside.as_store(), survey, depth, watch, Some(&had), &mut |_, _| {})?.finish();
    match report.findings.first() {
        _ if report.verdict == Soundness::Sound => Ok(true),
        Some(note) => Err(Error::damage(format!(
            "the store is damaged: {} {}: {}; the replica is left as it was, and `highwater verify` of the store says more",
            note.code, note.object, note.message
        ))),
        None => Err(Error::failed("what came could not be judged; the replica is left as it was")),
    }
}
