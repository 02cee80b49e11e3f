//! `Stream`: one stream of decoded bytes on its way through a lane.

use std::ops::Range;

use crate::check::Check;
use crate::claim::Claim;
use crate::codec::{Codec, place};
use crate::digest::Hasher;

use super::offload::Whole;
use super::reader::{Next, Reader};

/// Decoded bytes after which a lane has enough to hash, where they are gathered.
const ENOUGH: usize = 128 * 1024;

/// A range of a file's stored bytes, decoded, counted and hashed.
pub(super) struct Stream {
    /// Whose it is.
    pub(super) owner: Owner,
    /// Counts the decoded bytes, and knows when there are too many.
    pub(super) check: Check,
    pub(super) sum: Sum,
    pub(super) reader: Reader,
    /// Its bytes are stored as they are.
    plain: bool,
    /// Stored bytes, of which the first `taken` were taken.
    input: Vec<u8>,
    taken: usize,
    /// Decoded bytes, but for those that are stored as they are.
    decoded: Vec<u8>,
    ready: Ready,
    /// How it ended.
    end: Option<Result<(), String>>,
}

/// Who makes the digest of a stream's bytes.
pub(super) enum Sum {
    /// Nobody: only their number is asked for.
    None,
    /// A lane.
    Lane(Hasher),
    /// The host, in one piece. Nothing waits for a lane.
    Offloaded(Whole),
}

/// Where the bytes lie that wait to be hashed.
enum Ready {
    /// Here, in the stored bytes: they are decoded as they are, so nobody need copy them.
    Stored(Range<usize>),
    /// In the decoder.
    Held,
    /// In the buffer of decoded bytes; all of it.
    Decoded,
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
    pub(super) fn new(owner: Owner, reader: Reader, codec: Codec, check: Check, sum: Sum) -> Self {
        Self {
            owner,
            check,
            sum,
            reader,
            plain: codec == Codec::Plain,
            input: Vec::new(),
            taken: 0,
            decoded: Vec::new(),
            ready: Ready::Decoded,
            end: None,
        }
    }

    /// Bytes inflate, which takes much longer than to hash them.
    pub(super) fn inflates(&self) -> bool {
        !self.plain
    }

    /// How many decoded bytes wait to be hashed.
    pub(super) fn ready(&self) -> usize {
        self.bytes().len()
    }

    fn bytes(&self) -> &[u8] {
        match &self.ready {
            Ready::Stored(range) => self.input.get(range.clone()).unwrap_or_default(),
            Ready::Held => self.check.held(),
            Ready::Decoded => &self.decoded,
        }
    }

    /// Nothing more comes, and nothing waits.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some() && self.ready() == 0
    }

    /// How it ended: with a message if it could not be read to its end.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.end.take().unwrap_or(Ok(()))
    }

    /// Decodes what has come, if nothing waits to be hashed. Says whether that changed anything.
    pub(super) fn fill(&mut self) -> bool {
        if self.ready() > 0 || self.end.is_some() {
            return false;
        }
        let mut moved = false;
        // What lies in the input or the decoder must not be replaced before it is hashed.
        while matches!(self.ready, Ready::Decoded) && self.decoded.len() < ENOUGH && self.end.is_none() {
            if self.taken < self.input.len() {
                self.decode();
            } else {
                match self.reader.next() {
                    Next::Waiting => break,
                    Next::End => self.end = Some(Ok(())),
                    Next::Failed(message) => self.end = Some(Err(message)),
                    Next::Bytes(bytes) => (self.input, self.taken) = (bytes, 0),
                }
            }
            moved = true;
        }
        moved
    }

    /// Decodes some of the stored bytes.
    fn decode(&mut self) {
        let Self { sum, input, taken, decoded, ready, check, .. } = self;
        let mut rest = input.get(*taken..).unwrap_or_default();
        if let Sum::Offloaded(whole) = sum {
            let mut stored = None;
            let flow = check.push(rest, &mut |bytes| match place(input, bytes) {
                Some(place) if whole.is_all(bytes) => stored = Some(place),
                _ => whole.gather(bytes),
            });
            *taken = input.len();
            if let Some(place) = stored {
                whole.keep(std::mem::take(input), place);
                *taken = 0;
            }
            if flow.is_break() {
                self.end = Some(Ok(()));
            }
            return;
        }
        let holds = check.holds() && decoded.is_empty();
        let flow = check.some(&mut rest, &mut |bytes| match place(input, bytes) {
            _ if holds => *ready = Ready::Held,
            Some(place) if decoded.is_empty() => *ready = Ready::Stored(place),
            _ => decoded.extend_from_slice(bytes),
        });
        *taken = input.len() - rest.len();
        if flow.is_break() {
            self.end = Some(Ok(()));
        }
    }

    /// The bytes that wait, and who takes them; none when nobody does.
    pub(super) fn work(&mut self) -> Option<(&mut Hasher, &[u8])> {
        let Self { sum, input, decoded, ready, check, .. } = self;
        let bytes = match ready {
            Ready::Stored(range) => input.get(range.clone())?,
            Ready::Held => check.held(),
            Ready::Decoded => decoded,
        };
        match sum {
            Sum::Lane(hasher) if !bytes.is_empty() => Some((hasher, bytes)),
            Sum::Lane(_) | Sum::None | Sum::Offloaded(_) => None,
        }
    }

    /// Says that the bytes that waited were hashed.
    pub(super) fn hashed(&mut self) {
        self.ready = Ready::Decoded;
        self.decoded.clear();
    }
}
