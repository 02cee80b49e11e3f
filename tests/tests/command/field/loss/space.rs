//! Room is looked at before anything is given up for a restore.
#![expect(clippy::print_stdout, reason = "a test that cannot run says so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use highwater_tests::repo::{Data, Fixture};
use highwater_tests::repository::{expect_same_bytes, names};
use highwater_tests::score::Score;

use super::LINE;

/// A tmpfs that ends with this value.
struct Small(PathBuf);

impl Small {
    fn new(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir(at).expect("a folder");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(&self.0).status();
        assert!(status.is_ok_and(|status| status.success()), "{} stays mounted", self.0.display());
    }
}

#[test]
fn an_old_database_is_not_given_up_for_one_that_has_no_room() {
    let mut score = Score::part(LINE, "no room");
    let mut fixture = Fixture::new();
    fixture.data.grow_large(4);
    fixture.grow(1);
    fixture.backup(&[]);
    let Some(small) = Small::new(&fixture.path("small"), "3m") else {
        println!("not run: nothing can be mounted here");
        score.ran(1);
        return score.end();
    };
    let target = small.0.join("Data.fs");
    let mut old = Data::new(3);
    old.grow_large(1);
    for (flags, words) in [
        (&["--full", "--in-place"][..], "even without the old file"),
        (&["--full"], "make room"),
        (&["--full", "--in-place", "--dry-run"], "even without the old file"),
    ] {
        fs::write(&target, &old.bytes).expect("an old database");
        fixture.restore("", &target, flags).expect(4).says("no room").says(words);
        expect_same_bytes(&fs::read(&target).expect("the old database"), &old.bytes, words);
        assert_eq!(names(&small.0), ["Data.fs"], "nothing was begun");
        score.ran(1);
    }
    fs::remove_file(&target).expect("it goes");
    fixture.restore("", &target, &[]).expect(4).says("no room");
    assert_eq!(names(&small.0), [""; 0], "nothing was begun");
    score.ran(1);
    // With room for one of them, the old one must be given up, and the advice says so.
    drop(small);
    let small = Small::new(&fixture.path("larger"), "6m").expect("a file system");
    let target = small.0.join("Data.fs");
    old.grow_large(1);
    fs::write(&target, &old.bytes).expect("an old database");
    fixture.restore("", &target, &["--full"]).expect(4).says("--in-place");
    fixture.restore("", &target, &["--full", "--in-place"]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a database"), &fixture.data.bytes, "in place");
    score.ran(2);
    score.end();
}

#[test]
fn a_part_that_stays_is_named() {
    let mut score = Score::part(LINE, "a part that stays is named");
    let mut fixture = Fixture::new();
    fixture.data.grow_large(4);
    fixture.grow(1);
    fixture.backup(&[]);
    let target = fixture.path("new.fs");
    // A limit of the length that a file may have: there is room, and writing fails all the same.
    let mut limited = Command::new("sh");
    let line = "trap '' XFSZ; ulimit -f 2000; exec \"$0\" restore \"$1\" \"$2\"";
    limited.args(["-c", line]).arg(highwater_tests::binary::highwater()).arg(&fixture.repo).arg(&target);
    let run = highwater_tests::run::Run::of(&mut limited);
    run.expect(3).says("new.fs.part").says("stays");
    assert!(fixture.path("new.fs.part").exists() && !target.exists());
    fixture.restore("", &target, &[]).expect(0);
    assert!(!fixture.path("new.fs.part").exists());
    score.ran(2);
    score.end();
}
