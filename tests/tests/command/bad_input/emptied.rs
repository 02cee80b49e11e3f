//! Sets that lost what they are known by at first sight.

use std::ffi::OsStr;
use std::fs;

use highwater_tests::run::ours;

#[test]
fn points_without_the_folder_of_objects_are_damaged_and_the_next_backup_mends_them() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (notes, set) = (folder.path().join("notes"), folder.path().join("set"));
    for path in [&notes, &set] {
        fs::create_dir(path).expect("a folder");
    }
    fs::write(notes.join("a"), "kept").expect("a file");
    let backup = |minute: &str| ours(minute, &[OsStr::new("backup"), notes.as_os_str(), set.as_os_str()]);
    let verify = || ours("2026-11-28-09-00-00", &[OsStr::new("verify"), set.as_os_str()]);
    backup("2026-11-28-08-00-00").expect(0);
    fs::remove_dir_all(set.join("objects")).expect("it was there");
    verify().expect(1).prints("HW101 missing");
    backup("2026-11-28-08-01-00").expect(0);
    verify().expect(0).prints("2 points in time");
}
