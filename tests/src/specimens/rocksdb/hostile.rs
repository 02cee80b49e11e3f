//! Hostile stores: MANIFESTs, logs, tables and OPTIONS that ask for more than there is, in little address space.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use highwater_core::formats::rocksdb::Engine;
use tempfile::TempDir;

use super::compose::{self, BASE, Table, added, block, handle, log, physical, store, store_of, varint};
use crate::repo::Image;
use crate::run::Run;
use crate::specimens::crash::{Judgement, must};
use crate::specimens::hostile::{Case, SECRET, Set, Step, special};
use crate::specimens::lay;

/// Address space of a run, in KiB: four times what any of them has to hold.
const SPACE_KIB: u64 = 400_000;

/// A store that somebody has prepared, and what he may not reach.
struct Stage {
    folder: TempDir,
    store: PathBuf,
}

impl Stage {
    fn new(files: &Image) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let store = folder.path().join("store");
        lay(files, &store);
        fs::create_dir(folder.path().join("outside")).expect("a folder");
        fs::write(folder.path().join("outside/victim"), SECRET).expect("a file of somebody else");
        Self { folder, store }
    }

    fn victim(&self) -> PathBuf {
        self.folder.path().join("outside/victim")
    }

    fn replace(&self, name: &str, make: impl FnOnce(&Path)) {
        let at = self.store.join(name);
        fs::remove_file(&at).expect("it was there");
        make(&at);
    }
}

/// A table with one block of data, and the index that is stored so.
fn indexed(version: u32, kind: u8, index: &[u8]) -> Vec<u8> {
    let mut table = Table::default();
    table.add(0, &[7; 100]);
    let metaindex = table.add(0, &block(&[]));
    let index = table.add(kind, index);
    table.end(version, metaindex, index)
}

/// A table whose properties say that its index has two levels, with this upper one; the handle of the upper level is
/// known beforehand.
fn levels(upper: impl Fn(compose::Handle) -> Vec<compose::Handle>) -> Vec<u8> {
    let mut table = Table::default();
    let property = (&b"rocksdb.block.based.table.index.type"[..], vec![2, 0, 0, 0]);
    let properties = table.add(0, &block(&[property]));
    let metaindex = table.add(0, &block(&[(b"rocksdb.properties", handle(properties))]));
    let at = table.bytes.len() as u64;
    let entries = |size: u64| {
        let handles = upper((at, size));
        block(&handles.into_iter().map(|part| (&b"k"[..], handle(part))).collect::<Vec<_>>())
    };
    // How long it is decides nothing about how its handles are written, for these lengths.
    let size = entries(100).len() as u64;
    let index = table.add(0, &entries(size));
    table.end(5, metaindex, index)
}

/// A frame of 128 KiB blocks of one byte each; there is never a last one.
fn zstd_bomb() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    frame.extend([0x02, 0x00, 0x10, 0x00].repeat(16_384));
    frame
}

/// Snappy of so many bytes: one of them, copied over and over.
fn snappy_bomb(length: usize) -> Vec<u8> {
    [&varint(length as u64)[..], &[0, 0], &[0xfe, 1, 0].repeat(length / 64)].concat()
}

/// LZ4 of so many bytes: one of them, copied over and over.
fn lz4_bomb(length: usize) -> Vec<u8> {
    [&varint(length as u64)[..], &[0x1f, 0, 1, 0], &vec![0xff; length / 255]].concat()
}

