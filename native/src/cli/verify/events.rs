//! What `--events` tells of a verification: verdicts on claims, findings, and roots.

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::report::{Note, Report};
use serde_json::json;

use crate::cli::events::write;

/// Writes the verdict on a claim.
pub(super) fn settled(label: &str, claim: &Claim, verdict: &Verdict) {
    write(|| {
        let (word, message) = match verdict {
            Verdict::Sound => ("sound", None),
            Verdict::Damaged(damage) => ("damaged", Some(damage.to_string())),
            Verdict::Unreadable(fault) => ("unreadable", Some(fault.to_string())),
            Verdict::Unverifiable(why) => ("unverifiable", Some((*why).to_owned())),
        };
        let object = claim.object.to_string();
        json!({ "event": "claim", "root": label, "object": object, "verdict": word, "message": message })
    });
}

/// Writes a finding.
pub(super) fn found(note: &Note) {
    write(|| {
        json!({
            "event": "finding", "root": note.root, "code": note.code, "name": note.name,
            "object": note.object, "offset": note.offset, "message": note.message,
        })
    });
}

/// Writes what was found of a root, and its verdict.
pub(super) fn root(label: &str, report: &Report) {
    report.findings.iter().for_each(found);
    let (verdict, coverage) = (report.verdict, report.coverage);
    write(|| json!({ "event": "root", "root": label, "verdict": verdict, "coverage": coverage }));
}
