//! Hostile stores: what is done to a store, and every verb over it, in little address space.

use std::fs::{self, File as Disk};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use highwater_core::digest::md5_of;
use highwater_core::formats::dirstorage::names::File;
use tempfile::TempDir;

use super::compose::{Store, tid};
use super::samples;
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
    home: PathBuf,
    store: Store,
    /// Mebibytes that a command may have to read.
    large: u64,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let (home, store) = (folder.path().join("store"), samples::small());
        lay(&store.image(), &home);
        for name in ["outside", "out", "store/journal", "store/misc", "store/B"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        fs::write(folder.path().join("outside/victim"), SECRET).expect("a file of somebody else");
        Self { folder, home, store, large: 0 }
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join("outside").join(name)
    }

    fn at(&self, file: File) -> PathBuf {
        self.home.join(self.store.path(file))
    }

    fn change(&self, file: File, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.store.database[&file].clone();
        change(&mut bytes);
        fs::write(self.at(file), bytes).expect("it is written");
    }

    fn instead(&self, path: &Path, make: impl FnOnce(&Path)) {
        fs::remove_file(path).expect("it was there");
        make(path);
    }

    fn special(&self, path: &Path) {
        self.instead(path, |at| assert!(special("FIFO", at), "a FIFO"));
    }

    /// Makes a file of so many mebibytes, all of them a hole, with `bytes` at its beginning.
    fn sparse(&mut self, path: &Path, bytes: &[u8]) {
        let mebibytes = size(128, 1024);
        let mut file = Disk::create(path).expect("a file");
        file.write_all(bytes).expect("a beginning");
        file.set_len(mebibytes << 20).expect("a hole");
        self.large = mebibytes;
    }

    /// Moves a folder out and puts a link in its place.
    fn lead_out(&self, folder: &str) {
        fs::rename(self.home.join(folder), self.outside("folder")).expect("it moves");
        link(self.outside("folder"), self.home.join(folder));
    }
}

/// Gives a transaction the sum that is right for it.
fn summed(bytes: &mut [u8]) {
    let sum = md5_of(&bytes[48..]);
    bytes[32..48].copy_from_slice(sum.as_bytes());
}

const SETTINGS: &str = "config/settings";
const REVISION: File = File::Revision(1, tid(3));
const CURRENT: File = File::Current(1);
const TRANSACTION: File = File::Transaction(tid(3));

/// What is done to the store.
type Harm = fn(&mut Stage);

