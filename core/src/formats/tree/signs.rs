//! `recognise`: what a root of trees is known by.

use super::names;
use crate::inspect::Entry;

/// Whether it looks like one.
pub(in crate::formats) fn recognise(root: &[Entry]) -> bool {
    let has =
        |name: &str| root.iter().any(|entry| entry.name.as_bytes() == name.as_bytes() && entry.kind.may_be_folder());
    has(names::POINTS) && has(names::OBJECTS)
}
