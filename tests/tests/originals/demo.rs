//! `highwater demo`: what it shows is real, and the databases it makes and restores are ones that ZODB opens.

use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::binary::highwater;
use highwater_tests::python;
use highwater_tests::repository::{expect_same_bytes, names};
use highwater_tests::run::{Run, ours};
use highwater_tests::scene::bytes;
use highwater_tests::workbench::Workbench;
use serde_json::Value;

/// Walks from the root to every object by the references, as an application would, and loads each revision of each.
const WALK: &str = "
import json, sys
import ZODB, ZODB.FileStorage
from persistent.mapping import PersistentMapping

storage = ZODB.FileStorage.FileStorage(sys.argv[1], read_only=True)
connection = ZODB.DB(storage).open()
root = connection.root()
assert type(root) is PersistentMapping, type(root)
pages = root['contents']
for number in range(1, len(pages) + 1):
    page = pages['page-%d' % number]
    assert type(page) is PersistentMapping, type(page)
    assert page['title'] == 'Page %d' % number, page['title']
    assert len(page['drawing']) >= 500 and len(set(page['drawing'])) > 100
    revision, state = page['revision'], connection.db().history(page._p_oid, 1000)
    assert len(state) == revision, (number, revision, len(state))
# Each revision, written anew by ZODB, gives the bytes that are there.
from ZODB.serialize import ObjectWriter
for name, page in [('root', root), ('contents', pages)] + sorted(pages.items()):
    page._p_activate()
    written = ObjectWriter(page).serialize(page)
    assert written == storage.load(page._p_oid)[0], name
entries = [(entry.user, entry.description, len(list(entry))) for entry in storage.iterator()]
assert all(user == b'/ jane' and text and count for user, text, count in entries)
json.dump({'title': root['title'], 'pages': len(pages), 'objects': len(storage), 'transactions': len(entries)}, sys.stdout)
";

/// Run the demo with the clock that it needs: a real one.
#[track_caller]
fn demo(arguments: &[&str], folder: &Path) -> Run {
    let mut command = Command::new(highwater());
    let github = ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"];
    for name in github {
        command.env_remove(name);
    }
    Run::of(command.arg("demo").args(arguments).arg("--folder").arg(folder).env_remove("HIGHWATER_NOW"))
}

#[track_caller]
fn walked(path: &Path) -> Value {
    let run = Run::of(Command::new(python::interpreter()).args(["-B", "-c", WALK]).arg(path));
    run.expect(0);
    serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{}", run.account()))
}

fn scratch() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("highwater-demo-test-").tempdir().expect("a scratch folder")
}

/// The one folder that a demo left in `folder`.
#[track_caller]
fn left(folder: &Path) -> PathBuf {
    let entries: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a name").path()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries[0].clone()
}

#[test]
fn the_databases_of_the_demo_are_real() {
    let scratch = scratch();
    let run = demo(&["--keep"], scratch.path());
    run.expect(0);
    let folder = left(scratch.path());
    let (data, standby) = (folder.join("Data.fs"), folder.join("standby.fs"));
    assert!(run.text().contains(&format!("Everything is still in '{}'", folder.display())), "{}", run.account());
    expect_same_bytes(&bytes(&standby), &bytes(&data), "the standby against the source");

    let (found, restored) = (walked(&data), walked(&standby));
    assert_eq!(found, restored);
    assert_eq!(found["title"], "A notebook made by highwater demo");
    assert_eq!(found["transactions"], 89);
    assert_eq!(found["objects"].as_u64(), found["pages"].as_u64().map(|pages| pages + 2));
    let mut bench = Workbench::open();
    assert_eq!(bench.history(&data), bench.history(&standby));
    bench.expect_index(&data, &folder.join("standby.fs.index"));

    // What the demo showed of the damaged copies is what anyone gets.
    let verify = |name: &str| ours("2026-11-20-12-00-00", &[Path::new("verify"), &folder.join(name)]);
    verify("repo").expect(0);
    for (name, code) in [("flipped", "HW103"), ("gone", "HW101")] {
        let again = verify(name);
        again.expect(1);
        assert!(again.text().contains(code), "{}", again.account());
        assert!(run.text().contains(&again.text()), "{}\nis not in\n{}", again.account(), run.account());
    }
}

#[test]
fn every_command_line_that_is_shown_can_be_typed() {
    let (scratch, other) = (scratch(), scratch());
    let run = demo(&["--keep"], scratch.path());
    run.expect(0);
    let text = run.text();
    let shown: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    let count = |verb: &str| shown.iter().filter(|line| line.starts_with(&format!("highwater {verb}"))).count();
    assert_eq!((count("backup"), count("restore"), count("verify"), count("list")), (3, 3, 3, 1), "{shown:?}");

    // The damage is typed again, on copies made anew of the repository that was kept.
    let folder = left(scratch.path());
    let copy = Command::new("cp").arg("-r").arg(folder.join("repo")).arg(other.path()).status();
    assert!(copy.expect("cp runs").success());
    let after = shown.iter().position(|line| line.starts_with("cp -r")).expect("a copy of the repository");
    let typed: Vec<&str> = shown[after..].iter().copied().filter(|line| !line.starts_with("highwater")).collect();
    Run::of(Command::new("sh").args(["-ec", &typed.join("\n")]).current_dir(other.path())).expect(0);
    for damaged in ["flipped", "gone"] {
        let (by_hand, by_demo) = (other.path().join(damaged), folder.join(damaged));
        assert_eq!(names(&by_hand), names(&by_demo), "{typed:?}");
        for name in names(&by_hand) {
            expect_same_bytes(&bytes(&by_hand.join(&name)), &bytes(&by_demo.join(&name)), &name);
        }
    }
}

#[test]
fn the_folder_goes_unless_it_is_to_stay() {
    let scratch = scratch();
    let run = demo(&[], scratch.path());
    run.expect(0);
    assert!(run.text().contains("was removed again; with --keep it stays."), "{}", run.account());
    assert_eq!(std::fs::read_dir(scratch.path()).expect("a folder").count(), 0);
}

#[test]
fn it_does_not_start_where_it_cannot_work() {
    let scratch = scratch();
    let nowhere = scratch.path().join("nowhere");
    let run = demo(&[], &nowhere);
    run.expect(4);
    run.one_line();
    run.says("nowhere");
    let stopped = ours("2026-11-20-12-00-00", &[Path::new("demo"), Path::new("--folder"), scratch.path()]);
    stopped.expect(4);
    stopped.one_line();
    stopped.says("HIGHWATER_NOW");
    assert_eq!(std::fs::read_dir(scratch.path()).expect("a folder").count(), 0);
}
