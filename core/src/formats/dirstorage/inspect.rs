//! `Store`: reads a store from its settings down to the heads of its revisions, and turns them into claims, trails and
//! findings.

use std::ops::ControlFlow;

use super::found::{failed, finding, malformed};
use super::history::History;
use super::known::Known;
use super::names::{self, File, Layout};
use super::objects::Objects;
use super::settings::{self, Class};
use super::waiting::Ahead;
use super::walk::Walk;
use super::{SET, pointer, revision};
use crate::codec::Flow;
use crate::fault::{Fault, FaultKind};
use crate::finding::{Code, Finding};
use crate::inspect::{Answer, Ask, Batch, Entry, Inspect, Scope, Set, Stretch};
use crate::name::Name;
use crate::report::Depth;

/// The longest identity that is read, in bytes: the engine's has 32.
const IDENTITY: usize = 64;

/// The inspection of one store.
pub(super) struct Store {
    scope: Scope,
    now: Now,
    known: Known,
    /// What is committed and not in the database yet.
    ahead: Ahead,
    history: Option<History>,
    objects: Objects,
}

/// What is being read.
enum Now {
    Settings(Vec<u8>),
    Identity(Vec<u8>),
    Misc,
    Journal,
    /// A folder in the journal.
    Done(Name),
    /// The database, or what is beside it.
    Walk(Walk),
    /// A file of the database, and what of it came.
    File(File, Name, Vec<u8>),
    Nothing,
}

impl Store {
    pub(super) fn new(scope: &Scope) -> Self {
        Self {
            scope: scope.clone(),
            now: Now::Settings(Vec::new()),
            known: Known::new(Layout::Flat),
            ahead: Ahead::default(),
            history: None,
            objects: Objects::new(),
        }
    }

    /// Nothing is left to be read.
    fn last(&mut self, out: &mut Batch) {
        self.now = Now::Nothing;
        let (name, bytes) = (SET.to_owned(), Some(self.known.bytes));
        out.sets.push(Set { name, group: 0, bytes, ..Set::default() });
    }

    /// Takes the end of what is being read; or why there is none.
    fn end(&mut self, fault: Option<Fault>, out: &mut Batch) {
        match std::mem::replace(&mut self.now, Now::Nothing) {
            Now::Settings(bytes) => self.settings(&bytes, fault, out),
            Now::Identity(bytes) => {
                out.findings.extend(identity(&bytes, fault));
                self.now = Now::Misc;
            }
            Now::Misc => {
                self.unlisted(Name::new(names::MISC.as_bytes()).ok(), fault, out);
                self.now = Now::Journal;
            }
            Now::Journal => {
                self.unlisted(Name::new(names::JOURNAL.as_bytes()).ok(), fault, out);
                self.done(out);
            }
            Now::Done(folder) => {
                self.unlisted(Some(folder), fault, out);
                self.done(out);
            }
            Now::Walk(mut walk) => {
                self.unlisted(Some(walk.folder().clone()), fault, out);
                let goes_on = (walk.is_database() || !self.ahead.is_snapshot) && walk.next();
                if goes_on {
                    self.now = Now::Walk(walk);
                } else if walk.is_database() {
                    self.walked(out);
                } else {
                    out.findings.extend(self.ahead.judge());
                    self.file(File::Oid, out);
                }
            }
            Now::File(file, name, bytes) => match file {
                File::Oid | File::Serial | File::Packed => self.root(file, name, &bytes, fault, out),
                File::Transaction(_) => {
                    if let Some(history) = &mut self.history {
                        history.end(fault, &mut self.known, &mut out.findings);
                    }
                    self.transaction(out);
                }
                File::Current(_) => {
                    let read = fault.map_or(Ok(bytes.as_slice()), Err);
                    self.objects.current(read, &self.known, &mut out.findings);
                    self.next(out);
                }
                File::Revision(..) => {
                    let read = fault.map_or(Ok(bytes.as_slice()), Err);
                    self.objects.head(read, &mut self.known, &self.scope, out);
                    self.next(out);
                }
            },
            Now::Nothing => {}
        }
    }

