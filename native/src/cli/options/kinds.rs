//! The kinds of backup, as the command line speaks of them. A new one is an entry here, and a file with its options in
//! the folder of each verb that has some.

use highwater_core::inspect::Format;

/// A kind of backup: one format, or several that are used alike.
#[derive(Debug)]
pub(in crate::cli) struct Kind {
    /// What its options stand under in the help.
    pub(in crate::cli) heading: &'static str,
    /// The noun for it in a sentence, with its article.
    pub(in crate::cli) noun: &'static str,
    /// The names of its formats.
    formats: &'static [&'static str],
}

/// A repository of ZODB's repozo.
pub(in crate::cli) static REPOZO: Kind =
    Kind { heading: "For a repozo repository", noun: "a repozo repository", formats: &["repozo"] };

/// A datastore of Proxmox Backup Server, or the cache of one.
pub(in crate::cli) static DATASTORE: Kind =
    Kind { heading: "For a datastore", noun: "a datastore", formats: &["datastore", "datastore-cache"] };

/// A store of fjall.
static FJALL: Kind = Kind { heading: "For a fjall store", noun: "a fjall store", formats: &["fjall"] };

/// A store of RocksDB or LevelDB.
static ROCKSDB: Kind =
    Kind { heading: "For a RocksDB store", noun: "a RocksDB or LevelDB store", formats: &["rocksdb", "leveldb"] };

/// A store of DirectoryStorage.
static DIRSTORAGE: Kind =
    Kind { heading: "For a DirectoryStorage", noun: "a DirectoryStorage", formats: &["dirstorage"] };

/// A folder with a list of its files beside it.
static LISTED: Kind =
    Kind { heading: "For a folder with a list", noun: "a folder with a list of its files", formats: &["listed"] };

/// Points of a folder.
pub(in crate::cli) static TREE: Kind =
    Kind { heading: "For a folder", noun: "a set of points of a folder", formats: &["tree"] };

/// A mirror of a bucket.
static MIRROR: Kind = Kind { heading: "For a mirror of a bucket", noun: "a mirror of a bucket", formats: &["mirror"] };

/// A ZODB and its blobs, which become points of a folder.
pub(in crate::cli) static ZODB: Kind =
    Kind { heading: "For a Data.fs with blobs", noun: "a folder with a Data.fs and blobs", formats: &[] };

static ALL: [&Kind; 8] = [&REPOZO, &DATASTORE, &FJALL, &ROCKSDB, &DIRSTORAGE, &LISTED, &TREE, &MIRROR];

impl Kind {
    /// Whether a format is of this kind.
    pub(in crate::cli) fn has(&self, format: &dyn Format) -> bool {
        self.formats.contains(&format.facts().name)
    }
}

/// The noun for a format; its name where no kind here has it.
pub(in crate::cli) fn noun(format: &dyn Format) -> &'static str {
    ALL.iter().find(|kind| kind.has(format)).map_or(format.facts().name, |kind| kind.noun)
}

#[cfg(test)]
mod tests {
    use highwater_core::formats;

    use super::*;

    #[test]
    fn every_format_is_of_one_kind() {
        for format in formats::ALL {
            assert_eq!(ALL.iter().filter(|kind| kind.has(*format)).count(), 1, "{}", format.facts().name);
        }
        let named = ALL.iter().flat_map(|kind| kind.formats);
        assert_eq!(named.filter(|name| formats::by_name(name).is_none()).count(), 0);
    }
}
