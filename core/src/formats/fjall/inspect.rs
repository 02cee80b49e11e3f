//! `Store`: reads the heads of a store from the marker down to the tables, and turns them into claims, trails and
//! findings.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::Odd;
use super::archive::{TRAILER, Trailer};
use super::current::{self, Current};
use super::found::{STORE, failed, finding, malformed};
use super::meta::{Named, Names};
use super::root::Root;
use super::version::{self, Blob, Table, Version};
use super::{SET, follow, marker, names};
use crate::claim::{Claim, Expect};
use crate::codec::{Codec, Flow};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::fault::{Fault, FaultKind};
use crate::finding::Code;
use crate::inspect::{Answer, Ask, Batch, Inspect, Kind, Of, Scope, Set, Stretch};
use crate::name::Name;
use crate::report::Depth;

/// The longest version that is read, in bytes: it has room for half a million tables.
const LONGEST: usize = 16 << 20;

/// What is said of a folder among the keyspaces that is none.
const STRANGE: &str = "it is no keyspace, as its name is no number, and the engine opens no store with it";

/// The inspection of one store.
pub(super) struct Store {
    scope: Scope,
    now: Now,
    /// The keyspaces were listed.
    listed: bool,
    /// The keyspaces that are to be looked at; the next is the last.
    ahead: Vec<u64>,
    /// Which keyspaces have a name; none when that cannot be read.
    named: Option<Named>,
    /// The tables of the meta keyspace whose names are to be read.
    tables: Vec<Table>,
    /// The version that is being looked at: its keyspace, its name, and what is left of it; the next is the last.
    version: Option<(u64, Name, Version)>,
    /// The length of all tables and blob files that were named.
    bytes: u64,
}

/// A file that a version names.
struct File {
    name: Name,
    digest: Digest,
}

/// What is being read.
enum Now {
    Marker(Name, Vec<u8>),
    Root(Root),
    Keyspaces(Option<Name>, BTreeSet<u64>),
    Current(u64, Name, Vec<u8>),
    Version(u64, Name, Digest, Box<Reading>),
    Names(Name, Names),
    Trailer(Name, File, Vec<u8>),
    Nothing,
}

/// A version on its way in.
struct Reading {
    hasher: Hasher,
    bytes: Vec<u8>,
}

impl Store {
    pub(super) fn new(scope: &Scope) -> Self {
        let marker = Name::new(names::VERSION.as_bytes());
        Self {
            scope: scope.clone(),
            now: marker.map_or(Now::Nothing, |name| Now::Marker(name, Vec::new())),
            listed: false,
            ahead: Vec::new(),
            named: Some(Named::default()),
            tables: Vec::new(),
            version: None,
            bytes: 0,
        }
    }

    /// Goes on to the next thing to be read.
    fn next(&mut self, out: &mut Batch) {
        if self.named.is_some()
            && let Some(table) = self.tables.pop()
            && let Some(name) = names::table(names::META, table.id)
        {
            self.now = Now::Names(name, Names::new(table.sequence));
        } else if let Some((index, file)) = self.file() {
            self.now = Now::Trailer(index, file, Vec::new());
        } else if !self.listed {
            self.listed = true;
            self.now = Now::Keyspaces(Name::new(names::KEYSPACES.as_bytes()).ok(), BTreeSet::new());
        } else if let Some(id) = self.ahead.pop() {
            self.keyspace(id);
        } else {
            self.last(out);
        }
    }

    /// The next file that the version names, and the version.
    fn file(&mut self) -> Option<(Name, File)> {
        let (keyspace, index, version) = self.version.as_mut()?;
        let (name, digest) = match (version.tables.pop(), version.blobs.last().copied()) {
            (Some(Table { id, digest, .. }), _) => (names::table(*keyspace, id), digest),
            (None, Some(Blob { id, digest })) => {
                version.blobs.pop();
                (names::blob(*keyspace, id), digest)
            }
            (None, None) => return None,
        };
        Some((index.clone(), File { name: name?, digest }))
    }

    /// Nothing is left to be read.
    fn last(&mut self, out: &mut Batch) {
        self.now = Now::Nothing;
        let (name, bytes) = (SET.to_owned(), Some(self.bytes));
        out.sets.push(Set { name, group: 0, bytes, ..Set::default() });
    }

    fn keyspace(&mut self, id: u64) {
        self.now = names::current(id).map_or(Now::Nothing, |name| Now::Current(id, name, Vec::new()));
    }

