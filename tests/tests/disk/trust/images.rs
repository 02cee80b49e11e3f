//! What belongs to a database, and not to the image of a disk: the index beside it, and the lock by which it is open.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use highwater_tests::run::Run;

use crate::trust::stage::{Stage, in_store, snapshot};

/// Puts an index and a lock file beside a target, which somebody holds.
#[track_caller]
fn beside(target: &Path) -> [PathBuf; 2] {
    ["index", "lock"].map(|end| {
        let path = target.with_extension(end);
        fs::write(&path, "of somebody else").expect("a file beside it");
        path
    })
}

/// Restores the image of a store.
#[track_caller]
fn restore(stage: &Stage, store: &Path, target: &Path, flags: &[&str]) -> Run {
    let name = snapshot(store).strip_prefix(store).expect("below").join("disk.img").display().to_string();
    stage.restore(in_store(store, &name), target, flags)
}

#[test]
fn a_disk_image_leaves_index_and_lock_alone() {
    let stage = Stage::new();
    let store = stage.store("store");
    for flags in [&[][..], &["--full"], &["--in-place"]] {
        let folder = stage.path(&format!("out{}", flags.join("")));
        fs::create_dir(&folder).expect("a folder");
        // `with_extension` of a name without one puts it behind the name.
        let target = folder.join("disk");
        let [index, lock] = beside(&target);
        let held = File::open(&lock).expect("a lock file");
        held.lock().expect("it is held");
        for old in [None, Some(&stage.image[..100])] {
            if let Some(old) = old {
                fs::write(&target, old).expect("an old image");
            }
            let run = restore(&stage, &store, &target, flags);
            run.expect(0);
            assert!(fs::read(&target).expect("an image") == stage.image, "{}", run.account());
            for path in [&index, &lock] {
                let there = fs::read(path).unwrap_or_default();
                assert_eq!(there, b"of somebody else", "{} is not as it was\n{}", path.display(), run.account());
            }
        }
        drop(held);
    }
}

#[test]
fn a_database_that_is_open_is_not_restored_over() {
    let stage = Stage::new();
    let folder = stage.path("out");
    fs::create_dir(&folder).expect("a folder");
    let target = folder.join("Data");
    let [index, lock] = beside(&target);
    let held = File::open(&lock).expect("a lock file");
    held.lock().expect("it is held");
    for flags in [&[][..], &["--full"], &["--in-place"]] {
        stage.restore(&stage.fixture.repo, &target, flags).expect(4).says("is open");
        assert!(!target.exists());
        assert_eq!(fs::read(&index).expect("an index"), b"of somebody else");
    }
    held.unlock().expect("it is let go of");
    stage.restore(&stage.fixture.repo, &target, &[]).expect(0);
    let saved = fs::read(stage.file(2, "index")).expect("the saved index");
    assert!(fs::read(&index).expect("an index") == saved, "the index of other bytes is replaced");
    assert_eq!(fs::read(&lock).expect("a lock"), b"of somebody else");
}
