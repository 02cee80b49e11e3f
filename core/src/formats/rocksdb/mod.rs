//! RocksDB and LevelDB: stores that keep sorted tables, and the logs that say what they consist of.
//!
//! | name | what it is |
//! |---|---|
//! | `CURRENT` | names the MANIFEST |
//! | `MANIFEST-N` | a log of version edits: which tables and blob files the store consists of, which logs it needs |
//! | `N.sst`, `N.ldb` | a table, written once |
//! | `N.blob` | RocksDB: values outside of the tables, written once |
//! | `N.log` | a write-ahead log |
//! | `OPTIONS-N` | RocksDB: options as text |
//! | `IDENTITY`, `LOCK`, `LOG` | nothing that data depends on |
//!
//! Facts are those of RocksDB 10.4.2 and LevelDB 1.22, and were checked against stores that rocksdict 0.3.29 (RocksDB
//! 9.8.4) and plyvel 1.5.1 (LevelDB 1.22) made.

//!
//! A store is one set, `current`: what its MANIFEST names. Files that nothing names are no findings, as the engines
//! leave some and remove them when they open the store.
//!
//! Neither engine keeps digests of its files (RocksDB can, and where it did they are compared too), but a checksum
//! stands behind every block of a table, in the head of every record of a log, and before every value of a blob file.
//! They are all checked from the depth `digest` on; below it, only lengths are compared.
//!
//! What no checksum covers, and what nothing can tell the damage of: OPTIONS, IDENTITY, LOCK, LOG; the number that says
//! how the values of a blob file are compressed; padding at the end of a block of a log.

mod advice;
pub mod current;
mod edit;
mod inspect;
mod listing;
mod logs;
pub mod manifest;
pub mod names;
mod odd;
pub mod options;
pub mod records;
pub(in crate::formats) mod signs;
mod state;
mod table;
mod values;
pub mod wal;

pub use edit::{Blob, Checksum, Table};
pub use odd::Odd;
pub use state::{Family, State};

use crate::facts::{Facts, Hint, Lock, Shape};
use crate::finding::Hurts;
use crate::inspect::{Entry, Format, Inspect, Scope};
use crate::point::{NoPoint, Point};
use crate::report::Depth;

/// Whose store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// RocksDB.
    RocksDb,
    /// LevelDB.
    LevelDb,
}

/// The format of the stores of one engine; see the module's page.
#[derive(Debug, Clone, Copy)]
pub struct Stores {
    engine: Engine,
}

impl Stores {
    /// Stores of RocksDB.
    pub const ROCKSDB: Self = Self { engine: Engine::RocksDb };

    /// Stores of LevelDB.
    pub const LEVELDB: Self = Self { engine: Engine::LevelDb };
}

/// What the one set is called.
pub const SET: &str = "current";

/// Whatever is wrong hurts the one set.
const HURTS: Hurts = Hurts::One(0);

const ROCKSDB_FACTS: Facts = Facts {
    name: "rocksdb",
    looks: "a RocksDB store holds CURRENT, OPTIONS-000007 and files like MANIFEST-000005 and 000011.sst",
    hint: Some(Hint {
        several: "RocksDB and LevelDB stores",
        index: "for a RocksDB or LevelDB store CURRENT",
        caveat: "",
    }),
    lock: Lock::Alone(names::LOCK),
    pool: None,
    parts: None,
    shape: Shape::Nothing,
    // Checksums are of blocks, and lie in the files.
    trails: Depth::Digest,
    moves: true,
    colons: false,
    advice: advice::advice,
    notes: advice::notes,
    proves: |_| None,
};

static ROCKSDB: Facts = ROCKSDB_FACTS;

static LEVELDB: Facts = Facts {
    name: "leveldb",
    looks: "a LevelDB store holds CURRENT and files like MANIFEST-000002 and 000005.ldb",
    hint: None,
    ..ROCKSDB_FACTS
};

impl Format for Stores {
    fn facts(&self) -> &'static Facts {
        match self.engine {
            Engine::RocksDb => &ROCKSDB,
            Engine::LevelDb => &LEVELDB,
        }
    }

    fn recognise(&self, root: &[Entry]) -> bool {
        match self.engine {
            Engine::RocksDb => signs::rocksdb(root),
            Engine::LevelDb => signs::leveldb(root),
        }
    }

    fn point(&self, text: &str) -> Result<Point, NoPoint> {
        Point::the_only(text, SET)
    }

    fn inspect(&self, scope: &Scope) -> Box<dyn Inspect> {
        Box::new(inspect::Store::new(self.engine, scope))
    }
}
