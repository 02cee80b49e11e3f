//! What of a survey of one point says that it can be restored: hosts that write ask here before they begin.

use crate::claim::Claim;
use crate::finding::{Finding, Hurts, Severity};
use crate::survey::Survey;

/// What is said to whoever would restore a set [that is used as it lies](crate::facts::Shape::Nothing).
pub const NOTHING: &str = "there is nothing to restore: it is used as it lies, so copy the folder";

/// What is said where one file is to be restored, and a point is a tree of them.
pub const TREE: &str = "a point is a tree of files: name one of them behind it, as in POINT/PATH, or restore all with the \
     command, highwater restore SET FOLDER";

/// What stands in the way of restoring the last set of a survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle<'a> {
    /// This, which hurts it, or which is why there is no set.
    Finding(&'a Finding),
    /// Something that hurts it, of so many findings that it is not among those kept.
    Unnamed,
    /// What was asked for is not there: a sentence that says what is.
    Absent(&'a str),
    /// There is no set, and nothing says why.
    NoSet,
}

/// Looks for what hurts the last set of `survey`, whose scope is one point and its indices only. With `newest`, what
/// hurts sets behind the last one matters as well: it hides a newer one than was found, so it is to be given unless the
/// last set is [exactly](is_exactly) what was asked for.
#[must_use]
pub fn obstacle(survey: &Survey, newest: bool) -> Option<Obstacle<'_>> {
    let last = survey.sets().len().checked_sub(1).and_then(|last| u64::try_from(last).ok());
    // With a single chain in scope, whatever hurts any set from some ordinal on hurts the last one.
    let matters = |hurts: Hurts| match hurts {
        Hurts::Nothing => false,
        Hurts::All | Hurts::Group(_) | Hurts::Shared(_) => true,
        Hurts::One(ordinal) => last == Some(ordinal),
        Hurts::Span { from, to } => {
            last.is_some_and(|last| (from..to).contains(&last)) || newest && last.is_none_or(|last| from > last)
        }
        Hurts::Onward { from, .. } => newest || last.is_some_and(|last| last >= from),
    };
    let findings = survey.findings();
    let fatal = findings.hurts().iter().any(|(hurts, severity)| *severity > Severity::Warning && matters(*hurts));
    if !fatal && last.is_some() {
        return None;
    }
    let mut grave = findings.sample().filter(|finding| finding.code.severity() > Severity::Warning);
    Some(match grave.find(|finding| !fatal || matters(finding.hurts)) {
        Some(finding) => Obstacle::Finding(finding),
        None if fatal => Obstacle::Unnamed,
        None => survey.absent().map_or(Obstacle::NoSet, Obstacle::Absent),
    })
}

/// Whether the set of this name is what was asked for by the point `at`, and not merely the newest before it.
#[must_use]
pub fn is_exactly(at: &str, set: &str) -> bool {
    at.strip_prefix(set).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How far the claims reach when each begins where the one before it ends, from 0 on; otherwise the first that does
/// not.
///
/// # Errors
/// That claim, and where it should begin.
pub fn reach<'a>(claims: impl IntoIterator<Item = &'a Claim>) -> Result<u64, (&'a Claim, u64)> {
    let mut reached = 0;
    for claim in claims {
        if claim.target().start != reached || claim.target().end - reached != claim.expect.length {
            return Err((claim, reached));
        }
        reached = claim.target().end;
    }
    Ok(reached)
}
