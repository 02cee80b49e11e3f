//! `Far`: the process that leads to the far end, and the threads at its pipes.

use std::io::{self, BufWriter, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use highwater_core::name::printable;
use highwater_core::wire::{Answered, Asked, HEAD, Hello, Request, framed, length};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::talk::{Taken, Talk};

/// So long is waited for a process that has nothing more to do.
const PARTING: Duration = Duration::from_secs(2);

/// How often it is looked whether it ended.
const LOOK: Duration = Duration::from_millis(5);

/// The longest line of its standard error that is shown, in bytes, and how many lines are.
const LINE: usize = 1000;
const LINES: usize = 1000;

/// How much is shown of what is no hello.
const SHOWN: usize = 200;

/// So long is waited for more of it.
const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// The process that leads to the far end.
pub(super) struct Far {
    child: Arc<Mutex<Child>>,
    to: To,
}

/// Where frames go; none once nothing more is to be sent.
type To = Arc<Mutex<Option<Sender<Vec<u8>>>>>;

/// What its ends are told by, and who shows its standard error.
pub(super) type Say = fn(&str);

impl Far {
    /// Starts it. What it says first comes by itself.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn start(mut command: Command, talk: &Arc<Talk>, say: Say) -> io::Result<(Self, Receiver<Hello>)> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (input, output, error) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Arc::new(Mutex::new(child));
        let (send, frames) = channel();
        let far = Self { child: Arc::clone(&child), to: Arc::new(Mutex::new(Some(send))) };
        let (Some(input), Some(output), Some(error)) = (input, output, error) else {
            return Err(io::Error::other("it has no pipes"));
        };
        let ((greet, hello), (over, is_over)) = (channel(), channel::<()>());
        let (talk, to) = (Arc::clone(talk), Arc::clone(&far.to));
        let spawn = |work: Box<dyn FnOnce() + Send>| thread::Builder::new().spawn(work).map(drop);
        spawn(Box::new(move || {
            show(error, say);
            drop(over);
        }))?;
        spawn(Box::new(move || send_all(input, &frames)))?;
        spawn(Box::new(move || {
            let why = hear(output, &talk, &to, &greet).unwrap_or_else(|| ended(&child, &is_over));
            talk.end(&why);
            end(&child, Duration::ZERO);
        }))?;
        Ok((far, hello))
    }

    /// Sends a frame; false when nothing is sent any more.
    pub(super) fn send(&self, frame: Vec<u8>) -> bool {
        send(&self.to, frame)
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        end(&self.child, Duration::ZERO);
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // The far end ends when nothing more can come.
        drop(self.to.lock().unwrap_or_else(PoisonError::into_inner).take());
        end(&self.child, PARTING);
    }
}

fn send(to: &To, frame: Vec<u8>) -> bool {
    to.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|to| to.send(frame).is_ok())
}

/// Waits so long for a process to end, then ends it. Nothing of it is left.
fn end(child: &Mutex<Child>, patience: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if !matches!(child.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(LOOK);
    }
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // One that has ended cannot be killed, and is waited for all the same.
    _ = child.kill();
    _ = child.wait();
}

