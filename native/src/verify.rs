//! Verifies one root: what its indices claim, at a depth, gives a report.

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::inspect::{Format, Of, Scope};
use highwater_core::key::Key;
use highwater_core::report::{Depth, Report};
use highwater_core::shard::Shard;
use highwater_core::survey::{Options, Survey};

use crate::drive;
use crate::error::Error;
use crate::store::Store;
use crate::watch::Watch;

/// How a root is verified.
#[derive(Debug)]
pub struct Verification<'a> {
    /// What the report calls it.
    pub label: &'a str,
    /// Its kind.
    pub format: &'static dyn Format,
    /// The point, if only one is asked for.
    pub point: Option<&'a str>,
    /// How thoroughly.
    pub depth: Depth,
    /// Warnings count as damage.
    pub strict: bool,
    /// Which part of the claims.
    pub shard: Shard,
    /// Opens what was encrypted with it.
    pub key: Option<Key>,
}

/// Verifies a root, and hands each claim and its verdict to `settled`.
///
/// # Errors
/// When the point is none, or nothing is at or before it; when a folder cannot be listed; [`Error::Interrupted`].
pub fn verify(
    store: &dyn Store,
    how: Verification<'_>,
    watch: &Watch<'_>,
    settled: &mut dyn FnMut(&Claim, &Verdict),
) -> Result<Report, Error> {
    let Verification { label, format, point, depth, strict, shard, key } = how;
    let trails = depth >= format.facts().trails;
    let of = match point {
        None => Of::All,
        Some(point) => Of::Under(format.point(point).map_err(|no| Error::usage(no.to_string()))?),
    };
    let options = Options { label: label.to_owned(), format: Some(format), depth, strict, shard };
    let survey = Survey::new(format.inspect(&Scope::new(of).trailing(trails).keyed(key).part(shard)), options);
    let survey = drive::run(store, survey, depth, watch, settled)?;
    let absent = survey.absent().map(|what| format!("{what} [in {label}]"));
    let report = survey.finish();
    let nothing = report.sets.is_empty() && report.findings.is_empty() && report.removed.is_empty();
    if let Some(point) = point.filter(|_| nothing) {
        let none = || format!("there is no point in time at or before {point} in {label}");
        return Err(Error::cannot_start(absent.unwrap_or_else(none)));
    }
    Ok(report)
}
