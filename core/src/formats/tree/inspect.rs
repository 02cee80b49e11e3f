//! `Points`: reads the lists of a set, and turns them into points, claims and nodes.

use std::collections::{BTreeSet, HashMap};

use super::head::Head;
use super::names;
use super::nested::Nested;
use crate::claim::{Claim, Expect, Extent};
use crate::codec::{Codec, Flow};
use crate::digest::{Algorithm, Hasher};
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding, Hurts};
use crate::inspect::{Answer, Ask, Batch, Inspect, Of, Scope, Set};
use crate::left_out::LeftOut;
use crate::mtree::{Entry, Line, Lines};
use crate::name::Name;
use crate::node::{Meta, Node, NodeKind};
use crate::report::Depth;
use crate::sort;
use crate::stamp;

/// The inspection of one set.
pub(super) struct Points {
    scope: Scope,
    /// The points that there are, the oldest last.
    ahead: Vec<String>,
    /// Those whose list is no file.
    odd: BTreeSet<String>,
    now: Now,
    ordinal: u64,
}

enum Now {
    Listing,
    Reading(Box<Reading>),
    /// Files of the point whose bytes lie in other repositories, the one that is looked for first.
    Elsewhere(Box<Nested>, Vec<Nested>),
    Nothing,
}

/// A list that is being read.
struct Reading {
    point: String,
    list: Name,
    lines: Lines,
    bytes: u64,
    /// What stands above its entries.
    head: Head,
    /// The point was given.
    is_given: bool,
    entries: u64,
    /// The first names of files that have others, where nodes are wanted.
    twins: HashMap<u64, Name>,
    /// What was listed so far, and whether it is a folder.
    seen: HashMap<Name, bool>,
    /// What the list's own bytes give, and how many they are, as long as nothing is claimed: then the list is what can
    /// be checked.
    own: Option<(Hasher, u64)>,
    wants: Wants,
    ordinal: u64,
    /// What is wrong with a line that can be read, and where it begins.
    odd: Option<String>,
}

/// What comes of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// Nothing but the point.
    Point,
    /// Claims on objects, which other points share.
    Objects,
    /// These, and what is claimed in other repositories.
    Claims,
    /// All that a restore needs.
    Tree,
}

impl Points {
    pub(super) fn new(scope: &Scope) -> Self {
        Self { scope: scope.clone(), ahead: Vec::new(), odd: BTreeSet::new(), now: Now::Listing, ordinal: 0 }
    }

    /// Keeps the points that are wanted.
    fn choose(&mut self, out: &mut Batch) {
        sort::values(&mut self.ahead);
        self.ahead.dedup();
        if let Of::Point(point) = &self.scope.of {
            let until = point.as_ref().filter(|point| !point.is_latest());
            let fits = |point: &str| {
                let stamp = names::stamp_of(point);
                stamp.is_some_and(|stamp| until.is_none_or(|until| stamp::at_or_before(&stamp, until.as_str())))
            };
            let newest = self.ahead.iter().rfind(|point| fits(point)).cloned();
            if newest.is_none() {
                out.absent = Some(match (self.ahead.first(), until) {
                    (Some(oldest), Some(_)) => format!("no point is so old; the oldest is {oldest}"),
                    _ => "there is no point yet".to_owned(),
                });
            }
            self.ahead = newest.into_iter().collect();
        }
        if let Of::Under(point) | Of::Salvage(point) = &self.scope.of {
            if point.is_latest() {
                self.ahead.drain(..self.ahead.len().saturating_sub(1));
                return;
            }
            self.ahead.retain(|one| names::stamp_of(one).is_some_and(|stamp| stamp.starts_with(point.as_str())));
        }
        self.ahead.reverse();
    }

    fn next(&mut self) {
        let wants = match self.scope.of {
            Of::Catalogue => Wants::Point,
            Of::References => Wants::Objects,
            Of::All | Of::Under(_) => Wants::Claims,
            Of::Point(_) | Of::Salvage(_) => Wants::Tree,
        };
        self.now = match self.ahead.pop().and_then(|point| Some((names::list(&point)?, point))) {
            None => Now::Nothing,
            Some((list, point)) => Now::Reading(Box::new(Reading {
                point,
                list,
                lines: Lines::default(),
                bytes: 0,
                head: Head::default(),
                is_given: false,
                entries: 0,
                twins: HashMap::new(),
                seen: HashMap::new(),
                own: Some((Hasher::new(Algorithm::Sha256), 0)),
                wants,
                ordinal: self.ordinal,
                odd: None,
            })),
        };
    }

