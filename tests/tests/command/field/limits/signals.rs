//! A hang-up is a clean stop, and a signal that asks for progress gets a line.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use highwater_tests::binary::highwater;
use highwater_tests::repo::{Fixture, load, work_file};
use highwater_tests::score::Score;
use rustix::process::{Pid, Signal, kill_process};

use super::LINE;

/// A chain of one small full backup, and a source that has since grown by 48 MB: enough that a run is still going on
/// when the first bytes it writes are seen.
fn grown() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.backup(&[]);
    fixture.data.grow_large(48);
    fs::write(&fixture.source, &fixture.data.bytes).expect("a source");
    fixture.clock.tick(60);
    fixture
}

/// Starts a backup behind some words of a shell, and waits until it writes.
fn begun(fixture: &Fixture, words: &str) -> Child {
    let mut command = Command::new("bash");
    command.args(["-c", words]).arg(highwater()).args([&fixture.source, &fixture.repo]);
    command.env("HIGHWATER_NOW", fixture.clock.stamp()).env("RAYON_NUM_THREADS", "1");
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a child");
    let begins = format!("{}.", fixture.clock.stamp());
    let written = || {
        let work = work_file(&fixture.repo, &begins, ".highwater-tmp");
        work.is_some_and(|path| fs::metadata(path).is_ok_and(|meta| meta.len() > 0))
    };
    while !written() {
        assert!(child.try_wait().expect("a child").is_none(), "the run ended before it was seen to write");
        std::thread::yield_now();
    }
    child
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("a signal");
}

#[test]
fn a_hang_up_is_a_clean_stop() {
    let mut score = Score::part(LINE, "a hang-up is a clean stop");
    for words in [
        "exec \"$0\" backup --gzip=9 --events \"$1.events\" \"$1\" \"$2\"",
        "exec \"$0\" backup -q --full --gzip=9 \"$1\" \"$2\"",
        "exec \"$0\" repozo -B -z -F -f \"$1\" -r \"$2\"",
    ] {
        let mut fixture = grown();
        let before = load(&fixture.repo);
        let child = begun(&fixture, words);
        send(&child, Signal::HUP);
        let ended = child.wait_with_output().expect("an end");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), ended.status.signal()), (Some(130), None), "{words}: {said}");
        if words.contains("--events") {
            let events = fs::read_to_string(fixture.path("Data.fs.events")).expect("events");
            let last = events.lines().last().expect("a verdict");
            assert!(last.contains("\"exit\":130") && last.contains("\"verdict\":\"interrupted\""), "{events}");
        }
        let mut after = load(&fixture.repo);
        after.insert(".highwater.lock".to_owned(), before[".highwater.lock"].clone());
        assert!(after == before, "{words}: something is left: {:?}", after.keys());
        fixture.backup(&[]);
        fixture.verify("digest").expect(0);
        score.ran(1);
    }
    score.end();
}

#[test]
fn a_hang_up_that_is_ignored_stays_so() {
    let mut score = Score::part(LINE, "nohup");
    for words in [
        "trap '' HUP; exec \"$0\" backup --gzip=9 \"$1\" \"$2\"",
        "exec nohup \"$0\" backup --gzip=9 \"$1\" \"$2\"",
        // As a shell starts what runs behind it.
        "trap '' INT; exec \"$0\" backup --gzip=9 \"$1\" \"$2\"",
    ] {
        let fixture = grown();
        let child = begun(&fixture, words);
        send(&child, if words.contains("INT") { Signal::INT } else { Signal::HUP });
        let ended = child.wait_with_output().expect("an end");
        assert_eq!(ended.status.code(), Some(0), "{words}: {}", String::from_utf8_lossy(&ended.stderr));
        fixture.verify("digest").expect(0);
        score.ran(1);
    }
    score.end();
}

#[test]
fn whoever_asks_is_told_how_far_it_is_and_it_goes_on() {
    let mut score = Score::part(LINE, "a signal asks for progress");
    for (words, what) in [
        ("exec \"$0\" backup --gzip=9 \"$1\" \"$2\"", "backing up: "),
        ("exec \"$0\" backup -q --gzip=9 \"$1\" \"$2\"", "backing up: "),
        ("exec \"$0\" repozo -B -z -f \"$1\" -r \"$2\"", "repozo: "),
    ] {
        let fixture = grown();
        let mut child = begun(&fixture, words);
        send(&child, Signal::USR1);
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        assert!(line.starts_with(what) && line.contains(" of ") && line.ends_with("/s\n"), "{words}: {line:?}");
        lines.read_to_string(&mut line).expect("the rest");
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{words}: {line}");
        fixture.verify("digest").expect(0);
        score.ran(1);
    }
    score.end();
}
