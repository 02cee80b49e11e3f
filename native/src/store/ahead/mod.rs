//! `Ahead`: an object that lies far away. What is read on is asked for in blocks, and the next ones while the last is
//! being read; who reads much takes it as it comes, and who only looks has a window.
//!
//! How bytes are asked for is a [`Fetch`]'s matter; how many blocks come at a time, that of the [`Room`] that all
//! objects of a root share.

mod room;

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::{Identity, Kept, Object};
pub(super) use room::{Place, Room};

/// What is asked for of an object that somebody only looks at, and what of one that is read in bits is had at once.
const WINDOW: usize = 64 << 10;

/// Whoever takes less only looks.
const READING: usize = 32 << 10;

/// Blocks of one object that are asked for ahead.
const AHEAD: usize = 4;

/// Asks for the bytes of one object, of one version.
pub(super) trait Fetch: Send + Sync {
    /// Bytes that were asked for.
    type Coming: Send;

    /// How many of them are best asked for at a time.
    const BLOCK: u64;

    /// How long the object is.
    fn length(&self) -> u64;

    /// Asks for bytes that are read at once.
    ///
    /// # Errors
    /// When they cannot be asked for.
    fn ask(&self, range: Range<u64>) -> io::Result<Self::Coming>;

    /// Asks for bytes that are read later, without waiting for them. None where that cannot be done now.
    ///
    /// # Errors
    /// When they cannot be asked for.
    fn ask_ahead(&self, range: Range<u64>, place: Place) -> io::Result<Option<Self::Coming>>;

    /// Takes the next of them; 0 behind the last one, which may be early where the object ends early.
    ///
    /// # Errors
    /// When they cannot be had.
    fn next(&self, coming: &mut Self::Coming, buffer: &mut [u8]) -> io::Result<usize>;

    /// What its root keeps of it beside its bytes.
    fn kept(&self) -> Kept {
        Kept::default()
    }
}

/// An object that lies far away.
pub(super) struct Ahead<F: Fetch> {
    of: F,
    room: std::sync::Arc<Room>,
    course: Mutex<Course<F::Coming>>,
}

/// How far it was read.
struct Course<C> {
    /// The block that is being read: the rest of its range, and where its bytes come from; nothing once it was.
    now: Block<C>,
    /// Those behind it.
    coming: VecDeque<Block<C>>,
    /// How many came one behind the other.
    run: usize,
    /// The bytes before the rest of the block, for whoever only looks.
    window: Vec<u8>,
}

struct Block<C> {
    rest: Range<u64>,
    from: Option<C>,
}

impl<C> Course<C> {
    /// Gives bytes out of the window.
    fn give(&self, at: u64, buffer: &mut [u8]) -> usize {
        let begin = self.now.rest.start.saturating_sub(self.window.len() as u64);
        let from = at.checked_sub(begin).and_then(|from| usize::try_from(from).ok());
        let rest = from.and_then(|from| self.window.get(from..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    }
}

impl<F: Fetch> Ahead<F> {
    /// An object of which the first bytes may have come already.
    pub(super) fn new(of: F, first: Vec<u8>, room: std::sync::Arc<Room>) -> Self {
        let end = first.len() as u64;
        let now = Block { rest: end..end, from: None };
        Self { of, room, course: Mutex::new(Course { now, coming: VecDeque::new(), run: 0, window: first }) }
    }

    /// Goes on with the block that begins at a byte, for somebody who takes so many at a time.
    fn turn(&self, course: &mut Course<F::Coming>, at: u64, room: usize) -> io::Result<()> {
        let goes_on = at == course.now.rest.start && at > 0;
        course.run = if goes_on { course.run.saturating_add(1) } else { 0 };
        course.window.clear();
        // What was given up is not held beside what comes.
        course.now = Block { rest: at..at, from: None };
        course.now = match course.coming.pop_front() {
            Some(block) if block.rest.start == at => block,
            _ => {
                course.coming.clear();
                let most = if goes_on || room >= READING { F::BLOCK } else { room.max(WINDOW) as u64 };
                let rest = at..at.saturating_add(most.min(F::BLOCK)).min(self.of.length());
                Block { from: Some(self.of.ask(rest.clone())?), rest }
            }
        };
        let last = course.coming.back().unwrap_or(&course.now);
        let mut next = last.rest.end;
        while next < self.of.length() && course.coming.len() < course.run.min(AHEAD) {
            let Some(place) = self.room.take() else { break };
            let rest = next..next.saturating_add(F::BLOCK).min(self.of.length());
            next = rest.end;
            let Some(from) = self.of.ask_ahead(rest.clone(), place)? else { break };
            course.coming.push_back(Block { rest, from: Some(from) });
        }
        Ok(())
    }

    /// Fills the buffer with what comes next, as far as the block goes.
    fn fill(&self, block: &mut Block<F::Coming>, buffer: &mut [u8]) -> io::Result<usize> {
        let (mut filled, mut from) = (0, block.from.take());
        // What failed is asked for anew by whoever tries again.
        while let (Some(coming), true) = (&mut from, filled < buffer.len()) {
            let some = self.of.next(coming, &mut buffer[filled..])?;
            filled += some;
            block.rest.start = block.rest.start.saturating_add(some as u64).min(block.rest.end);
            if some == 0 || block.rest.is_empty() {
                from = None;
            }
        }
        block.from = from;
        Ok(filled)
    }
}

impl<F: Fetch> Object for Ahead<F> {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if at >= self.of.length() || buffer.is_empty() {
            return Ok(0);
        }
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let course = &mut *course;
        let given = course.give(at, buffer);
        if given > 0 {
            return Ok(given);
        }
        if at != course.now.rest.start || course.now.from.is_none() {
            self.turn(course, at, buffer.len())?;
        }
        course.window.clear();
        if buffer.len() >= READING {
            return self.fill(&mut course.now, buffer);
        }
        let mut window = std::mem::take(&mut course.window);
        window.resize(WINDOW, 0);
        let filled = self.fill(&mut course.now, &mut window)?;
        window.truncate(filled);
        course.window = window;
        // Nothing where the object was cut meanwhile.
        Ok(course.give(at, buffer))
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.of.length())
    }

    fn identity(&self) -> io::Result<Identity> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn kept(&self) -> io::Result<Kept> {
        Ok(self.of.kept())
    }
}
