//! `Nested`: the inspection of another repository in the set, for one file of one point.
//!
//! What it asks is asked below its folder. What it claims becomes claims of the point on the bytes of that file.

use super::names;
use super::within::Within;
use crate::claim::{Claim, Expect, Extent};
use crate::codec::{Codec, Flow};
use crate::facts::Lock;
use crate::fault::FaultKind;
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{Answer, Ask, Batch, Inspect, Of, Scope};
use crate::name::Name;
use crate::point::Point;

/// A file of a point that is looked for in another repository.
pub(super) struct Nested {
    within: Within,
    length: u64,
    inner: Box<dyn Inspect>,
    /// The list of the point, and its number.
    list: Name,
    ordinal: u64,
    /// Claims are given with their places in the file.
    placed: bool,
    /// The newest point that the inspection named, and how long it is.
    newest: Option<(String, u64)>,
    /// Something could not be read, so nobody knows what is not there.
    is_unread: bool,
}

impl Nested {
    /// Begins to look for a file of `length` bytes. Claims get places if `placed`, and are shared otherwise.
    ///
    /// # Errors
    /// There can be no such repository or point; a sentence.
    pub(super) fn new(
        within: Within,
        length: u64,
        (list, ordinal): (&Name, u64),
        placed: bool,
    ) -> Result<Self, String> {
        let format = within.format()?;
        let inner = format.inspect(&Scope::new(Of::Point(Some(Point::new(&within.point)))));
        let list = list.clone();
        Ok(Self { within, length, inner, list, ordinal, placed, newest: None, is_unread: false })
    }

    /// What it asks, below its folder; none when it has come to its end.
    pub(super) fn ask(&self) -> Option<Ask> {
        match self.inner.ask() {
            Ask::List(None) => Some(Ask::List(Some(self.within.folder.clone()))),
            // What is too long to have a name is not there.
            Ask::List(Some(folder)) => self.below(&folder).map(|folder| Ask::List(Some(folder))),
            Ask::Read { object, stretch } => self.below(&object).map(|object| Ask::Read { object, stretch }),
            // Whoever writes there holds the set, too.
            Ask::Writing(_) => Some(Ask::Writing(Lock::Alone(names::LOCK))),
            Ask::Done => None,
        }
    }

    fn below(&self, name: &Name) -> Option<Name> {
        self.within.folder.join(name.as_bytes()).ok()
    }

    /// Takes the answer to what it asked.
    pub(super) fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        let mut inner = Batch::default();
        let answer = match (self.inner.ask(), answer) {
            // Where the folder is not there, nothing is in it.
            (Ask::List(None), Answer::Failed(fault)) if fault.kind == FaultKind::Absent => Answer::End,
            (_, answer) => answer,
        };
        let flow = self.inner.answer(answer, &mut inner);
        if let Some(set) = inner.sets.pop() {
            self.newest = Some((set.name, set.bytes.unwrap_or_default()));
        }
        let hurts = Hurts::One(self.ordinal);
        for finding in inner.findings {
            // What hurts no point there hurts none here.
            if finding.hurts != Hurts::Nothing {
                self.is_unread |= finding.code == Code::Unreadable;
                let object = finding.object.as_ref().map_or(Some(self.within.folder.clone()), |name| self.below(name));
                out.findings.push(Finding { object, hurts, ..finding });
            }
        }
        for claim in inner.claims.into_iter().chain(inner.shared) {
            let Some(object) = self.below(&claim.object) else { continue };
            let at = claim.extent.as_ref().map(|extent| extent.at).filter(|_| self.placed);
            let extent = at.map(|at| Extent { path: Some(self.within.path.clone()), at });
            let marks = claim.marks.as_ref().and_then(|marks| self.below(marks));
            let index = self.list.clone();
            let claim = Claim { object, index, extent, marks, hurts, ..claim };
            if self.placed { out.claims.push(claim) } else { out.shared.push(claim) }
        }
        flow
    }

    /// Says what is wrong when it has come to its end.
    pub(super) fn end(self, out: &mut Batch) {
        let Self {
            within: Within { path, folder, point, .. }, length, list, ordinal, placed, newest, is_unread, ..
        } = self;
        let hurts = Hurts::One(ordinal);
        let finding = |code, object, message| Finding { code, object: Some(object), offset: None, message, hurts };
        match newest {
            Some((name, bytes)) if name == point && bytes == length => {}
            Some((name, bytes)) if name == point => {
                let message = format!("'{path}' is to have {length} bytes, and {point} in '{folder}' has {bytes}");
                out.findings.push(finding(Code::Malformed, list, message));
            }
            _ if is_unread => {}
            _ => match folder.join(point.as_bytes()) {
                // As a claim of the list: when that is gone by now as well, both were removed, and nothing is missing.
                Ok(object) if !placed => out.shared.push(Claim {
                    object,
                    index: list,
                    range: None,
                    codec: Codec::Plain,
                    expect: Expect { length, digest: None },
                    extent: None,
                    marks: None,
                    hurts,
                }),
                _ => {
                    let message = format!("'{path}' is the point {point} in '{folder}', which is not there");
                    out.findings.push(finding(Code::Missing, folder, message));
                }
            },
        }
    }
}
