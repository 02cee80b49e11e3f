//! `Session`: a conversation with `highwater serve`, a message at a time.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use highwater_core::wire::{Answered, Asked, HEAD, Hello, Limits, Request, VERSION, framed, length};
use highwater_tests::binary::highwater;

/// A far end, and its pipes.
pub(crate) struct Session {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
}

impl Session {
    /// Starts it, and says nothing yet.
    pub(crate) fn start(root: &Path) -> Self {
        Self::serving("--read-only", root)
    }

    /// The same, which serves what this option says.
    pub(crate) fn serving(option: &str, root: &Path) -> Self {
        let mut command = Command::new(highwater());
        command.args(["serve", option]).arg(root).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("a far end");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    /// Starts it and says hello.
    pub(crate) fn greeted(root: &Path) -> (Self, Hello) {
        let mut session = Self::start(root);
        session.send(&framed(&hello(root).encode()));
        let hello = Hello::decode(&session.frame().expect("a hello")).expect("a hello");
        (session, hello)
    }

    /// Sends bytes, as far as they are taken.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        // A far end that ended takes no more.
        _ = self.input.as_mut().expect("a pipe").write_all(bytes);
    }

    pub(crate) fn ask(&mut self, id: u32, request: Request) {
        self.send(&framed(&Asked { id, request }.encode()));
    }

    /// The next message; none when it ended.
    pub(crate) fn frame(&mut self) -> Option<Vec<u8>> {
        let mut head = [0; HEAD];
        self.output.read_exact(&mut head).ok()?;
        let mut frame = vec![0; length(head).expect("a length")];
        self.output.read_exact(&mut frame).expect("a whole frame");
        Some(frame)
    }

    pub(crate) fn answer(&mut self) -> Answered {
        Answered::decode(&self.frame().expect("an answer")).expect("an answer")
    }

    /// The most memory that it held, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        peak.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Says no more, and waits for its end: the exit code and the standard error.
    pub(crate) fn end(mut self) -> (i32, String) {
        drop(self.input.take());
        std::io::copy(&mut self.output, &mut std::io::sink()).expect("the rest");
        let output = self.child.wait_with_output().expect("an end");
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// What a near end says first.
pub(crate) fn hello(root: &Path) -> Hello {
    let root = root.as_os_str().as_encoded_bytes().to_vec();
    Hello { protocol: VERSION, program: "test".to_owned(), root, is_it: false, limits: Limits::default() }
}
