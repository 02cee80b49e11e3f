//! A folder of root's own that the second user renames, so that it looks like what a run left, keeps all that is in it.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use highwater_tests::score::Score;

use crate::trust::record::Record;
use crate::trust::stage::{GROUP, SECRET, Stage, is_root, set_mode, stamp};

/// Makes a folder of root's own.
fn make(folder: &Path, files: &[&str], folders: &[&str]) {
    fs::create_dir(folder).expect("a folder");
    files.iter().for_each(|file| fs::write(folder.join(file), SECRET).expect("a file"));
    folders.iter().for_each(|name| fs::create_dir(folder.join(name)).expect("a folder"));
    set_mode(folder, 0o700);
}

#[test]
fn a_folder_of_root_that_looks_like_a_leftover_keeps_its_files() {
    if !is_root("a_folder_of_root_that_looks_like_a_leftover_keeps_its_files") {
        return;
    }
    let mut score = Score::part("second user", "folders that look like leftovers");
    let digits = "0123456789abcdef";
    let chunk = "ab".repeat(32);
    for (kind, files, folders, goes) in [
        ("folder", &["letter.txt"][..], &[][..], false),
        ("folder", &[&*chunk], &[], false),
        ("folder", &[], &["below"], false),
        ("folder", &[], &[], true),
        ("chunks", &["letter.txt"], &["00ff"], false),
        ("chunks", &[], &["letters"], false),
        ("chunks", &[], &["00ff", "0100"], true),
        ("snapshot", &["letter.txt"], &[], false),
        ("snapshot", &[&*chunk, "index.json.blob", "letter.txt"], &[], false),
        ("snapshot", &[&*chunk], &["below"], false),
        ("snapshot", &[&*chunk, "disk.img.fidx", "vm.conf.blob"], &[], true),
        ("2026-03-01T00:00:00Z", &["letter.txt"], &[], false),
    ] {
        for place in ["", GROUP, "vm", ".chunks"] {
            let stage = Stage::new();
            let store = stage.store("store");
            crate::trust::stage::give_all(&store);
            let name = format!(".highwater-{kind}.{digits}");
            let folder = store.join(place).join(&name);
            make(&folder, files, folders);
            let before = Record::of(&folder);
            let run = stage.to_store(&store, GROUP, 2);
            run.expect(0);
            let what = format!("{kind} {files:?} {folders:?} in '{place}'\n{}", run.account());
            if goes {
                assert!(!folder.exists(), "it stays: {what}");
            } else {
                before.expect_same(&what);
                run.says(&name).says("it was left alone");
            }
            score.ran(1);
        }
    }
    // A healed chunk whose folder is gone comes by the same way.
    let stage = Stage::new();
    let (store, good) = (stage.store("store"), stage.store("good"));
    let lost = crate::trust::stage::chunks(&store)[0].parent().expect("a folder").to_owned();
    fs::remove_dir_all(&lost).expect("it is lost");
    crate::trust::stage::give_all(&store);
    let folder = store.join(".chunks").join(format!(".highwater-snapshot.{digits}"));
    make(&folder, &["letter.txt"], &[]);
    chown(&folder, Some(0), Some(0)).expect("it is root's");
    let before = Record::of(&folder);
    let mut heal = stage.command(&["heal"]);
    let run = stage.run(heal.arg(&store).arg("--from").arg(&good).env("HIGHWATER_NOW", stamp(3)));
    run.expect(0);
    before.expect_same(&run.account());
    score.ran(1);
    score.end();
}
