//! `--depth`: how thoroughly to look.

use clap::ValueEnum;
use highwater_core::report;

/// How thoroughly to look.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum Depth {
    /// Everything named is there.
    List,
    /// Lengths are right.
    Size,
    /// Every byte gives its digest.
    Digest,
    /// Records, OID indices and archived trees are consistent.
    Deep,
}

impl From<Depth> for report::Depth {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::List => Self::List,
            Depth::Size => Self::Size,
            Depth::Digest => Self::Digest,
            Depth::Deep => Self::Deep,
        }
    }
}
