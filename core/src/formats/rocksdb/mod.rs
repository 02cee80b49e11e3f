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

pub mod current;
mod cursor;
mod edit;
pub mod manifest;
pub mod names;
mod odd;
pub mod options;
pub mod records;
mod state;
pub mod wal;

pub use edit::{Blob, Checksum, Table};
pub use odd::Odd;
pub use state::{Family, State};

/// Whose store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// RocksDB.
    RocksDb,
    /// LevelDB.
    LevelDb,
}
