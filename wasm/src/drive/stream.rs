//! `Stream`: one stream of decoded bytes on its way through a lane.

use highwater_core::check::Check;
use highwater_core::claim::{Claim, Expect};
use highwater_core::codec::Codec;
use highwater_core::digest::Hasher;

use super::tape::{Next, Tape};

/// Compressed bytes that are inflated at a time, and decompressed bytes after which that is enough: a bomb grows by a factor
/// of a thousand, and a stream must hold what comes out.
const INFLATED: usize = 1024;
const ENOUGH: usize = 128 * 1024;

/// A range of a file's stored bytes, decoded, counted and hashed.
pub(super) struct Stream {
    /// Whose it is.
    pub(super) owner: Owner,
    /// Counts the decoded bytes, and knows when there are too many.
    pub(super) check: Check,
    /// Their digest; none when only their number is asked for.
    pub(super) hasher: Option<Hasher>,
    pub(super) tape: Tape,
    plain: bool,
    /// Decoded bytes that wait to be hashed: the first `ready`.
    data: Vec<u8>,
    ready: usize,
    /// Stored bytes that wait to be inflated, from `inflated` on.
    compressed: Vec<u8>,
    inflated: usize,
    /// How it ended.
    end: Option<Result<(), String>>,
}

/// Whose stream it is.
pub(super) enum Owner {
    /// That of a claim, with its number.
    Claim(u32, Box<Claim>),
    /// Segment `index` of the marked stream in flight `marked`.
    Segment {
        /// Its place among the flights.
        marked: usize,
        /// The segment.
        index: usize,
    },
}

impl Stream {
    pub(super) fn new(owner: Owner, tape: Tape, codec: Codec, expect: Expect, hasher: Option<Hasher>) -> Self {
        Self {
            owner,
            check: Check::counting(codec, expect),
            hasher,
            tape,
            plain: codec == Codec::Plain,
            data: Vec::new(),
            ready: 0,
            compressed: Vec::new(),
            inflated: 0,
            end: None,
        }
    }

    /// Bytes inflate, which takes much longer than to hash them.
    pub(super) fn inflates(&self) -> bool {
        !self.plain
    }

    /// How many decoded bytes wait to be hashed.
    pub(super) fn ready(&self) -> usize {
        self.ready
    }

    /// Nothing more comes, and nothing waits.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some() && self.ready == 0
    }

    /// How it ended: with a message if it could not be read to its end.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.end.take().unwrap_or(Ok(()))
    }

    /// Decodes what has come, if nothing waits to be hashed. Says whether that changed anything.
    pub(super) fn fill(&mut self) -> bool {
        if self.ready > 0 || self.end.is_some() {
            return false;
        }
        if self.plain { self.fill_plain() } else { self.fill_inflated() }
    }

    fn fill_plain(&mut self) -> bool {
        match self.tape.next() {
            Next::Waiting => return false,
            Next::End => self.end = Some(Ok(())),
            Next::Failed(message) => self.end = Some(Err(message)),
            Next::Bytes(bytes) => {
                let ready = &mut self.ready;
                let flow = self.check.push(&bytes, &mut |decoded| *ready = decoded.len());
                self.data = bytes;
                if flow.is_break() {
                    self.end = Some(Ok(()));
                }
            }
        }
        true
    }

    fn fill_inflated(&mut self) -> bool {
        self.data.clear();
        let mut moved = false;
        while self.data.len() < ENOUGH && self.end.is_none() {
            if self.inflated == self.compressed.len() {
                match self.tape.next() {
                    Next::Waiting => break,
                    Next::End => self.end = Some(Ok(())),
                    Next::Failed(message) => self.end = Some(Err(message)),
                    Next::Bytes(bytes) => (self.compressed, self.inflated) = (bytes, 0),
                }
                moved = true;
                continue;
            }
            let (from, to) = (self.inflated, self.compressed.len().min(self.inflated + INFLATED));
            let data = &mut self.data;
            let step = self.compressed.get(from..to).unwrap_or_default();
            let flow = self.check.push(step, &mut |piece| data.extend_from_slice(piece));
            self.inflated = to;
            moved = true;
            if flow.is_break() {
                self.end = Some(Ok(()));
            }
        }
        self.ready = self.data.len();
        moved
    }

    /// The bytes that wait, and who takes them; none when nobody does.
    pub(super) fn work(&mut self) -> Option<(&mut Hasher, &[u8])> {
        let bytes = self.data.get(..self.ready).filter(|bytes| !bytes.is_empty())?;
        Some((self.hasher.as_mut()?, bytes))
    }

    /// Says that the bytes that waited were hashed.
    pub(super) fn hashed(&mut self) {
        self.ready = 0;
        self.data.clear();
    }
}
