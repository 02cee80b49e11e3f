//! The kinds of backup. A new one is a folder here and a line in [`ALL`].

pub mod datastore;
pub mod repozo;

use crate::inspect::{Entry, Format};
use datastore::Datastore;

/// Every format, in the order in which they are asked whether they recognise a root.
pub static ALL: &[&dyn Format] = &[&repozo::Repozo, &Datastore::STORE, &Datastore::CACHE];

/// The formats that recognise a root with these entries.
pub fn recognise(root: &[Entry]) -> impl Iterator<Item = &'static dyn Format> {
    ALL.iter().copied().filter(|format| format.recognise(root))
}

/// The format of a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.name() == name)
}
