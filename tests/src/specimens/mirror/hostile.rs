//! Hostile mirrors: pointers and indices that somebody has written, with right sums, and what lies where objects
//! should.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use highwater_core::formats::mirror::index::{Latest, Proof, Row};
use highwater_core::formats::mirror::names;
use tempfile::TempDir;

use super::compose::{INDEX, ended, index, made_up, pointer, row, tail_sum};
use super::small::{self, NEWER, OLDER};
use crate::run::Run;
use crate::specimens::crash::{Judgement, must};
use crate::specimens::hostile::{Case, SECRET, Set, Step, link, special};
use crate::specimens::lay;

/// Address space of a run, in KiB: several times what any of them has to hold.
const SPACE_KIB: u64 = 600_000;

/// A mirror that somebody has prepared, and what he may not reach.
struct Stage {
    folder: TempDir,
    set: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let set = folder.path().join("set");
        lay(&small::set(NEWER), &set);
        for name in ["outside", "out"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        fs::write(folder.path().join("outside/victim"), SECRET).expect("a file of somebody else");
        Self { folder, set }
    }

    fn victim(&self) -> PathBuf {
        self.folder.path().join("outside/victim")
    }

    /// Gives it another index, and a pointer to it.
    fn index(&self, index: &[u8]) {
        fs::write(self.set.join(INDEX), index).expect("an index");
        let line = pointer(NEWER, index.len() as u64, tail_sum(index));
        fs::write(self.set.join(names::APPLIED), line).expect("a pointer");
    }

    /// Gives it an index of these rows.
    fn rows(&self, rows: &[Row<'_>]) {
        self.index(&index(&[OLDER, NEWER], rows.iter()).0);
    }

    fn instead(&self, name: &str, make: impl FnOnce(&Path)) {
        fs::remove_file(self.set.join(name)).expect("it was there");
        make(&self.set.join(name));
    }
}

type Harm = fn(&Stage);

/// What is done to the mirror, and the codes: of verify at three depths, list, restore.
const CASES: [(&str, Harm, &str); 20] = [
    (
        "keys that lead out",
        |stage| stage.rows(&[row(b"../outside/victim", b"v", SECRET.as_bytes()), row(b"/etc/passwd", b"v", b"")]),
        "1 1 1 | 0 | 1",
    ),
    (
        "a version that leads out",
        |stage| stage.rows(&[Row { latest: Latest::Never, ..row(b"x", b"/../../outside/victim", b"") }]),
        "1 1 1 | 0 | 0",
    ),
    (
        "a size of 2^64 - 1",
        |stage| stage.rows(&[Row { size: u64::MAX, ..row(b"zarr/0/new", b"v", b"") }]),
        "0 1 1 | 0 | 1",
    ),
    (
        "bytes that nothing proves",
        |stage| stage.rows(&[Row { proof: Proof::Nothing, size: 700, ..row(b"zarr/0/new", b"v", b"") }]),
        "0 0 3 | 0 | 3",
    ),
    (
        "a version that was not had",
        |stage| stage.rows(&[Row { wanted: true, proof: Proof::Nothing, ..row(b"w", b"v", b"") }]),
        "3 3 3 | 0 | 3",
    ),
    ("rows that are none", |stage| stage.index(&made_up(&[NEWER], &[0xff; 4000], 9, b"a")), "1 1 1 | 0 | 1"),
    (
        "a latest version that was pruned",
        |stage| stage.index(&made_up(&[NEWER], &[&[0, 0x34, 0, 1, b'x'][..], &[7; 16], &[1, 0, 0]].concat(), 1, b"x")),
        "1 1 1 | 0 | 1",
    ),
    ("more rows than there are", |stage| stage.index(&made_up(&[NEWER], &[], 65_536, b"a")), "1 1 1 | 0 | 1"),
    ("a block of a gigabyte", |stage| stage.index(&made_up(&[NEWER], &vec![0; 1 << 30], 9, b"a")), "1 1 1 | 0 | 1"),
    ("a tail of nothing", |stage| stage.index(&ended(&[], &[])), "1 1 1 | 1 | 1"),
    ("a tail of zeros", |stage| stage.index(&ended(&[], &vec![0; 40 << 20])), "1 1 1 | 1 | 1"),
    ("a tail that is too long", |stage| stage.index(&ended(&[], &vec![0; 49 << 20])), "1 1 1 | 1 | 1"),
    (
        "a tail with 2^64 - 1 points",
        |stage| stage.index(&ended(&[], &[&[0][..], &[0xff; 9], &[1]].concat())),
        "1 1 1 | 1 | 1",
    ),
    (
        "a pointer of 64 MiB",
        |stage| File::create(stage.set.join(names::APPLIED)).and_then(|file| file.set_len(64 << 20)).expect("a hole"),
        "1 1 1 | 1 | 1",
    ),
    (
        "a pointer to 2^64 - 1 bytes",
        |stage| {
            let index = fs::read(stage.set.join(INDEX)).expect("an index");
            fs::write(stage.set.join(names::APPLIED), pointer(NEWER, u64::MAX, tail_sum(&index))).expect("a pointer");
        },
        "1 1 1 | 1 | 1",
    ),
    (
        "a pointer that is a link out",
        |stage| stage.instead(names::APPLIED, |at| link(stage.victim(), at)),
        "3 3 3 | 3 | 3",
    ),
    ("an index that is a link out", |stage| stage.instead(INDEX, |at| link(stage.victim(), at)), "3 3 3 | 3 | 3"),
    ("an index that is a FIFO", |stage| stage.instead(INDEX, |at| assert!(special("FIFO", at))), "3 3 3 | 3 | 3"),
    (
        "an object that is a link out",
        |stage| stage.instead("under key", |at| link(stage.victim(), at)),
        "3 3 3 | 0 | 3",
    ),
    (
        "a folder of objects that is a link out",
        |stage| {
            fs::remove_dir_all(stage.set.join("zarr")).expect("a folder");
            link(stage.folder.path().join("outside"), stage.set.join("zarr"));
        },
        "3 3 3 | 0 | 3",
    ),
];

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let case = |(name, harm, codes): (&'static str, Harm, &'static str)| {
        Case::new(name, codes, move || {
            let stage = Stage::new();
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
        let (set, out) = (self.set.as_os_str(), self.folder.path().join("out"));
        let target = out.join("new");
        let word = |text: &'static str| OsStr::new(text);
        let verify = |depth| Step::reads(depth, &[word("verify"), word("--depth"), word(depth), set]);
        vec![
            ["list", "size", "digest"].map(verify).to_vec(),
            vec![Step::reads("list", &[word("list"), set])],
            vec![Step::writes("restore", &[word("restore"), set, target.as_os_str()], &out)],
        ]
    }

    fn space_kib(&self) -> Option<u64> {
        Some(SPACE_KIB)
    }

    fn judge(&self, step: &Step, run: &Run) -> Judgement {
        let is_there = step.name == "restore" && step.target().exists();
        // What lacks by its own account hinders nothing else.
        let is_told = run.code == 3 && run.stderr.contains("highwater: left out: ");
        must(!is_there || run.code == 0 || is_told, || "something was restored of a set that is refused".to_owned())
    }
}
