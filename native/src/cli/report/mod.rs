//! `highwater report`: what is done with reports that `verify --json` wrote, a file each.

mod merge;
mod schema;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Subcommand};

use super::exit::Exit;
use super::verb::Run;
use crate::error::Error;

/// Work with reports that `verify --json` wrote.
#[derive(Debug, Args)]
pub(super) struct Report {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Merge(merge::Merge),
    Schema(schema::Schema),
}

impl Run for Report {
    fn is_threaded(&self) -> bool {
        false
    }

    fn is_plugin(&self) -> bool {
        match &self.verb {
            Verb::Merge(merge) => merge.is_plugin(),
            Verb::Schema(_) => false,
        }
    }

    fn run(&self, _: &Arc<AtomicBool>) -> Result<Exit, Error> {
        match &self.verb {
            Verb::Merge(merge) => merge.run(),
            Verb::Schema(_) => schema::print(),
        }
    }
}
