//! Options of `highwater restore` for a repository of repozo.

use clap::Args;

use crate::cli::options::kinds::{Kind, REPOZO};
use crate::cli::options::of_kind::Group;

/// How a database is restored.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Options {
    /// Check only the last chunk that the target holds.
    #[arg(short = 'Q', long, conflicts_with = "full")]
    pub(super) quick: bool,
}

impl Group for Options {
    const KIND: &'static Kind = &REPOZO;
}
