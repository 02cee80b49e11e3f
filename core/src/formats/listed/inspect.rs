//! `Lists`: reads the lists of a root, and claims what they name.

use super::LIST;
use crate::claim::{Claim, Expect};
use crate::codec::{Codec, Flow};
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::formats::by_name;
use crate::inspect::{Answer, Ask, Batch, Inspect, Of, Scope, Set};
use crate::mtree::{Entry, Line, Lines};
use crate::name::Name;
use crate::node::NodeKind;
use crate::sort;

/// What the comment of a checkpoint's list begins with.
const TITLE: &str = "highwater checkpoint 1 · store ";

/// The inspection of a root.
pub(super) struct Lists {
    scope: Scope,
    ahead: Vec<Name>,
    now: Now,
    ordinal: u64,
}

enum Now {
    Listing,
    Reading(Box<Reading>),
    Nothing,
}

/// A list that is being read.
struct Reading {
    list: Name,
    /// The folder that it is of.
    folder: Name,
    lines: Lines,
    bytes: u64,
    /// The store that lies there keeps digests of what is listed without.
    vouched: bool,
    claims: bool,
    digests: bool,
}

impl Lists {
    pub(super) fn new(scope: &Scope) -> Self {
        let asked = match &scope.of {
            Of::Point(Some(point)) | Of::Under(point) | Of::Salvage(point) => Some(point.as_str().to_owned()),
            Of::Point(None) | Of::Catalogue | Of::References | Of::All => None,
        };
        let mut lists = Self { scope: scope.clone(), ahead: Vec::new(), now: Now::Listing, ordinal: 0 };
        if let Some(asked) = asked {
            lists.ahead.extend(Name::new(format!("{asked}{LIST}").as_bytes()));
            lists.next();
        }
        lists
    }

    fn next(&mut self) {
        self.now = match self.ahead.pop().and_then(|list| Some((folder_of(&list)?, list))) {
            None => Now::Nothing,
            Some((folder, list)) => Now::Reading(Box::new(Reading {
                list,
                folder,
                lines: Lines::foreign(),
                bytes: 0,
                vouched: false,
                claims: self.scope.of != Of::Catalogue,
                digests: self.scope.trails,
            })),
        };
    }

    fn over(&mut self, fault: Option<Fault>, out: &mut Batch) {
        let Now::Reading(reading) = std::mem::replace(&mut self.now, Now::Nothing) else { return };
        let hurts = Hurts::One(self.ordinal);
        let Reading { list, folder, lines, bytes, .. } = *reading;
        let finding = |code, offset, message| Finding { code, object: Some(list.clone()), offset, message, hurts };
        match (fault, lines.end()) {
            (Some(Fault { kind: FaultKind::Absent, .. }), _) => {
                out.absent = Some(format!("there is no list '{list}'"));
                return self.next();
            }
            (Some(fault), _) => out.findings.push(finding(Code::Unreadable, None, fault.message)),
            (None, Err(odd)) => out.findings.push(finding(Code::Malformed, Some(odd.at), odd.what)),
            (None, Ok(())) => {}
        }
        out.sets.push(Set { name: folder.to_string(), group: self.ordinal, bytes: Some(bytes), ..Set::default() });
        self.ordinal = self.ordinal.saturating_add(1);
        self.next();
    }
}

/// The folder that a list is of.
fn folder_of(list: &Name) -> Option<Name> {
    Name::new(list.as_bytes().strip_suffix(LIST.as_bytes())?).ok()
}

impl Reading {
    /// The claim of a line, if it makes one.
    fn claim(&mut self, line: Line, ordinal: u64) -> Option<Claim> {
        let (node, digest) = match line {
            Line::Comment(text) => {
                let kind = text.strip_prefix(TITLE).and_then(|rest| rest.split(' ').next());
                self.vouched |= kind.is_some_and(|kind| by_name(kind).is_some());
                return None;
            }
            Line::Entry(Entry { node, digest, .. }) => (node, digest),
            // It has no bytes.
            Line::Special { .. } => return None,
        };
        let NodeKind::File(length) = node.kind else { return None };
        self.bytes = self.bytes.saturating_add(length);
        let object = self.folder.join(node.path?.as_bytes()).ok()?;
        (self.claims && (digest.is_some() || !self.digests || !self.vouched)).then(|| Claim {
            object,
            index: self.list.clone(),
            range: None,
            codec: Codec::Plain,
            expect: Expect { length, digest },
            extent: None,
            marks: None,
            hurts: Hurts::One(ordinal),
        })
    }
}

impl Inspect for Lists {
    fn ask(&self) -> Ask {
        match &self.now {
            Now::Listing => Ask::List(None),
            Now::Reading(reading) => Ask::read(reading.list.clone()),
            Now::Nothing => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        match (answer, &mut self.now) {
            (Answer::Entries(entries), Now::Listing) => {
                let lists =
                    entries.iter().filter(|entry| folder_of(&entry.name).is_some()).map(|entry| entry.name.clone());
                self.ahead.extend(lists);
            }
            (Answer::Bytes(bytes), Now::Reading(reading)) => {
                let mut lines = std::mem::take(&mut reading.lines);
                let ordinal = self.ordinal;
                lines.push(bytes, &mut |line| out.claims.extend(reading.claim(line, ordinal)));
                reading.lines = lines;
            }
            (Answer::End, Now::Listing) => {
                sort::by(&mut self.ahead, |one, other| other.cmp(one));
                self.next();
            }
            (Answer::Failed(fault), Now::Listing) => {
                out.findings.push(Finding {
                    code: Code::Unreadable,
                    object: None,
                    offset: None,
                    message: fault.message,
                    hurts: Hurts::All,
                });
                self.now = Now::Nothing;
            }
            (Answer::End, Now::Reading(_)) => self.over(None, out),
            (Answer::Failed(fault), Now::Reading(_)) => self.over(Some(fault), out),
            _ => {}
        }
        Flow::Continue(())
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new(&self.scope))
    }
}
