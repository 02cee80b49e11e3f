//! `recognise`: what a root that is a mirror is known by.

use super::names;
use crate::inspect::Entry;

/// Whether it looks like one.
pub(in crate::formats) fn recognise(root: &[Entry]) -> bool {
    root.iter().any(|entry| entry.kind.may_be_folder() && entry.name.as_bytes() == names::FOLDER.as_bytes())
}
