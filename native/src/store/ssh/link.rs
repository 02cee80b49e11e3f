//! `Link`: the conversation with a far end: many requests under way over one pair of pipes.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use highwater_core::name::printable;
use highwater_core::wire::{Answer, Asked, Limits, Request, Why, framed};

use super::far::Far;
use super::talk::Talk;
use crate::interruption::interruption;

/// How often a thread that waits looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// So long is waited for the reason why one ended.
const PARTING: Duration = Duration::from_secs(4);

/// A conversation with a far end.
pub(super) struct Link {
    talk: Arc<Talk>,
    far: Far,
    limits: Limits,
    /// So long may nothing come while something is waited for.
    patience: Duration,
    stop: Arc<AtomicBool>,
    /// Requests that are under way.
    under_way: Mutex<usize>,
    /// Told when there is one less.
    room: Condvar,
}

/// A request that is under way. Its answers may be given up.
pub(super) struct Pending {
    link: Arc<Link>,
    answers: Receiver<Answer>,
    asked: Instant,
}

impl Drop for Pending {
    fn drop(&mut self) {
        *self.link.under_way.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.link.room.notify_one();
        // What was opened meanwhile, for nobody.
        for answer in self.answers.try_iter() {
            if let Answer::Opened { handle: Some(handle), .. } = answer {
                self.link.close(handle);
            }
        }
    }
}

impl Link {
    pub(super) fn new(far: Far, talk: Arc<Talk>, limits: Limits, patience: Duration, stop: Arc<AtomicBool>) -> Self {
        Self { talk, far, limits, patience, stop, under_way: Mutex::new(0), room: Condvar::new() }
    }

    /// Asks for something; waits while too much is under way.
    pub(super) fn ask(self: &Arc<Self>, request: Request) -> io::Result<Pending> {
        let asked = Instant::now();
        let most = usize::try_from(self.limits.under_way).unwrap_or(usize::MAX).max(1);
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while *under_way >= most {
            let waited = self.room.wait_timeout(under_way, LOOK);
            under_way = waited.unwrap_or_else(PoisonError::into_inner).0;
            self.go_on(asked)?;
        }
        *under_way += 1;
        drop(under_way);
        let (send, answers) = channel();
        let pending = Pending { link: Arc::clone(self), answers, asked: Instant::now() };
        let id = self.talk.expect(send).ok_or_else(|| self.gone())?;
        self.send(&Asked { id, request })?;
        Ok(pending)
    }

    /// Asks for something that has one answer.
    pub(super) fn one(self: &Arc<Self>, request: Request) -> io::Result<Answer> {
        self.ask(request)?.next()
    }

    /// Has an object be held open no longer. Nobody waits for that.
    pub(super) fn close(&self, handle: u32) {
        // Where the far end is gone, nothing is held.
        _ = self.send(&Asked { id: 0, request: Request::Close { handle } });
    }

    fn send(&self, asked: &Asked) -> io::Result<()> {
        if self.far.send(framed(&asked.encode())) { Ok(()) } else { Err(self.gone()) }
    }

    /// Whether waiting makes sense any more, for something that was asked for then.
    fn go_on(&self, asked: Instant) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(interruption());
        }
        let silent = asked.max(self.talk.heard()).elapsed();
        if silent >= self.patience {
            let seconds = self.patience.as_secs();
            self.talk.end(&format!("nothing came from the far end for {seconds} s, while something was waited for"));
            self.far.kill();
        }
        if self.talk.why().is_some() { Err(self.gone()) } else { Ok(()) }
    }

    /// Why there is no conversation any more.
    fn gone(&self) -> io::Error {
        let begun = Instant::now();
        // What is sent may be refused before the thread that hears knows why.
        while self.talk.why().is_none() && begun.elapsed() < PARTING && !self.stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
        let why = self.talk.why().unwrap_or_else(|| "the far end is gone".to_owned());
        io::Error::new(io::ErrorKind::ConnectionAborted, why)
    }

    /// Ends the conversation with an end that does not keep to it.
    pub(super) fn broken(&self, what: &str) -> io::Error {
        self.talk.end(&format!("the far end answers what was not asked: {what}"));
        self.far.kill();
        self.gone()
    }
}

impl Pending {
    /// The next answer.
    pub(super) fn next(&self) -> io::Result<Answer> {
        match self.whatever()? {
            Answer::Failed { why, text } => Err(failed(why, &text)),
            answer => Ok(answer),
        }
    }

    /// The next answer, also one that says that it cannot be done.
    pub(super) fn whatever(&self) -> io::Result<Answer> {
        loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) => self.link.go_on(self.asked)?,
                Err(RecvTimeoutError::Disconnected) => return Err(self.link.gone()),
            }
        }
    }
}

/// What a far end cannot do, as the operating system would say it.
fn failed(why: Why, text: &str) -> io::Error {
    let kind = match why {
        Why::Absent => io::ErrorKind::NotFound,
        Why::NoFolder => io::ErrorKind::NotADirectory,
        Why::Denied => io::ErrorKind::PermissionDenied,
        Why::NoFile => io::ErrorKind::InvalidInput,
        Why::Full | Why::Other | Why::Usage | Why::CannotStart | Why::Interrupted => io::ErrorKind::Other,
    };
    io::Error::new(kind, printable(text.as_bytes()))
}