/// Shows what it says on its standard error, with what is not printable escaped.
fn show(mut from: ChildStderr, say: Say) {
    let (mut line, mut lines, mut buffer) = (Vec::new(), 0, [0; 4096]);
    let mut tell = |line: &mut Vec<u8>| {
        lines += 1;
        if lines <= LINES && !line.is_empty() {
            say(&format!("highwater: the far end says: {}", printable(line)));
        }
        line.clear();
    };
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                for byte in &buffer[..count] {
                    match byte {
                        b'\n' => tell(&mut line),
                        b'\r' => {}
                        _ if line.len() < LINE => line.push(*byte),
                        _ => {}
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    tell(&mut line);
}

/// Sends frames, until there are no more or nobody takes them.
fn send_all(input: ChildStdin, frames: &Receiver<Vec<u8>>) {
    let mut input = BufWriter::with_capacity(64 * 1024, input);
    while let Ok(frame) = frames.recv() {
        let mut sent = input.write_all(&frame);
        for frame in frames.try_iter() {
            sent = sent.and_then(|()| input.write_all(&frame));
        }
        if sent.and_then(|()| input.flush()).is_err() {
            // The thread that hears tells why.
            return;
        }
    }
}

/// Hears all that comes. Gives why that is over; none when it just ended.
fn hear(mut from: ChildStdout, talk: &Talk, to: &To, greet: &Sender<Hello>) -> Option<String> {
    let mut frames = Frames { from: &mut from, talk };
    let hello = match frames.hello() {
        Ok(hello) => hello?,
        Err(why) => return Some(why),
    };
    // Nobody waits for it who was interrupted.
    _ = greet.send(hello);
    loop {
        let frame = match frames.next() {
            Ok(frame) => frame?,
            Err(why) => return Some(why),
        };
        let answered = match Answered::decode(&frame) {
            Ok(answered) => answered,
            Err(bad) => return Some(format!("the far end sent what is no answer: {bad}")),
        };
        match talk.take(answered) {
            Taken::Well => {}
            Taken::Close(handle) => {
                let asked = Asked { id: 0, request: Request::Close { handle } };
                _ = send(to, framed(&asked.encode()));
            }
            Taken::Odd(what) => return Some(format!("the far end answers what was not asked: {what}")),
        }
    }
}

/// The frames that come.
struct Frames<'a> {
    from: &'a mut ChildStdout,
    talk: &'a Talk,
}

impl Frames<'_> {
    /// The first one; none when it ends before.
    fn hello(&mut self) -> Result<Option<Hello>, String> {
        let mut begin = Vec::new();
        while begin.len() < HEAD + 16 && Hello::may_begin(&begin) {
            let mut some = [0; HEAD + 16];
            let room = some.len() - begin.len();
            match self.from.read(&mut some[..room]) {
                Ok(0) => return Ok(None),
                Ok(count) => {
                    begin.extend_from_slice(&some[..count]);
                    self.talk.hear(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("the far end cannot be heard: {error}")),
            }
        }
        if !Hello::may_begin(&begin) {
            return Err(self.no_hello(begin));
        }
        let (head, rest) = begin.split_at(HEAD);
        let mut frame = rest.to_vec();
        let bad = |what: &str| format!("the far end sent what is no hello: {what}");
        let all = length(head.try_into().unwrap_or_default()).map_err(|error| bad(error.what))?;
        let Some(more) = all.checked_sub(frame.len()) else { return Err(bad("it is too short")) };
        frame.resize(all, 0);
        let at = all - more;
        if !self.fill(&mut frame[at..])? {
            return Ok(None);
        }
        Hello::decode(&frame).map(Some).map_err(|error| bad(&error.to_string()))
    }

    /// What is said of an end that began with something else.
    fn no_hello(&mut self, mut begin: Vec<u8>) -> String {
        // More of it, for whoever looks for where it comes from, if it is there in a moment.
        if matches!(poll(&mut [PollFd::new(&*self.from, PollFlags::IN)], Some(&MOMENT)), Ok(1..)) {
            let mut some = [0; SHOWN];
            let more = self.from.read(&mut some).unwrap_or(0);
            begin.extend_from_slice(&some[..more]);
        }
        begin.truncate(SHOWN);
        format!(
            "the far end began with '{}', which is no answer of highwater: nothing there may print to standard output \
             before it, such as a line in .bashrc",
            printable(&begin)
        )
    }

    /// The next one; none at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut head = [0; HEAD];
        if !self.fill(&mut head)? {
            return Ok(None);
        }
        let all = length(head).map_err(|bad| format!("the far end sent what is no answer: {}", bad.what))?;
        let mut frame = vec![0; all];
        Ok(self.fill(&mut frame)?.then_some(frame))
    }

    fn fill(&mut self, mut buffer: &mut [u8]) -> Result<bool, String> {
        while !buffer.is_empty() {
            let room = buffer.len().min(self.talk.piece());
            match self.from.read(&mut buffer[..room]) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    self.talk.hear(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("the far end cannot be heard: {error}")),
            }
        }
        Ok(true)
    }
}

/// Why a process ended that was still needed. What it said of that is shown before.
fn ended(child: &Mutex<Child>, is_over: &Receiver<()>) -> String {
    let begun = Instant::now();
    let status = loop {
        match child.lock().unwrap_or_else(PoisonError::into_inner).try_wait() {
            Ok(None) if begun.elapsed() < PARTING => thread::sleep(LOOK),
            Ok(status) => break status,
            Err(_) => break None,
        }
    };
    // One that keeps the pipe for others is not waited for.
    _ = is_over.recv_timeout(PARTING / 4);
    match status.map(|status| status.code()) {
        None => "the far end closed its standard output".to_owned(),
        Some(None) => "the command that leads to the far end was killed".to_owned(),
        Some(Some(0)) => "the far end ended before its time".to_owned(),
        Some(Some(255)) => "ssh ended with exit code 255: it could not connect, or the line broke".to_owned(),
        Some(Some(127)) => {
            "there is no command of that name there (exit code 127): install highwater, or say with HIGHWATER_FAR how it \
             is called there"
                .to_owned()
        }
        Some(Some(2)) => {
            "the far end did not take what it was asked for (exit code 2): its highwater may be of another version".to_owned()
        }
        Some(Some(code)) => format!("the far end ended with exit code {code}"),
    }
}
