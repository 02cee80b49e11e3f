//! Runs that cannot start, and what they say.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use highwater_tests::binary::highwater;
use highwater_tests::repo::{Fixture, load};
use highwater_tests::run::{Run, ours};

#[track_caller]
fn backup(fixture: &Fixture, source: &Path, repo: &Path) -> Run {
    fixture.run(&["backup".as_ref(), source.as_os_str(), repo.as_os_str()])
}

#[test]
fn a_source_that_is_none_is_refused_by_name() {
    let fixture = Fixture::new();
    let make = |name: &str, bytes: &[u8]| {
        let path = fixture.path(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    let folder = fixture.path("folder");
    fs::create_dir(&folder).expect("a folder");
    let link = fixture.path("dangling");
    symlink("nowhere", &link).expect("a link");
    let fifo = fixture.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    for (path, code, words) in [
        (make("empty", b""), 1, "FS30"),
        (make("short", b"FS3"), 1, "FS30"),
        (make("wrong", b"FS31 and more"), 1, "byte 0"),
        (make("text", b"not a database at all"), 1, "no FileStorage"),
        (fixture.path("absent"), 4, "No such file"),
        (link, 4, "No such file"),
        (fifo, 4, "FIFO"),
        ("/dev/zero".into(), 4, "device"),
    ] {
        let run = backup(&fixture, &path, &fixture.repo);
        let line = run.expect(code).one_line();
        let name = path.file_name().expect("a name").to_string_lossy();
        assert!(line.contains(&*name) && line.contains(words), "{words}: {line}");
        assert!(load(&fixture.repo).values().all(Vec::is_empty), "{}: nothing was written", path.display());
    }
    // A folder becomes a point of a set, and a repository of another kind is none.
    backup(&fixture, &fixture.source, &fixture.repo).expect(0);
    let before = load(&fixture.repo);
    let run = backup(&fixture, &folder, &fixture.repo);
    let line = run.expect(2).one_line();
    assert!(line.contains("'") && line.contains("repozo") && line.contains("set of points"), "{line}");
    assert_eq!(load(&fixture.repo), before);
}

#[test]
fn a_source_that_a_pack_is_replacing_is_waited_for() {
    let fixture = Fixture::new();
    let (old, packed) = (fixture.path("Data.fs.old"), fixture.path("Data.fs.pack"));
    // The last step of a pack: the old file has given up its name, the new one has not got it yet.
    fs::copy(&fixture.source, &packed).expect("a packed file");
    fs::rename(&fixture.source, &old).expect("the first rename");
    let mut command = Command::new(highwater());
    command.args(["backup", "--verbose"]).args([&fixture.source, &fixture.repo]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a backup");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    said.read_line(&mut line).expect("a line");
    assert!(line.contains("a pack"), "{line}");
    fs::rename(&packed, &fixture.source).expect("the second rename");
    said.read_to_string(&mut line).expect("the other lines");
    assert_eq!(child.wait().expect("an end").code(), Some(0), "{line}");
    fixture.verify("deep").expect(0);
}

#[test]
fn a_source_that_contradicts_itself_is_refused_at_its_offset() {
    let mut fixture = Fixture::new();
    let at = fixture.data.bytes.len();
    fixture.grow(2);
    let whole = fixture.data.bytes.clone();
    // The first record of the last but one transaction: its offset, and that of its payload's length.
    let record = at + 23 + 7;
    for (case, place, bytes, offset) in [
        ("a record length of 2^63", record + 34, 1u64 << 63, record),
        ("a record length of 2^64 - 1", record + 34, u64::MAX, record),
        ("another transaction's offset", record + 24, 4, record),
        ("a transaction shorter than its header", at + 8, 3, at),
    ] {
        let mut bad = whole.clone();
        bad[place..place + 8].copy_from_slice(&bytes.to_be_bytes());
        fs::write(&fixture.source, bad).expect("a bad source");
        let run = fixture.try_backup(&[]);
        let line = run.expect(1).one_line();
        assert!(line.contains(&format!("byte {offset}")) && line.contains("Data.fs"), "{case}: {line}");
        assert!(load(&fixture.repo).values().all(|bytes| bytes.len() < 200), "{case}: no data file was made");
    }
    // A length past the end of the file is damage where finished transactions follow, and else an unfinished commit.
    let mut past = whole.clone();
    past[at + 8..at + 16].copy_from_slice(&(1u64 << 62).to_be_bytes());
    fs::write(&fixture.source, &past).expect("a bad source");
    let run = fixture.try_backup(&[]);
    assert!(run.expect(1).one_line().contains(&format!("byte {at}")), "{}", run.account());
    let first = at
        + 8
        + usize::try_from(u64::from_be_bytes(whole[at + 8..at + 16].try_into().expect("8 bytes"))).expect("a length");
    fs::write(&fixture.source, &past[..first]).expect("an unfinished source");
    let stamp = fixture.backup(&[]);
    assert_eq!(fs::metadata(fixture.file(&format!("{stamp}.fs"))).expect("a full").len(), at as u64);
}

#[test]
fn a_repository_that_is_none_cannot_be_started_with() {
    let fixture = Fixture::new();
    let file = fixture.path("file");
    fs::write(&file, "x").expect("a file");
    for path in [fixture.path("absent"), file] {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let shown = path.to_string_lossy().into_owned();
        for run in [
            backup(&fixture, &fixture.source, &path),
            fixture.run(&["verify", &shown]),
            fixture.run(&["list", &shown]),
            fixture.run(&["show", &shown]),
            fixture.run(&["restore", &shown, &fixture.path("out").to_string_lossy()]),
        ] {
            assert!(run.expect(4).one_line().contains(&name), "{}", run.account());
        }
    }
    assert!(!fixture.path("absent").exists(), "a repository is never made unasked");
    for verb in ["verify", "list", "show"] {
        let run = fixture.run(&[verb, &fixture.repo.to_string_lossy()]);
        assert!(run.expect(4).one_line().contains("no backup"), "an empty folder, {verb}: {}", run.account());
    }
}

#[test]
fn a_clock_that_makes_no_sense_is_a_usage_error() {
    let fixture = Fixture::new();
    let paths = [fixture.source.to_string_lossy(), fixture.repo.to_string_lossy()];
    for now in
        ["", "now", "2026", "2026-13-01-00-00-00", "2026-02-30-00-00-00", "2026-1-1-0-0-0", "2026-01-01T00:00:00"]
    {
        let run = ours(now, &["backup", &paths[0], &paths[1]]);
        assert!(run.expect(2).one_line().contains("HIGHWATER_NOW"), "{now:?}: {}", run.account());
        assert!(load(&fixture.repo).keys().all(|name| name == ".highwater.lock"), "{now:?}");
    }
}

#[test]
fn a_clock_gone_backward_makes_no_backup_that_would_sort_before() {
    let (mut fixture, stamps) = Fixture::with_chain();
    fixture.grow(2);
    let before = load(&fixture.repo);
    let paths = [fixture.source.to_string_lossy().into_owned(), fixture.repo.to_string_lossy().into_owned()];
    for (now, words) in [(stamps[1].as_str(), "clock"), ("1999-12-31-23-59-59", "clock"), (&stamps[2], "overwrite")] {
        for flags in [&[][..], &["--full"], &["--quick", "--gzip"]] {
            let call = [&["backup"], flags, &[&paths[0], &paths[1]]].concat();
            let run = ours(now, &call);
            assert!(run.expect(4).one_line().contains(words), "{now} {flags:?}: {}", run.account());
            assert_eq!(without_lock(load(&fixture.repo)), without_lock(before.clone()), "{now} {flags:?}");
        }
    }
}

#[test]
fn what_a_clock_that_was_ahead_left_is_moved_away_as_the_refusal_says() {
    const AHEAD: &str = "2030-01-01-00-00-00";
    const NOW: &str = "2026-11-28-08-00-00";
    let is_ahead = |name: &str| name.starts_with("2030-");
    let remove = |folder: &Path| {
        for name in highwater_tests::repository::names(folder).into_iter().filter(|name| is_ahead(name)) {
            fs::remove_file(folder.join(name)).expect("it was there");
        }
    };
    // Of a repository, a full backup or an increment, which has a line in the `.dat`.
    for flags in [&[][..], &["--full"]] {
        let mut fixture = Fixture::new();
        let paths = [fixture.source.to_string_lossy().into_owned(), fixture.repo.to_string_lossy().into_owned()];
        let backup = |stamp, flags: &[&str]| ours(stamp, &[&["backup"], flags, &[&paths[0], &paths[1]]].concat());
        backup("2026-11-27-08-00-00", &[]).expect(0);
        fixture.grow(2);
        backup(AHEAD, flags).expect(0);
        fixture.grow(2);
        backup(NOW, &[]).expect(4).says("if it is right, move what is stamped later away, with its lines in the .dat");
        remove(&fixture.repo);
        let index = fixture.file("2026-11-27-08-00-00.dat");
        let lines = fs::read_to_string(&index).expect("the index");
        let lines: String =
            lines.lines().filter(|line| !line.contains("2030-")).map(|line| format!("{line}\n")).collect();
        fs::write(&index, lines).expect("the index without them");
        backup(NOW, &[]).expect(0).prints("wrote increment");
        fixture.verify("deep").expect(0).prints("2 points in time");
    }
    // Of points of a folder, their lists.
    let folder = tempfile::tempdir().expect("a folder");
    let [notes, set] = ["notes", "set"].map(|name| folder.path().join(name));
    for path in [&notes, &set] {
        fs::create_dir(path).expect("a folder");
    }
    fs::write(notes.join("a"), "one").expect("a file");
    let words = [notes.to_string_lossy(), set.to_string_lossy()];
    let backup = |stamp| ours(stamp, &["backup", &words[0], &words[1]]);
    backup("2026-11-27-08-00-00").expect(0);
    backup(AHEAD).expect(0);
    backup(NOW).expect(4).says("if it is right, move the lists of later points away");
    remove(&set.join("points"));
    backup(NOW).expect(0);
    ours(NOW, &["verify", &words[1]]).expect(0).prints("2 points in time");
}

fn without_lock(mut image: highwater_tests::repo::Image) -> highwater_tests::repo::Image {
    image.remove(".highwater.lock");
    image
}

#[test]
fn two_backups_in_a_second_of_the_real_clock_get_two_stamps() {
    let mut fixture = Fixture::new();
    for _ in 0..3 {
        fixture.grow(1);
        let mut command = Command::new(highwater());
        command.arg("backup").arg(&fixture.source).arg(&fixture.repo).env_remove("HIGHWATER_NOW");
        Run::of(&mut command).expect(0);
    }
    fixture.verify("deep").expect(0);
    let run = fixture.run(&["list", &fixture.repo.to_string_lossy()]);
    assert_eq!(run.text().lines().count(), 3, "{}", run.account());
}

#[test]
fn a_second_writer_is_told_who_holds_the_lock() {
    let (mut fixture, _) = Fixture::with_chain();
    let before = without_lock(load(&fixture.repo));
    let disk = highwater::disk::open(&fixture.repo, highwater::store::Locks::Needed).expect("the repository");
    let lock = highwater::lock::take(&disk, highwater_core::formats::repozo::names::LOCK).expect("the lock is free");
    fixture.grow(1);
    let run = fixture.try_backup(&[]);
    let line = run.expect(4).one_line();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert!(line.contains(&format!("pid {}", std::process::id())) && line.contains(&host), "{line}");
    assert_eq!(without_lock(load(&fixture.repo)), before);
    fixture.verify("deep").expect(0);
    let target = fixture.path("out.fs");
    fixture.restore("", &target, &[]).expect(0);
    drop(lock);
    fixture.backup(&[]);
}

#[test]
fn a_lock_that_is_no_plain_file_is_neither_followed_nor_waited_for() {
    for case in ["link", "fifo", "folder"] {
        let fixture = Fixture::new();
        let (lock, victim) = (fixture.file(".highwater.lock"), fixture.path("victim"));
        fs::write(&victim, "precious").expect("a file");
        match case {
            "link" => symlink(&victim, &lock).expect("a link"),
            "fifo" => assert!(Command::new("mkfifo").arg(&lock).status().expect("mkfifo").success()),
            _ => fs::create_dir(&lock).expect("a folder"),
        }
        let run = backup(&fixture, &fixture.source, &fixture.repo);
        assert!(run.expect(4).one_line().contains(".highwater.lock"), "{case}: {}", run.account());
        assert_eq!(fs::read(&victim).expect("the victim"), b"precious", "{case}");
    }
}
