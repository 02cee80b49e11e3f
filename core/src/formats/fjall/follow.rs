//! `Reading`: reads a journal, and once more what of it is not whole, before anything is said of it.
//!
//! A program that writes while a journal is read shows its last batch half. So a tail that is no whole batch is read
//! again, and what is behind the last whole batch then is judged:
//! * the end of another batch behind an entry that cannot be read is damage: what a killed program leaves has nothing
//!   behind it, and the engine would cut off whole batches in silence;
//! * a sealed journal, one that is not the newest, that ends in anything but whole batches and zeros is damage: it was
//!   synced before the next one was begun, so the engine would go on with the next one and leave batches out;
//! * a batch that the engine refuses is damage;
//! * what is left is the torn end of the newest journal.

use std::ops::ControlFlow;

use super::found::{failed, finding};
use super::journal::{Disorder, Ends, Journal, Scan, Tail};
use super::names;
use crate::codec::{Codec, Flow};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::finding::{Code, Finding, Findings};
use crate::name::Name;
use crate::trail::{Ended, Follow, Part, Trail};

/// The trail of a journal.
pub(super) fn trail(id: u64, newest: bool) -> Option<Trail> {
    let object = names::journal(id)?;
    let part = Part { object: object.clone(), codec: Codec::Plain };
    let follow = Reading {
        object,
        newest,
        scan: Scan::new(),
        at: 0,
        first: None,
        ends: Ends::default(),
        settled: false,
        judged: false,
    };
    // What is sealed is not written any more.
    let key = (!newest).then(|| key(&follow.object)).flatten();
    Some(Trail { parts: vec![part.clone(), part], follow: Box::new(follow), key })
}

fn key(object: &Name) -> Option<u128> {
    let mut hasher = Hasher::new(Algorithm::Xxh3);
    hasher.update(object.as_bytes());
    match hasher.finish() {
        Digest::Xxh3(value) => Some(u128::from_be_bytes(value)),
        _ => None,
    }
}

/// A journal on its way in, for the first or the second time.
struct Reading {
    object: Name,
    newest: bool,
    scan: Scan,
    /// Bytes taken of the part that is being read.
    at: u64,
    /// What the first time gave, when there is to be a second.
    first: Option<Journal>,
    ends: Ends,
    /// No more is to be read.
    settled: bool,
    /// It was read to its end, or to damage.
    judged: bool,
}

impl Reading {
    fn judge(&self, journal: &Journal) -> [Option<Finding>; 2] {
        let finding = |code, at, message| Some(finding(code, self.object.clone(), Some(at), message));
        let Journal { whole, tail, .. } = journal;
        let disorder = journal.disorder.and_then(|Disorder { at, before, number }| {
            let message = format!(
                "the batch has the sequence number {number}, and the one before it {before}; no checksum covers these \
                 numbers"
            );
            finding(Code::OddRecord, at, message)
        });
        let begun = self.first.as_ref().map_or(0, |first| first.whole);
        let end = self.ends.last().map(|end| begun.saturating_add(end)).filter(|end| end >= whole);
        let tail = match (tail, end) {
            (Tail::Nothing | Tail::Zeros, _) => None,
            (Tail::Broken { at, what }, _) => finding(Code::Malformed, *at, what.clone()),
            (Tail::Torn { at }, Some(end)) => {
                let message = format!(
                    "what stands there cannot be read, and a batch ends behind it, at byte {end}; the engine would cut \
                     off all from byte {whole} on, in silence"
                );
                finding(Code::Malformed, *at, message)
            }
            (Tail::Torn { at }, None) if !self.newest => {
                let message = format!(
                    "the journal is sealed, and the batch that begins at byte {whole} is not whole; the engine would go \
                     on with the next journal without it"
                );
                finding(Code::Malformed, *at, message)
            }
            (Tail::Torn { at }, None) => {
                let message = format!("the last whole batch ends at byte {whole}, and what stands behind it is none");
                finding(Code::TornTail, *at, message)
            }
        };
        [disorder, tail]
    }
}

impl Follow for Reading {
    fn begin(&mut self, _: usize, _: &Part) {
        self.at = 0;
    }

    fn push(&mut self, bytes: &[u8], _: &mut Findings) -> Flow {
        if self.settled {
            return ControlFlow::Break(());
        }
        let Some(first) = &self.first else { return self.scan.push(bytes) };
        let skip = usize::try_from(first.whole.saturating_sub(self.at)).unwrap_or(usize::MAX).min(bytes.len());
        self.at = self.at.saturating_add(bytes.len() as u64);
        let bytes = bytes.get(skip..).unwrap_or_default();
        self.ends.push(bytes);
        // Where no batch can be read any more, ends of batches are looked for still.
        _ = self.scan.push(bytes);
        ControlFlow::Continue(())
    }

    fn end(&mut self, ended: Ended<'_>, out: &mut Findings) {
        let fault = match ended {
            Ended::Whole | Ended::Broken(_) => None,
            Ended::Failed(fault) => Some(fault.clone()),
        };
        match (fault, self.settled) {
            (_, true) => {}
            (Some(fault), false) => {
                out.push(failed(Some(self.object.clone()), fault));
                self.settled = true;
            }
            (None, false) => {
                let journal = std::mem::take(&mut self.scan).end();
                if self.first.is_some() || matches!(journal.tail, Tail::Nothing | Tail::Zeros) {
                    self.judge(&journal).into_iter().flatten().for_each(|finding| out.push(finding));
                    (self.settled, self.judged) = (true, true);
                } else {
                    self.scan = Scan::resume(&journal);
                    self.first = Some(journal);
                }
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.judged
    }
}
