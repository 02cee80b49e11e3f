//! The command line: the only place that prints, and the only one that knows exit codes.
//!
//! A verb is a file or a folder here, with its arguments, their help and its work; `verb` lists them all. Options
//! that several verbs have are in `options`. Options for one kind of backup are a group in a file of that kind in the
//! verb's folder: `options::of_kind` gives it a heading, and refuses it for other kinds.

mod backup;
mod checkpoint;
mod closed;
mod completions;
mod cpu;
mod demo;
#[cfg(test)]
mod documented;
mod exit;
mod explain;
mod export;
mod heal;
mod inside;
mod instead;
mod label;
mod left_out;
mod list;
mod man;
mod mark;
mod mirror;
mod options;
mod out;
mod output;
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
        Ok(cli) => dispatch(&cli, &stop).into(),
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

/// The refusal of a verb that only other programs have.
fn unknown(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(verb)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    instead::of(verb).map(|instead| format!("there is no verb '{verb}'; what it may mean is: {instead}"))
}

/// Runs a verb and prints why it failed, if it did.
fn dispatch(cli: &Cli, stop: &Arc<AtomicBool>) -> Exit {
    let verb = cli.verb.chosen();
    let started = if verb.is_threaded() { threads::start() } else { Ok(()) };
    let exit = started.and_then(|()| verb.run(stop)).unwrap_or_else(|error| {
        out::error(&error);
        Exit::from(error.class())
    });
    if !verb.is_quiet() {
        out::clock();
    }
    exit
}
