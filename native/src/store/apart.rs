//! `Apart`: a root whose files lie in one folder of another, beside a second folder that has its own place there.

use std::io;
use std::path::PathBuf;

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::{Identity, Object, Store};

/// What lies below `files`, and the folder `beside` that lies beside that, as one root.
pub struct Apart {
    of: Box<dyn Store>,
    files: Name,
    beside: Name,
}

impl Apart {
    /// A root that is laid out so.
    #[must_use]
    pub fn new(of: Box<dyn Store>, files: Name, beside: Name) -> Self {
        Self { of, files, beside }
    }

    fn at(&self, name: &Name) -> io::Result<Name> {
        let rest = name.as_bytes().strip_prefix(self.beside.as_bytes());
        match rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")) {
            true => Ok(name.clone()),
            false => self.files.join(name.as_bytes()).map_err(io::Error::other),
        }
    }
}

impl Store for Apart {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        self.of.told(name.and_then(|name| self.at(name).ok()).as_ref())
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        if let Some(folder) = folder {
            return self.of.list(Some(&self.at(folder)?), each);
        }
        each(Entry::new(self.beside.clone(), Kind::Folder));
        self.of.list(Some(&self.files), &mut |entry| {
            if entry.name != self.beside {
                each(entry);
            }
        })
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        self.of.open(&self.at(name)?)
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        self.of.length(&self.at(name)?)
    }

    fn place(&self, name: &Name) -> u64 {
        self.at(name).map_or(0, |name| self.of.place(&name))
    }

    fn identity(&self, folder: Option<&Name>) -> Option<Identity> {
        let folder = folder.map(|folder| self.at(folder)).transpose().ok()?;
        self.of.identity(folder.as_ref())
    }

    fn around(&self) -> io::Result<Vec<Identity>> {
        self.of.around()
    }

    fn ways(&self) -> Option<usize> {
        self.of.ways()
    }
}
