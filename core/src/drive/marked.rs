//! `Marked`: a stream that is checked by its marks, from reading them to the verdict.
//!
//! Only "sound" is ever said from here, or what a [`Recheck`] found. Whatever is odd (a read that fails, a member of
//! another length, marks of another stream) leads to the plain way, in one stream.

use std::rc::Rc;

use crate::check::Verdict;
use crate::claim::Claim;
use crate::lane::Lane;
use crate::marks::{self, Marks};
use crate::segments::{Layout, Locate, Pass, Recheck};

use super::reader::{Next, Reader};
use super::runs::Runs;
use super::stream::{ENOUGH, Owner, Stream};

/// A stream with marks beside it.
pub(super) struct Marked {
    pub(super) number: u32,
    pub(super) claim: Claim,
    /// The host's number of the object.
    file: u32,
    stage: Stage,
}

enum Stage {
    /// The marks are being read.
    Marks(Reader, Vec<u8>),
    /// The members' headers are being read.
    Members(Locate, Option<(Reader, Vec<u8>)>),
    /// Segments are hashed.
    Segments { layout: Rc<Layout>, runs: Runs, pass: Pass },
    /// It goes over into the next.
    Over,
    /// What did not hold is hashed serially.
    Recheck(Box<Recheck<Rc<Layout>>>, Option<Reader>),
}

/// What a step came to.
pub(super) enum Advance {
    /// Something is waited for.
    Waiting,
    /// Something changed.
    Moved,
    /// It is decided.
    Verdict(Verdict),
    /// The marks are of no use.
    Plain,
}

impl Marked {
    /// Begins to check `claim`, whose object is `file`, by the marks in file `marks`.
    pub(super) fn new(number: u32, claim: Claim, file: u32, marks: u32) -> Self {
        let stage = Stage::Marks(Reader::new(marks, 0..marks::LONGEST.saturating_add(1)), Vec::new());
        Self { number, claim, file, stage }
    }

    pub(super) fn reader(&mut self) -> Option<&mut Reader> {
        match &mut self.stage {
            Stage::Marks(reader, _) => Some(reader),
            Stage::Members(_, header) => header.as_mut().map(|(reader, _)| reader),
            Stage::Segments { .. } | Stage::Over => None,
            Stage::Recheck(_, reader) => reader.as_mut(),
        }
    }

    /// A stream for the next segment, for the operation at `place`; none when all have one.
    pub(super) fn spawn(&mut self, place: usize) -> Option<Stream> {
        let Stage::Segments { layout, runs, pass } = &mut self.stage else { return None };
        if pass.is_odd() {
            return None;
        }
        let index = runs.begin()?;
        let owner = Owner::Segment { marked: place, index };
        let reader = Reader::new(self.file, layout.stored(index));
        Some(Stream::new(owner, reader, self.claim.codec, layout.lane(index, ENOUGH)))
    }

    /// Takes back the lane of a segment, which ended; `read` says that it was read to its end.
    pub(super) fn ended(&mut self, index: usize, lane: Lane, read: bool) {
        let Stage::Segments { layout, runs, pass } = &mut self.stage else { return };
        runs.ended(index);
        pass.end(layout, index, lane, read);
    }

    /// Goes on as far as possible.
    pub(super) fn step(&mut self) -> Advance {
        match &mut self.stage {
            Stage::Marks(reader, bytes) => match reader.next() {
                Next::Waiting => Advance::Waiting,
                Next::Bytes(piece) => {
                    bytes.extend_from_slice(&piece);
                    Advance::Moved
                }
                Next::Failed(_) => Advance::Plain,
                Next::End => {
                    let marks = Marks::parse(bytes).filter(|_| bytes.len() as u64 <= marks::LONGEST);
                    let Some(locate) = marks.and_then(|marks| Locate::new(&self.claim, marks)) else {
                        return Advance::Plain;
                    };
                    self.stage = Stage::Members(locate, None);
                    Advance::Moved
                }
            },
            Stage::Members(locate, header) => {
                let Some((reader, read)) = header else {
                    if let Some(range) = locate.ask() {
                        *header = Some((Reader::new(self.file, range), Vec::new()));
                    } else if let Stage::Members(locate, _) = std::mem::replace(&mut self.stage, Stage::Over) {
                        let layout = Rc::new(locate.finish());
                        let runs = Runs::new(layout.segments().count());
                        self.stage = Stage::Segments { layout, runs, pass: Pass::default() };
                    }
                    return Advance::Moved;
                };
                match reader.next() {
                    Next::Waiting => return Advance::Waiting,
                    Next::Bytes(bytes) => read.extend(bytes),
                    Next::End | Next::Failed(_) => return Advance::Plain,
                }
                let Some(whole) = read.first_chunk() else { return Advance::Moved };
                let said = locate.answer(whole);
                *header = None;
                if said.is_some() { Advance::Moved } else { Advance::Plain }
            }
            Stage::Segments { layout, runs, pass } => {
                // When something is odd, no more are begun.
                if !(runs.over() || pass.is_odd() && runs.idle()) {
                    return Advance::Waiting;
                }
                match std::mem::take(pass).broken(layout) {
                    None => Advance::Plain,
                    Some(broken) if broken.is_empty() => Advance::Verdict(Verdict::Sound),
                    Some(broken) => {
                        self.stage = Stage::Recheck(Box::new(Recheck::new(layout.clone(), broken)), None);
                        Advance::Moved
                    }
                }
            }
            Stage::Over => Advance::Plain,
            Stage::Recheck(recheck, reading) => {
                let Some(reader) = reading else {
                    let Some(stored) = recheck.next() else { return Advance::Verdict(recheck.verdict()) };
                    *reading = Some(Reader::new(self.file, stored));
                    return Advance::Moved;
                };
                let went = match reader.next() {
                    Next::Waiting => return Advance::Waiting,
                    Next::Failed(_) => None,
                    Next::Bytes(bytes) => recheck.push(&bytes, &mut |_, _| {}),
                    Next::End => {
                        *reading = None;
                        recheck.end()
                    }
                };
                if went.is_some() { Advance::Moved } else { Advance::Plain }
            }
        }
    }
}
