//! `--no-lock`: what is asked of the file system that is written to.

use clap::Args;

use crate::store::Locks;

/// What is asked of the file system that is written to.
#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct Writing {
    /// Go on where the file system keeps no locks: you see to it that nobody else writes there.
    #[arg(long)]
    no_lock: bool,
}

impl Writing {
    /// What is done where there are no locks.
    pub(in crate::cli) fn locks(self) -> Locks {
        if self.no_lock { Locks::Without } else { Locks::Needed }
    }
}
