//! `Operation`: something that a drive has begun and not ended.

use crate::check::Verdict;
use crate::claim::Claim;
use crate::fit::Fit;

use super::marked::Marked;
use super::offload::Offloaded;
use super::reader::{Answer, What};
use super::stream::Stream;
use super::trailing::Trailing;

/// Something under way.
pub(super) enum Operation {
    /// A claim or a segment in a lane.
    Stream(Box<Stream>),
    /// A claim whose digest the host makes.
    Offloaded(Question, Box<Offloaded>),
    /// A claim with marks.
    Marked(Box<Marked>),
    /// A trail.
    Trail(Box<Trailing>),
    /// A claim of which only the length is asked.
    Length(Question),
    /// The same, once the length is known: a few bytes tell whether it is right.
    Fit(Question, Box<Fit>),
    /// A claim that does not hold, if its file is still what it was.
    Confirm(Question, Verdict, u64),
}

/// A claim, and the one question that is left of it.
pub(super) struct Question {
    pub(super) number: u32,
    pub(super) claim: Box<Claim>,
    pub(super) file: u32,
    pub(super) what: What,
    pub(super) id: Option<u32>,
    pub(super) answer: Option<Answer>,
}

impl Question {
    pub(super) fn new(number: u32, claim: Claim, file: u32, what: What) -> Self {
        Self { number, claim: Box::new(claim), file, what, id: None, answer: None }
    }
}
