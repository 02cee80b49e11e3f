//! `Body`: reads a revision to its end and compares it with what its head says.

use std::ops::ControlFlow;

use super::found::{failed, finding};
use super::revision::{COVERED, Head, LENGTH};
use crate::codec::{Codec, Flow};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::finding::{Code, Findings};
use crate::name::Name;
use crate::trail::{Ended, Follow, Part, Trail};

/// The trail of a revision whose head is known.
pub(super) fn trail(object: Name, head: Head) -> Trail {
    let key = key(&object, &head);
    let part = Part { object: object.clone(), codec: Codec::Plain };
    let body = Body { object, head, hasher: Hasher::new(Algorithm::Md5), held: Vec::new(), length: 0, is_whole: false };
    Trail { parts: vec![part], follow: Box::new(body), key }
}

fn key(object: &Name, head: &Head) -> Option<u128> {
    let mut hasher = Hasher::new(Algorithm::Xxh3);
    hasher.update(object.as_bytes());
    hasher.update(&head.length.to_be_bytes());
    hasher.update(head.digest.as_ref().map_or(&[], Digest::as_bytes));
    match hasher.finish() {
        Digest::Xxh3(value) => Some(u128::from_be_bytes(value)),
        _ => None,
    }
}

/// A revision on its way in.
struct Body {
    object: Name,
    head: Head,
    hasher: Hasher,
    /// The bytes of the head, as far as they came.
    held: Vec<u8>,
    length: u64,
    /// It was read to its end.
    is_whole: bool,
}

impl Body {
    fn expected(&self) -> u64 {
        u64::from(self.head.length)
    }

    fn judge(&mut self, out: &mut Findings) {
        let (expected, found) = (self.expected(), self.length);
        let object = self.object.clone();
        let mut tell = |code, at, message| out.push(finding(code, object.clone(), at, message));
        if found != expected {
            let more = if found > expected { "more than " } else { "" };
            let at = expected.min(found);
            let message = format!("it has {more}{at} bytes, its head says {expected}");
            return tell(Code::Length, Some(at), message);
        }
        if Head::parse(&self.held) != Ok(self.head) {
            return tell(Code::Record, Some(0), "its head was another when it was read before".to_owned());
        }
        let digest = self.hasher.clone().finish();
        match self.head.digest {
            Some(recorded) if recorded != digest => {
                let message = format!("the MD5 of its bytes from {COVERED} on is {digest}, its head says {recorded}");
                tell(Code::Digest, None, message);
            }
            Some(_) => {}
            None => {
                let message = "no MD5 of it is on record, so only its length and its head could be looked at";
                tell(Code::Unverifiable, None, message.to_owned());
                return;
            }
        }
        self.is_whole = true;
    }
}

impl Follow for Body {
    fn begin(&mut self, _: usize, _: &Part) {}

    fn push(&mut self, bytes: &[u8], _: &mut Findings) -> Flow {
        let before = self.length;
        self.length = self.length.saturating_add(bytes.len() as u64);
        let room = LENGTH.saturating_sub(self.held.len());
        self.held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let skip = usize::try_from(COVERED.saturating_sub(before)).unwrap_or(usize::MAX);
        self.hasher.update(bytes.get(skip..).unwrap_or_default());
        if self.length > self.expected() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn end(&mut self, ended: Ended<'_>, out: &mut Findings) {
        match ended {
            Ended::Failed(fault) => out.push(failed(self.object.clone(), fault.clone())),
            Ended::Whole | Ended::Broken(_) => self.judge(out),
        }
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn bytes(&self) -> u64 {
        if self.is_whole { self.length } else { 0 }
    }
}