    /// Takes the end of what is being read; or why there is none.
    fn end(&mut self, fault: Option<Fault>, out: &mut Batch) {
        match std::mem::replace(&mut self.now, Now::Nothing) {
            Now::Marker(name, bytes) => match fault
                .map_or_else(|| marker::parse(&bytes).map_err(Err), |fault| Err(Ok(fault)))
            {
                Ok(()) => self.now = Now::Root(Root::default()),
                Err(why) => {
                    out.findings.push(
                        why.map_or_else(|odd| malformed(name.clone(), odd), |fault| failed(Some(name.clone()), fault)),
                    );
                    self.last(out);
                }
            },
            Now::Root(root) => {
                match fault {
                    Some(fault) => out.findings.push(failed(None, fault)),
                    None => self.root(root, out),
                }
                self.keyspace(names::META);
            }
            Now::Keyspaces(folder, listed) => {
                out.findings.extend(fault.map(|fault| failed(folder, fault)));
                self.ahead = match &self.named {
                    Some(named) => named.ids().collect(),
                    None => listed.into_iter().filter(|id| *id != names::META).collect(),
                };
                self.ahead.reverse();
                self.next(out);
            }
            Now::Current(id, name, bytes) => self.current(id, name, &bytes, fault, out),
            Now::Version(id, name, digest, reading) => self.version(id, name, digest, *reading, fault, out),
            Now::Names(name, names) => {
                if !names.is_whole() {
                    self.named = None;
                    // That it is not there, or why it cannot be read, is told where its length is looked at.
                    let message = "the names of keyspaces cannot be read here, so nobody knows which there should be";
                    let unknown = || finding(Code::Unverifiable, name, Some(names.at()), message);
                    out.findings.extend(fault.is_none().then(unknown));
                }
                self.next(out);
            }
            Now::Trailer(index, file, bytes) => {
                match fault {
                    Some(fault) => out.findings.push(failed(Some(file.name), fault)),
                    None => self.trailer(index, file, &bytes, out),
                }
                self.next(out);
            }
            Now::Nothing => {}
        }
    }

    fn root(&self, root: Root, out: &mut Batch) {
        if self.scope.trails && self.claims() {
            let newest = root.journals.last();
            out.trails.extend(root.journals.iter().filter_map(|id| follow::trail(*id, Some(id) == newest)));
        }
        root.judge(&mut out.findings);
    }

    /// Whether claims and trails are asked for.
    fn claims(&self) -> bool {
        self.scope.of != Of::Catalogue
    }

    fn current(&mut self, id: u64, name: Name, bytes: &[u8], fault: Option<Fault>, out: &mut Batch) {
        let found = match fault {
            // The engine removes a keyspace without a name, and one that has no version yet.
            Some(Fault { kind: FaultKind::Absent, .. }) if id != names::META && self.named.is_none() => None,
            Some(fault) => Some(failed(Some(name.clone()), fault)),
            None => match current::parse(bytes) {
                Ok(Current { version, digest }) => {
                    if let Some(name) = names::version(id, version) {
                        let reading = Reading { hasher: Hasher::new(Algorithm::Xxh3), bytes: Vec::new() };
                        self.now = Now::Version(id, name, digest, Box::new(reading));
                    }
                    return;
                }
                Err(odd) => Some(malformed(name.clone(), odd)),
            },
        };
        self.unread(id);
        out.findings.extend(found);
        self.next(out);
    }

    /// A keyspace could not be read: of the meta keyspace, nobody knows what it would have named.
    fn unread(&mut self, id: u64) {
        if id == names::META {
            self.named = None;
        }
    }

    fn version(
        &mut self,
        id: u64,
        name: Name,
        digest: Digest,
        reading: Reading,
        fault: Option<Fault>,
        out: &mut Batch,
    ) {
        let Reading { hasher, bytes } = reading;
        let parsed = match fault {
            Some(fault) => Err(failed(Some(name.clone()), fault)),
            None if bytes.len() > LONGEST => {
                let what = format!("it has more than {LONGEST} bytes, and no version is as long");
                Err(malformed(name.clone(), Odd::new(LONGEST as u64, what)))
            }
            None => {
                let found = hasher.finish();
                if found != digest {
                    let message = format!("its digest is {found}, and {} says {digest}", names::CURRENT);
                    out.findings.push(finding(Code::Digest, name.clone(), None, message));
                }
                version::parse(&bytes).map_err(|odd| malformed(name.clone(), odd))
            }
        };
        match parsed {
            Ok(version) => {
                if id == names::META {
                    self.tables.clone_from(&version.tables);
                }
                self.version = Some((id, name, version));
            }
            Err(found) => {
                out.findings.push(found);
                self.unread(id);
            }
        }
        self.next(out);
    }

