//! `Rows`: asks for the pointer, the tail of its index, and that one's blocks.

use super::applied::{self, Applied};
use std::ops::Range;

use super::index::{TRAILER, Tail, Trailer};
use super::names;
use super::reading::Reading;
use crate::claim::{Claim, Expect};
use crate::codec::{Codec, Flow};
use crate::digest::sha256_of;
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{Answer, Ask, Batch, Inspect, Scope, Stretch};
use crate::name::Name;
use crate::odd::Odd;
use crate::report::Depth;

/// The inspection of one mirror.
pub(super) struct Rows {
    scope: Scope,
    now: Now,
    /// What was read of it.
    bytes: Vec<u8>,
    /// The pointer that was followed before, where its index was not there.
    before: Option<Applied>,
    pointer: Option<Claim>,
}

enum Now {
    Pointer,
    Trailer(Found),
    Tail(Found, Trailer),
    Block(Box<Reading>),
    Nothing,
}

/// Where a pointer points to.
#[derive(Clone)]
struct Found {
    applied: Applied,
    index: Name,
}

impl Rows {
    pub(super) fn new(scope: &Scope) -> Self {
        Self { scope: scope.clone(), now: Now::Pointer, bytes: Vec::new(), before: None, pointer: None }
    }

    /// Says what is wrong, in the one part of which the object is.
    fn find(&self, finding: Finding, out: &mut Batch) {
        out.findings.extend(Some(finding).filter(|finding| self.scope.part.holds(finding.object.as_ref())));
    }

    /// Says what is wrong with all of it, and ends.
    fn give_up(&mut self, code: Code, object: Option<Name>, message: String, out: &mut Batch) {
        self.find(Finding { code, object, offset: None, message, hurts: Hurts::All }, out);
        self.now = Now::Nothing;
    }

    fn take_pointer(&mut self, out: &mut Batch) {
        let pointer = Name::new(names::APPLIED.as_bytes()).ok();
        let applied = match Applied::parse(&self.bytes) {
            Ok(applied) => applied,
            Err(odd) => {
                let finding = Finding {
                    code: Code::Malformed,
                    object: pointer,
                    offset: Some(odd.at),
                    message: odd.what,
                    hurts: Hurts::All,
                };
                self.find(finding, out);
                self.now = Now::Nothing;
                return;
            }
        };
        let Some(index) = names::index(applied.index) else { return self.now = Now::Nothing };
        if self.before.as_ref() == Some(&applied) {
            let message = format!("the pointer names the index {}, and it is not there", applied.index);
            return self.give_up(Code::Missing, Some(index), message, out);
        }
        self.pointer = pointer.map(|object| Claim {
            object: object.clone(),
            index: object,
            range: None,
            codec: Codec::Plain,
            expect: Expect { length: self.bytes.len() as u64, digest: Some(sha256_of(&self.bytes)) },
            extent: None,
            marks: None,
            hurts: Hurts::All,
        });
        self.now = Now::Trailer(Found { applied, index });
    }

    fn take_trailer(&mut self, found: Found, out: &mut Batch) {
        let size = found.applied.size;
        match Trailer::parse(&self.bytes) {
            _ if self.bytes.len() as u64 > TRAILER => {
                let message = format!("it has more than the {size} bytes that the pointer says");
                self.give_up(Code::Malformed, Some(found.index), message, out);
            }
            Err(odd) => self.give_up(Code::Malformed, Some(found.index), odd.what, out),
            Ok(trailer) if trailer.sum != found.applied.tail => {
                let message = "it is not the index that the pointer means: its tail has another SHA-256".to_owned();
                self.give_up(Code::Malformed, Some(found.index), message, out);
            }
            Ok(trailer) => self.now = Now::Tail(found, trailer),
        }
    }

    fn take_tail(&mut self, found: Found, trailer: &Trailer, out: &mut Batch) {
        let tail = match Tail::parse(trailer, found.applied.size, &self.bytes) {
            Ok(tail) => tail,
            Err(Odd { at, what }) => {
                let (code, object, hurts) = (Code::Malformed, Some(found.index), Hurts::All);
                self.find(Finding { code, object, offset: Some(at), message: what, hurts }, out);
                return;
            }
        };
        let Some(shown) = tail.number(&found.applied.point) else {
            let message =
                format!("it has no point {}, which the pointer says that the tree shows", found.applied.point);
            return self.give_up(Code::Malformed, Some(found.index), message, out);
        };
        let reading = Reading::new(found.index, tail, shown, &self.scope, out);
        if reading.is_bare() {
            // Of a mirror without files, the pointer is all that can be looked at.
            out.claims.extend(self.pointer.take().filter(|claim| self.scope.part.holds(Some(&claim.object))));
        }
        self.now = if reading.is_over() { Now::Nothing } else { Now::Block(Box::new(reading)) };
    }

