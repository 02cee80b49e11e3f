//! `recognise`: what a root that is a storage is known by.

use super::names;
use crate::inspect::Entry;

/// Whether it looks like one.
pub(in crate::formats) fn recognise(root: &[Entry]) -> bool {
    let folder = |name: &str| root.iter().any(|at| at.kind.may_be_folder() && at.name.as_bytes() == name.as_bytes());
    // Those of no transaction have an empty journal, which not every copy keeps.
    folder(names::CONFIG) && folder(names::DATABASE)
}
