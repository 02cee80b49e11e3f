//! `recognise`: what a root of trees is known by.

use super::names;
use crate::inspect::Entry;

/// Whether it looks like one. A set that lost the whole folder of its objects is known by what the last backup left: it
/// is damaged, and no unknown folder.
pub(in crate::formats) fn recognise(root: &[Entry]) -> bool {
    let has =
        |name: &str| root.iter().any(|entry| entry.name.as_bytes() == name.as_bytes() && entry.kind.may_be_folder());
    let is_ours =
        || root.iter().any(|entry| [names::KNOWN, names::LOCK].map(str::as_bytes).contains(&entry.name.as_bytes()));
    has(names::POINTS) && (has(names::OBJECTS) || is_ours())
}
