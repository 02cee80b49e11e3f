//! What bears the name of a point's index and is no file, or leads nowhere: nobody ends well who did not see the point.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use highwater_tests::run::ours;
use highwater_tests::specimens::{self, lay};

const NOW: &str = "2026-11-27-03-00-00";

/// A way to put something in the place of a file, which lies at `old` by then.
type Put = fn(at: &Path, old: &Path);

const PUTS: [(&str, Put); 5] = [
    ("a folder", |at, _| fs::create_dir(at).expect("a folder")),
    ("a FIFO", |at, _| assert!(Command::new("mkfifo").arg(at).status().expect("mkfifo").success())),
    ("a link that leads nowhere", |at, _| symlink("nowhere", at).expect("a link")),
    ("a link out of the set", |at, old| symlink(old, at).expect("a link")),
    ("a link in a circle", |at, _| symlink(at.file_name().expect("a name"), at).expect("a link")),
];

fn is_index(name: &str) -> bool {
    name.ends_with(".dat")
        || name.ends_with("/index.json.blob")
        || (name.starts_with("points/") && name.ends_with(".mtree"))
}

#[test]
fn an_index_that_is_no_file_is_told_by_whoever_looks_for_points() {
    let mut tried = 0;
    for specimen in specimens::all() {
        let files = specimen.small().files;
        for name in [files.keys().rfind(|name| is_index(name)), files.keys().find(|name| is_index(name))] {
            let Some(name) = name else { continue };
            for (what, put) in PUTS {
                let folder = tempfile::tempdir().expect("a scratch folder");
                let (set, copy, old) =
                    (folder.path().join("set"), folder.path().join("copy"), folder.path().join("old"));
                lay(&files, &set);
                fs::rename(set.join(name), &old).expect("the index");
                put(&set.join(name), &old);
                let told = || format!("{}: '{name}' is {what}", specimen.name());
                let verify = ours(NOW, &["verify".as_ref(), set.as_os_str()]);
                assert_eq!(verify.code, 3, "{}\n{}", told(), verify.account());
                let replicate = ours(NOW, &["replicate".as_ref(), set.as_os_str(), copy.as_os_str()]);
                assert_eq!(replicate.code, 3, "{}\n{}", told(), replicate.account());
                let list = ours(NOW, &["list".as_ref(), set.as_os_str()]);
                assert_ne!(list.code, 0, "{}\n{}", told(), list.account());
                tried += 1;
            }
        }
    }
    assert!(tried >= 30, "{tried} tried");
}
