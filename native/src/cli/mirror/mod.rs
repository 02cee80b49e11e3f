//! `highwater mirror`: a folder that is a mirror of a bucket of S3, and a true backup back in time.

mod apply;
mod asking;
mod discard;
mod fetch;
mod plan;
mod planning;
mod prune;
mod rollback;
mod status;
mod sync;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Subcommand};

use super::exit::Exit;
use super::near::near;
use super::options::Talk;
use super::verb::Run;
use crate::disk;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Files, Locks};

/// Mirror a bucket of S3 into a folder, every version kept, from the inventories that S3 writes.
///
/// The folder is usable as it is: the latest version of each key lies at the key's path, with the time at which it was
/// written; older versions lie beside it as NAME.old.VERSION.ETAG. `verify`, `list`, `show` and `restore` take such a
/// folder as they take any backup, without the network.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  highwater mirror sync s3://inventories/dandiarchive/weekly/ /srv/mirror            to the newest inventory
  highwater mirror sync s3://inventories/dandiarchive/weekly/ /srv/mirror --dry-run  what would that do?
  highwater mirror plan s3://inventories/dandiarchive/weekly/ /srv/mirror            the same on several machines: plan,
  highwater mirror fetch /srv/mirror --segment 3/16                                  fetch a segment on each of them,
  highwater mirror apply /srv/mirror --segments 16                                   and apply when all are there
  highwater mirror status /srv/mirror                                                what is there, what is wanted
  highwater mirror rollback /srv/mirror --to 2026-11-01                              show how it was then: no network
  highwater mirror rollback /srv/mirror --to latest                                  and forward again
  highwater mirror prune /srv/mirror --older-than 1y                                 forget what is older than a year
  highwater verify /srv/mirror                                                       every byte, offline")]
pub(super) struct Mirror {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Sync(sync::Sync),
    Plan(plan::Plan),
    Fetch(fetch::Fetch),
    Apply(apply::Apply),
    Discard(discard::Discard),
    Rollback(rollback::Rollback),
    Prune(prune::Prune),
    Status(status::Status),
}

/// Opens the folder that is a mirror, or becomes one.
fn opened(mirror: &Path, locks: Locks) -> Result<Files, Error> {
    near(mirror)?;
    disk::open(mirror, locks).map_err(|error| Error::cannot_start(format!("cannot open {}: {error}", quoted(mirror))))
}

impl Mirror {
    fn chosen(&self) -> &dyn Run {
        match &self.verb {
            Verb::Sync(verb) => verb,
            Verb::Plan(verb) => verb,
            Verb::Fetch(verb) => verb,
            Verb::Apply(verb) => verb,
            Verb::Discard(verb) => verb,
            Verb::Rollback(verb) => verb,
            Verb::Prune(verb) => verb,
            Verb::Status(verb) => verb,
        }
    }
}

impl Run for Mirror {
    fn is_threaded(&self) -> bool {
        self.chosen().is_threaded()
    }

    fn talk(&self) -> Option<&Talk> {
        self.chosen().talk()
    }

    fn run(&self, stop: &Arc<AtomicBool>) -> Result<Exit, Error> {
        self.chosen().run(stop)
    }
}
