//! `Tape`: the stored bytes of one file, asked for ahead of time in pieces, and taken in order.

use std::collections::VecDeque;
use std::ops::Range;

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
    /// So many bytes from an offset. Fewer come only when the file ends there.
    Piece {
        /// The offset, in bytes.
        at: u64,
        /// How many.
        length: u32,
    },
    /// How long it is, in bytes.
    Length,
}

/// What a host answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The bytes of a [`What::Piece`].
    Bytes(Vec<u8>),
    /// The length of a [`What::Length`].
    Length(u64),
    /// It cannot be read, or changed since it was dropped. Never damage.
    Failed(String),
}

/// Numbers for answers: none comes twice while it is waited for.
#[derive(Debug, Default)]
pub(crate) struct Ids(u32);

impl Ids {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// What a tape gives next.
#[derive(Debug)]
pub(crate) enum Next {
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
pub(crate) struct Tape {
    file: u32,
    /// What is still to be asked for.
    rest: Range<u64>,
    pieces: VecDeque<Piece>,
}

#[derive(Debug)]
struct Piece {
    id: u32,
    length: u32,
    answer: Option<Answer>,
}

impl Tape {
    /// The bytes `range` of a file, which may end before that.
    pub(crate) fn new(file: u32, range: Range<u64>) -> Self {
        Self { file, rest: range, pieces: VecDeque::new() }
    }

    /// Asks for the next piece, of at most `length` bytes; none when everything was asked for.
    pub(crate) fn want(&mut self, length: u32, ids: &mut Ids) -> Option<Want> {
        let left = self.rest.end.checked_sub(self.rest.start).filter(|left| *left > 0)?;
        let length = u32::try_from(left).unwrap_or(u32::MAX).min(length);
        let (id, at) = (ids.next(), self.rest.start);
        self.rest.start = at.saturating_add(length.into());
        self.pieces.push_back(Piece { id, length, answer: None });
        Some(Want { id, file: self.file, what: What::Piece { at, length } })
    }

    /// How many pieces were asked for and not taken yet.
    pub(crate) fn held(&self) -> usize {
        self.pieces.len()
    }

    /// Takes an answer; gives it back when it is not for this tape.
    pub(crate) fn answer(&mut self, id: u32, answer: Answer) -> Option<Answer> {
        let Some(piece) = self.pieces.iter_mut().find(|piece| piece.id == id) else { return Some(answer) };
        piece.answer = Some(answer);
        None
    }

    /// The next bytes, in order.
    pub(crate) fn next(&mut self) -> Next {
        let Some(piece) = self.pieces.front() else {
            return if self.rest.is_empty() { Next::End } else { Next::Waiting };
        };
        if piece.answer.is_none() {
            return Next::Waiting;
        }
        let length = piece.length as usize;
        match self.pieces.pop_front().and_then(|piece| piece.answer) {
            Some(Answer::Bytes(bytes)) if bytes.len() <= length => {
                if bytes.len() < length {
                    self.close();
                }
                if bytes.is_empty() { Next::End } else { Next::Bytes(bytes) }
            }
            Some(Answer::Failed(message)) => {
                self.close();
                Next::Failed(message)
            }
            _ => {
                self.close();
                Next::Failed("another answer came than was asked for".to_owned())
            }
        }
    }

    /// Nothing more is wanted of it, and answers on their way do not matter.
    fn close(&mut self) {
        self.pieces.clear();
        self.rest = 0..0;
    }
}
