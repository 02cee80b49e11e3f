//! `Objects`: goes through the objects of a store: which revision of each is current, and how its revisions lead back.

use super::back::{Back, Met};
use super::body;
use super::files::Object;
use super::found::{STORE, failed, finding, malformed};
use super::known::Known;
use super::names::File;
use super::pointer;
use super::revision::{Head, LENGTH};
use crate::claim::{Claim, Expect};
use crate::codec::Codec;
use crate::fault::Fault;
use crate::finding::{Code, Finding};
use crate::inspect::{Batch, Of, Scope};

/// The objects of a store on their way in.
pub(super) struct Objects {
    /// Where the next object is among all.
    place: (usize, usize),
    /// The object that is being looked at, and where those of its revisions are that are left.
    object: Option<Object>,
    /// The revision whose head is being read, and whether its object leads to it.
    at: Option<(u64, bool)>,
    /// What leads to the revision that comes next.
    who: File,
    back: Back,
}

impl Objects {
    pub(super) fn new() -> Self {
        Self { place: (0, 0), object: None, at: None, who: File::Serial, back: Back::new(None, 0) }
    }

    /// Goes on to the file that is to be read next; none where none is.
    pub(super) fn next(&mut self, known: &Known, out: &mut Vec<Finding>) -> Option<File> {
        loop {
            if let Some(object) = &mut self.object {
                let (oid, place) = (object.oid, object.revisions.next_back());
                if let Some(serial) = place.and_then(|place| known.files.serial(place)) {
                    self.meets(oid, serial, known, out);
                    return Some(File::Revision(oid, serial));
                }
                let missing = self.back.end().map(|serial| File::Revision(oid, serial));
                out.extend(missing.and_then(|revision| known.missing(revision, self.who)));
            }
            let (object, behind) = known.files.object(self.place)?;
            self.place = behind;
            let (current, has_current) = (File::Current(object.oid), object.has_current);
            (self.who, self.back) = (current, Back::new(None, known.floor));
            self.object = Some(object);
            if has_current {
                return Some(current);
            }
            let lost = known.layout.object(current).filter(|_| known.lacks(current));
            let message = "it is not there, and the object has revisions";
            out.extend(lost.map(|name| finding(Code::Missing, name, None, message)));
        }
    }

    /// A revision is there, the next lower one of its object.
    fn meets(&mut self, oid: u64, serial: u64, known: &Known, out: &mut Vec<Finding>) {
        let (met, missing) = self.back.meets(serial);
        let missing = missing.map(|serial| File::Revision(oid, serial));
        out.extend(missing.and_then(|revision| known.missing(revision, self.who)));
        let path = known.layout.path(File::Revision(oid, serial));
        out.extend(match met {
            Met::Past { from: Some(None) } => {
                let what = format!("it says which revision is current, and {path} is there, which came later");
                known.finding(Code::Malformed, File::Current(oid), 0, what)
            }
            Met::Past { from: Some(Some(from)) } => {
                let what = format!("it leads back past {path}, which is there");
                known.finding(Code::Record, File::Revision(oid, from), 56, what)
            }
            Met::Past { from: None } | Met::Linked => None,
        });
        self.at = Some((serial, met == Met::Linked));
    }

    /// Takes what says which revision of the object is current, or why it cannot be read.
    pub(super) fn current(&mut self, read: Result<&[u8], Fault>, known: &Known, out: &mut Vec<Finding>) {
        let Some(oid) = self.object.as_ref().map(|object| object.oid) else { return };
        let own = File::Current(oid);
        let Some(name) = known.layout.object(own) else { return };
        let serial = match read {
            Err(fault) => return out.push(failed(name, fault)),
            Ok(bytes) => match pointer::current(bytes) {
                Err(odd) => return out.push(malformed(name, odd)),
                Ok(serial) => serial,
            },
        };
        let revision = File::Revision(oid, serial);
        if !known.files.has(revision) {
            // No pack removes the revision that is current.
            out.extend(known.missing(revision, own));
        } else if !known.elsewhere.contains(&own) {
            self.back = Back::new(Some(serial), known.floor);
        }
    }

    /// Takes the head of a revision, or why it cannot be read.
    pub(super) fn head(&mut self, read: Result<&[u8], Fault>, known: &mut Known, scope: &Scope, out: &mut Batch) {
        let (Some(object), Some((serial, is_linked))) = (&self.object, self.at.take()) else { return };
        let own = File::Revision(object.oid, serial);
        self.who = own;
        let Some(name) = known.layout.object(own) else { return };
        let head = match read {
            Err(fault) => Err(failed(name.clone(), fault)),
            Ok(bytes) => Head::parse(bytes).map_err(|odd| finding(Code::Record, name.clone(), Some(odd.at), odd.what)),
        };
        let head = match head {
            Err(found) => {
                out.findings.push(found);
                if is_linked {
                    self.back.lost();
                }
                return;
            }
            Ok(head) => head,
        };
        let before = out.findings.len();
        judge(own, head, known, &mut out.findings);
        let is_right = out.findings.len() == before;
        if head.is_odd {
            let what = "the engine writes 16 zeros there, and these are none";
            out.findings.extend(known.finding(Code::OddRecord, own, 24, what));
        }
        if is_linked {
            out.findings.extend(known.transaction_of(own, serial));
            if !self.back.leads(serial, head.previous) {
                let what = format!("it leads on to {:016X}, which came no earlier than itself", head.previous);
                out.findings.extend(known.finding(Code::Record, own, 56, what));
            }
        }
        if !is_right {
            return;
        }
        known.bytes = known.bytes.saturating_add(u64::from(head.length));
        if scope.trails && scope.of != Of::Catalogue {
            out.trails.push(body::trail(name, head));
            return;
        }
        let Some(index) = known.layout.object(File::Current(object.oid)) else { return };
        let claim = Claim {
            object: name,
            index,
            range: None,
            codec: Codec::Plain,
            expect: Expect { length: u64::from(head.length), digest: None },
            extent: None,
            marks: None,
            hurts: STORE,
        };
        match scope.of {
            Of::Catalogue => {}
            Of::References => out.shared.push(claim),
            _ => out.claims.push(claim),
        }
    }
}

/// What a head says that cannot be.
fn judge(own: File, head: Head, known: &Known, out: &mut Vec<Finding>) {
    let File::Revision(oid, serial) = own else { return };
    let mut tell = |at, what: String| out.extend(known.finding(Code::Record, own, at, what));
    if u64::from(head.length) < LENGTH as u64 {
        tell(4, format!("it says that it has {} bytes, and its head alone has {LENGTH}", head.length));
    }
    if head.oid != oid {
        tell(8, format!("it says that it is of the object {:016X}", head.oid));
    }
    if head.serial != serial {
        tell(64, format!("it says that the transaction {:016X} wrote it", head.serial));
    }
    let copied = head.copied;
    if copied >= serial && copied > 0 {
        tell(16, format!("it says that an undo copied it from {copied:016X}, which came no earlier than itself"));
    } else if copied > 0 && copied >= known.floor && known.lacks(File::Revision(oid, copied)) {
        tell(16, format!("it says that an undo copied it from {copied:016X}, which is not there"));
    }
}
