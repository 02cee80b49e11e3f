//! The point that is restored is the one that was asked for, or nothing is.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use highwater_tests::repo::Fixture;
use highwater_tests::repository::expect_same_bytes;
use highwater_tests::run::{Run, drop_in};
use highwater_tests::score::Score;

use super::LINE;

/// What the standby holds before each case.
const OLD: &[u8] = b"";

#[track_caller]
fn untouched(target: &Path) {
    assert_eq!(fs::read(target).expect("the target"), OLD, "the target was touched");
}

/// The lines of the only index.
fn lines(fixture: &Fixture, stamps: &[String; 3]) -> Vec<String> {
    let text = fs::read_to_string(fixture.file(&format!("{}.dat", stamps[0]))).expect("an index");
    text.lines().map(str::to_owned).collect()
}

fn write_lines(fixture: &Fixture, stamps: &[String; 3], lines: &[String]) {
    let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    fs::write(fixture.file(&format!("{}.dat", stamps[0])), text).expect("it is written");
}

fn recover(fixture: &Fixture, target: &Path, more: &[&str]) -> Run {
    let repo = fixture.file("");
    let (repo, target) = (repo.to_str().expect("text"), target.to_str().expect("text"));
    drop_in("2030-01-01-00-00-00", &[&["-R", "-r", repo, "-o", target], more].concat())
}

fn length(fixture: &Fixture, stamps: &[String; 3], point: usize) -> usize {
    let all = lines(fixture, stamps);
    all[point].rsplit(' ').nth(1).and_then(|end| end.parse().ok()).expect("an end")
}

#[test]
fn an_increment_without_its_line_is_no_older_point() {
    let mut score = Score::part(LINE, "increment without its line");
    let (fixture, stamps) = Fixture::with_chain();
    let (one, two) = (length(&fixture, &stamps, 1), length(&fixture, &stamps, 2));
    let all = lines(&fixture, &stamps);
    write_lines(&fixture, &stamps, &all[..2]);
    let target = fixture.path("standby.fs");
    let name = format!("{}.deltafs", stamps[2]);
    let day = &stamps[2][..10];
    for point in [String::new(), format!("@{day}"), format!("@{}", stamps[2]), "@2099".to_owned()] {
        fs::write(&target, OLD).expect("a target");
        let run = fixture.restore(&point, &target, &[]);
        let line = run.expect(3).one_line().to_owned();
        for word in [name.as_str(), "HW202", &format!("@{}", stamps[1]), "Run the backup again"] {
            assert!(line.contains(word), "{word} in {line}");
        }
        untouched(&target);
        fixture.restore(&point, &target, &["--dry-run"]).expect(3);
        fixture.restore(&point, Path::new("-"), &[]).expect(3);
        score.ran(3);
    }
    for flags in [&[][..], &["-w"], &["-F"], &["-Q"], &["-D", day], &["-D", "2099"], &["-D", &stamps[2]]] {
        fs::write(&target, OLD).expect("a target");
        let run = recover(&fixture, &target, flags);
        // A date without a time is the beginning of that day here, before all of these backups.
        let line = run.expect(1).one_line().to_owned();
        if flags != ["-D", day] {
            assert!(line.contains(&name) && line.contains(&format!("-D {}", stamps[1])), "{line}");
        }
        untouched(&target);
        score.ran(1);
    }
    // The point before it can be asked for by name.
    fixture.restore(&format!("@{}", stamps[1]), &target, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes[..one], "by name");
    fs::write(&target, OLD).expect("a target");
    recover(&fixture, &target, &["-D", &stamps[1]]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes[..one], "by date");
    score.ran(2);
    // And the next backup mends it.
    let mut fixture = fixture;
    fixture.try_backup(&[]).expect(0);
    fixture.restore("", &target, &[]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes[..two], "after the next backup");
    score.ran(1);
    score.end();
}

/// Holds the lock of a repository, as a backup that is running does.
struct Writer(Child);

impl Writer {
    fn of(fixture: &Fixture) -> Self {
        let lock = fixture.file(".highwater.lock");
        let mut command = Command::new("flock");
        let mut child = child_of(command.arg(lock).args(["sh", "-c", "echo held; read _"]));
        let mut one = [0];
        let out = child.stdout.as_mut().expect("a pipe");
        std::io::Read::read_exact(out, &mut one).expect("the lock is held");
        Self(child)
    }
}

