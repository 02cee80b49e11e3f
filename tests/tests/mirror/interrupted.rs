//! Signals while files are moved: an interrupt has to be meant, a termination is heard at once, and the next run goes
//! on.
//!
//! Every file that is to be moved was taken away before, so that a sentence is said of each: more than a pipe holds. So
//! a run whose sentences nobody reads is still at it when the signal comes, however fast the machine is.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Stdio};

use highwater_tests::run::Run;
use rustix::process::{Pid, Signal, kill_process};

use crate::scene::Scene;

/// How many files are to be moved. Their names are long, so that a pipe of 64 KiB holds sentences of about a hundred.
const FILES: usize = 3000;

/// What is said of each.
const LOST: &str = "is not there, and was to be moved to";

/// What an interrupt is answered with.
const ANSWER: &str = "files are being moved";

/// A mirror whose files are gone, and an inventory by which all of them were deleted.
fn scene() -> Scene {
    let scene = Scene::new();
    let key = |number: usize| format!("{}{number:06}", "k".repeat(140));
    (0..FILES).for_each(|number| drop(scene.put(&key(number), "")));
    scene.list(1);
    scene.sync(&[]).expect(0);
    for number in 0..FILES {
        fs::remove_file(scene.mirror().join(key(number))).expect("removed");
        scene.delete(&key(number));
    }
    scene.list(2);
    scene
}

/// A run that was begun, and what it says.
struct Moving {
    child: Child,
    lines: BufReader<ChildStderr>,
    lost: usize,
}

impl Moving {
    /// Begins a sync, and reads until it moves files.
    fn begin(scene: &Scene) -> Self {
        let mut command = scene.syncing(&scene.mirror(), &[]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("a child");
        let lines = BufReader::with_capacity(256, child.stderr.take().expect("a pipe"));
        let mut moving = Self { child, lines, lost: 0 };
        moving.until(LOST);
        moving
    }

    /// Reads until something is said.
    #[track_caller]
    fn until(&mut self, part: &str) {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.lines.read_line(&mut line).expect("a line") > 0, "it ended, and never said '{part}'");
            self.lost += usize::from(line.contains(LOST));
            if line.contains(part) {
                return;
            }
        }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal");
    }

    /// Reads to the end; gives the exit code, how many files it said of that they are lost, and the rest.
    fn end(mut self) -> (Option<i32>, usize, String) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).expect("the rest");
        let lost = self.lost + rest.lines().filter(|line| line.contains(LOST)).count();
        (self.child.wait().expect("an end").code(), lost, rest)
    }
}

fn pointer(scene: &Scene) -> String {
    fs::read_to_string(scene.mirror().join(".highwater-mirror/applied")).expect("a pointer")
}

#[test]
fn one_or_two_interrupts_are_answered_and_three_end_it() {
    let scene = scene();
    let before = pointer(&scene);
    let mut moving = Moving::begin(&scene);
    for _ in 0..2 {
        moving.send(Signal::INT);
        moving.until(ANSWER);
    }
    moving.send(Signal::INT);
    let (code, lost, rest) = moving.end();
    assert_eq!(code, Some(130), "{rest}");
    assert!(rest.contains("ends before all files are moved") && lost < FILES, "{lost}: {rest}");
    assert_eq!(pointer(&scene), before, "what was not done was not committed");
    // The next run goes on, and an interrupt by mistake does it no harm.
    let mut moving = Moving::begin(&scene);
    moving.send(Signal::INT);
    moving.until(ANSWER);
    let (code, lost, rest) = moving.end();
    assert_eq!((code, lost), (Some(3), FILES), "{rest}");
    assert!(pointer(&scene).contains("point 2024-11-02T01-00Z"), "{}", pointer(&scene));
    Run::of(&mut scene.syncing(&scene.mirror(), &[])).expect(0).prints("already");
}

#[test]
fn a_termination_is_heard_at_once() {
    let scene = scene();
    let before = pointer(&scene);
    let moving = Moving::begin(&scene);
    moving.send(Signal::TERM);
    let (code, lost, rest) = moving.end();
    assert_eq!(code, Some(130), "{rest}");
    assert!(lost < FILES && !rest.contains(ANSWER) && pointer(&scene) == before, "{lost}: {rest}");
    scene.sync(&[]).expect(3).says("goes on with the plan");
    assert!(pointer(&scene).contains("point 2024-11-02T01-00Z"), "{}", pointer(&scene));
}
