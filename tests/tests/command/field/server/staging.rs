//! What is being written lies in no group: a server can remove one, and a group that lost its owner gets one.
#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use highwater_tests::inject::cannot_trace;
use highwater_tests::mounted::Mounted;
use highwater_tests::run::Run;
use highwater_tests::score::{self, Score};

use rustix::process::Signal;

use super::LINE;
use super::fixture::{Fixture, NOW};

/// So much that a run takes a while.
const LONG: usize = 24 << 20;

#[test]
fn nothing_hidden_lies_in_a_group_while_a_snapshot_is_written() {
    let mut score = Score::part(LINE, "nothing hidden lies in a group");
    let fixture = Fixture::new(LONG);
    let mut command = fixture.command("ns/a/vm/100/drive-scsi0.img", &[]);
    command.env("HIGHWATER_NOW", NOW[1]);
    let run = fixture.halted(command, || {
        for folder in ["ns", "ns/a", "ns/a/vm", "ns/a/vm/100", ".chunks"] {
            assert_eq!(fixture.begins(folder, "."), Vec::<String>::new(), "{folder}");
            score.ran(1);
        }
        // Nor is it taken for anything else.
        fixture.verify(&["--depth", "list"]).prints("a backup is being written");
    });
    run.expect(0);
    assert_eq!(fixture.begins("", ".highwater"), Vec::<String>::new());
    fixture.verify(&["--strict"]).expect(0);
    score.end();
}

#[test]
fn a_group_that_a_server_removes_meanwhile_is_there_again_with_its_owner() {
    let mut score = Score::part(LINE, "a group removed meanwhile");
    let fixture = Fixture::new(LONG);
    fixture.backup(0, &[]).expect(0);
    let group = fixture.store.join("vm/100");
    fs::write(group.join("owner"), "backup@pbs\n").expect("it is written");
    let mut command = fixture.command("vm/100/drive-scsi0.img", &["--owner", "me@pbs"]);
    command.env("HIGHWATER_NOW", NOW[1]);
    let run = fixture.halted(command, || {
        assert!(fixture.server_removes_the_group());
    });
    run.expect(0).says("vm/100' was removed while this ran");
    assert_eq!(fs::read_to_string(group.join("owner")).expect("an owner"), "me@pbs\n");
    fixture.verify(&["--strict"]).expect(0);
    score.ran(1);
    score.end();
}

/// What a backup does with files and folders.
const CALLS: &str = "openat2,newfstatat,statx,mkdirat,linkat,renameat2,unlinkat,flock,fchmod,fsync,syncfs,getdents64";

/// A backup that stops at the n-th of such calls, while a server removes the group, if it still may.
struct Stopped {
    removed: bool,
    run: Run,
}

