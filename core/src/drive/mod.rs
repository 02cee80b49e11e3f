//! `Drive`: brings a survey to its end out of reads that a host begins and answers in any order.
//!
//! ```text
//! host                      drive
//!   step()               ->   takes what has come as far as it goes: asks the format, decodes, hashes in lanes, settles
//!   wants()              ->   what to read now, or to hash, each with a number
//!   answer(number, ...)  ->   keeps it for the next step
//! ```
//!
//! Until [`Drive::is_done`], some answer is always waited for, so a host that answers everything comes to the end. What
//! is in memory is bounded whatever the set: so many streams at a time, and one of the host's pieces for each; of those
//! that the host hashes, which are fewer, all bytes.

pub mod host;
mod indices;
mod land;
pub mod listing;
mod marked;
mod news;
mod offload;
mod operation;
mod reader;
pub mod restore;
mod runs;
mod start;
mod stream;
mod trailing;
pub mod tree;

use std::collections::VecDeque;
use std::ops::Range;

use crate::check::Verdict;
use crate::claim::{Claim, Evidence};
use crate::digest::{Algorithm, lanes, update_lanes};
use crate::finding::Hurts;
use crate::fit::Fit;
use crate::inspect::Set;
use crate::report::{Depth, Report};
use crate::survey::{Survey, Work};

use indices::{Indices, Step, unreadable};
use listing::Listing;
use marked::Advance;
pub use news::{Event, Known, Progress};
use operation::{Operation, Question};
pub use reader::{Answer, Want, What};
use reader::{Ids, Reader};
use stream::Stream;

/// Claims that wait for a place; the indices are not read on while there are more.
const WAITING: usize = 4096;

/// Trails that wait for a place, likewise: each may know as many objects as an index names.
const TRAILS_WAITING: usize = 64;

/// Operations at a time: some more than a page's kernel has lanes, so that some may wait for the disk. With many more,
/// what they hold falls out of the caches.
const OPERATIONS: usize = 16;

/// A survey on its way.
pub struct Drive {
    listing: Listing,
    depth: Depth,
    indices: Indices,
    asked_all: bool,
    /// Every claim is known.
    knows_all: bool,
    claims: VecDeque<(u32, Claim)>,
    trails: VecDeque<crate::trail::Trail>,
    operations: Vec<Option<Operation>>,
    ids: Ids,
    numbered: u32,
    events: Vec<Event>,
    expected: u64,
    done: u64,
    /// The host makes digests too.
    apart: bool,
}

impl Drive {
    /// Begins `survey`, which looks at `listing` at `depth`.
    #[must_use]
    pub fn new(survey: Survey, depth: Depth, listing: Listing) -> Self {
        Self {
            listing,
            depth,
            indices: Indices::new(survey),
            asked_all: false,
            knows_all: false,
            claims: VecDeque::new(),
            trails: VecDeque::new(),
            operations: Vec::new(),
            ids: Ids::default(),
            numbered: 0,
            events: Vec::new(),
            expected: 0,
            done: 0,
            apart: false,
        }
    }

    /// From now on the host is asked for digests too, see [`What::Digest`].
    pub fn ask_digests(&mut self) {
        self.apart = true;
    }

