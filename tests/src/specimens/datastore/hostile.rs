//! Hostile stores: what is done to a store, and every verb over it, in little address space.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use flate2::Crc;
use tempfile::TempDir;

use crate::datastore::{Sample, copy};
use crate::run::Run;
use crate::specimens::crash::{Judgement, must};
use crate::specimens::hostile::{Case, SECRET, Set, Step, special};

/// Address space of a run, in KiB: four times what any of them has to hold.
pub const SPACE_KIB: u64 = 400_000;

const SNAPSHOT: &str = "vm/100/2025-06-16T15:06:40Z";
const INDEX: &str = "drive-scsi0.img.fidx";

/// Magic numbers of blobs.
const PLAIN: [u8; 8] = [0x42, 0xab, 0x38, 0x07, 0xbe, 0x83, 0x70, 0xa1];
const ZSTD: [u8; 8] = [0x31, 0xb9, 0x58, 0x42, 0x6f, 0xb6, 0xa3, 0x7f];

/// A store that somebody has prepared, and what he may not reach.
struct Stage {
    folder: TempDir,
    store: PathBuf,
}

impl Stage {
    fn new(sample: &Sample) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let store = folder.path().join("store");
        copy(&sample.store(), &store);
        for name in ["outside", "out"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        fs::write(folder.path().join("outside/victim"), SECRET).expect("a file of somebody else");
        Self { folder, store }
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.store.join(SNAPSHOT).join(name)
    }

