//! `Records`: follows one chain's data files and OID indices as the single `Data.fs` that they restore.
//!
//! Every record is checked against its transaction and against the records before it, every data file must end where a
//! transaction ends, and each saved OID index must equal the one that the records up to its point give.

use crate::codec::Flow;
use crate::fault::FaultKind;
use crate::filestorage::{Audit, Decoder, Entry, OidIndex, State, Walk};
use crate::finding::{Code, Finding, Findings, Hurts};
use crate::name::Name;
use crate::trail::{Ended, Follow, Part};

use super::names::Role;

/// The follower of one chain.
pub(super) struct Records {
    /// Where each data file ends in `Data.fs`.
    ends: std::vec::IntoIter<u64>,
    group: u64,
    /// The number of the set whose data file comes next.
    ordinal: u64,
    walk: Walk,
    audit: Audit,
    part: Option<(Name, Reading)>,
    /// Where the current data file starts and ends.
    start: u64,
    end: u64,
    /// Nothing more can be said: a data file was not whole, or the records make no sense.
    lost: bool,
    /// An OID index could not be read.
    unread: bool,
}

/// What kind of part is being read.
enum Reading {
    Data,
    Index(Comparison),
}

impl Records {
    /// Begins with a chain whose data files end at `ends`, the first of which is set `ordinal` of `group`.
    pub(super) fn new(ends: Vec<u64>, group: u64, ordinal: u64) -> Self {
        let size = ends.last().copied().unwrap_or(0);
        Self {
            ends: ends.into_iter(),
            group,
            ordinal,
            walk: Walk::new(0, size),
            audit: Audit::new(OidIndex::new()),
            part: None,
            start: 0,
            end: 0,
            lost: false,
            unread: false,
        }
    }

    /// Reports something about the current data file at an offset of `Data.fs`.
    fn report(&self, code: Code, at: u64, message: String, out: &mut Findings) {
        let object = self.part.as_ref().map(|(name, _)| name.clone());
        let hurts = Hurts::Onward { group: self.group, from: self.ordinal.saturating_sub(1) };
        let hurts = if code == Code::Record { hurts } else { Hurts::Nothing };
        let message = format!("byte {at} of the source: {message}");
        out.push(Finding { code, object, offset: Some(at.saturating_sub(self.start)), message, hurts });
    }

    /// The records of a data file have been pushed: it must end with a transaction.
    fn data_ends(&mut self, out: &mut Findings) {
        match self.walk.state() {
            State::Corrupt { at, what } => self.report(Code::Record, at, what.to_string(), out),
            State::Stopped { at, why } if at != self.end => self.report(Code::Record, at, why.to_string(), out),
            State::Running if self.walk.end() != self.end => {
                let message = format!("the file ends at {}, in the middle of a transaction", self.end);
                self.report(Code::Record, self.walk.end(), message, out);
            }
            State::Running | State::Stopped { .. } => return,
        }
        self.lost = true;
    }
}

impl Follow for Records {
    fn begin(&mut self, _: usize, part: &Part) {
        let reading = if matches!(Role::of(&part.object), Role::Index(_)) {
            Reading::Index(Comparison::default())
        } else {
            self.start = self.end;
            self.end = self.ends.next().unwrap_or(self.end);
            self.ordinal = self.ordinal.saturating_add(1);
            Reading::Data
        };
        self.part = Some((part.object.clone(), reading));
    }