    fn settings(&mut self, bytes: &[u8], fault: Option<Fault>, out: &mut Batch) {
        let Ok(name) = Name::new(names::SETTINGS.as_bytes()) else { return };
        let found = match fault.map_or_else(|| settings::parse(bytes).map_err(Err), |fault| Err(Ok(fault))) {
            Ok(settings) if settings.class == Class::Full => {
                self.known.layout = settings.layout;
                self.now = Now::Identity(Vec::new());
                return;
            }
            Ok(_) => {
                let message = "the store is of the class Minimal, which keeps no history and no sums; only those of \
                               the class Full can be looked at";
                finding(Code::Unverifiable, name, None, message)
            }
            Err(Ok(fault)) => failed(name, fault),
            Err(Err(odd)) => malformed(name, odd),
        };
        out.findings.push(found);
        self.last(out);
    }

    /// A folder could not be listed to its end, if there is a fault. One that is not there is empty, or was
    /// taken into the database meanwhile.
    fn unlisted(&mut self, folder: Option<Name>, fault: Option<Fault>, out: &mut Batch) {
        let is_database = matches!(&folder, Some(folder) if folder.as_bytes() == names::DATABASE.as_bytes());
        let fault = fault.filter(|fault| is_database || fault.kind != FaultKind::Absent);
        let (Some(folder), Some(fault)) = (folder, fault) else { return };
        self.known.files.is_torn = true;
        out.findings.push(failed(folder, fault));
    }

    /// Goes on with the next folder of the journal.
    fn done(&mut self, out: &mut Batch) {
        match self.ahead.next() {
            Some(folder) => self.now = Now::Done(folder),
            None => self.walk(names::BESIDE, out),
        }
    }

    fn walk(&mut self, top: &'static str, out: &mut Batch) {
        match Walk::new(top, self.known.layout) {
            Some(walk) => self.now = Now::Walk(walk),
            None => self.last(out),
        }
    }

    /// Goes on to a file of the database.
    fn file(&mut self, file: File, out: &mut Batch) {
        match self.known.layout.object(file) {
            Some(name) => self.now = Now::File(file, name, Vec::new()),
            None => self.last(out),
        }
    }

    /// Takes one of the three numbers of the database.
    fn root(&mut self, file: File, name: Name, bytes: &[u8], fault: Option<Fault>, out: &mut Batch) {
        let is_absent = fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Absent);
        let read = match fault {
            Some(fault) => Err(failed(name.clone(), fault)),
            None => pointer::number(bytes).map_err(|odd| malformed(name.clone(), odd)),
        };
        match (file, read) {
            (File::Packed, Ok(packed)) => {
                self.known.floor = packed;
                if self.known.serial.is_some_and(|serial| packed > serial) {
                    let message = "it says that a pack went further than the last transaction";
                    out.findings.push(finding(Code::OddIndex, name, Some(0), message));
                }
            }
            (File::Packed, Err(_)) if is_absent => {
                let message = "it is not there, so nothing counts as packed; the engine opens the store without it";
                out.findings.push(finding(Code::OddIndex, name, None, message));
            }
            (File::Packed, Err(found)) => {
                // What may have been packed, nobody knows.
                self.known.floor = u64::MAX;
                out.findings.push(found);
            }
            (File::Oid, Ok(oid)) => self.known.oid = Some(oid),
            (_, Ok(serial)) => self.known.serial = Some(serial),
            (_, Err(found)) => out.findings.push(found),
        }
        match file {
            File::Oid => self.file(File::Serial, out),
            File::Serial => self.file(File::Packed, out),
            _ => self.walk(names::DATABASE, out),
        }
    }

    /// All folders of the database were listed.
    fn walked(&mut self, out: &mut Batch) {
        self.known.files.sort();
        if let (Some(highest), Some(oid)) = (self.known.files.highest(), self.known.oid)
            && highest > oid
            && !self.known.elsewhere.contains(&File::Oid)
        {
            let message = format!(
                "it says that {oid:016X} is the highest object that was given out, and {highest:016X} is there; the \
                 engine would give it out again"
            );
            out.findings.extend(self.known.finding(Code::Malformed, File::Oid, 0, message));
        }
        self.history = Some(History::new(&self.known, self.scope.trails, &mut out.findings));
        self.transaction(out);
    }

    fn transaction(&mut self, out: &mut Batch) {
        let next = self.history.as_mut().and_then(|history| history.next(&mut self.known, &mut out.findings));
        match next {
            Some(file) => self.file(file, out),
            None => self.next(out),
        }
    }

    /// Goes on with the objects.
    fn next(&mut self, out: &mut Batch) {
        match self.objects.next(&self.known, &mut out.findings) {
            Some(file) => self.file(file, out),
            None => self.last(out),
        }
    }

    /// Takes entries of a folder.
    fn entries(&mut self, entries: &[Entry], out: &mut Batch) {
        for entry in entries {
            let name = entry.name.as_bytes();
            match &mut self.now {
                Now::Misc => self.ahead.is_snapshot |= name == names::SNAPSHOT.as_bytes() && entry.kind.may_be_file(),
                Now::Journal => out.findings.extend(self.ahead.take(entry)),
                Now::Done(_) => self.known.elsewhere.extend(File::parse(name)),
                Now::Walk(walk) => {
                    let file = walk.take(entry);
                    if walk.is_database() {
                        file.into_iter().for_each(|file| self.known.files.take(file));
                    } else {
                        self.ahead.beside |= file.is_some() || walk.goes_on();
                        self.known.elsewhere.extend(file.filter(|_| !self.ahead.is_snapshot));
                    }
                }
                _ => {}
            }
        }
    }
}

