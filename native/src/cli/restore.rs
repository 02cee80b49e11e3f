//! `highwater restore`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::claim::Claim;
use highwater_core::render::{bytes, thousands};

use super::exit::Exit;
use super::repository::{Repository, kind_of, open, usage};
use super::{args, key, out, progress};
use crate::disk;
use crate::error::Error;
use crate::restore::{Gap, How, Job, Look, Outcome, Plan, look, plan, plan_salvage, salvage, to_file, to_stream};
use crate::shown::quoted;

pub(super) fn run(args: &args::Restore, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    let repository = Repository::parse(&args.repository)?;
    if repository.path.is_file() && args.target.is_dir() {
        let (first, second) = (quoted(&repository.path), quoted(&args.target));
        let what = format!("{first} is a file and {second} is a folder: the repository comes first");
        return Err(usage(format!("{what}, as in: highwater restore REPO Data.fs")));
    }
    let from = open(&repository.path, &args.root)?;
    let format = kind_of(&from, &args.root)?;
    let watch = out::watch(args.talk, stop);
    let (point, key) = (repository.point, key::load(&args.keys)?);
    let plan = match args.salvage {
        true => plan_salvage(&from, format, point, key, &watch)?,
        false => plan(&from, format, point, key)?,
    };
    let job = Job {
        quick: args.quick,
        full: args.full,
        in_place: args.in_place,
        force: args.force,
        dry_run: args.dry_run,
        look: Look::Length,
        whole_sum: false,
    };
    let to_stdout = args.target == Path::new("-");
    if to_stdout && args.salvage {
        return Err(usage("--salvage needs a file: what is bad is known only after it was read".to_owned()));
    }
    if to_stdout && args.dry_run {
        look(&plan, &from, Look::Closely, &watch)?;
        out::print(&super::show::table(&plan))?;
        return Ok(Exit::Sound);
    }
    let outcome = progress::with("restoring", args.talk.quiet, &watch, || {
        if to_stdout {
            return to_stream(&job, &plan, &from, &mut out::stream()?, &watch);
        }
        let target = disk::target(&args.target, args.writing.locks())?;
        let restore = if args.salvage { salvage } else { to_file };
        let outcome = restore(&job, &plan, &from, (&*target.root, &target.name), &watch);
        out::doubts(&target.root);
        outcome
    })?;
    if !args.talk.quiet && !to_stdout {
        out::print(&words(&outcome, args, &plan))?;
    }
    let damaged = !outcome.lost.is_empty() || (args.salvage && !plan.doubts.is_empty());
    Ok(if damaged { Exit::Damage } else { Exit::Sound })
}

/// What a salvage left out.
fn lost(outcome: &Outcome) -> String {
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

/// What was done; of an OID index only where there can be one.
fn words(outcome: &Outcome, args: &args::Restore, plan: &Plan) -> String {
    let target = crate::shown::quoted(&args.target);
    let would = if args.dry_run { "would be " } else { "" };
    let mut text = String::new();
    if args.dry_run {
        let would_read = |claim: Claim| format!("would read {}\n", claim.object);
        if plan.grows {
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
    if args.salvage && outcome.how == How::Full {
        let point = &outcome.point;
        return format!("{target} salvaged from {point}: {} written\n{}", bytes(outcome.written), lost(outcome));
    }
    let checked = match (args.quick, outcome.how) {
        _ if args.dry_run && outcome.how == How::Full => "everything that it needs is there",
        _ if args.dry_run => "what the target holds fits, and everything else that it needs is there",
        (false, _) | (_, How::Full) => "every chunk checked",
        (true, _) => "its last old chunk and all new bytes checked",
    };
    let index = match (plan.grows, outcome.index) {
        (false, _) => "",
        (true, true) => ", with .index",
        (true, false) => ", without .index",
    };
    text.push_str(&format!("{what}; {} bytes, {checked}{index}\n", thousands(outcome.end)));
    text
}
