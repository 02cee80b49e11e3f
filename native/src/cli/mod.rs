//! The command line: the only place that prints, and the only one that knows exit codes.

mod args;
mod backup;
mod closed;
mod cpu;
mod demo;
mod docs;
mod exit;
mod explain;
mod heal;
mod key;
mod list;
mod mark;
mod out;
mod outputs;
mod progress;
mod report;
mod repository;
mod repozo;
mod restore;
mod show;
mod signals;
mod strays;
mod threads;
mod verbs;
mod verify;
mod web;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;
use args::{Cli, Verb};
use exit::Exit;

/// Runs the command with all its arguments, the program's name included, and says how to exit.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    let stop = signals::stop();
    if let Err(error) = cpu::limit() {
        out::error(&error);
        return Exit::from(error.class()).into();
    }
    let called_as = args.first().map(Path::new).and_then(Path::file_stem).unwrap_or_default();
    if called_as == "repozo" {
        let exit = repozo::run(&args[1..], &stop);
        out::clock();
        return exit.into();
    }
    match Cli::try_parse_from(&args) {
        Ok(cli) => dispatch(cli, &stop).into(),
        Err(error) if unknown(&error).is_some() => {
            out::error(&repository::usage(unknown(&error).unwrap_or_default()));
            Exit::Usage.into()
        }
        Err(error) => {
            // Help and version are no errors, and go to standard output.
            if error.use_stderr() {
                _ = error.print();
                return Exit::Usage.into();
            }
            printed(out::through(|out| error.print().and_then(|()| out.flush()))).into()
        }
    }
}

/// How to end when all there was to do is printing.
fn printed(printed: Result<(), Error>) -> Exit {
    printed.map_or_else(
        |error| {
            out::error(&error);
            Exit::from(error.class())
        },
        |()| Exit::Sound,
    )
}

/// What is said of a verb that other programs have.
fn unknown(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(verb)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    verbs::instead(verb).map(|instead| format!("there is no verb '{verb}'; what it may mean is: {instead}"))
}

fn dispatch(cli: Cli, stop: &Arc<AtomicBool>) -> Exit {
    let quiet = is_quiet(&cli.verb);
    let started = if works(&cli.verb) { threads::start() } else { Ok(()) };
    let result = started.and_then(|()| match cli.verb {
        Verb::Backup(args) => backup::run(&args, stop),
        Verb::Restore(args) => restore::run(&args, stop),
        Verb::Verify(args) => verify::run(&args, stop),
        Verb::Mark(args) => mark::run(&args, stop),
        Verb::Heal(args) => heal::run(&args, stop),
        Verb::Strays(args) => strays::run(&args, stop),
        Verb::List(args) => list::run(&args),
        Verb::Show(args) => show::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Demo(args) => demo::run(&args, stop),
        Verb::Web(args) => web::run(&args, stop),
        Verb::Report(args) => report::run(&args),
        Verb::Repozo(args) => Ok(repozo::run(&args.rest, stop)),
        Verb::Completions(args) => docs::completions(&args),
        Verb::Man(args) => docs::man(&args),
    });
    let exit = result.unwrap_or_else(|error| {
        out::error(&error);
        Exit::from(error.class())
    });
    if !quiet {
        out::clock();
    }
    exit
}

/// Whether a verb was asked to say no more than it must.
fn is_quiet(verb: &Verb) -> bool {
    match verb {
        Verb::Backup(args) => args.talk.quiet,
        Verb::Restore(args) => args.talk.quiet,
        Verb::Verify(args) => args.talk.quiet,
        Verb::Mark(args) => args.talk.quiet,
        Verb::Heal(args) => args.talk.quiet,
        Verb::Strays(args) => args.talk.quiet,
        _ => false,
    }
}

/// Whether a verb's work is dealt to threads. The drop-in starts them by itself, as it has exit codes of its own.
fn works(verb: &Verb) -> bool {
    let printing = matches!(verb, Verb::Explain(_) | Verb::Completions(_) | Verb::Man(_) | Verb::Report(_));
    !printing && !matches!(verb, Verb::Web(_) | Verb::Demo(_) | Verb::Repozo(_))
}
