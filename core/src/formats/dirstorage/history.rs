//! `History`: reads the transactions of a store, newest first, and follows how they lead back.

use super::Odd;
use super::back::{Back, Met};
use super::found::{failed, malformed};
use super::known::Known;
use super::names::File;
use super::transaction::{COVERED, Read, Reading};
use crate::fault::Fault;
use crate::finding::{Code, Finding};
use crate::name::Name;
use crate::sort;

/// How many objects of a transaction are told one by one that it names and left no revision of.
const TOLD: usize = 4096;

/// The transactions of a store on their way in.
pub(super) struct History {
    back: Back,
    /// The transaction that is being read, and how many revisions it wrote that are there.
    at: Option<(u64, u32)>,
    is_linked: bool,
    reading: Reading,
    /// How many revisions it names that are there.
    named: u64,
    /// The first objects that it names and of which it left no revision, and how many more there are.
    lost: Vec<u64>,
    more: u64,
    /// That no digest is on record is of interest.
    digests: bool,
}

impl History {
    /// Begins with the last transaction.
    pub(super) fn new(known: &Known, digests: bool, out: &mut Vec<Finding>) -> Self {
        let mut first = known.serial;
        if known.elsewhere.contains(&File::Serial) {
            // Later ones may be here already, before it is said that they are.
            let serial = first.take().filter(|serial| *serial >= known.floor && *serial > 0);
            out.extend(serial.and_then(|serial| known.missing(File::Transaction(serial), File::Serial)));
        }
        Self {
            back: Back::new(first, known.floor),
            at: None,
            is_linked: false,
            reading: Reading::default(),
            named: 0,
            lost: Vec::new(),
            more: 0,
            digests,
        }
    }

    /// Goes on to the next transaction: its file; none where there is none.
    pub(super) fn next(&mut self, known: &mut Known, out: &mut Vec<Finding>) -> Option<File> {
        let before = self.at.map(|(id, _)| id);
        self.at = known.files.transaction_below(before);
        let who = before.map_or(File::Serial, File::Transaction);
        let Some((id, _)) = self.at else {
            out.extend(self.back.end().and_then(|id| known.missing(File::Transaction(id), who)));
            sort::values(&mut known.chain);
            return None;
        };
        let (met, missing) = self.back.meets(id);
        out.extend(missing.and_then(|id| known.missing(File::Transaction(id), who)));
        self.is_linked = met == Met::Linked;
        let path = known.layout.path(File::Transaction(id));
        out.extend(match met {
            Met::Past { from: Some(None) } => {
                let what = format!("it says which transaction was the last, and {path} is there, which came later");
                known.finding(Code::Malformed, File::Serial, 0, what)
            }
            Met::Past { from: Some(Some(from)) } => {
                let what = format!("it leads back past {path}, which is there");
                known.finding(Code::Malformed, File::Transaction(from), 24, what)
            }
            Met::Past { from: None } | Met::Linked => None,
        });
        if self.is_linked {
            known.chain.push(id);
        }
        (self.reading, self.named, self.more) = (Reading::default(), 0, 0);
        self.lost.clear();
        Some(File::Transaction(id))
    }

    /// Takes the next bytes of the transaction; whether more are of interest.
    pub(super) fn push(&mut self, bytes: &[u8], known: &Known) -> bool {
        let Some((id, _)) = self.at else { return false };
        let Self { named, lost, more, .. } = self;
        self.reading.push(bytes, &mut |oid| {
            let revision = File::Revision(oid, id);
            if known.files.has(revision) {
                *named = named.saturating_add(1);
            } else if id >= known.floor && known.lacks(revision) {
                if lost.len() < TOLD {
                    lost.push(oid);
                } else {
                    *more = more.saturating_add(1);
                }
            }
        });
        !self.reading.is_over()
    }

    /// The transaction is over, or could not be read.
    pub(super) fn end(&mut self, fault: Option<Fault>, known: &mut Known, out: &mut Vec<Finding>) {
        let Some((id, there)) = self.at else { return };
        let Some(object) = known.layout.object(File::Transaction(id)) else { return };
        let read = std::mem::take(&mut self.reading).end();
        let read = match (fault, read) {
            (Some(fault), _) => Err(failed(object, fault)),
            (None, Err(odd)) => Err(malformed(object, odd)),
            (None, Ok(read)) => Ok((object, read)),
        };
        match read {
            Err(found) => {
                out.push(found);
                if self.is_linked {
                    self.back.lost();
                }
            }
            Ok((object, read)) => {
                known.bytes = known.bytes.saturating_add(read.length.min(u64::from(read.transaction.length)));
                self.judge(id, there, object, &read, known, out);
            }
        }
    }

    fn judge(&mut self, id: u64, there: u32, object: Name, read: &Read, known: &Known, out: &mut Vec<Finding>) {
        let Read { transaction, length, digest } = read;
        let own = File::Transaction(id);
        let expected = u64::from(transaction.length);
        let mut tell = |code, at, what: String| out.extend(known.finding(code, own, at, what));
        if *length != expected {
            let more = if *length > expected { "more than " } else { "" };
            let at = expected.min(*length);
            tell(Code::Length, at, format!("it has {more}{at} bytes, its head says {expected}"));
        } else if transaction.end != expected {
            let end = transaction.end;
            tell(Code::Malformed, 48, format!("what it says it has ends at byte {end}, and it has {expected} bytes"));
        }
        if transaction.id != id {
            tell(Code::Malformed, 8, format!("it says that it is the transaction {:016X}", transaction.id));
        }
        if transaction.is_odd {
            tell(Code::OddRecord, 16, "the engine writes 8 zeros there, and these are none".to_owned());
        }
        let names_are_right = match transaction.digest {
            Some(recorded) if recorded != *digest => {
                if *length == expected {
                    let what = format!("the MD5 of its bytes from {COVERED} on is {digest}, its head says {recorded}");
                    tell(Code::Digest, COVERED as u64, what);
                }
                false
            }
            Some(_) => true,
            None => {
                if self.digests {
                    let what = "no MD5 of it is on record, so only its length and its head could be looked at";
                    tell(Code::Unverifiable, 32, what.to_owned());
                }
                *length == expected
            }
        };
        if self.is_linked && !self.back.leads(id, transaction.previous) {
            let previous = transaction.previous;
            tell(Code::Malformed, 24, format!("it leads on to {previous:016X}, which came no earlier than itself"));
        }
        if !names_are_right || transaction.id != id {
            return;
        }
        out.extend(self.lost.drain(..).filter_map(|oid| known.missing(File::Revision(oid, id), own)));
        if self.more > 0 {
            let what = format!("it names {} more objects of which it left no revision that is there", self.more);
            out.extend(known.finding(Code::Record, own, 60, what));
        }
        let there = u64::from(there);
        if self.named != there && !known.files.is_torn {
            let what = if self.named < there {
                format!("{} revisions that it wrote are there, and it names {} of them", there, self.named)
            } else {
                "it names an object twice".to_owned()
            };
            out.push(malformed(object, Odd::new(60, what)));
        }
    }
}
