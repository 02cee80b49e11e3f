//! `highwater backup`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::formats::repozo::Repozo;
use highwater_core::formats::repozo::names::Kind;
use highwater_core::inspect::Format;
use highwater_core::render::{bytes, thousands};

use super::exit::Exit;
use super::repository::{kind_of, usage};
use super::{args, out, progress};
use crate::backup::{Job, Outcome, backup};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Files;

pub(super) fn run(args: &args::Backup, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
    // An empty folder is of no kind yet.
    if let Ok(format) = kind_of(&Files, &args.repository, None)
        && format.name() != Repozo.name()
    {
        let what = "nothing can be backed up into one yet";
        return Err(usage(format!("{} is a {}: {what}", quoted(&args.repository), format.name())));
    }
    let job = Job {
        source: args.source.clone(),
        repository: args.repository.clone(),
        full: args.full,
        quick: args.quick,
        gzip: args.gzip,
        kill_old: args.kill_old,
        dry_run: args.dry_run,
        now: None,
        marks: highwater_core::marks::DISTANCE,
        sums: false,
    };
    let watch = out::watch(args.talk, stop);
    let outcome = progress::with("backing up", args.talk.quiet, &watch, || backup(&job, &Files, &watch))?;
    let would = if args.dry_run { "would write" } else { "wrote" };
    let line = match outcome {
        Outcome::Nothing(at) => {
            format!("nothing to do: the repository holds all {} bytes of complete transactions\n", thousands(at))
        }
        Outcome::Made(made) => {
            let kind = if made.kind == Kind::Full { "full backup" } else { "increment" };
            let stored = if args.dry_run { String::new() } else { format!(", {} stored", bytes(made.stored)) };
            let removed =
                if made.removed > 0 { format!("; removed {} older files", made.removed) } else { String::new() };
            format!(
                "{would} {kind} {}: bytes {} to {} of the source ({}{stored}){removed}\n",
                made.file,
                thousands(made.start),
                thousands(made.end),
                bytes(made.end - made.start)
            )
        }
    };
    if !args.talk.quiet {
        out::print(&line)?;
    }
    Ok(Exit::Sound)
}