fn stopped(fixture: &Fixture, call: &str, nth: usize) -> Stopped {
    let (log, out) = (fixture.path("log"), fixture.path("out"));
    drop(fs::remove_file(&log));
    let plain = fixture.command("vm/100/drive-scsi0.img", &["--owner", "me@pbs"]);
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-e", &format!("trace={CALLS}"), "-e"])
        .arg(format!("inject={call}:signal=STOP:when={nth}"));
    command.arg("-o").arg(&log).arg(plain.get_program()).args(plain.get_args()).env("HIGHWATER_NOW", NOW[1]);
    let to = |path: &std::path::Path| fs::File::create(path).expect("a file");
    let mut child = command.stdout(to(&out)).stderr(to(&fixture.path("err"))).spawn().expect("it starts");
    let (mut removed, mut seen) = (false, 0);
    let code = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status.code().unwrap_or(-1);
        }
        let text = fs::read(&log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let stops = text.lines().filter(|line| line.ends_with("stopped by SIGSTOP ---")).count();
        if stops > seen {
            if seen == 0 {
                removed = fixture.server_removes_the_group();
            }
            seen = stops;
            let process = text.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a process");
            rustix::process::kill_process(rustix::process::Pid::from_raw(process).expect("a process"), Signal::CONT)
                .expect("it is there");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let stderr = fs::read_to_string(fixture.path("err")).expect("text");
    let run = Run { line: format!("{command:?}"), code, stdout: fs::read(&out).expect("bytes"), stderr };
    Stopped { removed, run }
}

#[test]
fn a_group_may_go_at_any_call() {
    if let Some(why) = cannot_trace() {
        println!("not run: a group that goes at any call: {why}");
        return;
    }
    let mut score = Score::part(LINE, "a group removed at any call");
    // All calls are those of a run that none stops.
    let fixture = Fixture::new(200_000);
    fixture.backup(0, &[]).expect(0);
    stopped(&fixture, "syncfs", 1_000).run.expect(0);
    let log = fs::read_to_string(fixture.path("log")).expect("a log");
    let made = |call: &&str| log.matches(&format!(" {call}(")).count();
    let all: Vec<_> = CALLS.split(',').flat_map(|call| (1..=made(&call)).map(move |nth| (call, nth))).collect();
    let step = if score::full() { 1 } else { 5 };
    let mut told = 0;
    for (call, nth) in all.iter().skip(2).step_by(step) {
        let fixture = Fixture::new(200_000);
        fixture.backup(0, &[]).expect(0);
        let stopped = stopped(&fixture, call, *nth);
        stopped.run.expect(0);
        // One that goes before the run has taken it was never there for this run.
        let said = stopped.run.stderr.contains("was removed while this ran");
        assert!(stopped.removed || !said, "{call} {nth}");
        let owner = if stopped.removed { "me@pbs\n" } else { "root@pam\n" };
        assert_eq!(fs::read_to_string(fixture.store.join("vm/100/owner")).expect("an owner"), owner, "{call} {nth}");
        fixture.verify(&["--strict"]).expect(0);
        assert_eq!(fixture.begins("", ".highwater"), Vec::<String>::new());
        told += u64::from(said);
        score.ran(1);
    }
    // Of a run that is held up elsewhere meanwhile, fewer are told.
    assert!(told > 4, "{told}");
    score.end();
}

#[test]
fn a_lost_owner_is_written_and_said() {
    let mut score = Score::part(LINE, "a lost owner is written");
    for empty in [false, true] {
        let fixture = Fixture::new(100_000);
        fixture.backup(0, &[]).expect(0).never_says("owner");
        let owner = fixture.store.join("vm/100/owner");
        if empty { fs::write(&owner, "") } else { fs::remove_file(&owner) }.expect("it is lost");
        let run = fixture.backup(1, &["--owner", "me@pbs"]);
        run.expect(0).says("had lost its file 'owner'").says("'me@pbs'");
        assert_eq!(fs::read_to_string(&owner).expect("an owner"), "me@pbs\n");
        fixture.backup(2, &[]).expect(0).never_says("owner");
        assert_eq!(fs::read_to_string(&owner).expect("an owner"), "me@pbs\n");
        score.ran(1);
    }
    score.end();
}

#[test]
fn groups_and_chunks_on_mounts_of_their_own_are_written_or_refused_at_once() {
    let mut score = Score::part(LINE, "mounts of their own");
    for (what, code) in [("vm", 0), (".chunks", 0), ("ns/a", 0), ("vm/100", 4)] {
        for bind in [false, true] {
            let fixture = Fixture::new(300_000);
            let at = fixture.store.join(what);
            let mounted =
                if bind { Mounted::bound(&fixture.path("elsewhere"), &at) } else { Mounted::tmpfs(&at, "size=16m") };
            let Some(_mounted) = mounted else {
                println!("not run: mounts_of_their_own: nothing can be mounted here");
                score.ran(1);
                return score.end();
            };
            let to = if what.starts_with("ns") { "ns/a/vm/100/drive-scsi0.img" } else { "vm/100/drive-scsi0.img" };
            let run: Run = fixture.backup_to(to, 0, &[]);
            run.expect(code);
            if code == 0 {
                fixture.verify(&["--strict"]).expect(0);
                assert_eq!(fixture.begins(what, ".highwater"), Vec::<String>::new(), "{what}");
            } else {
                run.says("is a mount of its own").one_line();
            }
            score.ran(1);
        }
    }
    score.end();
}