/// What is done to the store, and the codes. A 3 says that something is a link out of the store, or no file, and could
/// not be looked at.
const CASES: [(&str, Harm, &str); 30] = [
    (
        "2^32 - 8 bytes of objects",
        |stage| {
            stage.change(TRANSACTION, |bytes| {
                bytes[54..58].copy_from_slice(&0xffff_fff8_u32.to_be_bytes());
                summed(bytes);
            })
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "a hundred thousand objects that are not there",
        |stage| {
            stage.change(TRANSACTION, |bytes| {
                let objects: Vec<u8> = (1000..101_000u64).flat_map(u64::to_be_bytes).collect();
                bytes.extend(&objects);
                let count = u32::from_be_bytes(bytes[54..58].try_into().expect("4 bytes")) + 800_000;
                bytes[54..58].copy_from_slice(&count.to_be_bytes());
                let length = u32::try_from(bytes.len()).expect("a length");
                bytes[4..8].copy_from_slice(&length.to_be_bytes());
                summed(bytes);
            })
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "the same object many times",
        |stage| {
            stage.change(TRANSACTION, |bytes| {
                bytes.extend(1u64.to_be_bytes().repeat(100_000));
                let count = u32::from_be_bytes(bytes[54..58].try_into().expect("4 bytes")) + 800_000;
                bytes[54..58].copy_from_slice(&count.to_be_bytes());
                let length = u32::try_from(bytes.len()).expect("a length");
                bytes[4..8].copy_from_slice(&length.to_be_bytes());
                summed(bytes);
            })
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "a transaction that leads to 2^64 - 1",
        |stage| stage.change(TRANSACTION, |bytes| bytes[24..32].fill(255)),
        "1 1 1 | 1 4 | 4",
    ),
    (
        "transactions in a circle",
        |stage| stage.change(File::Transaction(tid(2)), |bytes| bytes[24..32].copy_from_slice(&tid(5).to_be_bytes())),
        "1 1 1 | 1 4 | 4",
    ),
    ("a last transaction of 2^64 - 1", |stage| stage.change(File::Serial, |bytes| bytes.fill(255)), "1 1 1 | 1 4 | 4"),
    ("a pack up to 2^64 - 1", |stage| stage.change(File::Packed, |bytes| bytes.fill(255)), "0 0 0 | 0 4 | 4"),
    ("a current revision of 2^64 - 1", |stage| stage.change(CURRENT, |bytes| bytes.fill(255)), "1 1 1 | 1 4 | 4"),
    (
        "an object of 2^64 - 1",
        |stage| {
            let folder = stage.home.join("A/oF/FF/FF/FF/FF/FF/FF/FFF");
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("c"), [255; 8]).expect("a file");
            fs::write(folder.join("FFFFFFFFFFFFFFFF"), [255; 80]).expect("a file");
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "a transaction of 2^64 - 1",
        |stage| {
            let folder = stage.home.join("A/tF/FF/FFF");
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("FFFFFFFFFF"), [255; 80]).expect("a file");
        },
        "1 1 1 | 1 4 | 4",
    ),
    ("a revision of 4 GiB", |stage| stage.change(REVISION, |bytes| bytes[4..8].fill(255)), "0 1 1 | 0 4 | 4"),
    (
        "a large revision",
        |stage| {
            let bytes = stage.store.database[&REVISION].clone();
            stage.sparse(&stage.at(REVISION), &bytes);
        },
        "0 1 1 | 0 4 | 4",
    ),
    ("a revision that is a hole", |stage| stage.sparse(&stage.at(REVISION), b""), "1 1 1 | 1 4 | 4"),
    (
        "a revision that is a hole of its length",
        |stage| {
            let mut bytes = stage.store.database[&REVISION][..72].to_vec();
            let length = u32::try_from(size(128, 1024) << 20).expect("a length");
            bytes[4..8].copy_from_slice(&length.to_be_bytes());
            stage.sparse(&stage.at(REVISION), &bytes);
        },
        "0 0 1 | 0 4 | 4",
    ),
    (
        "a transaction that is a hole",
        |stage| {
            let mut bytes = stage.store.database[&TRANSACTION][..60].to_vec();
            let length = u32::try_from(size(128, 1024) << 20).expect("a length");
            bytes[4..8].copy_from_slice(&length.to_be_bytes());
            bytes[54..58].copy_from_slice(&(length - 1000).to_be_bytes());
            stage.sparse(&stage.at(TRANSACTION), &bytes);
        },
        "1 1 1 | 1 4 | 4",
    ),
    ("large settings", |stage| stage.sparse(&stage.home.join(SETTINGS), b"[a]\n"), "1 1 1 | 1 4 | 4"),
    ("a large identity", |stage| stage.sparse(&stage.home.join("config/identity"), b""), "0 0 0 | 0 4 | 4"),
    ("a large current", |stage| stage.sparse(&stage.at(CURRENT), b""), "1 1 1 | 1 4 | 4"),
    ("a large number", |stage| stage.sparse(&stage.at(File::Oid), b""), "1 1 1 | 1 4 | 4"),
    (
        "names that mean harm",
        |stage| {
            for name in ["journal/\u{1b}]0;x\u{7}", "journal/a\u{202e}b", "journal/c\nd: sound", "A/\u{1b}[31m"] {
                fs::create_dir(stage.home.join(name)).expect("a folder");
            }
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "names that are no text",
        |stage| {
            fs::write(stage.home.join("journal").join(name(b"\xff")), "x").expect("a file");
            fs::write(stage.home.join("A").join(name(b"o\xff")), "x").expect("a file");
        },
        "1 1 1 | 1 4 | 4",
    ),
    (
        "ten thousand transactions that wait",
        |stage| {
            for id in 0..10_000 {
                fs::create_dir(stage.home.join(format!("journal/working_{id:016X}_done"))).expect("a folder");
            }
        },
        "0 0 0 | 0 4 | 4",
    ),
    (
        "folders that lead into themselves",
        |stage| {
            link(".", stage.home.join("A/o1"));
            link("..", stage.home.join("A/o0/01"));
        },
        "3 3 3 | 3 4 | 4",
    ),
    (
        "a revision that is a link",
        |stage| stage.instead(&stage.at(REVISION), |at| link(stage.outside("victim"), at)),
        "3 3 3 | 3 4 | 4",
    ),
    (
        "a revision that links to itself",
        |stage| stage.instead(&stage.at(REVISION), |at| link(at, at)),
        "3 3 3 | 3 4 | 4",
    ),
    ("a revision that is a FIFO", |stage| stage.special(&stage.at(REVISION)), "1 1 1 | 1 4 | 4"),
    ("a transaction that is a FIFO", |stage| stage.special(&stage.at(TRANSACTION)), "1 1 1 | 1 4 | 4"),
    ("settings that are a FIFO", |stage| stage.special(&stage.home.join(SETTINGS)), "3 3 3 | 3 4 | 4"),
    ("a database that is a link", |stage| stage.lead_out("A"), "3 3 3 | 3 4 | 4"),
    ("a journal that is a link", |stage| stage.lead_out("journal"), "3 3 3 | 3 4 | 4"),
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
        over_a_store(&self.home, &self.folder.path().join("out"))
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
