//! `Listing`: what was dropped, by name and number: the host knows an entry by its number.

use std::collections::HashMap;

use highwater_core::formats;
use highwater_core::inspect::{Entry, Format, Kind};
use highwater_core::name::Name;

/// The entries of one root. They do not change while it is looked at: a drop is a snapshot.
#[derive(Debug, Default)]
pub struct Listing {
    /// The entries of each folder, by its name; the root's under none.
    folders: HashMap<Option<Name>, Vec<Entry>>,
    /// The host's numbers of the plain files among them.
    files: HashMap<Name, u32>,
}

impl Listing {
    /// Adds an entry by its name below the root, which the host knows as `number`. False when its name is none that a backup could have: such an entry
    /// is passed over, as nothing could name it.
    pub fn add(&mut self, name: &str, kind: Kind, number: u32) -> bool {
        let (folder, last) = name.rsplit_once('/').map_or((None, name), |(folder, last)| (Some(folder), last));
        let (Ok(name), Ok(last)) = (Name::new(name.as_bytes()), Name::new(last.as_bytes())) else { return false };
        let Ok(folder) = folder.map(|folder| Name::new(folder.as_bytes())).transpose() else { return false };
        if kind == Kind::File {
            self.files.insert(name, number);
        }
        self.folders.entry(folder).or_default().push(Entry { name: last, kind });
        true
    }

    /// Those of a folder, or of the root, in the order in which they came.
    #[must_use]
    pub fn entries(&self, folder: Option<&Name>) -> &[Entry] {
        self.folders.get(&folder.cloned()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The number of the plain file of this name.
    #[must_use]
    pub fn number(&self, name: &Name) -> Option<u32> {
        self.files.get(name).copied()
    }

    /// The format that this looks like.
    #[must_use]
    pub fn format(&self) -> Option<&'static dyn Format> {
        formats::recognise(self.entries(None)).next()
    }
}