fn child_of(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("flock of util-linux")
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().expect("it ends");
    }
}

#[test]
fn a_backup_that_is_running_leaves_the_point_before_it() {
    let mut score = Score::part(LINE, "a running backup's file");
    let (fixture, stamps) = Fixture::with_chain();
    let one = length(&fixture, &stamps, 1);
    let all = lines(&fixture, &stamps);
    write_lines(&fixture, &stamps, &all[..2]);
    let target = fixture.path("standby.fs");
    {
        let _writer = Writer::of(&fixture);
        for point in [String::new(), format!("@{}", &stamps[2][..10])] {
            fixture
                .restore(&point, &target, &["--full"])
                .expect(0)
                .says(&format!("{}.deltafs", stamps[2]))
                .says("running");
            expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes[..one], "the point before");
        }
        recover(&fixture, &target, &["-F"]).expect(0).says(&format!("{}.deltafs", stamps[2])).says("running");
        // That very point is not there yet.
        fixture.restore(&format!("@{}", stamps[2]), &target, &[]).expect(3);
        score.ran(4);
    }
    fixture.restore("", &target, &[]).expect(3);
    // A full backup that is just being made: the point before it is in the chain before.
    write_lines(&fixture, &stamps, &all);
    let two = length(&fixture, &stamps, 2);
    fs::copy(fixture.file(&format!("{}.fs", stamps[0])), fixture.file("2029-01-01-00-00-00.fs")).expect("a copy");
    {
        let _writer = Writer::of(&fixture);
        fixture.restore("", &target, &["--full"]).expect(0).says("2029-01-01-00-00-00.fs").says("running");
        expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes[..two], "the chain before");
    }
    fixture.restore("", &target, &[]).expect(3).says("2029-01-01-00-00-00.fs");
    score.ran(3);
    score.end();
}

#[test]
fn a_stamp_that_a_data_file_bears_is_that_point_or_nothing() {
    let mut score = Score::part(LINE, "a stamp is that point or nothing");
    let (fixture, stamps) = Fixture::with_chain();
    let all = lines(&fixture, &stamps);
    let target = fixture.path("standby.fs");
    fixture.restore("", &target, &[]).expect(0);
    let whole = fs::read(&target).expect("a standby");
    let name = format!("{}.deltafs", stamps[2]);
    let wrong =
        ["2026-01-01-00-00-00.deltafs", "2099-01-01-00-00-00.deltafs", "nothing", &name.replace(".deltafs", ".fs")];
    for wrong in wrong {
        write_lines(&fixture, &stamps, &[all[0].clone(), all[1].clone(), all[2].replace(&name, wrong)]);
        for point in [format!("@{}", stamps[2]), format!("@{}", &stamps[2][..10]), String::new()] {
            // Of a point that is only in a line, the file is missing.
            if wrong.starts_with("2099") && point.is_empty() {
                continue;
            }
            let run = fixture.restore(&point, &target, &[]);
            assert!(matches!(run.code, 1 | 3), "{wrong}: {}", run.account());
            assert!(fs::read(&target).expect("the standby") == whole, "{wrong}: the standby went back");
            score.ran(1);
        }
        let run = recover(&fixture, &target, &["-D", &stamps[2]]);
        run.expect(1);
        assert!(fs::read(&target).expect("the standby") == whole, "{wrong}: the standby went back");
        score.ran(1);
    }
    // A line cut in the middle, with its file or without.
    let torn = format!("{}\n{}\n{}", all[0], all[1], &all[2][..all[2].len() - 20]);
    fs::write(fixture.file(&format!("{}.dat", stamps[0])), torn).expect("it is written");
    for there in [true, false] {
        if !there {
            fs::remove_file(fixture.file(&name)).expect("it goes");
        }
        for point in [format!("@{}", &stamps[2][..10]), String::new()] {
            let run = fixture.restore(&point, &target, &[]);
            assert!(matches!(run.code, 1 | 3), "{}", run.account());
            score.ran(1);
        }
        recover(&fixture, &target, &[]).expect(1);
        assert!(fs::read(&target).expect("the standby") == whole, "the standby went back");
        score.ran(1);
    }
    fixture.restore(&format!("@{}", stamps[1]), &target, &["--full"]).expect(0);
    score.end();
}

