//! The calls of the package under node: bad options, failing listeners, signals while folders are listed, entries that
//! cannot be opened, streams that nobody reads, and folders that are not listed.

use std::fs;
use std::path::Path;
use std::process::Command;

use highwater_tests::datastore;
use highwater_tests::page::plain;
use highwater_tests::repo::{sample, store};
use highwater_tests::run::Run;

use crate::package::{installed, node};

/// What `calls.mjs` says, a line for each call.
fn calls() -> (String, String) {
    let fixture = tempfile::tempdir().expect("a scratch folder");
    let set = fixture.path().join("set");
    let made = sample();
    store(&made.files, &set);
    let folder = installed();
    // A worker that is left keeps node from its end, and the run from being in time.
    let run = node(folder.path(), "calls.mjs", &[&set, &plain(&datastore::Sample::made().store())]);
    assert_eq!(run.code, 0, "{}", run.account());
    (String::from_utf8_lossy(&run.stdout).into_owned(), made.points.last().expect("a point").0.clone())
}

#[test]
fn options_that_make_no_sense_listeners_that_fail_and_signals_end_a_call_and_nothing_else() {
    let (said, newest) = calls();
    let newest = format!("restored {newest} true");
    let wanted = [
        "depth option `depth` must be a text: list, size, digest or deep",
        "point option `point` must be the name of a point",
        "root option `root` must be the label of a backup",
        "keys option `keys` must be a list of keys",
        "strict option `strict` must be true or false",
        "workers option the number of workers must be 1 or more",
        "listed option `listed` must be a number of points",
        "signal option `signal` must be an AbortSignal",
        "onProgress option `onProgress` must be a function",
        "onNews option `onNews` must be a function",
        "listed option `listed` must be a number of points",
        "listed option `listed` must be a number of points",
        "listed option `listed` must be a number of points",
        "options option the options must be an object",
        "onFound option `onFound` must be a function",
        "most option `most` must be a number of files",
        "objects option `objects` must be a list of names",
        "root option `root` must be the label of a backup",
        "to option `to` must be a WritableStream",
        "passphrase option `passphrase` must be a text",
        "keyed option the `passphrase` of key 1 must be a text",
        "throwing onProgress Error deaf",
        "rejecting onProgress Error deaf",
        "throwing onNews Error deaf",
        "rejecting onNews Error deaf",
        "throwing onFound Error deaf",
        "rejecting onFound Error deaf",
        "restore Error deaf",
        "restore Error deaf",
        "endless Error enough",
        "silent Error enough",
        "before Error enough",
        "before Error enough",
        "before Error enough",
        "before Error enough",
        "throws inconclusive 1 HW201 it cannot be read: deaf",
        "rejects inconclusive 1 HW201 it cannot be read: undefined",
        "gives inconclusive 1 HW201 it cannot be read: it was opened to something that is no file",
        "within came sound",
        "itself source 'shut' cannot be listed: deaf",
        &newest,
        "restored vm/100/2025-06-16T16:06:40Z true",
        "over",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), wanted, "{said}");
}

#[test]
fn a_folder_that_cannot_be_listed_is_an_answer_about_that_folder() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let fixture = tempfile::Builder::new().prefix("unlisted").tempdir_in("/tmp").expect("a scratch folder");
    let top = fixture.path();
    let set = top.join("set");
    store(&sample().files, &set);
    fs::create_dir(set.join("shut")).expect("a folder");
    fs::create_dir(top.join("other")).expect("a folder");
    let folder = installed();
    let script = "import { backups, verify } from 'highwater';
        const [top, set] = process.argv.slice(2);
        console.log((await verify(set)).verdict, (await verify(top)).verdict, (await backups(top)).unlisted.join());";
    fs::write(folder.path().join("shut.mjs"), script).expect("a script");
    let closed = [set.join("shut"), top.join("other")];
    for path in &closed {
        Run::of(Command::new("chmod").arg("0").arg(path)).expect(0);
    }
    for path in [top, folder.path()] {
        Run::of(Command::new("chmod").arg("755").arg(path)).expect(0);
    }
    let mut run = Command::new("setpriv");
    run.args(["--reuid=65534", "--regid=65534", "--clear-groups", "node"]).arg(folder.path().join("shut.mjs"));
    let run = Run::of(run.args([top, Path::new(&set)]));
    let shut = format!("{}/other", top.file_name().expect("a name").to_string_lossy());
    assert_eq!(String::from_utf8_lossy(&run.stdout), format!("sound sound {shut}\n"), "{}", run.account());
}
