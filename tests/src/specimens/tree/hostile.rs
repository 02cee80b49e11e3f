//! Hostile sets of points: lists that somebody has written, with right seals, and what lies where objects should.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use highwater_core::mtree::{SIGNATURE, seal};
use tempfile::TempDir;

use super::small::{self, NEWER, list};
use crate::run::Run;
use crate::specimens::crash::{Judgement, must};
use crate::specimens::hostile::{Case, SECRET, Set, Step, link, special};
use crate::specimens::lay;

/// Address space of a run, in KiB: several times what any of them has to hold.
const SPACE_KIB: u64 = 400_000;

/// A set that somebody has prepared, and what he may not reach.
struct Stage {
    folder: TempDir,
    set: PathBuf,
}

/// The digest of nothing.
const EMPTY: &str = "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let set = folder.path().join("set");
        lay(&small::set(), &set);
        for name in ["outside", "out"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        fs::write(folder.path().join("outside/victim"), SECRET).expect("a file of somebody else");
        Self { folder, set }
    }

    fn victim(&self) -> PathBuf {
        self.folder.path().join("outside/victim")
    }

    /// Gives the newest point another list of these lines, with its seal.
    fn lines(&self, lines: &str) {
        let mut text = format!("{SIGNATURE}# highwater tree 1 · bytes 0\n. type=dir mode=0755\n{lines}\n");
        seal(&mut text);
        fs::write(self.set.join(list(NEWER)), text).expect("a list");
    }

    /// A file of the newest point lies in another repository, says this comment.
    fn within(&self, comment: &str) {
        self.lines(&format!("# within {comment}\n./f type=file size=3"));
    }

    fn instead(&self, name: &str, make: impl FnOnce(&Path)) {
        fs::remove_file(self.set.join(name)).expect("it was there");
        make(&self.set.join(name));
    }

    /// An object of the newest point alone.
    fn object(&self) -> String {
        let [_, _, new, _] = small::parts();
        let sum = highwater_core::digest::sha256_of(&new);
        highwater_core::formats::tree::names::object(&sum).expect("a name").to_string()
    }
}

type Harm = fn(&Stage);

/// What is done to the set, and the codes: of verify at three depths, list and show, restore.
const CASES: [(&str, Harm, &str); 22] = [
    ("a path out of the set", |stage| stage.lines(&format!("./../out type=file size=0 {EMPTY}")), "1 1 1 | 1 | 1"),
    ("an absolute path", |stage| stage.lines(&format!("/etc/passwd type=file size=0 {EMPTY}")), "1 1 1 | 1 | 1"),
    (
        "an escaped path out",
        |stage| stage.lines(&format!("./a/\\056\\056/\\056\\056/b type=file size=0 {EMPTY}")),
        "1 1 1 | 1 | 1",
    ),
    ("a path with NUL", |stage| stage.lines(&format!("./a\\000b type=file size=0 {EMPTY}")), "1 1 1 | 1 | 1"),
    (
        "an entry below a link",
        |stage| {
            let outside = stage.folder.path().join("outside");
            let text = format!("./l type=link link={}\n./l/victim type=file size=0 {EMPTY}", outside.display());
            stage.lines(&text);
        },
        "1 1 1 | 0 | 1",
    ),
    (
        "an entry below a file",
        |stage| stage.lines(&format!("./f type=file size=0 {EMPTY}\n./f/g type=dir")),
        "1 1 1 | 0 | 1",
    ),
    ("an entry without its folder", |stage| stage.lines(&format!("./f/g type=file size=0 {EMPTY}")), "1 1 1 | 0 | 1"),
    ("a name twice", |stage| stage.lines(&format!("./f type=dir\n./f type=file size=0 {EMPTY}")), "1 1 1 | 0 | 1"),
    ("a size of 2^64 - 1", |stage| stage.lines(&format!("./f type=file size={} {EMPTY}", u64::MAX)), "1 1 1 | 1 | 1"),
    ("a file without a digest", |stage| stage.lines("./f type=file size=3"), "1 1 1 | 1 | 1"),
    (
        "many groups of names",
        |stage| {
            let line = |n: u64| format!("./{n} type=file size=0 {EMPTY} nlink=2 tags=hard-{n}");
            stage.lines(&(0..25_000).map(line).collect::<Vec<_>>().join("\n"));
        },
        "0 0 0 | 0 | 0",
    ),
    (
        "a line of 64 MiB",
        |stage| {
            let file = File::create(stage.set.join(list(NEWER))).expect("a list");
            file.set_len(64 << 20).expect("a hole");
        },
        "1 1 1 | 1 | 1",
    ),
    ("a repository out of the set", |stage| stage.within("repozo ../outside@2026-01-01-00-00-00 ./f"), "1 1 1 | 1 | 1"),
    ("a repository in the pool", |stage| stage.within("repozo objects/00@2026-01-01-00-00-00 ./f"), "1 1 1 | 1 | 1"),
    ("a set in the set", |stage| stage.within("tree inner@2026-01-01-00-00-00 ./f"), "1 1 1 | 1 | 1"),
    ("a repository that is not there", |stage| stage.within("repozo inner@latest ./f"), "1 1 1 | 1 | 1"),
    (
        "a repository that is a link out",
        |stage| {
            link(stage.folder.path().join("outside"), stage.set.join("inner"));
            stage.within("repozo inner@2026-01-01-00-00-00 ./f");
        },
        "1 1 1 | 1 | 1",
    ),
    (
        "many repositories",
        |stage| {
            let line = |n: u64| format!("# within repozo r{n}@2026-01-01-00-00-00 ./{n}\n./{n} type=file size=1");
            stage.lines(&(0..50_000).map(line).collect::<Vec<_>>().join("\n"));
        },
        "1 1 1 | 1 | 1",
    ),
    ("a list that is a link out", |stage| stage.instead(&list(NEWER), |at| link(stage.victim(), at)), "3 3 3 | 3 | 3"),
    (
        "an object that is a link out",
        |stage| stage.instead(&stage.object(), |at| link(stage.victim(), at)),
        "3 3 3 | 0 | 3",
    ),
    (
        "an object that is a FIFO",
        |stage| stage.instead(&stage.object(), |at| assert!(special("FIFO", at))),
        "3 3 3 | 0 | 3",
    ),
    (
        "a pool that is a link out",
        |stage| {
            fs::remove_dir_all(stage.set.join("objects")).expect("a pool");
            link(stage.folder.path().join("outside"), stage.set.join("objects"));
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
        must(!is_there || run.code == 0, || "something was restored of a set that is refused".to_owned())
    }
}
