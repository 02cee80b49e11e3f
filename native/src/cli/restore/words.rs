//! What a restore came to, in words and as JSON.

use highwater_core::claim::Claim;
use highwater_core::facts::Shape;
use highwater_core::inspect::Format;
use highwater_core::render::{bytes, thousands};
use serde_json::{Value, json};

use super::Restore;
use crate::restore::{Gap, How, Plan, RestoreSummary};
use crate::shown::{quoted, shown};

/// What a salvage left out.
fn lost(outcome: &RestoreSummary) -> String {
    let mut text = String::new();
    for Gap { range, why } in &outcome.lost {
        text.push_str(&format!("lost: bytes {} to {}: {why}\n", thousands(range.start), thousands(range.end)));
    }
    let gone: u64 = outcome.lost.iter().map(|gap| gap.range.end - gap.range.start).sum();
    if gone > 0 {
        let (gone, end) = (thousands(gone), thousands(outcome.end));
        text.push_str(&format!("{gone} of {end} bytes are lost, and zeros take their place\n"));
    }
    text
}

/// How, in a word.
pub(super) fn how(how: How) -> &'static str {
    match how {
        How::Nothing => "nothing",
        How::Appended => "appended",
        How::Cut => "cut",
        How::Full => "full",
    }
}

/// What was done, as `--json` writes it.
pub(super) fn document(args: &Restore, outcome: &RestoreSummary, format: &dyn Format) -> Value {
    let lost = |Gap { range, why }: &Gap| json!({ "start": range.start, "end": range.end, "why": why });
    json!({
        "schema": 1, "format": format.facts().name, "point": outcome.point, "target": shown(&args.target),
        "how": how(outcome.how), "bytes": outcome.end, "written": outcome.written, "files": outcome.files,
        "index": outcome.index, "lost": outcome.lost.iter().map(lost).collect::<Vec<_>>(), "dry_run": args.dry_run,
    })
}

/// What was done; of an OID index only where there can be one.
pub(super) fn words(args: &Restore, outcome: &RestoreSummary, plan: &Plan) -> String {
    let target = quoted(&args.target);
    let would = if args.dry_run { "would be " } else { "" };
    let mut text = String::new();
    if args.dry_run {
        let would_read = |claim: Claim| format!("would read {}\n", claim.object);
        if plan.shape == Shape::Append {
            text.extend(plan.claims.from(outcome.had).map(would_read));
        } else if outcome.had == 0 {
            text.extend(plan.claims.distinct().map(would_read));
        }
    }
    let files = match outcome.files {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    };
    let what = match outcome.how {
        How::Nothing => format!("{target} is at {} already", outcome.point),
        How::Appended => {
            format!("{target} {would}brought to {}: {} appended from {files}", outcome.point, bytes(outcome.written))
        }
        How::Cut => format!("{target} {would}cut back to {}", outcome.point),
        How::Full => {
            format!("{target} {would}restored to {}: {} written from {files}", outcome.point, bytes(outcome.written))
        }
    };
    if args.datastore.salvage && outcome.how == How::Full {
        let point = &outcome.point;
        return format!("{target} salvaged from {point}: {} written\n{}", bytes(outcome.written), lost(outcome));
    }
    let checked = match (args.repozo.quick, outcome.how) {
        _ if args.dry_run && outcome.how == How::Full => "everything that it needs is there",
        _ if args.dry_run => "what the target holds fits, and everything else that it needs is there",
        (false, _) | (_, How::Full) => "every chunk checked",
        (true, _) => "its last old chunk and all new bytes checked",
    };
    let index = match (plan.shape == Shape::Append, outcome.index) {
        (false, _) => "",
        (true, true) => ", with .index",
        (true, false) => ", without .index",
    };
    text.push_str(&format!("{what}; {} bytes, {checked}{index}\n", thousands(outcome.end)));
    text
}
