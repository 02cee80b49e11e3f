//! The kinds of backup. A new one is a folder here and a line in [`ALL`].

#[cfg(feature = "datastore")]
pub mod datastore;
#[cfg(not(feature = "datastore"))]
mod datastore {
    mod names;
    pub(super) mod signs;
}
#[cfg(feature = "dirstorage")]
pub mod dirstorage;
#[cfg(not(feature = "dirstorage"))]
mod dirstorage {
    mod names;
    pub(super) mod signs;
}
#[cfg(feature = "fjall")]
pub mod fjall;
#[cfg(not(feature = "fjall"))]
mod fjall {
    mod names;
    pub(super) mod signs;
}
#[cfg(feature = "listed")]
pub mod listed;
#[cfg(feature = "mirror")]
pub mod mirror;
#[cfg(not(feature = "mirror"))]
mod mirror {
    mod escape;
    mod names;
    pub(super) mod signs;
}
#[cfg(feature = "repozo")]
pub mod repozo;
#[cfg(not(feature = "repozo"))]
mod repozo {
    mod names;
    pub(super) mod signs;
}
#[cfg(feature = "rocksdb")]
pub mod rocksdb;
#[cfg(not(feature = "rocksdb"))]
mod rocksdb {
    mod names;
    pub(super) mod signs;
}
#[cfg(feature = "tree")]
pub mod tree;
#[cfg(not(feature = "tree"))]
mod tree {
    mod names;
    pub(super) mod signs;
}

use crate::facts::Pool;
use crate::finding::{Code, fill};
use crate::inspect::{Entry, Format};
use crate::name::Name;

/// Every format, in the order in which they are asked whether they recognise a root.
///
/// A mirror comes first: whatever a bucket holds may lie beside what it is known by.
pub static ALL: &[&dyn Format] = &[
    #[cfg(feature = "mirror")]
    &mirror::Mirror,
    #[cfg(feature = "repozo")]
    &repozo::Repozo,
    #[cfg(feature = "datastore")]
    &datastore::Datastore::STORE,
    #[cfg(feature = "datastore")]
    &datastore::Datastore::CACHE,
    #[cfg(feature = "fjall")]
    &fjall::Fjall,
    #[cfg(feature = "rocksdb")]
    &rocksdb::Stores::ROCKSDB,
    #[cfg(feature = "rocksdb")]
    &rocksdb::Stores::LEVELDB,
    #[cfg(feature = "dirstorage")]
    &dirstorage::DirStorage,
    #[cfg(feature = "tree")]
    &tree::Tree,
    #[cfg(feature = "listed")]
    &listed::Listed,
];

/// What a root is known by.
type Signs = fn(&[Entry]) -> bool;

/// By what roots of each kind are known, whether their format is in this build or not, in the order of [`ALL`].
static SIGNS: &[(&str, Signs)] = &[
    ("mirror", mirror::signs::recognise),
    ("repozo", repozo::signs::recognise),
    ("datastore", datastore::signs::recognise),
    ("fjall", fjall::signs::recognise),
    ("rocksdb", rocksdb::signs::rocksdb),
    ("leveldb", rocksdb::signs::leveldb),
    ("dirstorage", dirstorage::signs::recognise),
    ("tree", tree::signs::recognise),
];

/// The kind of a root with these entries, whether its format is in this build or not.
pub fn kind_of(root: &[Entry]) -> Option<&'static str> {
    SIGNS.iter().find(|(_, signs)| signs(root)).map(|(kind, _)| *kind)
}

/// The formats that recognise a root with these entries.
pub fn recognise(root: &[Entry]) -> impl Iterator<Item = &'static dyn Format> {
    ALL.iter().copied().filter(|format| format.recognise(root))
}

/// The format of a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.facts().name == name)
}

/// The pool that an object lies in, by the folder that its name begins with.
#[must_use]
pub fn pool_of(object: &Name) -> Option<Pool> {
    ALL.iter().filter_map(|format| format.facts().pool).find(|pool| pool.holds(object))
}

/// The page that explains a code: what is true of all sets, then what to do in each kind where that differs.
#[must_use]
pub fn page(code: Code) -> String {
    let mut page = code.page();
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for facts in ALL.iter().map(|format| format.facts()) {
        let parts: Vec<&str> = [(facts.notes)(code), (facts.advice)(code)].into_iter().flatten().collect();
        let text = parts.join(" ");
        match told.iter_mut().find(|(before, _)| *before == text) {
            _ if text.is_empty() => {}
            Some((_, kinds)) => kinds.push(facts.name),
            None => told.push((text, vec![facts.name])),
        }
    }
    for (text, kinds) in told {
        page.push_str(&format!("\nIN A SET OF KIND {}\n{}", kinds.join(", "), fill(&text, "  ", "  ")));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_of_the_kind_that_recognises_it_first() {
        let entry = |name: &str, kind| Entry { name: Name::new(name.as_bytes()).unwrap(), kind, length: None };
        use crate::inspect::Kind::{File, Folder};
        for root in [
            vec![entry("2026-11-26-16-38-05.fs", File)],
            vec![entry(".chunks", Folder), entry(".lock", File)],
            vec![entry("CURRENT", File), entry("MANIFEST-000004", File), entry("000005.ldb", File)],
            vec![entry("CURRENT", File), entry("MANIFEST-000004", File), entry("000005.sst", File)],
            vec![entry("points", Folder), entry("objects", Folder)],
            vec![entry(".highwater-mirror", Folder), entry("2026-11-26-16-38-05.fs", File)],
            vec![entry("letters", Folder)],
            Vec::new(),
        ] {
            assert_eq!(kind_of(&root), recognise(&root).next().map(|format| format.facts().name), "{root:?}");
        }
        for (kind, _) in SIGNS {
            assert!(by_name(kind).is_some(), "{kind}");
        }
    }

    #[test]
    fn every_page_tells_of_each_kind_and_stays_narrow() {
        for code in Code::ALL {
            let page = page(*code);
            assert!(page.starts_with(&code.page()) && page.ends_with(".\n"), "{page}");
            assert!(page.lines().all(|line| line.chars().count() <= 72 && line == line.trim_end()), "{code}: {page}");
        }
        let missing = page(Code::Missing);
        assert!(missing.contains("IN A SET OF KIND repozo\n") && missing.contains("KIND datastore, datastore-cache\n"));
    }
}