/// Stores of either engine, and the codes of verify, also at the depths list and size, and of list. Where no table is
/// named, nothing is checked, and that is not called sound; logs are looked at from the depth digest on.
fn composed(engine: Engine) -> Vec<(&'static str, Image, &'static str)> {
    let rocksdb = engine == Engine::RocksDb;
    let of = |table: Vec<u8>| store_of(table, rocksdb);
    let mut mixed = store(&[]);
    // It is told from the other engine's by its files.
    let name = if rocksdb { "IDENTITY" } else { "000003.log" };
    mixed.insert(name.to_owned(), Vec::new());
    let with = |name: &str, bytes: Vec<u8>| {
        let mut files = mixed.clone();
        files.insert(name.to_owned(), bytes);
        files
    };
    let edits = |edits: &[Vec<u8>]| with(compose::MANIFEST, log(&[&[BASE.to_vec()], edits].concat()));
    let far = |at: u64, size: u64| indexed(0, 0, &block(&[(b"k", handle((at, size)))]));
    let mut cases = vec![
        ("a table of 2^64 - 1 bytes", edits(&[added(5, u64::MAX)]), "1 1 1 | 0"),
        ("a table of no number", edits(&[added(0, 0)]), "1 1 1 | 0"),
        ("twenty thousand tables", edits(&(1..20_000).map(|n| added(n, 1)).collect::<Vec<_>>()), "1 1 1 | 0"),
        ("an edit of a name of 4 GiB", edits(&[vec![1, 0xff, 0xff, 0xff, 0xff, 0x0f]]), "1 1 1 | 1"),
        ("an edit of 70 MB", edits(&[vec![1; 70_000_000]]), "1 1 1 | 1"),
        ("a MANIFEST of zeros", with(compose::MANIFEST, vec![0; 1 << 20]), "1 1 1 | 1"),
        ("a CURRENT of 64 MiB", with("CURRENT", vec![b'M'; 64 << 20]), "1 1 1 | 1"),
        ("a CURRENT that leads out", with("CURRENT", b"../outside/victim\n".to_vec()), "1 1 1 | 1"),
        ("a CURRENT with a color", with("CURRENT", b"\x1b[31mMANIFEST-000002\n".to_vec()), "1 1 1 | 1"),
        ("a log of 100 MB of zeros", with("000003.log", vec![0; 100_000_000]), "0 3 3 | 0"),
        ("a log of a piece that never ends", with("000003.log", pieces()), "0 3 3 | 0"),
        ("a block past the end", of(far(1 << 40, 100)), "1 0 0 | 0"),
        ("a block of 2^64 - 1 bytes", of(far(50, u64::MAX)), "1 0 0 | 0"),
        ("a block at 2^64 - 1", of(far(u64::MAX, 1)), "1 0 0 | 0"),
        ("an index that is a bomb of Snappy", of(indexed(0, 1, &snappy_bomb(1 << 30))), "3 0 0 | 0"),
        ("an index that is broken", of(indexed(0, 1, &snappy_bomb(6400))), "1 0 0 | 0"),
    ];
    if rocksdb {
        let options = b"[Version]\n[DBOptions]\n".to_vec();
        cases.extend([
            ("an index that is a bomb of LZ4", of(indexed(5, 4, &lz4_bomb(1 << 30))), "3 0 0 | 0"),
            (
                "an index that is a bomb of zstd",
                of(indexed(5, 7, &[varint(1 << 20), zstd_bomb()].concat())),
                "3 0 0 | 0",
            ),
            ("an index that says too little", of(indexed(5, 7, &[varint(10), zstd_bomb()].concat())), "3 0 0 | 0"),
            ("an index of bzip2", of(indexed(5, 3, b"BZh91AY&SY")), "3 0 0 | 0"),
            ("an index whose part is itself", of(levels(|own| vec![own])), "1 0 0 | 0"),
            ("an index whose parts go on and on", of(levels(|(at, _)| vec![(at, 9); 5000])), "1 0 0 | 0"),
            ("an index whose part is longer than all", of(levels(|_| vec![(0, 1 << 40)])), "1 0 0 | 0"),
            ("OPTIONS of 70 MB", with("OPTIONS-000009", vec![b'#'; 70_000_000]), "3 3 3 | 0"),
            ("OPTIONS of one line", with("OPTIONS-000009", vec![b'['; 1 << 20]), "3 3 3 | 0"),
            ("OPTIONS without an end", with("OPTIONS-000009", [options, vec![b'\\'; 1 << 20]].concat()), "3 3 3 | 0"),
            ("a group of 2^32 edits", edits(&[vec![0xac, 2, 0xff, 0xff, 0xff, 0xff, 0x0f]]), "3 3 3 | 0"),
            ("a blob file of 2^64 - 1 values", edits(&[blob()]), "3 3 3 | 0"),
        ]);
    }
    cases
}