    fn over(&mut self, fault: Option<Fault>, out: &mut Batch) {
        let Now::Reading(mut reading) = std::mem::replace(&mut self.now, Now::Nothing) else { return };
        // What is there and leads nowhere was not removed meanwhile.
        let fault = fault.map(|fault| match fault.kind {
            FaultKind::Absent if self.odd.contains(&reading.point) => {
                Fault { kind: FaultKind::Unreadable, message: "it is no file, or a link that leads nowhere".to_owned() }
            }
            _ => fault,
        });
        if fault.as_ref().is_none_or(|fault| fault.kind != FaultKind::Absent) {
            reading.give(out);
        }
        let Reading { point, list, lines, bytes, head, ordinal, odd, entries, wants, own, .. } = *reading;
        let Head { told, within, .. } = head;
        let mut elsewhere = Vec::new();
        let hurts = Hurts::One(ordinal);
        let finding = |code, offset, message| Finding { code, object: Some(list.clone()), offset, message, hurts };
        match (fault, lines.end()) {
            (Some(Fault { kind: FaultKind::Absent, .. }), _) => {
                out.removed.push(point);
                return self.next();
            }
            (Some(fault), _) => out.findings.push(finding(Code::Unreadable, None, fault.message)),
            (None, Err(odd)) => out.findings.push(finding(Code::Malformed, Some(odd.at), odd.what)),
            (None, Ok(())) if entries == 0 => {
                out.findings.push(finding(Code::Malformed, None, "it lists nothing, not even a folder".to_owned()));
            }
            (None, Ok(())) if told != Some(bytes) => {
                let told = told.map_or("no number of bytes".to_owned(), |told| format!("{told} bytes"));
                let what = format!("its title says {told}, and its files have {bytes}");
                out.findings.push(finding(Code::Malformed, None, what));
            }
            (None, Ok(())) => {
                out.findings.extend(odd.map(|odd| finding(Code::Malformed, None, odd)));
                // Of a folder without files, the list is all that there is.
                let own = own.filter(|_| wants == Wants::Claims && within.is_empty());
                out.shared.extend(own.map(|(hasher, length)| Claim {
                    object: list.clone(),
                    index: list.clone(),
                    range: None,
                    codec: Codec::Plain,
                    expect: Expect { length, digest: Some(hasher.finish()) },
                    extent: None,
                    marks: None,
                    hurts,
                }));
                // Whoever wants no more than the point did not look at entries.
                for (within, length) in within.into_iter().filter(|_| wants != Wants::Point) {
                    // Objects of other repositories are none of this one: whoever asks for these goes there.
                    out.inner.extend((wants == Wants::Objects).then(|| within.inner(&list)));
                    let path = within.path.clone();
                    let begun = length
                        .ok_or_else(|| format!("it says where the bytes of '{path}' lie, and lists no such file"))
                        .and_then(|length| Nested::new(within, length, (&list, ordinal), wants == Wants::Tree));
                    match begun {
                        Ok(nested) => elsewhere.push(nested),
                        Err(what) => out.findings.push(finding(Code::Malformed, None, what)),
                    }
                }
            }
        }
        self.ordinal = self.ordinal.saturating_add(1);
        elsewhere.retain(|_| wants != Wants::Objects);
        elsewhere.reverse();
        self.look_elsewhere(elsewhere, out);
    }

    /// Goes on to the next file of the point that lies in another repository, or to the next point.
    fn look_elsewhere(&mut self, mut ahead: Vec<Nested>, out: &mut Batch) {
        while let Some(nested) = ahead.pop() {
            if nested.ask().is_some() {
                self.now = Now::Elsewhere(Box::new(nested), ahead);
                return;
            }
            nested.end(out);
        }
        self.next();
    }
}

impl Reading {
    /// Gives the point, which comes before all that it claims.
    fn give(&mut self, out: &mut Batch) {
        if !std::mem::replace(&mut self.is_given, true) {
            out.sets.push(Set {
                name: self.point.clone(),
                group: self.ordinal,
                bytes: self.head.told,
                left_out: self.head.left_out.clone(),
                ..Set::default()
            });
        }
    }

