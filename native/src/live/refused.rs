//! Stores that no checkpoint is made of: those that write in place, of which no copy from outside is a state that they
//! ever had; and what to do with each.

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use crate::store::Store;

/// How many files of a folder are looked into.
const FEW: usize = 64;

/// How much of a file tells what it is, in bytes.
const HEAD: usize = 64;

/// Bytes by which a file is known, and where they stand in it.
struct Magic {
    at: usize,
    bytes: &'static [u8],
    store: &'static Refused,
}

/// A kind of store.
struct Refused {
    /// What it is, as in "it is ...".
    is: &'static str,
    /// What to do, as half a sentence.
    instead: &'static str,
}

static SQLITE: Refused = Refused {
    is: "an SQLite database, which writes its pages in place",
    instead: "use `sqlite3 SRC '.backup DEST'`, then back up DEST",
};
static LMDB: Refused = Refused {
    is: "an LMDB database, which uses its pages again in place",
    instead: "use `mdb_copy SRC DEST`, then back up DEST",
};
static MDBX: Refused = Refused {
    is: "an MDBX database, which uses its pages again in place",
    instead: "use `mdbx_copy SRC DEST`, then back up DEST",
};
static REDB: Refused = Refused {
    is: "a redb database, which uses its pages again in place",
    instead: "let its program copy what a read transaction sees into another database, then back that up",
};
static BOLT: Refused = Refused {
    is: "a bbolt database, which uses its pages again in place",
    instead: "let its program write it out in a read transaction (Tx.WriteTo, or `etcdctl snapshot save` of etcd), then \
              back that up",
};
static BERKELEY: Refused = Refused {
    is: "a Berkeley DB database, which writes its pages in place",
    instead: "use `db_hotbackup -h SRC -b DEST`, then back up DEST",
};
static SLED: Refused = Refused {
    is: "a sled database, which writes its log and its slabs in place",
    instead: "let its program export it (Db::export) into another one, then back that up",
};
static ZODB: Refused =
    Refused { is: "a FileStorage of ZODB, whose backups grow with it", instead: "use `highwater backup Data.fs REPO`" };
static POSTGRES: Refused = Refused {
    is: "the data of PostgreSQL, which writes its pages in place",
    instead: "use `pg_basebackup` or `pg_dump`, then back up what they make",
};
static LUCENE: Refused = Refused {
    is: "an index of Lucene, of which checkpoints are not made yet",
    instead: "let its program take a snapshot (SnapshotDeletionPolicy, or the snapshot API of the server around it)",
};
static WORK_TREE: Refused =
    Refused { is: "a working tree of git, which is no store", instead: "name the repository, which is the .git in it" };

static MAGICS: [Magic; 11] = [
    Magic { at: 0, bytes: b"SQLite format 3\0", store: &SQLITE },
    Magic { at: 16, bytes: &0xbeef_c0de_u32.to_le_bytes(), store: &LMDB },
    // The number that its pages begin with, above the number of the format, a byte (mdbx 0.12, `internals.h`).
    Magic { at: 21, bytes: &[0x11, 0x4c, 0x13, 0x2a, 0xef, 0xbe, 0x59], store: &MDBX },
    Magic { at: 0, bytes: b"redb\x1a\x0a\xa9\x0d\x0a", store: &REDB },
    Magic { at: 16, bytes: &0xed0c_daed_u32.to_le_bytes(), store: &BOLT },
    Magic { at: 12, bytes: &0x0005_3162_u32.to_le_bytes(), store: &BERKELEY },
    Magic { at: 12, bytes: &0x0006_1561_u32.to_le_bytes(), store: &BERKELEY },
    Magic { at: 12, bytes: &0x0004_2253_u32.to_le_bytes(), store: &BERKELEY },
    Magic { at: 12, bytes: &0x0007_4582_u32.to_le_bytes(), store: &BERKELEY },
    Magic { at: 0, bytes: b"FS21", store: &ZODB },
    Magic { at: 0, bytes: b"FS30", store: &ZODB },
];

/// What is said of a file of this name in a root, if it is a store of such a kind: what it is, and what to do.
pub(super) fn file(root: &dyn Store, name: &Name) -> Option<String> {
    of_file(root, name).map(said)
}

/// What is said of a folder that is, or holds, a store of such a kind.
pub(super) fn folder(root: &dyn Store, entries: &[Entry]) -> Option<String> {
    let has = |name: &str| entries.iter().any(|entry| entry.name.as_bytes() == name.as_bytes());
    let begins = |text: &str| entries.iter().any(|entry| entry.name.as_bytes().starts_with(text.as_bytes()));
    let by_names = [
        (has(".git"), &WORK_TREE),
        (has("PG_VERSION") && has("pg_wal"), &POSTGRES),
        (has("conf") && has("db") && begins("snap."), &SLED),
        (has("conf") && has("db") && has("blobs"), &SLED),
        (begins("segments_") && has("write.lock"), &LUCENE),
        (has("__db.001"), &BERKELEY),
    ];
    if let Some((_, store)) = by_names.into_iter().find(|(is, _)| *is) {
        return Some(said(store));
    }
    let files = entries.iter().filter(|entry| entry.kind == Kind::File).take(FEW);
    let found =
        files.filter_map(|entry| Some((&entry.name, of_file(root, &entry.name)?))).min_by_key(|(name, _)| *name);
    found.map(|(name, store)| format!("'{name}' in it is {}; {}", store.is, store.instead))
}

fn said(store: &Refused) -> String {
    format!("it is {}; {}", store.is, store.instead)
}

fn of_file(root: &dyn Store, name: &Name) -> Option<&'static Refused> {
    let mut head = [0; HEAD];
    let read = root.open(name).ok()?.read_at(0, &mut head).ok()?;
    let head = &head[..read];
    let is = |magic: &&Magic| head.get(magic.at..).is_some_and(|rest| rest.starts_with(magic.bytes));
    MAGICS.iter().find(is).map(|magic| magic.store)
}
