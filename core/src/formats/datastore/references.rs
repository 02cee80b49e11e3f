//! `References`: what names chunks, as a garbage collection asks: every index below the root, wherever it lies, with a
//! manifest or without one.
//!
//! A chunk that an index names is needed, whether anybody can restore that index or not: a group that was moved away by
//! hand, a snapshot whose folder a copier renamed, a namespace that lies too deep. A server's collection goes by the
//! same rule; it passes over hidden folders, and here these count too.

use super::found::{failed, finding};
use super::index::Index;
use super::inspect::claim;
use super::names;
use crate::codec::{Codec, Flow, Sealing};
use crate::fault::FaultKind;
use crate::finding::{Code, Finding, Hurts};
use crate::foreign::is_foreign;
use crate::inspect::{Answer, Ask, Batch, Entry, Inspect, Kind};
use crate::name::Name;
use crate::report::Depth;

/// The inspection.
pub(super) struct References {
    folders: Vec<Option<Name>>,
    indices: Vec<(Name, bool)>,
    now: Now,
}

/// What is being read.
enum Now {
    Listing(Option<Name>),
    Index(Name, Box<Index>),
    Nothing,
}

impl References {
    pub(super) fn new() -> Self {
        Self { folders: Vec::new(), indices: Vec::new(), now: Now::Listing(None) }
    }

    fn next(&mut self) {
        self.now = if let Some((name, fixed)) = self.indices.pop() {
            Now::Index(name, Box::new(Index::new(fixed)))
        } else if let Some(folder) = self.folders.pop() {
            Now::Listing(folder)
        } else {
            Now::Nothing
        };
    }

    /// Takes an entry of a folder.
    fn entry(&mut self, folder: Option<&Name>, entry: &Entry, out: &mut Batch) {
        let bytes = entry.name.as_bytes();
        if is_foreign(bytes) || folder.is_none() && bytes == names::CHUNKS.as_bytes() {
            return;
        }
        let name = match folder {
            None => entry.name.clone(),
            Some(folder) => match folder.join(bytes) {
                Ok(name) => name,
                Err(why) => {
                    let message = format!("what is in it is not looked at: {why}");
                    return out.findings.push(finding(Code::Unreadable, folder.clone(), None, message, Hurts::Nothing));
                }
            },
        };
        let fixed = bytes.ends_with(b".fidx");
        if entry.kind.may_be_file() && (fixed || bytes.ends_with(b".didx")) {
            self.indices.push((name, fixed));
        } else if entry.kind != Kind::File && entry.kind.may_be_folder() {
            self.folders.push(Some(name));
        }
    }

    fn end(&mut self, out: &mut Batch) {
        if let Now::Index(name, index) = std::mem::replace(&mut self.now, Now::Nothing)
            && let Err(odd) = index.end()
        {
            out.findings.push(finding(Code::Malformed, name, Some(odd.at), odd.what, Hurts::Nothing));
        }
        self.next();
    }
}

impl Inspect for References {
    fn ask(&self) -> Ask {
        match &self.now {
            Now::Listing(folder) => Ask::List(folder.clone()),
            Now::Index(name, _) => Ask::read(name.clone()),
            Now::Nothing => Ask::Done,
        }
    }

    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow {
        match (answer, &mut self.now) {
            (Answer::Entries(some), Now::Listing(folder)) => {
                let folder = folder.clone();
                some.iter().for_each(|entry| self.entry(folder.as_ref(), entry, out));
            }
            (Answer::Bytes(bytes), Now::Index(name, index)) => {
                let shared = &mut out.shared;
                index.push(bytes, &mut |entry| shared.extend(claim(name, Codec::Blob(Sealing::Open), 0, entry)));
            }
            (Answer::End, _) => self.end(out),
            (Answer::Failed(fault), now) => {
                let object = match now {
                    Now::Listing(folder) => folder.clone(),
                    Now::Index(name, _) => Some(name.clone()),
                    Now::Nothing => None,
                };
                out.findings.push(match fault.kind {
                    // It may have another name now, in a folder that was listed before.
                    FaultKind::Absent => {
                        let message = "it was there a moment ago, and is not now".to_owned();
                        Finding { code: Code::Unreadable, object, offset: None, message, hurts: Hurts::Nothing }
                    }
                    FaultKind::Removed | FaultKind::Known | FaultKind::Unreadable => {
                        Finding { object, ..failed(None, fault, Hurts::Nothing) }
                    }
                });
                self.now = Now::Nothing;
                self.next();
            }
            (Answer::Entries(_) | Answer::Bytes(_) | Answer::Writing(_), _) => {}
        }
        Flow::Continue(())
    }

    fn again(&self) -> Box<dyn Inspect> {
        Box::new(Self::new())
    }

    fn deepest(&self) -> Depth {
        Depth::Digest
    }
}
