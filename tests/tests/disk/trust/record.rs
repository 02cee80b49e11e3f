//! `Record`: what lies in a folder, and all that a file system says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use highwater_core::digest::md5_of;

/// What lies in a folder: the folder itself, and everything below it, by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record(BTreeMap<PathBuf, Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    inode: u64,
    length: u64,
    modified: (i64, i64),
    /// Any change of the file, its owner or its permissions, also one that was undone.
    changed: (i64, i64),
    content: String,
}

impl Record {
    /// Looks at a folder.
    #[track_caller]
    pub(crate) fn of(folder: &Path) -> Self {
        let mut record = Self(BTreeMap::new());
        record.add(folder);
        record
    }

    fn add(&mut self, path: &Path) {
        let meta = fs::symlink_metadata(path).expect("it is there");
        let content = if meta.is_symlink() {
            format!("{:?}", fs::read_link(path).expect("a link"))
        } else if meta.is_file() {
            md5_of(&fs::read(path).expect("a file")).to_string()
        } else {
            String::new()
        };
        if meta.is_dir() {
            fs::read_dir(path).expect("a folder").for_each(|entry| self.add(&entry.expect("an entry").path()));
        }
        let entry = Entry {
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            inode: meta.ino(),
            length: if meta.is_dir() { 0 } else { meta.len() },
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
            content,
        };
        self.0.insert(path.to_owned(), entry);
    }

    /// The paths that are new, gone or not the same, below `root`. That something was read or locked is no change.
    pub(crate) fn changed(&self, after: &Self, root: &Path) -> BTreeSet<String> {
        let plain = |entry: Option<&Entry>| entry.map(|entry| Entry { changed: (0, 0), ..entry.clone() });
        let paths = self.0.keys().chain(after.0.keys());
        let changed = paths.filter(|path| plain(self.0.get(*path)) != plain(after.0.get(*path)));
        changed.map(|path| path.strip_prefix(root).unwrap_or(path).display().to_string()).collect()
    }

    /// Nothing whatsoever was done to any of it.
    #[track_caller]
    pub(crate) fn expect_same(&self, what: &str) {
        if let Some(told) = self.differs() {
            panic!("{what}: {told}");
        }
    }

    /// What was done to any of it since, if anything was.
    pub(crate) fn differs(&self) -> Option<String> {
        let root = self.0.keys().next().expect("a folder");
        let now = Self::of(root);
        let told = |path: &PathBuf| {
            let (was, is) = (self.0.get(path), now.0.get(path));
            (was != is).then(|| format!("{} was {was:?} and is {is:?}", path.display()))
        };
        let paths: BTreeSet<&PathBuf> = self.0.keys().chain(now.0.keys()).collect();
        let all: Vec<String> = paths.into_iter().filter_map(told).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}