/// The first piece of a record, and thousands that go on with it.
fn pieces() -> Vec<u8> {
    let mut log = Vec::new();
    physical(&mut log, 2, &[0; 32_761]);
    for _ in 0..2000 {
        physical(&mut log, 3, &[0; 32_761]);
    }
    log
}

/// An edit that adds a blob file which no table needs.
fn blob() -> Vec<u8> {
    let most = varint(u64::MAX);
    [&[0x90, 3, 7][..], &most, &most, &[0, 0, 0]].concat()
}

/// What is done to the surroundings of a store that an engine wrote.
type Harm = fn(&Stage, &str);

const HARMS: [(&str, Harm, &str); 4] = [
    ("a table that is a link", |stage, name| stage.replace(name, |at| link(&stage.victim(), at)), "3 3 3 | 0"),
    ("a table that is a FIFO", |stage, name| stage.replace(name, fifo), "3 3 3 | 0"),
    ("a CURRENT that is a link", |stage, _| stage.replace("CURRENT", |at| link(&stage.victim(), at)), "3 3 3 | 3"),
    ("a CURRENT that is a FIFO", |stage, _| stage.replace("CURRENT", fifo), "3 3 3 | 3"),
];

fn link(to: &Path, at: &Path) {
    symlink(to, at).expect("a link");
}

fn fifo(at: &Path) {
    assert!(special("FIFO", at), "a FIFO");
}

/// Every case of one engine.
pub(super) fn cases(engine: Engine) -> Vec<Case> {
    let (name, table) = match engine {
        Engine::RocksDb => ("rocksdb", "000013.sst"),
        Engine::LevelDb => ("leveldb", "000005.ldb"),
    };
    let composed = composed(engine).into_iter().map(|(what, files, codes)| {
        Case::new(format!("{name}: {what}"), codes, move || Some(Box::new(Stage::new(&files)) as Box<dyn Set>))
    });
    let harmed = HARMS.into_iter().map(|(what, harm, codes)| {
        Case::new(format!("{name}: {what}"), codes, move || {
            let stage = Stage::new(&super::read(name));
            harm(&stage, table);
            Some(Box::new(stage) as Box<dyn Set>)
        })
    });
    composed.chain(harmed).collect()
}

impl Set for Stage {
    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn commands(&self) -> Vec<Vec<Step>> {
        let store = self.store.as_os_str();
        let word = |text: &'static str| OsStr::new(text);
        let [verify, depth] = ["verify", "--depth"].map(word);
        vec![
            vec![
                Step::reads("verify", &[verify, store]),
                Step::reads("list", &[verify, depth, word("list"), store]),
                Step::reads("size", &[verify, depth, word("size"), word("--json"), store]),
            ],
            vec![Step::reads("list", &[word("list"), store])],
        ]
    }

    fn large(&self) -> u64 {
        100
    }

    fn held_kib(&self) -> u64 {
        // An edit is read whole.
        let edits = fs::metadata(self.store.join(compose::MANIFEST)).map_or(0, |meta| meta.len());
        edits.min(64 << 20) / 1024
    }

    fn space_kib(&self) -> Option<u64> {
        Some(SPACE_KIB)
    }

    fn judge(&self, _: &Step, run: &Run) -> Judgement {
        let tells = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|some| some == SECRET.as_bytes());
        must(!tells(&run.stdout) && !tells(run.stderr.as_bytes()), || "it tells what is outside".to_owned())
    }
}
