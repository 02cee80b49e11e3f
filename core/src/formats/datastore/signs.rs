//! `recognise`: what a root that is a datastore is known by.

use super::names;
use crate::inspect::Entry;

/// Whether it looks like one.
pub(in crate::formats) fn recognise(root: &[Entry]) -> bool {
    let folder = |name: &[u8]| root.iter().any(|at| at.kind.may_be_folder() && at.name.as_bytes() == name);
    let lock = root.iter().any(|at| at.name.as_bytes() == names::LOCK.as_bytes());
    let groups = names::TYPES.iter().any(|kind| folder(kind.as_bytes()));
    // With its lock and its groups it is one, too, whose chunks are gone.
    if folder(names::CHUNKS.as_bytes()) { lock || folder(b"ns") || groups } else { lock && groups }
}
