//! `recognise`: what a root that is a database is known by.

use super::names;
use crate::inspect::Entry;

/// Whether it looks like one.
pub(in crate::formats) fn recognise(root: &[Entry]) -> bool {
    let file = |name: &str| root.iter().any(|at| at.kind.may_be_file() && at.name.as_bytes() == name.as_bytes());
    let folder = |name: &str| root.iter().any(|at| at.kind.may_be_folder() && at.name.as_bytes() == name.as_bytes());
    // Those of fjall 2 have partitions: they are told that they are too old.
    file(names::VERSION) && (folder(names::KEYSPACES) || folder("partitions"))
}
