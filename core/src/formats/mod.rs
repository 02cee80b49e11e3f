//! The kinds of backup. A new one is a folder here and a line in [`ALL`].

pub mod datastore;
pub mod dirstorage;
pub mod fjall;
pub mod listed;
pub mod mirror;
pub mod repozo;
pub mod rocksdb;
pub mod tree;

use crate::facts::Pool;
use crate::finding::{Code, fill};
use crate::inspect::{Entry, Format};
use crate::name::Name;
use datastore::Datastore;
use rocksdb::Stores;

/// Every format, in the order in which they are asked whether they recognise a root.
///
/// A mirror comes first: whatever a bucket holds may lie beside what it is known by.
pub static ALL: &[&dyn Format] = &[
    &mirror::Mirror,
    &repozo::Repozo,
    &Datastore::STORE,
    &Datastore::CACHE,
    &fjall::Fjall,
    &Stores::ROCKSDB,
    &Stores::LEVELDB,
    &dirstorage::DirStorage,
    &tree::Tree,
    &listed::Listed,
];

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
