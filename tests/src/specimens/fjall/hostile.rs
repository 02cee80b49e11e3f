//! Hostile stores: what is done to a store, and every verb over it, in little address space.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::layout::{archive, blocked, current, digest, sections, summed, version};
use super::small;
use crate::run::Run;
use crate::score::size;
use crate::specimens::crash::Judgement;
use crate::specimens::hostile::{Case, SECRET, Set, Step, link, name, over_a_store, restores_nothing, special};
use crate::specimens::lay;

/// Address space of a run, in KiB: several times what any of them has to hold.
const SPACE_KIB: u64 = 400_000;

/// A store that somebody has prepared, and what he may not reach.
struct Stage {
    folder: TempDir,
    store: PathBuf,
    /// Mebibytes that a command may have to read.
    large: u64,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let store = folder.path().join("store");
        lay(&small::running(), &store);
        for name in ["outside", "out"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        fs::write(folder.path().join("outside/victim"), SECRET).expect("a file of somebody else");
        Self { folder, store, large: 0 }
    }

    fn victim(&self) -> PathBuf {
        self.folder.path().join("outside/victim")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.store.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.at(name), bytes).expect("it is written");
    }

    fn instead(&self, name: &str, make: impl FnOnce(&Path)) {
        fs::remove_file(self.at(name)).expect("it was there");
        make(&self.at(name));
    }

    /// Gives keyspace 1 another version, with the digest that is right for it.
    fn version(&self, bytes: &[u8]) {
        self.write("keyspaces/1/v2", bytes);
        self.write("keyspaces/1/current", &current(2, bytes));
    }

    /// Gives the meta keyspace another table, with the digest that is right for it.
    fn names(&self, bytes: &[u8]) {
        self.write("keyspaces/0/tables/3", bytes);
        let version = version(&[(3, digest(bytes))], &[]);
        self.write("keyspaces/0/v5", &version);
        self.write("keyspaces/0/current", &current(5, &version));
    }

    /// Makes a file of so many mebibytes, all of them a hole, with `bytes` at its beginning.
    fn sparse(&mut self, name: &str, bytes: &[u8], end: &[u8]) {
        let mebibytes = size(128, 1024);
        let mut file = File::create(self.at(name)).expect("a file");
        file.write_all(bytes).expect("a beginning");
        file.set_len(mebibytes << 20).expect("a hole");
        file.seek(SeekFrom::End(0)).expect("its end");
        file.write_all(end).expect("an end");
        self.large = mebibytes;
    }
}

/// The start of a batch, and an item whose key and value have these lengths.
fn batch(left: u32, key: u16, value: u32) -> Vec<u8> {
    let item = [&[2, 0, 0][..], &1u64.to_le_bytes(), &key.to_le_bytes(), &value.to_le_bytes(), &value.to_le_bytes()];
    [&[1][..], &left.to_le_bytes(), &900u64.to_le_bytes(), &item.concat()].concat()
}

/// A table that names so many keyspaces: as few bytes as the engine could write of it.
fn naming(count: u64) -> Vec<u8> {
    let items = |from: u64, to: u64| -> Vec<u8> {
        (from..to).flat_map(|id| [&[0, 0, 9, b'n'][..], &id.to_be_bytes(), &[1, b'x']].concat()).collect()
    };
    let block = |content: Vec<u8>| {
        let length = u32::try_from(content.len()).expect("a length").to_le_bytes();
        [&b"LSM\x03\x00"[..], &[0; 16], &length, &length, &[0; 4], &content].concat()
    };
    let trailer = [&[255, 1][..], &[0; 30]].concat();
    let blocks =
        (4..count).step_by(5000).map(|from| block([items(from, (from + 5000).min(count)), trailer.clone()].concat()));
    let data = blocked(blocks.flatten().collect());
    archive(&[("data", &[&data[..], b"LSM\x03\x01", &[0; 28]].concat())], 1)
}

/// What is done to the store.
type Harm = fn(&mut Stage);

