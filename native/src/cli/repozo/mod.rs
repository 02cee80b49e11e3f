//! `highwater repozo`: a drop-in for the `repozo` of ZODB 6.4, with the incremental recover of its open change.
//!
//! Flags, `-v` lines, messages that tools match and exit codes (0, and 1 for everything else) are the original's.
//! Where the original would go on and silently make a wrong file, this refuses with exit 1 and one line.

mod backup;
mod files;
mod help;
mod options;
mod recover;
mod verify;

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::exit::Exit;
use super::verb::Run;
use super::{out, progress, threads};
use crate::error::Error;
use crate::watch::{Event, Watch};
use options::{Mode, Options, Stop};

/// Be Python's repozo: same flags, messages and exit codes (try `highwater repozo --help`).
///
/// A link to this program named `repozo` does the same.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Repozo {
    /// What repozo is called with.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<OsString>,
}

impl Run for Repozo {
    /// It starts them by itself, as it has exit codes of its own.
    fn is_threaded(&self) -> bool {
        false
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        Ok(run(&self.rest, stop))
    }
}

/// Runs with repozo's arguments, without the program's name.
pub(super) fn run(args: &[OsString], stop: &Arc<AtomicBool>) -> Exit {
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(Stop::Help) => {
            return match out::print(help::TEXT) {
                Ok(()) => Exit::Sound,
                Err(error) => {
                    out::say(&error.to_string());
                    Exit::Damage
                }
            };
        }
        Err(Stop::Usage(message)) => {
            out::say(help::TEXT);
            out::say(&message);
            return Exit::Damage;
        }
    };
    let verbose = options.verbose;
    let watch = Watch::new(Arc::clone(stop), move |event| match event {
        Event::Note(text) | Event::Decision(text) if verbose => out::say(text),
        Event::Notice(text) => out::say(text),
        Event::Note(_) | Event::Decision(_) => {}
    });
    for ignored in &options.ignored {
        watch.note(ignored);
    }
    let result = threads::start().and_then(|()| {
        progress::with("repozo", true, &watch, || match options.mode {
            Mode::Backup => backup::run(&options, &watch),
            Mode::Recover => recover::run(&options, &watch),
            Mode::Verify => verify::run(&options, &watch),
        })
    });
    match result {
        Ok(()) => Exit::Sound,
        Err(Error::Interrupted) => Exit::Interrupted,
        Err(error) => {
            out::say(&error.to_string());
            Exit::Damage
        }
    }
}
