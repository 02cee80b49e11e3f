//! A dry run says what the real one would, and a restore looks for everything that it will read before it writes.

use std::fs;
use std::path::Path;

use highwater_tests::repo::Fixture;
use highwater_tests::repository::{expect_same_bytes, names};
use highwater_tests::score::Score;

use super::LINE;

#[test]
fn a_dry_run_ends_as_the_real_one_would() {
    let mut score = Score::part(LINE, "dry runs");
    for (what, code) in [("gone", 1), ("short", 1), ("empty full", 1), ("sound", 0)] {
        for held in [None, Some(0), Some(1)] {
            for flags in [&[][..], &["--full"], &["--in-place"], &["--quick"]] {
                let (fixture, stamps) = Fixture::with_chain();
                let target = fixture.path("target.fs");
                if let Some(held) = held {
                    fixture.restore(&format!("@{}", stamps[held]), &target, &[]).expect(0);
                }
                let before = fs::read(&target).ok();
                let last = fixture.file(&format!("{}.deltafs", stamps[2]));
                match what {
                    "gone" => fs::remove_file(&last).expect("it goes"),
                    "short" => fs::write(&last, b"short").expect("it is cut"),
                    "empty full" => fs::write(fixture.file(&format!("{}.fs", stamps[0])), b"").expect("it is cut"),
                    _ => {}
                }
                // What a standby holds needs no file of the repository.
                let code = if what == "empty full" && held.is_some() && flags != ["--full"] { 0 } else { code };
                let files = names(target.parent().expect("a folder"));
                let dry = fixture.restore("", &target, &[flags, &["--dry-run"]].concat());
                assert_eq!(dry.code, code, "{what}, {held:?}: {}", dry.account());
                assert!(!dry.text().contains("checked"), "{}", dry.account());
                assert_eq!(names(target.parent().expect("a folder")), files, "a dry run writes nothing");
                assert!(fs::read(&target).ok() == before, "a dry run writes nothing");
                let real = fixture.restore("", &target, flags);
                assert_eq!(real.code, code, "{what}: {}", real.account());
                assert_eq!(real.stderr, dry.stderr, "{what}: the same sentence");
                if code == 1 {
                    assert_eq!(names(target.parent().expect("a folder")), files, "{what}: nothing was begun");
                    assert!(fs::read(&target).ok() == before, "{what}: nothing was begun");
                }
                score.ran(2);
            }
        }
    }
    score.end();
}

#[test]
fn nothing_is_written_to_a_pipe_of_a_set_that_lacks_a_file() {
    let mut score = Score::part(LINE, "standard output of a set that lacks a file");
    let (fixture, stamps) = Fixture::with_chain();
    fs::remove_file(fixture.file(&format!("{}.deltafs", stamps[2]))).expect("it goes");
    for flags in [&[][..], &["--dry-run"]] {
        let run = fixture.restore("", Path::new("-"), flags);
        run.expect(1).says("is missing");
        assert!(run.stdout.is_empty(), "{}", run.account());
        score.ran(1);
    }
    let run = fixture.restore(&format!("@{}", stamps[1]), Path::new("-"), &[]);
    expect_same_bytes(&run.expect(0).stdout, &fixture.data.bytes[..run.stdout.len()], "the point before");
    score.ran(1);
    score.end();
}