    /// Goes on as far as the answers allow.
    pub fn step(&mut self) {
        loop {
            let mut moved = self.ask();
            moved |= self.start();
            for place in 0..self.operations.len() {
                moved |= self.advance(place);
            }
            moved |= self.hash();
            if !moved {
                break;
            }
        }
        self.operations.truncate(self.operations.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
    }

    /// What to read now. Every want is told once; its answer may come at any time, or never, once the drive has no use
    /// for it.
    pub fn wants(&mut self) -> Vec<Want> {
        let Self { indices, operations, ids, .. } = self;
        let mut wants = Vec::new();
        let mut readers: Vec<&mut Reader> = indices.reader().into_iter().collect();
        for operation in operations.iter_mut().flatten() {
            match operation {
                // One piece each, in its lane or on its way: what is in memory depends on nothing else.
                Operation::Stream(stream) if stream.ready() > 0 => {}
                Operation::Stream(stream) => readers.push(&mut stream.reader),
                Operation::Marked(marked) => readers.extend(marked.reader()),
                Operation::Trail(trail) => readers.extend(trail.reader()),
                Operation::Length(question)
                | Operation::Fit(question, _)
                | Operation::Confirm(question, ..)
                | Operation::Offloaded(question, _) => {
                    if question.id.is_none() {
                        let id = ids.next();
                        question.id = Some(id);
                        wants.push(Want { id, file: question.file, what: question.what });
                    }
                }
            }
        }
        wants.extend(readers.into_iter().filter_map(|reader| reader.want(ids)));
        wants
    }

    /// Takes the answer to want `id`. One that nobody waits for is passed over.
    pub fn answer(&mut self, id: u32, answer: Answer) {
        let mut answer = Some(answer);
        let mut offer = |reader: Option<&mut Reader>| {
            if let Some(reader) = reader {
                answer = answer.take().and_then(|answer| reader.answer(id, answer));
            }
        };
        offer(self.indices.reader());
        for operation in self.operations.iter_mut().flatten() {
            match operation {
                Operation::Stream(stream) => offer(Some(&mut stream.reader)),
                Operation::Marked(marked) => offer(marked.reader()),
                Operation::Trail(trail) => offer(trail.reader()),
                Operation::Offloaded(..) | Operation::Length(_) | Operation::Fit(..) | Operation::Confirm(..) => {}
            }
        }
        for operation in self.operations.iter_mut().flatten() {
            if let Operation::Length(question)
            | Operation::Fit(question, _)
            | Operation::Confirm(question, ..)
            | Operation::Offloaded(question, _) = operation
                && question.id == Some(id)
            {
                question.answer = answer.take();
            }
        }
    }

    /// The bytes of which want `id` asks the digest; they stay where they are until it was answered.
    #[must_use]
    pub fn offloaded(&self, id: u32) -> Option<&[u8]> {
        self.operations.iter().flatten().find_map(|operation| match operation {
            Operation::Offloaded(question, apart) if question.id == Some(id) => Some(apart.bytes()),
            _ => None,
        })
    }

    /// Everything was checked.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.asked_all && self.is_idle()
    }

    /// Nothing is under way or waits for a place.
    fn is_idle(&self) -> bool {
        self.claims.is_empty() && self.trails.is_empty() && self.operations.iter().all(Option::is_none)
    }

    /// The sets named so far.
    #[must_use]
    pub fn sets(&self) -> &[Set] {
        self.indices.survey.sets()
    }

