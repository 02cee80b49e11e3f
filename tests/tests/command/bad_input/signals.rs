//! Interrupts: nothing half-made is published, and the next run succeeds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use highwater_tests::binary::highwater;
use highwater_tests::repo::{Fixture, load, store, work_file};
use highwater_tests::run::{Run, without_clock};
use rustix::process::{Pid, Signal, kill_process};

/// A chain of one small full backup, and a source that has since grown by 48 MB: enough that a run is still going on
/// when the first bytes it writes are seen.
fn grown() -> (Fixture, String) {
    let mut fixture = Fixture::new();
    let full = fixture.backup(&[]);
    fixture.data.grow_large(48);
    fs::write(&fixture.source, &fixture.data.bytes).expect("a source");
    (fixture, full)
}

/// Waits until `path` has bytes, then sends a signal and gives what the run left.
#[track_caller]
fn interrupt(mut child: Child, seen: impl Fn() -> bool, signal: Signal) -> Run {
    let patience = Instant::now() + Duration::from_secs(50);
    while !seen() {
        assert!(child.try_wait().expect("a child").is_none(), "the run ended before it could be interrupted");
        assert!(Instant::now() < patience, "the run does not begin to write");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), signal).expect("a signal");
    let output = child.wait_with_output().expect("an end");
    Run {
        line: "interrupted".to_owned(),
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: without_clock(&output.stderr),
    }
}

fn spawn(fixture: &Fixture, arguments: &[&str], paths: [&Path; 2]) -> Child {
    let mut command = Command::new(highwater());
    command.args(arguments).args(paths).env("HIGHWATER_NOW", fixture.clock.stamp()).env("RAYON_NUM_THREADS", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child")
}

fn has_bytes(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.len() > 0)
}

/// The work file of the backup that is being made, once it holds something.
fn backup_in_work(fixture: &Fixture, suffix: &str) -> Option<PathBuf> {
    let begins = format!("{}.{suffix}.", fixture.clock.stamp());
    work_file(&fixture.repo, &begins, ".highwater-tmp").filter(|path| has_bytes(path))
}

#[test]
fn an_interrupted_backup_leaves_nothing_and_the_next_one_succeeds() {
    for (signal, flags, suffix) in [
        (Signal::INT, &["backup", "--gzip=9"][..], "deltafsz"),
        (Signal::TERM, &["backup", "--gzip=9", "--full"], "fsz"),
    ] {
        let (mut fixture, _) = grown();
        let before = load(&fixture.repo);
        fixture.clock.tick(60);
        let child = spawn(&fixture, flags, [&fixture.source, &fixture.repo]);
        let run = interrupt(child, || backup_in_work(&fixture, suffix).is_some(), signal);
        assert!(run.expect(130).one_line().contains("interrupted"), "{}", run.account());
        let without_lock = |mut image: highwater_tests::repo::Image| {
            image.remove(".highwater.lock");
            image
        };
        assert!(without_lock(load(&fixture.repo)) == without_lock(before), "{flags:?}: something is left");
        fixture.backup(&[]);
        fixture.verify("digest").expect(0);
    }
}

#[test]
fn a_killed_backup_is_cleaned_up_by_the_next_one() {
    let (mut fixture, _) = grown();
    fixture.clock.tick(60);
    let child = spawn(&fixture, &["backup", "--gzip=9"], [&fixture.source, &fixture.repo]);
    let run = interrupt(child, || backup_in_work(&fixture, "deltafsz").is_some(), Signal::KILL);
    run.expect(-1);
    let file = backup_in_work(&fixture, "deltafsz").expect("a work file is left");
    fixture.verify("deep").expect(0);
    let run = fixture.try_backup(&[]);
    run.expect(0).says("work file");
    assert!(!file.exists());
    fixture.verify("digest").expect(0);
}

#[test]
fn an_interrupted_restore_keeps_the_old_database_and_is_taken_up() {
    let (mut fixture, full) = grown();
    fixture.backup(&["--gzip=1"]);
    let target = fixture.path("standby.fs");
    let part = || work_file(&fixture.path(""), "standby.fs.", ".part");
    for (flags, appends) in [(&["restore"][..], true), (&["restore", "--full"], false)] {
        fixture.restore(&format!("@{full}"), &target, &["--full"]).expect(0);
        let old = fs::read(&target).expect("the old database");
        let seen = || if appends { Some(target.clone()) } else { part() };
        let begun =
            || seen().and_then(|path| fs::metadata(path).ok()).is_some_and(|meta| meta.len() > old.len() as u64);
        let child = spawn(&fixture, flags, [&fixture.repo, &target]);
        let run = interrupt(child, begun, Signal::INT);
        run.expect(130).says("interrupted");
        assert!(fs::read(&target).expect("the target") == old, "{flags:?}: the old database is as it was");
        fixture.restore("", &target, &flags[1..]).expect(0);
        assert!(fs::read(&target).expect("the target") == fixture.data.bytes, "{flags:?}: restored by the next run");
        assert_eq!(part(), None, "{flags:?}: no part is left");
    }
}

#[test]
fn a_killed_append_is_finished_by_the_next_run() {
    for flags in [&[][..], &["--quick"]] {
        let (mut fixture, full) = grown();
        fixture.backup(&["--gzip=1"]);
        let target = fixture.path("standby.fs");
        fixture.restore(&format!("@{full}"), &target, &["--full"]).expect(0);
        let old = fs::read(&target).expect("the old database");
        let child = spawn(&fixture, &["restore"], [&fixture.repo, &target]);
        let begun = || fs::metadata(&target).is_ok_and(|meta| meta.len() > old.len() as u64 + 100);
        interrupt(child, begun, Signal::KILL).expect(-1);
        let now = fs::read(&target).expect("the target");
        assert!(now.starts_with(&old), "nothing inside the old bytes was touched");
        assert_eq!(now.get(old.len() + 16), Some(&b'c'), "a database stops where the old one ended");
        fixture.restore("", &target, flags).expect(0);
        assert!(fs::read(&target).expect("the target") == fixture.data.bytes, "{flags:?}");
    }
}

#[test]
fn an_interrupted_verification_is_no_verdict() {
    let (mut fixture, _) = grown();
    fixture.backup(&["--gzip=1"]);
    let events = fixture.path("events");
    let report = fixture.path("report.json");
    let json = format!("--json={}", report.display());
    // Two repositories: the interrupt comes before the second is done.
    let again = fixture.path("again");
    store(&load(&fixture.repo), &again);
    let paths = [fixture.repo.as_path(), &again];
    let words = ["verify", "--depth", "deep", "--events", &events.to_string_lossy(), &json];
    let child = spawn(&fixture, &words, paths);
    let run = interrupt(child, || events.exists(), Signal::INT);
    run.expect(130);
    assert!(!report.exists() && !run.text().contains("sound"), "{}", run.account());
}

#[test]
fn a_signal_is_heard_while_nobody_writes_what_is_to_be_read() {
    let fixture = Fixture::new();
    let fifo = fixture.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let fifo_text = fifo.to_str().expect("text");
    let repo = fixture.repo.to_str().expect("text");
    for words in [&["report", "merge", fifo_text][..], &["verify", "--keyfile", fifo_text, repo]] {
        let mut command = Command::new(highwater());
        let child = command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a run");
        let open = PathBuf::from(format!("/proc/{}/fd", child.id()));
        let has_it = || {
            let held =
                fs::read_dir(&open).into_iter().flatten().flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
            held.into_iter().any(|path| path == fifo)
        };
        interrupt(child, has_it, Signal::TERM).expect(130);
    }
}