/// What is odd about the identity of a store.
fn identity(bytes: &[u8], fault: Option<Fault>) -> Option<Finding> {
    let name = Name::new(names::IDENTITY.as_bytes()).ok()?;
    if let Some(fault) = fault {
        return Some(failed(name, fault));
    }
    let digits = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let is_right = digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit);
    let message = "it is no 32 hexadecimal digits; replicas know the store by them, and nothing else does";
    (!is_right).then(|| finding(Code::OddIndex, name, Some(0), message))
}

impl Inspect for Store {
    fn ask(&self) -> Ask {
        let read = |name: &str| Name::new(name.as_bytes()).map_or(Ask::Done, Ask::read);
        let list = |name: &str| Name::new(name.as_bytes()).map_or(Ask::Done, |name| Ask::List(Some(name)));
        match &self.now {
            Now::Settings(_) => read(names::SETTINGS),
            Now::Identity(_) => read(names::IDENTITY),
            Now::Misc => list(names::MISC),
            Now::Journal => list(names::JOURNAL),
            Now::Done(folder) => Ask::List(Some(folder.clone())),
            Now::Walk(walk) => Ask::List(Some(walk.folder().clone())),
            Now::File(File::Transaction(_), name, _) => Ask::read(name.clone()),
            Now::File(file, name, _) => Ask::Read { object: name.clone(), stretch: Stretch::At(0..most(*file) as u64) },
            Now::Nothing => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        let mut flow = ControlFlow::Continue(());
        match (answer, &mut self.now) {
            (Answer::Entries(some), _) => self.entries(some, out),
            (Answer::Bytes(bytes), Now::Settings(held)) => flow = gather(held, bytes, settings::LONGEST + 1),
            (Answer::Bytes(bytes), Now::Identity(held)) => flow = gather(held, bytes, IDENTITY),
            (Answer::Bytes(bytes), Now::File(File::Transaction(_), ..)) => {
                let history = self.history.as_mut();
                if !history.is_some_and(|history| history.push(bytes, &self.known)) {
                    flow = ControlFlow::Break(());
                }
            }
            (Answer::Bytes(bytes), Now::File(file, _, held)) => {
                let most = most(*file);
                _ = gather(held, bytes, most);
            }
            (Answer::End, _) => self.end(None, out),
            (Answer::Failed(fault), _) => self.end(Some(fault), out),
            (Answer::Bytes(_) | Answer::Writing(_), _) => {}
        }
        if flow.is_break() {
            self.end(None, out);
        }
        flow
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new(&self.scope))
    }

    /// What is in a revision is covered by its digest; where it leads to is not looked at.
    fn deepest(&self) -> Depth {
        Depth::Digest
    }
}

/// How many bytes of a file are read here, of one that is read in part.
fn most(file: File) -> usize {
    match file {
        File::Revision(..) => revision::LENGTH,
        _ => pointer::LONGEST + 1,
    }
}

/// Keeps so many bytes, and wants no more then.
fn gather(held: &mut Vec<u8>, bytes: &[u8], most: usize) -> Flow {
    let some = bytes.get(..most.saturating_sub(held.len())).unwrap_or(bytes);
    held.extend_from_slice(some);
    if held.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}
