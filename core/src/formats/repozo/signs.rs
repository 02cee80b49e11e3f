//! `recognise`: what a root that is a repository is known by.

use super::names;
use crate::inspect::Entry;

/// Whether it looks like one.
pub(in crate::formats) fn recognise(root: &[Entry]) -> bool {
    let tells = |role| matches!(role, names::Role::Data(_) | names::Role::Dat(_));
    root.iter().any(|entry| entry.kind.may_be_file() && tells(names::Role::of(&entry.name)))
}