    fn trailer(&mut self, index: Name, file: File, last: &[u8], out: &mut Batch) {
        let File { name, digest } = file;
        let length = Trailer::parse(last).and_then(|trailer| {
            trailer.file().ok_or_else(|| Odd::new(22, "its table of contents would lie beyond the end of any file"))
        });
        match length {
            Ok(length) => {
                self.bytes = self.bytes.saturating_add(length);
                let claim = Claim {
                    object: name,
                    index,
                    range: None,
                    codec: Codec::Plain,
                    expect: Expect { length, digest: Some(digest) },
                    extent: None,
                    marks: None,
                    hurts: STORE,
                };
                match self.scope.of {
                    Of::Catalogue => {}
                    Of::References => out.shared.push(claim),
                    _ => out.claims.push(claim),
                }
            }
            Err(Odd { what, .. }) if last.len() < TRAILER => {
                out.findings.push(finding(Code::Length, name, None, what));
            }
            Err(Odd { at, what }) => {
                let message = format!("at byte {at} of the last {TRAILER}, {what}");
                out.findings.push(finding(Code::Malformed, name, None, message));
            }
        }
    }
}

impl Inspect for Store {
    fn ask(&self) -> Ask {
        match &self.now {
            Now::Root(_) => Ask::List(None),
            Now::Keyspaces(folder, _) => Ask::List(folder.clone()),
            Now::Marker(name, _) | Now::Current(_, name, _) | Now::Version(_, name, ..) | Now::Names(name, _) => {
                Ask::read(name.clone())
            }
            Now::Trailer(_, file, _) => Ask::Read { object: file.name.clone(), stretch: Stretch::End(TRAILER as u64) },
            Now::Nothing => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        let mut flow = ControlFlow::Continue(());
        match (answer, &mut self.now) {
            (Answer::Entries(some), Now::Root(root)) => {
                out.findings.extend(some.iter().filter_map(|entry| root.take(entry)));
            }
            (Answer::Entries(some), Now::Keyspaces(folder, listed)) => {
                for entry in some {
                    match (names::is_keyspace(entry.name.as_bytes()), entry.kind) {
                        // The engine passes over files.
                        (_, Kind::File) => {}
                        (Some(id), _) => _ = listed.insert(id),
                        (None, _) => {
                            let name = folder.as_ref().and_then(|folder| folder.join(entry.name.as_bytes()).ok());
                            out.findings.extend(name.map(|name| finding(Code::Malformed, name, None, STRANGE)));
                        }
                    }
                }
            }
            (Answer::Bytes(bytes), Now::Marker(_, held)) => flow = gather(held, bytes, marker::MAGIC.len()),
            (Answer::Bytes(bytes), Now::Current(_, _, held)) => flow = gather(held, bytes, current::LENGTH + 1),
            (Answer::Bytes(bytes), Now::Version(.., reading)) => {
                reading.hasher.update(bytes);
                flow = gather(&mut reading.bytes, bytes, LONGEST + 1);
            }
            (Answer::Bytes(bytes), Now::Names(_, reading)) => {
                if let Some(named) = &mut self.named {
                    flow = reading.push(bytes, named);
                }
            }
            (Answer::Bytes(bytes), Now::Trailer(_, _, held)) => flow = gather(held, bytes, TRAILER),
            (Answer::End, _) => self.end(None, out),
            (Answer::Failed(fault), _) => self.end(Some(fault), out),
            (Answer::Entries(_) | Answer::Bytes(_) | Answer::Writing(_), _) => {}
        }
        if flow.is_break() {
            self.end(None, out);
        }
        flow
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new(&self.scope))
    }

    /// What tables hold is covered by their digests.
    fn deepest(&self) -> Depth {
        Depth::Digest
    }
}

/// Keeps so many bytes, and wants no more then.
fn gather(held: &mut Vec<u8>, bytes: &[u8], most: usize) -> Flow {
    let some = bytes.get(..most.saturating_sub(held.len())).unwrap_or(bytes);
    held.extend_from_slice(some);
    if held.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}