    /// Writes over some bytes of the index.
    fn patch(&self, at: usize, bytes: &[u8]) {
        let mut index = fs::read(self.at(INDEX)).expect("an index");
        index[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(self.at(INDEX), index).expect("it is written");
    }

    /// A manifest of these files.
    fn manifest(&self, files: &str) {
        let text = format!(
            r#"{{"backup-type":"vm","backup-id":"100","backup-time":1750086400,"files":[{files}],"signature":null}}"#
        );
        fs::write(self.at("index.json.blob"), blob(PLAIN, text.as_bytes())).expect("it is written");
    }

    /// A chunk of the archive.
    fn chunk(&self) -> PathBuf {
        let index = fs::read(self.at(INDEX)).expect("an index");
        let name: String = index[4096..4128].iter().map(|byte| format!("{byte:02x}")).collect();
        self.store.join(".chunks").join(&name[..4]).join(name)
    }

    fn replace_chunk(&self, make: impl FnOnce(&Path)) {
        let chunk = self.chunk();
        fs::remove_file(&chunk).expect("it was there");
        make(&chunk);
    }
}

fn blob(magic: [u8; 8], body: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(body);
    [&magic[..], &crc.sum().to_le_bytes(), body].concat()
}

/// What is done to the store.
type Harm = fn(&Stage);

/// What is done to the store, and the codes. The 3 of a command without the key says that there are encrypted chunks; a
/// 3 of another one, that something is a link or a FIFO and could not be looked at.
const CASES: [(&str, Harm, &str); 16] = [
    ("an archive of 2^64 - 1 bytes", |stage| stage.patch(64, &u64::MAX.to_le_bytes()), "1 1 1 | 0 3 | 1 | 1"),
    ("chunks of no bytes", |stage| stage.patch(72, &0u64.to_le_bytes()), "1 1 1 | 0 3 | 1 | 1"),
    ("chunks of 2^63 bytes", |stage| stage.patch(72, &(1u64 << 63).to_le_bytes()), "1 1 1 | 0 3 | 1 | 1"),
    ("chunks of three bytes", |stage| stage.patch(72, &3u64.to_le_bytes()), "1 1 1 | 0 3 | 1 | 1"),
    (
        "a manifest of 64 MiB",
        |stage| fs::write(stage.at("index.json.blob"), blob(PLAIN, &vec![b' '; 64 << 20])).expect("it is written"),
        "1 1 1 | 1 0 | 1 | 1",
    ),
    (
        "a manifest of brackets",
        |stage| fs::write(stage.at("index.json.blob"), blob(PLAIN, &vec![b'['; 1 << 20])).expect("it is written"),
        "1 1 1 | 1 0 | 1 | 1",
    ),
    (
        "a manifest that is a bomb",
        |stage| fs::write(stage.at("index.json.blob"), blob(ZSTD, &bomb())).expect("it is written"),
        "1 1 1 | 1 0 | 1 | 1",
    ),
    (
        "a chunk that is a bomb",
        |stage| stage.replace_chunk(|at| fs::write(at, blob(ZSTD, &bomb())).expect("a chunk")),
        "1 0 1 | 0 0 | 1 | 0",
    ),
    (
        "an index outside",
        |stage| stage.manifest(r#"{"filename":"../../../../outside/victim.fidx","size":8,"csum":"00"}"#),
        "1 1 1 | 1 0 | 1 | 1",
    ),
    (
        "an absolute blob",
        |stage| stage.manifest(r#"{"filename":"/etc/passwd.blob","size":8,"csum":"00"}"#),
        "1 1 1 | 1 0 | 1 | 1",
    ),
    (
        "names that mean harm",
        |stage| {
            for name in ["\u{1b}]0;x\u{7}", "a\u{202e}b", "c\nd: sound", "2031-01-01T00:00:00Z\u{7f}"] {
                fs::write(stage.store.join("vm/100").join(name), "x").expect("a file");
            }
        },
        "3 0 0 | 0 0 | 0 | 0",
    ),
    (
        "namespaces too deep",
        |stage| {
            fs::create_dir_all(stage.store.join("ns/a/".repeat(40)).join("vm/1/2031-01-01T00:00:00Z")).expect("folders")
        },
        "3 0 0 | 0 0 | 0 | 0",
    ),
    (
        "a chunk that is a link",
        |stage| stage.replace_chunk(|at| symlink(stage.outside().join("victim"), at).expect("a link")),
        "3 3 3 | 0 0 | 3 | 3",
    ),
    (
        "a chunk that links to itself",
        |stage| stage.replace_chunk(|at| symlink(at, at).expect("a link")),
        "3 3 3 | 0 0 | 3 | 3",
    ),
    (
        "a chunk that is a FIFO",
        |stage| stage.replace_chunk(|at| assert!(special("FIFO", at), "a FIFO")),
        "3 3 3 | 0 0 | 3 | 3",
    ),
    (
        "a snapshot that is a link",
        |stage| symlink(stage.outside(), stage.store.join("vm/100/2031-01-01T00:00:00Z")).expect("a link"),
        "3 3 3 | 3 3 | 0 | 3",
    ),
];

/// A frame that is 2 GiB out of 64 KiB: blocks of one byte, repeated.
fn bomb() -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    // A block of 128 KiB of one byte each; there is never a last one.
    frame.extend([0x02, 0x00, 0x10, 0x00].repeat(16_384));
    frame
}

/// Every case. The codes are those of verify, also at the depths list and size; of list and strays; of a restore; of a
/// heal that only says what it would do.
pub(super) fn cases() -> Vec<Case> {
    let case = |(name, harm, codes): (&'static str, Harm, &'static str)| {
        Case::new(name, codes, move || {
            let stage = Stage::new(&Sample::made());
            harm(&stage);
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
        let (store, out, sound) = (self.store.as_os_str(), self.folder.path().join("out"), Sample::made().store());
        let (target, mut archive) = (out.join("disk"), store.to_owned());
        archive.push(format!("@{SNAPSHOT}/drive-scsi0.img"));
        let word = |text: &'static str| OsStr::new(text);
        let [verify, depth] = ["verify", "--depth"].map(word);
        vec![
            vec![
                Step::reads("verify", &[verify, store]),
                Step::reads("list", &[verify, depth, word("list"), store]),
                Step::reads("size", &[verify, depth, word("size"), word("--json"), store]),
            ],
            ["list", "strays"].map(|verb| Step::reads(verb, &[word(verb), store])).to_vec(),
            vec![Step::writes("restore", &[word("restore"), &archive, target.as_os_str()], &out)],
            vec![Step::reads("heal", &[word("heal"), word("--dry-run"), store, word("--from"), sound.as_os_str()])],
        ]
    }

    fn space_kib(&self) -> Option<u64> {
        Some(SPACE_KIB)
    }

    fn judge(&self, step: &Step, _: &Run) -> Judgement {
        let tells = |bytes: Vec<u8>| bytes.windows(SECRET.len()).any(|some| some == SECRET.as_bytes());
        let told = step.name == "restore" && fs::read(step.target()).is_ok_and(tells);
        must(!told, || "it restores what is outside".to_owned())
    }
}