    fn take(&mut self, line: Line, out: &mut Batch) {
        let Entry { node, digest, twin } = match line {
            Line::Entry(entry) => entry,
            Line::Special { path, what } => {
                self.give(out);
                self.entries = self.entries.saturating_add(1);
                let path = path.map_or_else(|| "what is listed".to_owned(), |path| format!("'{path}'"));
                self.odd.get_or_insert_with(|| format!("{path} is {}, which no point holds", what.name()));
                return;
            }
            Line::Comment(text) => {
                let most = if self.wants == Wants::Tree { LeftOut::MANY } else { LeftOut::FEW };
                if let Some(odd) = self.head.take(&text, most, self.is_given) {
                    self.odd.get_or_insert(odd);
                }
                return;
            }
        };
        self.give(out);
        self.entries = self.entries.saturating_add(1);
        let Node { path, kind, meta } = node;
        if let NodeKind::File(length) = kind
            && twin.is_none_or(|twin| !twin.again)
        {
            self.bytes = self.bytes.saturating_add(length);
        }
        if self.wants == Wants::Point {
            return;
        }
        if let Some(odd) = path.as_ref().and_then(|path| self.place(path, kind == NodeKind::Folder)) {
            self.odd.get_or_insert(odd);
        }
        let first = match (twin, &path) {
            (Some(twin), Some(path)) if self.wants == Wants::Tree => {
                let first = self.twins.entry(twin.group).or_insert_with(|| path.clone());
                Some(first.clone()).filter(|first| first != path)
            }
            _ => None,
        };
        if let (NodeKind::File(length), None) = (&kind, &first) {
            let object = digest.as_ref().and_then(names::object);
            if digest.is_none() && self.head.has_elsewhere(path.as_ref(), *length) {
                self.give_node(path, kind, meta, out);
                return;
            }
            let (Some(object), Some(path)) = (object, path.clone()) else {
                self.odd.get_or_insert_with(|| match &path {
                    Some(path) => format!("the file '{path}' has no digest, so nobody knows its object"),
                    None => "what is listed is a file and no folder".to_owned(),
                });
                return;
            };
            let extent = (self.wants == Wants::Tree).then_some(Extent { path: Some(path), at: 0 });
            let claim = Claim {
                object,
                index: self.list.clone(),
                range: None,
                codec: Codec::Plain,
                expect: Expect { length: *length, digest },
                extent,
                marks: None,
                hurts: Hurts::One(self.ordinal),
            };
            self.own = None;
            match self.wants {
                // Nothing is written of an empty file.
                Wants::Tree if *length == 0 => {}
                Wants::Tree => out.claims.push(claim),
                Wants::Claims | Wants::Objects | Wants::Point => out.shared.push(claim),
            }
        }
        let kind = first.map_or(kind, NodeKind::Hard);
        self.give_node(path, kind, meta, out);
    }

    /// Takes note of an entry; gives what is wrong with its place in the tree, if anything is.
    fn place(&mut self, path: &Name, is_folder: bool) -> Option<String> {
        if self.seen.insert(path.clone(), is_folder).is_some() {
            return Some(format!("'{path}' is listed twice"));
        }
        let folder = path.folder()?;
        match self.seen.get(&folder) {
            Some(true) => None,
            Some(false) => Some(format!("'{path}' lies in '{folder}', which is no folder")),
            None => Some(format!("'{path}' lies in '{folder}', which is not listed above it")),
        }
    }

    /// Gives an entry to whoever restores it.
    fn give_node(&self, path: Option<Name>, kind: NodeKind, meta: Meta, out: &mut Batch) {
        if self.wants == Wants::Tree {
            out.nodes.push(Node { path, kind, meta });
        }
    }
}

impl Inspect for Points {
    fn ask(&self) -> Ask {
        match &self.now {
            Now::Listing => Ask::List(Name::new(names::POINTS.as_bytes()).ok()),
            Now::Reading(reading) => Ask::read(reading.list.clone()),
            Now::Elsewhere(nested, _) => nested.ask().unwrap_or(Ask::Done),
            Now::Nothing => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        if let Now::Elsewhere(nested, ahead) = &mut self.now {
            let flow = nested.answer(answer, out);
            if nested.ask().is_none() {
                let ahead = std::mem::take(ahead);
                if let Now::Elsewhere(nested, _) = std::mem::replace(&mut self.now, Now::Nothing) {
                    nested.end(out);
                }
                self.look_elsewhere(ahead, out);
            }
            return flow;
        }
        match (answer, &mut self.now) {
            (Answer::Entries(entries), Now::Listing) => {
                for entry in entries {
                    let Some(point) = names::point_of(&entry.name) else { continue };
                    if !entry.kind.may_be_file() {
                        self.odd.insert(point.clone());
                    }
                    self.ahead.push(point);
                }
            }
            (Answer::Bytes(bytes), Now::Reading(reading)) => {
                if let Some((hasher, length)) = &mut reading.own {
                    hasher.update(bytes);
                    *length = length.saturating_add(bytes.len() as u64);
                }
                let mut lines = std::mem::take(&mut reading.lines);
                lines.push(bytes, &mut |line| reading.take(line, out));
                reading.lines = lines;
            }
            // A folder that is not there holds no list; some hosts say so, and others list nothing.
            (Answer::End | Answer::Failed(Fault { kind: FaultKind::Absent, .. }), Now::Listing) => {
                self.choose(out);
                self.next();
            }
            (Answer::Failed(fault), Now::Listing) => {
                out.findings.push(Finding {
                    code: Code::Unreadable,
                    object: Name::new(names::POINTS.as_bytes()).ok(),
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

    fn deepest(&self) -> Depth {
        Depth::Digest
    }
}
