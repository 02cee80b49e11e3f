//! `Trail`: "these objects, read one after another, agree with each other": the deepest rung of verify.
//!
//! A claim is about one object and can be checked alone. Records that point at each other across
//! objects, or an index that must fit the records of several, cannot. A trail names its parts in the order in
//! which they must be read, and carries the follower that looks at them.

use crate::codec::{Broken, Codec, Decoder, Flow};
use crate::fault::Fault;
use crate::finding::Findings;
use crate::key::Key;
use crate::name::Name;

/// One object of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The object.
    pub object: Name,
    /// How it is stored.
    pub codec: Codec,
}

/// Objects to read in order, and what looks at them.
pub struct Trail {
    /// The objects, or as many as are known before one is read: [`Follow::more`] names those behind them.
    pub parts: Vec<Part>,
    /// What looks at them.
    pub follow: Box<dyn Follow>,
    /// What tells it from every other, where the same one may be handed out again ([`crate::facts::Facts::moves`]):
    /// once found sound, it is not followed again.
    pub key: Option<u128>,
}

/// How a part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended<'a> {
    /// All of it was pushed.
    Whole,
    /// It could not be decoded to its end.
    Broken(&'a Broken),
    /// It could not be read to its end.
    Failed(&'a Fault),
}

/// Looks at the decoded bytes of a trail's parts.
pub trait Follow: Send {
    /// Part `index` begins, counted with those that [`Follow::more`] names.
    fn begin(&mut self, index: usize, part: &Part);

    /// The next decoded bytes of the part. `Break` when no more of it is of interest.
    fn push(&mut self, bytes: &[u8], out: &mut Findings) -> Flow;

    /// The part is over. When it is not whole, conclude nothing from what is missing.
    fn end(&mut self, ended: Ended<'_>, out: &mut Findings);

    /// The next part, once those of [`Trail::parts`] were read: for what has too many to name them all before, or
    /// learns from one which is the next.
    fn more(&mut self, _: &mut Findings) -> Option<Part> {
        None
    }

    /// Whether everything could be looked at, damaged or not.
    fn is_whole(&self) -> bool;

    /// How many bytes it checked that no claim is on.
    fn bytes(&self) -> u64 {
        0
    }
}

/// Drives a follower over the parts: for each, `next`, then `push` as often as needed, then `end`.
pub struct Following {
    trail: Trail,
    next: usize,
    decoder: Decoder,
    key: Option<Key>,
    broken: Option<Broken>,
    stopped: bool,
    findings: Findings,
}

/// What came of a trail.
#[derive(Debug)]
pub struct Followed {
    /// Everything found.
    pub findings: Findings,
    /// The whole trail was judged; no part was missing, cut short or unreadable.
    pub whole: bool,
    /// How many bytes were checked that no claim is on.
    pub bytes: u64,
    /// The [key](Trail::key) of the trail.
    pub key: Option<u128>,
}

impl Following {
    /// Gets ready to read the first part; `key` opens what is encrypted.
    #[must_use]
    pub fn new(trail: Trail, key: Option<Key>) -> Self {
        Self {
            trail,
            next: 0,
            decoder: Decoder::new(Codec::Plain, None),
            key,
            broken: None,
            stopped: false,
            findings: Findings::default(),
        }
    }

    /// Begins the next part and says which object to read from its start; none when all were read.
    pub fn begin(&mut self) -> Option<Name> {
        let listed = self.trail.parts.get(self.next).cloned();
        let part = &listed.or_else(|| self.trail.follow.more(&mut self.findings))?;
        self.decoder = Decoder::new(part.codec, self.key.as_ref());
        self.broken = None;
        self.stopped = false;
        self.trail.follow.begin(self.next, part);
        self.next += 1;
        Some(part.object.clone())
    }

    /// Takes the next stored bytes of the part. `Break` when no more of it is of interest: call [`Following::end`]
    /// then.
    pub fn push(&mut self, stored: &[u8]) -> Flow {
        let (follow, findings) = (&mut self.trail.follow, &mut self.findings);
        match self.decoder.push(stored, &mut |bytes| follow.push(bytes, findings)) {
            Ok(flow) => {
                self.stopped |= flow.is_break();
                flow
            }
            Err(broken) => {
                self.broken = Some(broken);
                Flow::Break(())
            }
        }
    }

    /// The part is over; `fault` when it could not be read to its end.
    pub fn end(&mut self, fault: Option<&Fault>) {
        if fault.is_none() && self.broken.is_none() && !self.stopped {
            self.broken = self.decoder.end().err();
        }
        let ended = match (fault, &self.broken) {
            (Some(fault), _) => Ended::Failed(fault),
            (None, Some(broken)) => Ended::Broken(broken),
            (None, None) => Ended::Whole,
        };
        self.trail.follow.end(ended, &mut self.findings);
    }

    /// What came of it.
    #[must_use]
    pub fn finish(self) -> Followed {
        let whole = self.trail.follow.is_whole() && self.next >= self.trail.parts.len();
        let bytes = self.trail.follow.bytes();
        Followed { findings: self.findings, whole, bytes, key: self.trail.key }
    }
}