    fn push(&mut self, bytes: &[u8], out: &mut Findings) -> Flow {
        if self.lost {
            return Flow::Break(());
        }
        match &mut self.part {
            Some((_, Reading::Data)) => {
                // More than the index says is reported by the claim on this object.
                let room = usize::try_from(self.end.saturating_sub(self.walk.position())).unwrap_or(usize::MAX);
                let (bytes, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
                self.walk.push(bytes, &mut self.audit);
                for issue in self.audit.take() {
                    let code = if issue.grave { Code::Record } else { Code::OddRecord };
                    self.report(code, issue.at, issue.what.to_string(), out);
                }
                if rest.is_empty() && self.walk.want().is_some() { Flow::Continue(()) } else { Flow::Break(()) }
            }
            Some((_, Reading::Index(comparison))) => comparison.push(bytes, self.audit.index(), self.end),
            None => Flow::Break(()),
        }
    }

    fn end(&mut self, ended: Ended<'_>, out: &mut Findings) {
        if self.lost {
            return;
        }
        match (self.part.take(), ended) {
            (Some((name, Reading::Data)), Ended::Whole)
                if self.walk.position() >= self.end || self.walk.want().is_none() =>
            {
                self.part = Some((name, Reading::Data));
                self.data_ends(out);
            }
            // The claim on this object may have been read all the same.
            (Some((name, Reading::Data)), Ended::Failed(fault)) if fault.kind != FaultKind::Absent => {
                self.lost = true;
                let (object, message) = (Some(name), format!("its records were not followed: {}", fault.message));
                out.push(Finding { code: Code::Unreadable, object, offset: None, message, hurts: Hurts::Nothing });
            }
            // Short or broken: the claim on this object says so.
            (Some((_, Reading::Data)), _) => self.lost = true,
            (Some((name, Reading::Index(comparison))), ended) => {
                let (code, offset, message) = match (ended, comparison.end(self.audit.index())) {
                    (Ended::Failed(fault), _) if fault.kind == FaultKind::Absent => {
                        (Code::NoOidIndex, None, fault.message.clone())
                    }
                    (Ended::Failed(fault), _) => {
                        self.unread = true;
                        (Code::Unreadable, None, fault.message.clone())
                    }
                    (_, Some((offset, message))) => (Code::OidIndex, offset, message),
                    (_, None) => return,
                };
                let hurts = if code == Code::NoOidIndex {
                    Hurts::Nothing
                } else {
                    Hurts::Onward { group: self.group, from: self.ordinal.saturating_sub(1) }
                };
                // A wrong index misleads the database at its own point only, but no set is sound with it.
                let hurts = if code == Code::OidIndex { Hurts::One(self.ordinal.saturating_sub(1)) } else { hurts };
                out.push(Finding { code, object: Some(name), offset, message, hurts });
            }
            (None, _) => {}
        }
    }

    fn is_whole(&self) -> bool {
        !self.lost && !self.unread
    }
}

/// Compares a saved OID index, as it is read, with the one that the records give.
#[derive(Default)]
struct Comparison {
    decoder: Decoder,
    entries: u64,
    /// Where in the file, if that can be said, and what.
    fault: Option<(Option<u64>, String)>,
}

impl Comparison {
    fn push(&mut self, bytes: &[u8], index: &OidIndex, end: u64) -> Flow {
        let (entries, fault) = (&mut self.entries, &mut self.fault);
        let result = self.decoder.push(bytes, &mut |entry| match entry {
            Entry::Pos(pos) if pos != end => {
                fault.get_or_insert((None, format!("it is of byte {pos} of the source, the backup ends at {end}")));
            }
            Entry::Bucket(bucket) => {
                *entries = entries.saturating_add(bucket.keys.len() as u64);
                let wrong = bucket.iter().find(|(oid, offset)| index.get(*oid) != Some(*offset));
                if let (Some((oid, offset)), None) = (wrong, &*fault) {
                    let truth = index.get(oid).map_or_else(
                        || "no record of it exists".to_owned(),
                        |truth| format!("its record is at {truth}"),
                    );
                    *fault = Some((
                        None,
                        format!("it says that object 0x{oid:016x} is at byte {offset} of the source, but {truth}"),
                    ));
                }
            }
            Entry::Pos(_) | Entry::End => {}
        });
        if let Err(bad) = result {
            self.fault.get_or_insert((Some(bad.at), bad.what.to_string()));
        }
        if self.fault.is_none() { Flow::Continue(()) } else { Flow::Break(()) }
    }

    fn end(self, index: &OidIndex) -> Option<(Option<u64>, String)> {
        let mut fault = self.fault;
        if fault.is_none() {
            if let Err(bad) = self.decoder.finish() {
                fault = Some((Some(bad.at), bad.what.to_string()));
            } else if self.entries != index.len() {
                fault = Some((None, format!("it lists {} objects, the records hold {}", self.entries, index.len())));
            }
        }
        fault
    }
}
