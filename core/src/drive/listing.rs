//! `Listing`: what was dropped, by name and number: the host knows an entry by its number.

use std::collections::HashMap;

use crate::formats;
use crate::inspect::{Entry, Format, Kind};
use crate::name::Name;

/// The entries of one root. They do not change while it is looked at: a drop is a snapshot.
#[derive(Debug, Default)]
pub struct Listing {
    /// The folders by their names, the root under none. A store may have tens of thousands of them.
    folders: HashMap<Option<Name>, Folder>,
}

#[derive(Debug, Default)]
struct Folder {
    entries: Vec<Entry>,
    /// The host's numbers of the plain files among them.
    numbers: HashMap<Name, u32>,
}

impl Listing {
    /// Adds an entry by its name below the root, which the host knows as `number`. False when its name is none that a
    /// backup could have: such an entry is passed over, as nothing could name it.
    pub fn add(&mut self, name: &str, kind: Kind, number: u32) -> bool {
        let (folder, last) = parted(name.as_bytes());
        let Ok(last) = Name::new(last) else { return false };
        let Ok(folder) = folder.map(Name::new).transpose() else { return false };
        let folder = self.folders.entry(folder).or_default();
        if kind == Kind::File {
            folder.numbers.insert(last.clone(), number);
        }
        folder.entries.push(Entry::new(last, kind));
        true
    }

    /// Those of a folder, or of the root, in the order in which they came.
    #[must_use]
    pub fn entries(&self, folder: Option<&Name>) -> &[Entry] {
        self.folders.get(&folder.cloned()).map(|folder| &*folder.entries).unwrap_or_default()
    }

    /// The number of the plain file of this name.
    #[must_use]
    pub fn number(&self, name: &Name) -> Option<u32> {
        let (folder, last) = parted(name.as_bytes());
        let folder = self.folders.get(&folder.map(Name::new).transpose().ok()?)?;
        folder.numbers.get(&Name::new(last).ok()?).copied()
    }

    /// The kind that this looks like, whether its format is in this build or not.
    #[must_use]
    pub fn kind(&self) -> Option<&'static str> {
        formats::kind_of(self.entries(None))
    }

    /// The format that this looks like, if this build has it.
    #[must_use]
    pub fn format(&self) -> Option<&'static dyn Format> {
        self.kind().and_then(formats::by_name)
    }
}

/// The folder that a name is in, unless that is the root, and its name there.
fn parted(name: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match name.iter().rposition(|byte| *byte == b'/').and_then(|at| name.split_at_checked(at)) {
        Some((folder, last)) => (Some(folder), last.get(1..).unwrap_or_default()),
        None => (None, name),
    }
}
