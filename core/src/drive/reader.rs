//! `Reader`: the stored bytes of one file, asked for and taken in order, piece by piece.

use std::ops::Range;

use crate::inspect::Stretch;

/// Something the host is to read, with the number that its answer bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// The number of the answer.
    pub id: u32,
    /// The host's number of the file.
    pub file: u32,
    /// What of it.
    pub what: What,
}

/// What of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Bytes from an offset on: as many as are at hand, at least one. What is missing is wanted next, so a host that
    /// keeps its place in the file reads on from there.
    Bytes {
        /// The offset, in bytes.
        at: u64,
        /// How many at most.
        length: u64,
    },
    /// How long it is, in bytes.
    Length,
    /// Whether it is still what it was when the listing was made. Bytes of a file that was replaced while it was read
    /// may be of either, and then they prove nothing.
    Unchanged,
    /// The SHA-256 of bytes that lie in the drive's memory, see [`super::Drive::offloaded`]; the file does not matter.
    /// Only a host that said it can make one is asked.
    Digest,
}

/// What a host answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Some bytes of a [`What::Bytes`], at least one.
    Bytes(Vec<u8>),
    /// Those with which the file ends; maybe none.
    Last(Vec<u8>),
    /// The length of a [`What::Length`].
    Length(u64),
    /// To [`What::Unchanged`]: it is. A host that cannot know says so too.
    Unchanged,
    /// To [`What::Digest`]: the digest.
    Digest(Vec<u8>),
    /// It cannot be read, or changed since it was dropped. Never damage.
    Failed(String),
}

/// Numbers for answers: none comes twice while it is waited for.
#[derive(Debug, Default)]
pub(super) struct Ids(u32);

impl Ids {
    pub(super) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// What a reader gives next.
#[derive(Debug)]
pub(super) enum Next {
    /// Its answer has not come yet.
    Waiting,
    /// These bytes, at least one.
    Bytes(Vec<u8>),
    /// The range or the file is over.
    End,
    /// It cannot be read on.
    Failed(String),
}

/// A file being read from front to back.
#[derive(Debug)]
pub(super) struct Reader {
    file: u32,
    /// What was not taken yet.
    rest: Range<u64>,
    /// It is so many bytes at the end of the file, whose length is not known yet.
    tail: Option<u64>,
    /// The number of the answer that is waited for, or that has come.
    asked: Option<u32>,
    answer: Option<Answer>,
}

impl Reader {
    /// The bytes `range` of a file, which may end before that.
    pub(super) fn new(file: u32, range: Range<u64>) -> Self {
        Self { file, rest: range, tail: None, asked: None, answer: None }
    }

    /// These bytes of a file.
    pub(super) fn at(file: u32, stretch: &Stretch) -> Self {
        match stretch {
            Stretch::End(most) => Self { tail: Some(*most), ..Self::new(file, 0..0) },
            Stretch::Start | Stretch::At(_) => Self::new(file, stretch.range(u64::MAX)),
        }
    }

    /// Asks for what comes next; none when that was asked for, or when everything was taken.
    pub(super) fn want(&mut self, ids: &mut Ids) -> Option<Want> {
        if self.asked.is_some() {
            return None;
        }
        let what = if self.tail.is_some() {
            What::Length
        } else {
            let at = self.rest.start;
            What::Bytes { at, length: self.rest.end.checked_sub(at).filter(|left| *left > 0)? }
        };
        let id = ids.next();
        self.asked = Some(id);
        Some(Want { id, file: self.file, what })
    }

    /// Takes an answer; gives it back when it is not for this reader.
    pub(super) fn answer(&mut self, id: u32, answer: Answer) -> Option<Answer> {
        if self.asked != Some(id) {
            return Some(answer);
        }
        self.answer = Some(answer);
        None
    }

    /// The next bytes, in order.
    pub(super) fn next(&mut self) -> Next {
        if self.asked.is_none() {
            return if self.tail.is_none() && self.rest.is_empty() { Next::End } else { Next::Waiting };
        }
        let Some(answer) = self.answer.take() else { return Next::Waiting };
        self.asked = None;
        if let (Some(most), Answer::Length(length)) = (self.tail, &answer) {
            self.tail = None;
            self.rest = Stretch::End(most).range(*length);
            return self.next();
        }
        let rest = std::mem::replace(&mut self.rest, 0..0);
        let fits = |bytes: &[u8]| bytes.len() as u64 <= rest.end - rest.start;
        match answer {
            Answer::Bytes(bytes) if !bytes.is_empty() && fits(&bytes) => {
                self.rest = rest.start.saturating_add(bytes.len() as u64)..rest.end;
                Next::Bytes(bytes)
            }
            Answer::Last(bytes) if bytes.is_empty() => Next::End,
            Answer::Last(bytes) if fits(&bytes) => Next::Bytes(bytes),
            Answer::Failed(message) => Next::Failed(message),
            Answer::Bytes(_) | Answer::Last(_) | Answer::Length(_) | Answer::Unchanged | Answer::Digest(_) => {
                Next::Failed("another answer came than was asked for".to_owned())
            }
        }
    }
}
