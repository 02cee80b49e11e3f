//! `Walk`: goes through the folders of a database, and into no other.

use super::names::{DATABASE, File, Layout};
use crate::inspect::Entry;
use crate::name::Name;

/// A walk through `A` or `B`.
pub(super) struct Walk {
    layout: Layout,
    /// The folder of the whole.
    top: Name,
    /// The folder that is being listed.
    folder: Name,
    /// Those that are to be listed, the next at the end.
    ahead: Vec<Name>,
}

impl Walk {
    pub(super) fn new(top: &str, layout: Layout) -> Option<Self> {
        let top = Name::new(top.as_bytes()).ok()?;
        Some(Self { layout, folder: top.clone(), top, ahead: Vec::new() })
    }

    /// The folder that is to be listed.
    pub(super) fn folder(&self) -> &Name {
        &self.folder
    }

    /// Whether this is the database, and not what is beside it.
    pub(super) fn is_database(&self) -> bool {
        self.top.as_bytes() == DATABASE.as_bytes()
    }

    /// Whether there are folders that are to be listed.
    pub(super) fn goes_on(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Takes an entry of the folder. The file, where it is one of the database.
    pub(super) fn take(&mut self, entry: &Entry) -> Option<File> {
        let name = self.folder.join(entry.name.as_bytes()).ok()?;
        let path = name.as_bytes().get(self.top.as_bytes().len() + 1..)?;
        // A name is that of a file or of a folder, never both.
        if self.layout.is_folder(path) {
            if entry.kind.may_be_folder() {
                self.ahead.push(name);
            }
            return None;
        }
        self.layout.file(path).filter(|_| entry.kind.may_be_file())
    }

    /// Goes on with the next folder; false where there is none.
    pub(super) fn next(&mut self) -> bool {
        let next = self.ahead.pop();
        let goes_on = next.is_some();
        self.folder = next.unwrap_or_else(|| self.top.clone());
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Kind;

    #[test]
    fn only_folders_of_the_database_are_entered() {
        let mut walk = Walk::new("A", Layout::Bushy).unwrap();
        let entry = |name: &str, kind| Entry::new(Name::new(name.as_bytes()).unwrap(), kind);
        for (name, kind) in
            [("o0", Kind::Folder), ("lost+found", Kind::Folder), ("x", Kind::File), ("x.oid", Kind::File)]
        {
            assert_eq!(walk.take(&entry(name, kind)), None, "{name}");
        }
        assert!(walk.is_database() && walk.goes_on() && walk.next() && !walk.goes_on());
        assert_eq!(walk.folder().as_str(), Some("A/o0"));
        assert!(walk.take(&entry("12", Kind::Link)).is_none() && walk.next());
        assert_eq!(walk.folder().as_str(), Some("A/o0/12"));
        assert!(!walk.next());
        let mut walk = Walk::new("B", Layout::Flat).unwrap();
        assert!(!walk.is_database());
        assert_eq!(walk.take(&entry("x.oid", Kind::File)), Some(File::Oid));
        assert_eq!(walk.take(&entry("x.serial", Kind::Other)), None);
        assert!(walk.take(&entry("o0", Kind::Folder)).is_none() && !walk.next());
    }
}
