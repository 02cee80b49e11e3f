//! `highwater mark`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::facts::Shape;
use highwater_core::finding::Severity;
use highwater_core::marks::DISTANCE;
use highwater_core::render::thousands;
use highwater_core::report::Verdict;
use serde_json::json;

use super::exit::Exit;
use super::repository::{kind_of, open_to_write, usage};
use super::{args, out, progress};
use crate::error::Error;
use crate::mark::{Job, mark};
use crate::shown::quoted;

pub(super) fn run(args: &args::Mark, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    let root = args::Root::default();
    let repository = open_to_write(&args.repository, args.following, args.writing)?;
    let format = kind_of(&repository, &root)?;
    if format.facts().shape != Shape::Append {
        let what = "what it holds is checked in parallel without marks";
        return Err(usage(format!("{} is a {}: {what}", quoted(&args.repository), format.facts().name)));
    }
    let label = super::verify::label(&args.repository);
    let job = Job { label: &label, distance: DISTANCE, dry_run: args.dry_run };
    let watch = out::watch(args.talk, stop);
    let done =
        progress::with(&format!("marking {label}"), args.talk.quiet, &watch, || mark(job, format, &repository, &watch));
    out::doubts(&repository);
    let done = done?;
    let notes = done.report.findings.iter().filter(|note| note.severity > Severity::Warning);
    let listed = notes.map(|note| format!("{} {}: {}", note.code, note.object, note.message));
    let found = done.findings.iter().map(|finding| {
        let object = finding.object.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{} {object}: {}", finding.code, finding.message)
    });
    let problems: Vec<String> = listed.chain(found).collect();
    let worst = done.findings.iter().map(|finding| finding.code.severity()).max();
    let exit = match (worst, done.report.verdict) {
        (Some(Severity::Damage), _) | (_, Verdict::Damaged) => Exit::Damage,
        (Some(_), _) | (_, Verdict::Inconclusive) => Exit::Inconclusive,
        (None, Verdict::Sound) => Exit::Sound,
    };
    if args.json {
        let report = json!({
            "schema": 1, "made": done.made, "there": done.there, "short": done.short,
            "dry_run": args.dry_run, "problems": problems,
        });
        out::print(&format!("{report:#}\n"))?;
    } else {
        problems.iter().for_each(|problem| out::say(&format!("highwater: {problem}")));
        let would = if args.dry_run { "to be marked" } else { "marked" };
        let (made, there, short) = (thousands(done.made), thousands(done.there), thousands(done.short));
        out::print(&format!("files {would}: {made}; with marks already: {there}; too short for any: {short}\n"))?;
        if exit != Exit::Sound {
            out::say("highwater: not everything is whole; `highwater verify` says more");
        }
    }
    Ok(exit)
}