#[test]
fn a_line_that_says_nothing_hides_no_older_point_behind_a_newer_one() {
    let mut score = Score::part(LINE, "a garbled line in the middle");
    let (fixture, stamps) = Fixture::with_chain();
    let all = lines(&fixture, &stamps);
    let target = fixture.path("standby.fs");
    write_lines(&fixture, &stamps, &[all[0].clone(), "garbled".to_owned(), all[2].clone()]);
    fs::remove_file(fixture.file(&format!("{}.deltafs", stamps[1]))).expect("it goes");
    for (point, code) in [(format!("@{}", &stamps[1][..16]), 1), (String::new(), 1), (format!("@{}", stamps[0]), 0)] {
        fixture.restore(&point, &target, &[]).expect(code);
        score.ran(1);
    }
    score.end();
}

#[test]
fn times_that_no_calendar_has_are_no_points() {
    let mut score = Score::part(LINE, "impossible points");
    let (fixture, _) = Fixture::with_chain();
    let target = fixture.path("standby.fs");
    for point in [
        "2026-13-40",
        "2026-11-31",
        "2026-02-30",
        "2025-02-29",
        "2026-11-20-25",
        "2026-11-20-10-60",
        "2026-00",
        "9999-99",
    ] {
        for verb in ["restore", "verify", "show"] {
            let repo = format!("{}@{point}", fixture.file("").display().to_string().trim_end_matches('/'));
            let mut words = vec![verb, &repo];
            let to = target.to_str().expect("text");
            words.extend((verb == "restore").then_some(to));
            fixture.run(&words).expect(2).says("there is no such");
            score.ran(1);
        }
        recover(&fixture, &target, &["-D", point]).expect(1).says("there is no such");
        score.ran(1);
    }
    for date in ["now", "9", "2026-2-1", " 2026", "tomorrow"] {
        recover(&fixture, &target, &["-D", date]).expect(1).says("is no point in time");
        score.ran(1);
    }
    assert!(!target.exists());
    score.end();
}

#[test]
fn a_backup_from_the_future_is_not_passed_over_in_silence() {
    let mut score = Score::part(LINE, "a backup from the future");
    let (fixture, stamps) = Fixture::with_chain();
    let repo = fixture.file("").display().to_string();
    let target = fixture.path("standby.fs");
    let to = target.to_str().expect("text");
    let now = &stamps[1];
    for words in [&["-R", "-r", &repo, "-o", to][..], &["-V", "-r", &repo]] {
        drop_in(now, words).expect(0).says(&format!("{}.deltafs", stamps[2])).says("newer than now").says("-D");
        score.ran(1);
    }
    drop_in(now, &["-R", "-r", &repo, "-o", to, "-D", &stamps[2]]).expect(0);
    expect_same_bytes(&fs::read(&target).expect("a target"), &fixture.data.bytes, "by date");
    score.ran(1);
    score.end();
}

#[test]
fn verified_means_verified() {
    let mut score = Score::part(LINE, "repozo -R -w without an index");
    let (fixture, stamps) = Fixture::with_chain();
    fs::remove_file(fixture.file(&format!("{}.dat", stamps[0]))).expect("it goes");
    let increment = fixture.file(&format!("{}.deltafs", stamps[2]));
    let mut bytes = fs::read(&increment).expect("an increment");
    bytes[100] ^= 1;
    fs::write(&increment, bytes).expect("a damaged increment");
    let target = fixture.path("standby.fs");
    recover(&fixture, &target, &["-w"]).expect(1).says("nothing can be verified").says("without -w");
    assert!(!target.exists());
    // Without it, nothing was promised, and that is said.
    recover(&fixture, &target, &[]).expect(0).says("cannot be checked");
    // A file that is missing in the middle shows in the transactions themselves.
    fs::remove_file(fixture.file(&format!("{}.deltafs", stamps[1]))).expect("it goes");
    for flags in [&[][..], &["-F"]] {
        let gap = fixture.path("gap.fs");
        recover(&fixture, &gap, flags).expect(1).says("does not fit together").says("gap.fs.part");
        assert!(!gap.exists());
        score.ran(1);
    }
    let new = fixture.path("new.fs");
    fixture.restore("", &new, &[]).expect(3).says("HW203").says("highwater repozo -R");
    assert!(!new.exists());
    score.ran(3);
    score.end();
}
