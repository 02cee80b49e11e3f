//! `--follow-links`: which links are followed in what is read.

use clap::Args;

use crate::store::Links;

/// Which links are followed in what is read.
#[derive(Debug, Default, Clone, Copy, Args)]
pub(in crate::cli) struct Following {
    /// Follow links that lead out of the repository, for whoever keeps a part of it on another disk. Links that stay in
    /// it are followed anyway, and nothing is written through any.
    #[arg(long)]
    follow_links: bool,
}

impl Following {
    /// Which those are.
    pub(in crate::cli) fn links(self) -> Links {
        if self.follow_links { Links::Followed } else { Links::Beneath }
    }
}