    /// Takes the end of what was read.
    fn end(&mut self, out: &mut Batch) {
        match std::mem::replace(&mut self.now, Now::Nothing) {
            Now::Pointer => self.take_pointer(out),
            Now::Trailer(found) => self.take_trailer(found, out),
            Now::Tail(found, trailer) => self.take_tail(found, &trailer, out),
            Now::Block(mut reading) => {
                reading.end(out);
                self.now = if reading.is_over() { Now::Nothing } else { Now::Block(reading) };
            }
            Now::Nothing => {}
        }
        self.bytes.clear();
    }

    fn fail(&mut self, fault: Fault, out: &mut Batch) {
        self.bytes.clear();
        let is_absent = fault.kind == FaultKind::Absent;
        match std::mem::replace(&mut self.now, Now::Nothing) {
            Now::Pointer if is_absent => {
                let message = "it holds no pointer to an index, so no sync into it has come to its end".to_owned();
                self.give_up(Code::NoIndex, Name::new(names::APPLIED.as_bytes()).ok(), message, out);
            }
            Now::Pointer => {
                self.give_up(Code::Unreadable, Name::new(names::APPLIED.as_bytes()).ok(), fault.message, out);
            }
            // A sync may have put another one in its place since the pointer was read.
            Now::Trailer(found) | Now::Tail(found, _) if is_absent => {
                self.before = Some(found.applied);
                self.now = Now::Pointer;
            }
            Now::Trailer(found) | Now::Tail(found, _) => {
                self.give_up(Code::Unreadable, Some(found.index), fault.message, out);
            }
            Now::Block(mut reading) if is_absent => {
                let message = "it went while it was read, as it does when a sync puts another one in its place";
                reading.fail(Code::Moved, message.to_owned(), out);
            }
            Now::Block(mut reading) => {
                reading.fail(Code::Unreadable, fault.message, out);
                self.now = if reading.is_over() { Now::Nothing } else { Now::Block(reading) };
            }
            Now::Nothing => {}
        }
    }

    /// Which bytes are wanted: of the pointer, and of an index one more than there should be, to see that nothing
    /// follows.
    fn stretch(&self) -> Range<u64> {
        match &self.now {
            Now::Pointer => 0..applied::LONGEST.saturating_add(1),
            Now::Trailer(Found { applied, .. }) => applied.size.saturating_sub(TRAILER)..applied.size.saturating_add(1),
            Now::Tail(Found { applied, .. }, trailer) => trailer.stretch(applied.size),
            Now::Block(reading) => reading.ask().map_or(0..0, |(_, range)| range),
            Now::Nothing => 0..0,
        }
    }
}

impl Inspect for Rows {
    fn ask(&self) -> Ask {
        let object = match &self.now {
            Now::Pointer => Name::new(names::APPLIED.as_bytes()).ok(),
            Now::Trailer(found) | Now::Tail(found, _) => Some(found.index.clone()),
            Now::Block(reading) => reading.ask().map(|(index, _)| index.clone()),
            Now::Nothing => None,
        };
        object.map_or(Ask::Done, |object| Ask::Read { object, stretch: Stretch::At(self.stretch()) })
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        match (answer, &mut self.now) {
            (Answer::Bytes(bytes), Now::Block(reading)) => reading.push(bytes),
            (Answer::Bytes(bytes), _) => {
                // No more than was asked for is kept, whatever comes.
                let Range { start, end } = self.stretch();
                let room = end.saturating_sub(start).saturating_sub(self.bytes.len() as u64);
                self.bytes.extend_from_slice(bytes.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(bytes));
            }
            (Answer::End, _) => self.end(out),
            (Answer::Failed(fault), _) => self.fail(fault, out),
            (Answer::Entries(_) | Answer::Writing(_), _) => {}
        }
        Flow::Continue(())
    }

    fn divides(&self) -> bool {
        self.scope.part.is_part()
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new(&self.scope))
    }

    fn deepest(&self) -> Depth {
        Depth::Digest
    }
}
