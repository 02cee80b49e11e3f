//! `highwater completions`: generated from the definition of the arguments.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::exit::Exit;
use super::out;
use super::verb::{Cli, Run};
use crate::error::Error;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Run for Completions {
    fn is_threaded(&self) -> bool {
        false
    }

    fn run(&self, _: &Arc<AtomicBool>) -> Result<Exit, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "highwater", &mut script);
        out::print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Sound)
    }
}
