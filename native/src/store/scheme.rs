//! `Scheme`: which roots lie on no disk of this machine, by how they are named.

use std::path::Path;

use super::{Bucket, Ssh};

/// Where a root lies that is on no disk of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In a bucket.
    Bucket,
    /// On another machine.
    Ssh,
}

impl Scheme {
    /// That of a path; none for one of this machine.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path {
            _ if Bucket::is_named(path) => Some(Self::Bucket),
            _ if Ssh::is_named(path) => Some(Self::Ssh),
            _ => None,
        }
    }

    /// Where that is, for sentences.
    #[must_use]
    pub fn lies(self) -> &'static str {
        match self {
            Self::Bucket => "lies in a bucket",
            Self::Ssh => "lies on another machine",
        }
    }

    /// What to look at when such a root cannot be read.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Bucket => "See that bucket, prefix, endpoint and credentials are right, then verify again.",
            Self::Ssh => {
                "See that host, folder and key are right and that highwater is installed there, then verify again."
            }
        }
    }

    /// Where the part of a root's name begins that an `@` with a point may stand in: before it, one stands before a
    /// host.
    #[must_use]
    pub fn folder(self, root: &[u8]) -> usize {
        match self {
            Self::Bucket => 0,
            Self::Ssh => Ssh::folder(root),
        }
    }
}
