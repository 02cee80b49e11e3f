//! Options of `highwater restore` for a datastore.

use clap::Args;

use crate::cli::options::kinds::{DATASTORE, Kind};
use crate::cli::options::of_kind::Group;

/// How an image is restored.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// Overwrite a block device in place, from a snapshot's image. One that is mounted or too small is refused.
    #[arg(long)]
    pub(super) force: bool,
    /// Restore what is left of an image: zeros where chunks are lost or damaged, whatever contradicts the index. Says
    /// which bytes are lost, and ends with 1.
    #[arg(long, conflicts_with_all = ["quick", "in_place", "dry_run"])]
    pub(super) salvage: bool,
}

impl Group for Options {
    const KIND: &'static Kind = &DATASTORE;
}