/// What is done to the store, and the codes. A 3 says that something is a link out of the store, or no file, and could
/// not be looked at.
const CASES: [(&str, Harm, &str); 30] = [
    ("2^32 - 1 tables", |stage| stage.version(&sections(&[1, 1, 255, 255, 255, 255], &[0; 4])), "1 1 1 | 1 4 | 4"),
    ("2^32 - 1 blob files", |stage| stage.version(&sections(&[0], &[255; 4])), "1 1 1 | 1 4 | 4"),
    (
        "255 levels of 255 runs",
        |stage| {
            let runs: Vec<u8> = [&[255][..], &[0; 4 * 255]].concat();
            stage.version(&sections(&[vec![255], runs.repeat(255)].concat(), &[0; 4]));
        },
        "0 0 0 | 0 4 | 4",
    ),
    ("2^32 - 1 sections", |stage| stage.version(&archive(&[("tables", &[0])], u32::MAX)), "1 1 1 | 1 4 | 4"),
    (
        "a table of 2^64 - 1",
        |stage| stage.version(&version(&[(u64::MAX, [7; 16])], &[(u64::MAX, [7; 16])])),
        "1 1 1 | 1 4 | 4",
    ),
    (
        "the same table many times",
        |stage| {
            let table = digest(&fs::read(stage.at("keyspaces/1/tables/0")).expect("a table"));
            stage.version(&version(&vec![(0, table); 10_000], &[]));
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "two digests of a table",
        |stage| {
            let table = digest(&fs::read(stage.at("keyspaces/1/tables/0")).expect("a table"));
            stage.version(&version(&[(0, table), (0, [0; 16])], &[]));
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "a hundred thousand tables",
        |stage| {
            let tables: Vec<(u64, [u8; 16])> = (5..100_005).map(|id| (id, [0; 16])).collect();
            stage.version(&version(&tables, &[]));
        },
        "1 1 1 | 1 4 | 4",
    ),
    ("a version of 2^64 - 1", |stage| stage.write("keyspaces/1/current", &current(u64::MAX, b"")), "1 1 1 | 1 4 | 4"),
    ("a large version", |stage| stage.sparse("keyspaces/1/v2", b"", b"SFA!"), "1 1 1 | 1 4 | 4"),
    ("a large marker", |stage| stage.sparse("version", b"FJL\x03", b""), "0 0 0 | 0 4 | 4"),
    ("a large current", |stage| stage.sparse("keyspaces/1/current", &[1; 30], b""), "1 1 1 | 1 4 | 4"),
    (
        "contents at 2^64 - 1",
        |stage| {
            let mut bytes = version(&[], &[]);
            let at = bytes.len() - 16;
            bytes[at..].fill(255);
            stage.version(&summed(bytes));
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "a table of 2^64 bytes",
        |stage| {
            let mut bytes = fs::read(stage.at("keyspaces/1/tables/0")).expect("a table");
            let at = bytes.len() - 16;
            bytes[at..].fill(255);
            stage.version(&version(&[(0, digest(&bytes))], &[]));
            stage.write("keyspaces/1/tables/0", &bytes);
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "a table of 2^63 bytes",
        |stage| {
            let mut bytes = fs::read(stage.at("keyspaces/1/tables/0")).expect("a table");
            let at = bytes.len() - 9;
            bytes[at] = 0x40;
            stage.version(&version(&[(0, digest(&bytes))], &[]));
            stage.write("keyspaces/1/tables/0", &bytes);
        },
        "0 1 1 | 0 4 | 4",
    ),
    ("a value of 4 GiB", |stage| stage.write("1.jnl", &batch(1, u16::MAX, u32::MAX)), "0 0 0 | 0 4 | 4"),
    ("a batch of 2^32 - 1 items", |stage| stage.write("1.jnl", &batch(u32::MAX, 1, 0)), "0 0 0 | 0 4 | 4"),
    ("a journal that is a hole", |stage| stage.sparse("1.jnl", b"", b""), "0 0 0 | 0 4 | 4"),
    (
        "a journal with a hole in it",
        |stage| stage.sparse("1.jnl", &batch(1, 1, 1), b"\x03--------FJL\x03"),
        "0 0 1 | 0 4 | 4",
    ),
    (
        "a value that is a hole",
        |stage| stage.sparse("1.jnl", &batch(1, 1, 100_000_000), b"\x03--------FJL\x03"),
        "0 0 1 | 0 4 | 4",
    ),
    ("a journal of 2^64 - 1", |stage| stage.write("18446744073709551615.jnl", b""), "1 1 1 | 1 4 | 4"),
    (
        "names that mean harm",
        |stage| {
            for name in ["\u{1b}]0;x\u{7}.jnl", "a\u{202e}b.jnl", "c\nd: sound.jnl", "keyspaces/\u{1b}[31m"] {
                fs::create_dir(stage.at(name)).expect("a folder");
            }
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "a name that is no text",
        |stage| fs::write(stage.store.join(name(b"\xff.jnl")), "x").expect("a file"),
        "1 1 1 | 1 4 | 4",
    ),
    ("a hundred thousand keyspaces", |stage| stage.names(&naming(100_000)), "1 1 1 | 1 4 | 4"),
    (
        "a block of 4 GiB",
        |stage| {
            let block = [&b"LSM\x03\x00"[..], &[0; 16], &[255; 8], &[0; 4]].concat();
            stage.names(&archive(&[("data", &block)], 1));
        },
        "3 3 3 | 3 4 | 4",
    ),
    (
        "a table that is a link",
        |stage| stage.instead("keyspaces/1/tables/0", |at| link(stage.victim(), at)),
        "3 3 3 | 3 4 | 4",
    ),
    (
        "a table that links to itself",
        |stage| stage.instead("keyspaces/1/tables/0", |at| link(at, at)),
        "3 3 3 | 3 4 | 4",
    ),
    (
        "a table that is a FIFO",
        |stage| {
            stage.instead("keyspaces/1/tables/0", |at| assert!(special("FIFO", at), "a FIFO"));
        },
        "3 3 3 | 3 4 | 4",
    ),
    (
        "a journal that is a FIFO",
        |stage| stage.instead("1.jnl", |at| assert!(special("FIFO", at), "a FIFO")),
        "1 1 1 | 1 4 | 4",
    ),
    (
        "keyspaces that are a link",
        |stage| {
            fs::rename(stage.at("keyspaces"), stage.folder.path().join("outside/keyspaces")).expect("it moves");
            link(stage.folder.path().join("outside/keyspaces"), stage.at("keyspaces"));
        },
        "3 3 3 | 3 4 | 4",
    ),
];

/// Every case. The codes are those of verify at the depths list, size and digest; of list and show; of a restore.
pub(super) fn cases() -> Vec<Case> {
    let case = |(name, harm, codes): (&'static str, Harm, &'static str)| {
        Case::new(name, codes, move || {
            let mut stage = Stage::new();
            harm(&mut stage);
            Some(Box::new(stage) as Box<dyn Set>)
        })
    };
    CASES.map(case).into()
}

impl Set for Stage {
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn commands(&self) -> Vec<Vec<Step>> {
        over_a_store(&self.store, &self.folder.path().join("out"))
    }

    fn large(&self) -> u64 {
        self.large
    }

    fn space_kib(&self) -> Option<u64> {
        Some(SPACE_KIB)
    }

    fn judge(&self, step: &Step, _: &Run) -> Judgement {
        restores_nothing(step)
    }
}
