//! Targets that somebody else prepared: links, hard links, what is no file, odd names, and places that are none.
#![expect(clippy::print_stdout, reason = "what is not run is told")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use highwater_tests::score::Score;
use highwater_tests::specimens::hostile::{link, name, special};
use highwater_tests::specimens::repozo::hostile::Stage;

use super::table::{Trial, baseline};

/// What to prepare in `out/` (false where this user may not), the target, flags, and the exit code.
type Case = (&'static str, fn(&Stage, &Path) -> bool, &'static [u8], &'static [&'static str], i32);

fn victim(stage: &Stage) -> PathBuf {
    stage.outside("victim")
}

fn hard(from: PathBuf, to: PathBuf) -> bool {
    fs::hard_link(from, to).is_ok()
}

fn soft(to: PathBuf, at: PathBuf) -> bool {
    link(to, at);
    true
}

/// A copy of the standby outside, of which the target is another name.
fn snapshot(stage: &Stage, out: &Path) -> bool {
    hard(out.join("standby.fs"), stage.outside("snapshot.fs"))
}

/// The same at the newest point, so that an older one cuts.
fn newest(stage: &Stage, out: &Path) -> bool {
    fs::write(out.join("standby.fs"), &stage.backed_up).expect("a standby");
    snapshot(stage, out)
}

/// The same with another database in it.
fn foreign(stage: &Stage, out: &Path) -> bool {
    fs::write(out.join("standby.fs"), [b"FS30".as_slice(), &[7; 9000]].concat()).expect("another database");
    snapshot(stage, out)
}

const PLAIN: fn(&Stage, &Path) -> bool = |_, _| true;

