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
mod strays;
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
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::Error;
use args::{Cli, Verb};
use exit::Exit;

/// Runs the command with all its arguments, the program's name included, and says how to exit.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    let stop = stop_on_signals();
    if let Err(error) = cpu::limit() {
        out::error(&error);
        return Exit::from(error.class()).into();
    }
    let called_as = args.first().map(Path::new).and_then(Path::file_stem).unwrap_or_default();
    if called_as == "repozo" {
        return repozo::run(&args[1..], &stop).into();
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
    let result = match cli.verb {
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
        Verb::Repozo(args) => return repozo::run(&args.rest, stop),
        Verb::Completions(args) => docs::completions(&args),
        Verb::Man(args) => docs::man(&args),
    };
    result.unwrap_or_else(|error| {
        out::error(&error);
        Exit::from(error.class())
    })
}

/// A flag that the first interrupt or termination signal sets; the second one ends the process at once.
fn stop_on_signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the first signal finds the flag unset and sets it.
        _ = flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop));
        _ = flag::register(signal, Arc::clone(&stop));
    }
    stop
}