    /// What became known since this was asked last.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress { expected: self.expected, done: self.done, complete: self.knows_all }
    }

    /// The report. What was not checked by now is inconclusive.
    #[must_use]
    pub fn finish(self) -> Report {
        self.indices.survey.finish()
    }

    /// Answers the survey's questions, while there is room for what follows from them.
    fn ask(&mut self) -> bool {
        if self.asked_all || self.claims.len() > WAITING || self.trails.len() > TRAILS_WAITING {
            return false;
        }
        match self.indices.step(&self.listing) {
            Step::Waiting => false,
            Step::Done => {
                self.knows_all = true;
                // Whether to ask once more, whom the damage hurts, is known only when all claims were settled.
                if !self.is_idle() {
                    return false;
                }
                self.asked_all = !self.indices.survey.retrace();
                true
            }
            Step::Work(work) => {
                work.into_iter().for_each(|work| self.take(work));
                true
            }
        }
    }

    fn take(&mut self, work: Work) {
        let claim = match work {
            Work::Trail(trail) => return self.trails.push_back(trail),
            Work::Node(_) | Work::Called(..) => return,
            Work::Claim(claim) => claim,
        };
        let number = self.numbered;
        self.numbered = number.saturating_add(1);
        if claim.evidence(self.depth) == Evidence::Bytes {
            self.expected = self.expected.saturating_add(claim.expect.length);
        }
        let (group, from) = match claim.hurts {
            Hurts::Onward { group, from } => (group, from),
            Hurts::Group(group) => (group, 0),
            Hurts::One(from) | Hurts::Span { from, .. } => (self.group(from), from),
            // Whoever makes it first is the set that was named last.
            Hurts::Shared(_) => {
                let from = (self.sets().len() as u64).saturating_sub(1);
                (self.group(from), from)
            }
            Hurts::Nothing | Hurts::All => (0, 0),
        };
        self.events.push(Event::Claim { number, group, from });
        self.claims.push_back((number, claim));
    }

    /// The group of a set.
    fn group(&self, ordinal: u64) -> u64 {
        usize::try_from(ordinal).ok().and_then(|at| self.sets().get(at)).map_or(0, |set| set.group)
    }

    fn hashes(&self) -> bool {
        self.depth >= Depth::Digest
    }

    fn put(&mut self, operation: Operation) {
        match self.operations.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(operation),
            None => self.operations.push(Some(operation)),
        }
    }

    /// Takes what has come for the operation at `place`.
    fn advance(&mut self, place: usize) -> bool {
        let Some(slot) = self.operations.get_mut(place) else { return false };
        match slot.as_mut() {
            None => false,
            Some(Operation::Stream(stream)) => {
                let moved = stream.fill();
                if stream.is_over() {
                    self.land(place);
                }
                moved
            }
            Some(Operation::Trail(trail)) => {
                let moved = trail.step(&self.listing);
                if trail.is_over()
                    && let Some(Operation::Trail(trail)) = slot.take()
                {
                    self.indices.survey.followed(trail.finish());
                }
                moved
            }
            Some(Operation::Offloaded(question, _)) => {
                let Some(answer) = question.answer.take() else { return false };
                let Some(Operation::Offloaded(question, apart)) = slot.take() else { return false };
                let (verdict, bytes) = apart.end(answer);
                self.done = self.done.saturating_add(bytes);
                self.conclude(question.number, *question.claim, verdict, bytes);
                true
            }
            Some(Operation::Marked(marked)) => {
                let advance = marked.step();
                if matches!(advance, Advance::Waiting) {
                    return false;
                }
                if !matches!(advance, Advance::Moved) {
                    self.decide(place, advance);
                }
                true
            }
            Some(Operation::Length(question) | Operation::Fit(question, _) | Operation::Confirm(question, ..)) => {
                let Some(answer) = question.answer.take() else { return false };
                let other = || Verdict::of_fault(unreadable("another answer came than was asked for"));
                let (question, verdict, bytes) = match (slot.take(), answer) {
                    (Some(Operation::Confirm(question, verdict, bytes)), Answer::Unchanged) => {
                        (question, verdict, bytes)
                    }
                    (Some(Operation::Length(question)), Answer::Length(length)) => {
                        let fit = Fit::new(&question.claim, length, self.indices.survey.key());
                        return self.fit(place, question, fit);
                    }
                    (Some(Operation::Fit(question, mut fit)), Answer::Bytes(bytes) | Answer::Last(bytes)) => {
                        let before = fit.ask();
                        fit.answer(&bytes);
                        if before != fit.ask() {
                            return self.fit(place, question, *fit);
                        }
                        (question, Verdict::of_fault(unreadable("it became shorter while it was read")), 0)
                    }
                    (
                        Some(
                            Operation::Confirm(question, ..)
                            | Operation::Length(question)
                            | Operation::Fit(question, _),
                        ),
                        Answer::Failed(message),
                    ) => (question, Verdict::of_fault(unreadable(&message)), 0),
                    (
                        Some(
                            Operation::Confirm(question, ..)
                            | Operation::Length(question)
                            | Operation::Fit(question, _),
                        ),
                        _,
                    ) => (question, other(), 0),
                    _ => return false,
                };
                self.settle(question.number, &question.claim, verdict, bytes);
                true
            }
        }
    }

    /// Goes on with a claim whose length is known.
    fn fit(&mut self, place: usize, question: Question, fit: Fit) -> bool {
        let Question { number, claim, file, .. } = question;
        match (fit.ask(), self.operations.get_mut(place)) {
            (Some(Range { start, end }), Some(slot)) => {
                let what = What::Bytes { at: start, length: end.saturating_sub(start) };
                *slot = Some(Operation::Fit(Question::new(number, *claim, file, what), Box::new(fit)));
            }
            _ => self.settle(number, &claim, fit.verdict(), 0),
        }
        true
    }

    /// Hashes what waits, when there is enough of it: lanes are fast only when they are full.
    fn hash(&mut self) -> bool {
        let mut streams: Vec<&mut Stream> = self
            .operations
            .iter_mut()
            .flatten()
            .filter_map(|operation| if let Operation::Stream(stream) = operation { Some(&mut **stream) } else { None })
            .filter(|stream| stream.whole.is_none())
            .collect();
        let ready = streams.iter().filter(|stream| stream.ready() > 0).count();
        let full = lanes::width(Algorithm::Md5).max(lanes::width(Algorithm::Sha256));
        if ready == 0 || ready < streams.len().min(full) {
            return false;
        }
        update_lanes(streams.iter_mut().filter_map(|stream| stream.work()));
        let mut done = 0;
        for stream in streams {
            done += stream.ready() as u64;
            stream.hashed();
        }
        self.done = self.done.saturating_add(done);
        for place in 0..self.operations.len() {
            if let Some(Some(Operation::Stream(stream))) = self.operations.get(place)
                && stream.is_over()
            {
                self.land(place);
            }
        }
        true
    }
}
