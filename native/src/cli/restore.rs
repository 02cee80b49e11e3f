//! `highwater restore`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::render::{bytes, thousands};

use super::exit::Exit;
use super::repository::{Repository, kind_of, open, usage};
use super::{args, key, out, progress};
use crate::disk;
use crate::error::Error;
use crate::restore::{How, Job, Outcome, plan, to_file, to_stream};
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
    let plan = plan(&from, format, repository.point, key::load(&args.keys)?)?;
    let job =
        Job { quick: args.quick, full: args.full, in_place: args.in_place, dry_run: args.dry_run, whole_sum: false };
    let to_stdout = args.target == Path::new("-");
    if to_stdout && args.dry_run {
        out::print(&super::show::table(&plan))?;
        return Ok(Exit::Sound);
    }
    let outcome = progress::with("restoring", args.talk.quiet, &watch, || {
        if to_stdout {
            return to_stream(&job, &plan, &from, &mut out::stream()?, &watch);
        }
        let target = disk::target(&args.target, args.writing.locks())?;
        let outcome = to_file(&job, &plan, &from, (&*target.root, &target.name), &watch);
        out::doubts(&target.root);
        outcome
    })?;
    if !args.talk.quiet && !to_stdout {
        out::print(&words(&outcome, args, format.grows()))?;
    }
    Ok(Exit::Sound)
}

/// What was done; of an OID index only where there can be one.
fn words(outcome: &Outcome, args: &args::Restore, indexed: bool) -> String {
    let target = crate::shown::quoted(&args.target);
    let would = if args.dry_run { "would be " } else { "" };
    let mut text = String::new();
    if args.dry_run {
        for file in &outcome.files {
            text.push_str(&format!("would read {file}\n"));
        }
    }
    let files = match outcome.files.len() {
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
    let checked = match (args.quick, outcome.how) {
        (false, _) | (_, How::Full) => "every chunk checked",
        (true, _) => "its last old chunk and all new bytes checked",
    };
    let index = match (indexed, outcome.index) {
        (false, _) => "",
        (true, true) => ", with .index",
        (true, false) => ", without .index",
    };
    text.push_str(&format!("{what}; {} bytes, {checked}{index}\n", thousands(outcome.end)));
    text
}
