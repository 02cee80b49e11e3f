//! `Stream`: one stream of decoded bytes on its way through a lane, read piece by piece.

use crate::claim::Claim;
use crate::codec::{Codec, Flow, place};
use crate::digest::Hasher;
use crate::lane::Lane;

use super::offload::Whole;
use super::reader::{Next, Reader};

/// Decoded bytes after which a lane has enough to hash, where they are gathered.
pub(super) const ENOUGH: usize = 128 * 1024;

/// A range of a file's stored bytes, decoded, counted and hashed.
pub(super) struct Stream {
    /// Whose it is.
    pub(super) owner: Owner,
    pub(super) lane: Lane,
    /// All decoded bytes, where the host makes their digest. Nothing waits for the lane then.
    pub(super) whole: Option<Whole>,
    pub(super) reader: Reader,
    /// Its bytes are stored as they are.
    plain: bool,
    /// Stored bytes, of which the first `taken` were taken.
    input: Vec<u8>,
    taken: usize,
    /// How it ended.
    end: Option<Result<(), String>>,
}

/// Whose stream it is.
pub(super) enum Owner {
    /// That of a claim, with its number.
    Claim(u32, Box<Claim>),
    /// Segment `index` of the marked stream under way `marked`.
    Segment {
        /// Its place among the operations.
        marked: usize,
        /// The segment.
        index: usize,
    },
}

impl Stream {
    pub(super) fn new(owner: Owner, reader: Reader, codec: Codec, lane: Lane) -> Self {
        let plain = codec == Codec::Plain;
        Self { owner, lane, whole: None, reader, plain, input: Vec::new(), taken: 0, end: None }
    }

    /// Bytes inflate, which takes much longer than to hash them.
    pub(super) fn inflates(&self) -> bool {
        !self.plain
    }

    /// How many decoded bytes wait to be hashed.
    pub(super) fn ready(&self) -> usize {
        self.lane.ready(&self.input).len()
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
        while self.lane.has_room() && self.end.is_none() {
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
        let flow = match &mut self.whole {
            None => {
                let (taken, flow) = self.lane.take(&self.input, self.taken..self.input.len());
                self.taken += taken;
                flow
            }
            Some(whole) => {
                let (flow, stored) = gather(&mut self.lane, whole, &self.input);
                self.taken = self.input.len();
                if let Some(place) = stored {
                    whole.keep(std::mem::take(&mut self.input), place);
                    self.taken = 0;
                }
                flow
            }
        };
        if flow.is_break() {
            self.end = Some(Ok(()));
        }
    }

    /// The bytes that wait, and who takes them; none when nobody does.
    pub(super) fn work(&mut self) -> Option<(&mut Hasher, &[u8])> {
        self.lane.work(&self.input)
    }

    /// Says that the bytes that waited were hashed.
    pub(super) fn hashed(&mut self) {
        self.lane.hashed();
    }
}

/// Hands what `input` decodes to to `whole`; gives where all of it lies, if that is in `input` itself.
fn gather(lane: &mut Lane, whole: &mut Whole, input: &[u8]) -> (Flow, Option<std::ops::Range<usize>>) {
    let mut stored = None;
    let flow = lane.count(input, &mut |bytes| match place(input, bytes) {
        Some(place) if whole.is_all(bytes) => stored = Some(place),
        _ => whole.gather(bytes),
    });
    (flow, stored)
}