const CASES: &[Case] = &[
    ("a new file", PLAIN, b"new.fs", &[], 0),
    ("a link to a victim", |s, o| soft(victim(s), o.join("x")), b"x", &[], 4),
    ("a link to a victim, in full", |s, o| soft(victim(s), o.join("x")), b"x", &["--full"], 4),
    ("a link to nowhere", |s, o| soft(s.outside("nowhere"), o.join("x")), b"x", &[], 4),
    ("a link to itself", |_, o| soft(o.join("x"), o.join("x")), b"x", &[], 4),
    (
        "below a link to a folder",
        |_, o| fs::create_dir(o.join("d")).is_ok() && soft(o.join("d"), o.join("w")),
        b"w/x",
        &[],
        0,
    ),
    ("below a link to nowhere", |s, o| soft(s.outside("nowhere"), o.join("w")), b"w/x", &[], 4),
    ("below a link into the repository", |s, o| soft(s.fixture.repo.clone(), o.join("w")), b"w/x", &[], 4),
    ("in the repository, by ..", PLAIN, b"../repo/x", &[], 4),
    ("the repository", PLAIN, b"../repo", &[], 4),
    ("a file of the repository, hard linked", |s, o| hard(s.file(0, "fs"), o.join("x")), b"x", &[], 4),
    ("its index, hard linked", |s, o| hard(s.file(0, "dat"), o.join("x")), b"x", &["--full"], 0),
    ("a part that is a link", |s, o| soft(victim(s), o.join("x.part")), b"x", &[], 0),
    ("a part that is hard linked", |s, o| hard(victim(s), o.join("x.part")), b"x", &[], 0),
    ("a part that is a backup, hard linked", |s, o| hard(s.file(0, "fs"), o.join("x.part")), b"x", &[], 0),
    ("a part that is a FIFO", |_, o| special("FIFO", &o.join("x.part")), b"x", &[], 0),
    ("a part that is a device", |_, o| special("null", &o.join("x.part")), b"x", &[], 0),
    ("a part that is a folder", |_, o| fs::create_dir(o.join("x.part")).is_ok(), b"x", &[], 0),
    ("an index that is a link", |s, o| soft(victim(s), o.join("x.index")), b"x", &[], 0),
    ("an index that is hard linked", |s, o| hard(victim(s), o.join("x.index")), b"x", &[], 0),
    ("an index's work file that is a link", |s, o| soft(victim(s), o.join("x.index.highwater-tmp")), b"x", &[], 0),
    ("an index that is a FIFO", |_, o| special("FIFO", &o.join("x.index")), b"x", &[], 0),
    ("an index that is a folder", |_, o| fs::create_dir(o.join("x.index")).is_ok(), b"x", &[], 3),
    ("a lock that is a FIFO", |_, o| special("FIFO", &o.join("x.lock")), b"x", &[], 4),
    ("a lock that is a link to a victim", |s, o| soft(victim(s), o.join("x.lock")), b"x", &[], 4),
    ("hard linked, an append", snapshot, b"standby.fs", &[], 0),
    ("hard linked, a quick append", snapshot, b"standby.fs", &["--quick"], 0),
    ("hard linked, in full", snapshot, b"standby.fs", &["--full"], 0),
    ("hard linked, in place", snapshot, b"standby.fs", &["--in-place", "--full"], 0),
    ("hard linked, cut to an older point", newest, b"standby.fs", &["@"], 0),
    ("hard linked, another database", foreign, b"standby.fs", &[], 4),
    ("hard linked, another one, in place", foreign, b"standby.fs", &["--in-place", "--full"], 0),
    ("a FIFO", |_, o| special("FIFO", &o.join("x")), b"x", &[], 4),
    ("a socket", |_, o| special("socket", &o.join("x")), b"x", &[], 4),
    ("a device", |_, o| special("null", &o.join("x")), b"x", &["--full"], 4),
    ("a folder", |_, o| fs::create_dir(o.join("x")).is_ok(), b"x", &[], 4),
    ("a name with a slash at its end", PLAIN, b"x/", &[], 4),
    ("a name of 230 bytes", PLAIN, &[b'n'; 230], &[], 0),
    ("a name that leaves no room for its draft", PLAIN, &[b'n'; 240], &[], 0),
    ("a name too long for its part", PLAIN, &[b'n'; 253], &[], 4),
    ("a name of 4 KiB", PLAIN, &[b'n'; 4096], &[], 3),
    ("a name that writes to a terminal", PLAIN, b"\x1b[31m\nx", &[], 0),
    ("a name that is no UTF-8", PLAIN, b"\xff\xfe", &[], 0),
    ("a name with a backslash", PLAIN, b"..\\x", &[], 0),
    ("another case of a file that is there", PLAIN, b"STANDBY.FS", &[], 0),
];

/// Restores to each; a target's folder is the only place that may change, and what is restored is right.
pub(crate) fn run(score: &mut Score) {
    let baseline = baseline();
    for &(what, prepare, target, flags, wanted) in CASES {
        let stage = Stage::new();
        let mut trial = Trial::new(&format!("target: {what}"), baseline, &stage);
        let out = stage.fixture.path("out");
        if !prepare(&stage, &out) {
            println!("not run: '{what}' cannot be made on this machine by this user");
            continue;
        }
        let target = out.join(name(target));
        let older = flags.contains(&"@");
        let mut from = stage.repo.clone().into_os_string();
        if older {
            from.push(format!("@{}", stage.stamps[1]));
        }
        let flags = flags.iter().filter(|flag| **flag != "@").map(OsString::from);
        let words: Vec<OsString> =
            std::iter::once("restore".into()).chain(flags).chain([from, target.clone().into_os_string()]).collect();
        let code = trial.run("restore", &words, Some(&out)).run.code;
        let point = &stage.backed_up[..stage.lengths[if older { 1 } else { 2 }]];
        let right = code != 0 || fs::read(&target).is_ok_and(|got| got == point);
        if code != wanted || !right {
            trial.wrong(format!("ended with {code}, not {wanted}, or the bytes are wrong: {:?}", trial.told));
        }
        super::table::tell(score, trial);
    }
}
