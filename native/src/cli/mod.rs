//! The command line: the only place that prints, and the only one that knows exit codes.
//!
//! A verb is a file or a folder here, with its arguments, their help and its work; `verb` lists them all. Options
//! that several verbs have are in `options`. Options for one kind of backup are a group in a file of that kind in the
//! verb's folder: `options::of_kind` gives it a heading, and refuses it for other kinds.

mod apart;
mod backup;
mod checkpoint;
mod closed;
mod colour;
mod completions;
mod cpu;
mod demo;
#[cfg(test)]
mod documented;
mod events;
mod exit;
mod explain;
mod export;
mod heal;
mod input;
mod inside;
mod instead;
mod label;
mod left_out;
mod list;
mod man;
mod mark;
mod mirror;
mod near;
mod options;
mod out;
mod output;
mod plugin;
mod progress;
mod prune;
mod replicate;
mod report;
mod repository;
mod repozo;
mod restore;
mod serve;
mod show;
mod signals;
mod strays;
mod threads;
mod verb;
mod verify;
mod web;
mod whence;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;
use exit::Exit;
use verb::Cli;

/// Runs the command with all its arguments, the program's name included, and says how to exit.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    let stop = signals::stop();
    if let Err(error) = cpu::limit() {
        return failed(&error, plugin::is_asked(&args)).into();
    }
    let called_as = args.first().map(Path::new).and_then(Path::file_stem).unwrap_or_default();
    if called_as == "repozo" {
        let exit = repozo::run(&args[1..], &stop);
        out::clock();
        return exit.into();
    }
    match Cli::try_parse_from(&args) {
        Ok(cli) => dispatch(&cli, &args, &stop).into(),
        Err(error) if error.use_stderr() && plugin::is_asked(&args) => plugin::unknown(&error.to_string()).into(),
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
    printed.map_or_else(|error| failed(&error, false), |()| Exit::Sound)
}

/// The refusal of a verb that only other programs have.
fn unknown(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(verb)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    instead::of(verb).map(|instead| format!("there is no verb '{verb}'; what it may mean is: {instead}"))
}

/// Says why nothing came of it; and how to end then.
fn failed(error: &Error, is_plugin: bool) -> Exit {
    if is_plugin {
        return plugin::unknown(&error.to_string());
    }
    out::error(error);
    Exit::from(error.class())
}

/// Runs a verb and prints why it failed, if it did.
fn dispatch(cli: &Cli, args: &[OsString], stop: &Arc<AtomicBool>) -> Exit {
    let verb = cli.verb.chosen();
    apart::begin(args);
    if let Err(error) = events::begin(verb.talk().and_then(|talk| talk.events.as_deref()), args, stop) {
        return failed(&error, verb.is_plugin());
    }
    let started = whence::begin(args).and_then(|()| if verb.is_threaded() { threads::start() } else { Ok(()) });
    let (exit, why) = match started.and_then(|()| verb.run(stop)) {
        Ok(exit) => (exit, None),
        Err(error) => (failed(&error, verb.is_plugin()), Some(error)),
    };
    let exit = events::end(exit, why.as_ref()).map_or_else(
        |error| {
            out::error(&error);
            exit.unless_worse()
        },
        |()| exit,
    );
    // However quiet the run: by a clock that stands, no backup is ever too old.
    if !verb.is_spoken_for() {
        out::clock();
    }
    exit
}
