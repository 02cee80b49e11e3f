//! `Indices`: answers a survey's questions out of a listing, and reads the indices it asks for.

use crate::codec::Flow;
use crate::fault::{Fault, FaultKind};
use crate::inspect::{Answer, Ask};
use crate::name::Name;
use crate::survey::{Survey, Work};

use super::listing::Listing;
use super::reader::{Next, Reader};

/// Entries that go to the survey at a time.
const ENTRIES: usize = 4096;

/// A survey and the index that it reads.
pub(super) struct Indices {
    pub(super) survey: Survey,
    reader: Option<Reader>,
}

/// What a step of reading indices gave.
pub(super) enum Step {
    /// An answer is waited for.
    Waiting,
    /// This work, which may be none.
    Work(Vec<Work>),
    /// There are no more questions.
    Done,
}

impl Indices {
    pub(super) fn new(survey: Survey) -> Self {
        Self { survey, reader: None }
    }

    pub(super) fn reader(&mut self) -> Option<&mut Reader> {
        self.reader.as_mut()
    }

    /// Answers the next question, as far as that is possible.
    pub(super) fn step(&mut self, listing: &Listing) -> Step {
        let mut work = Vec::new();
        let answer = match (self.survey.ask(), &mut self.reader) {
            (Ask::Done, _) => return Step::Done,
            // What was dropped is a snapshot: nobody writes in it.
            (Ask::Writing(_), _) => Answer::Writing(false),
            (Ask::List(folder), _) => match known(folder.as_ref(), listing) {
                Some(fault) => Answer::Failed(fault),
                None => {
                    let mut entries = listing.entries(folder.as_ref()).chunks(ENTRIES);
                    match entries.try_for_each(|entries| self.survey.answer(Answer::Entries(entries), &mut work)) {
                        Flow::Continue(()) => listing.unlisted(folder.as_ref()).map_or(Answer::End, Answer::Failed),
                        Flow::Break(()) => return Step::Work(work),
                    }
                }
            },
            (Ask::Read { object, stretch }, reader @ None) => match listing.number(&object) {
                Some(number) => {
                    *reader = Some(Reader::at(number, &stretch));
                    return Step::Waiting;
                }
                None => Answer::Failed(listing.fault(&object)),
            },
            (Ask::Read { .. }, Some(reader)) => match reader.next() {
                Next::Waiting => return Step::Waiting,
                Next::Bytes(bytes) => {
                    if self.survey.answer(Answer::Bytes(&bytes), &mut work).is_break() {
                        self.reader = None;
                    }
                    return Step::Work(work);
                }
                Next::End => Answer::End,
                Next::Failed(message) => Answer::Failed(unreadable(&message)),
            },
        };
        self.reader = None;
        _ = self.survey.answer(answer, &mut work);
        Step::Work(work)
    }
}

/// The fault of a folder that was looked at under another name: nothing new is in it.
fn known(folder: Option<&Name>, listing: &Listing) -> Option<Fault> {
    let first = listing.known(folder)?;
    let first = first.as_ref().map_or_else(|| "the root".to_owned(), |name| format!("'{name}'"));
    let message = format!("it leads to {first}, which is looked at under that name");
    Some(Fault { kind: FaultKind::Known, message })
}

/// The fault of a file that the host could not read.
pub(super) fn unreadable(message: &str) -> Fault {
    Fault { kind: FaultKind::Unreadable, message: format!("it cannot be read: {message}") }
}
