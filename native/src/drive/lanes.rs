//! Hashes many streams side by side on one thread: each is read a piece at a time, then all pieces go through the lanes.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use highwater_core::check::Check;
use highwater_core::claim::Expect;
use highwater_core::codec::Codec;
use highwater_core::digest::{Hasher, update_lanes};

use super::PIECE;
use crate::error::Error;
use crate::store::Object;
use crate::watch::Watch;

/// Bytes that all lanes of a thread read at a time, in sum: they stay in the core's own cache until they are hashed.
const TOGETHER: usize = 1024 * 1024;

/// The least that a lane reads at a time: enough to hide the system call.
const LEAST: usize = 32 * 1024;

/// Compressed bytes that are read at a time, and that are inflated at a time: a bomb grows by a factor of a thousand, and a
/// lane must hold what comes out.
const STORED: usize = 16 * 1024;
const INFLATED: usize = 1024;

/// How far ahead the system is asked to read, in bytes: a disk with a head must not jump from lane to lane for each piece.
const AHEAD: u64 = 4 * 1024 * 1024;

/// What buffers are apart, besides their length. At equal strides, the lanes' bytes would fall into the same few lines
/// of the cache.
const STAGGER: usize = 320;

/// One stream: a range of an object's stored bytes, decoded, counted and hashed.
pub(super) struct Stream<T> {
    /// Whose it is.
    pub(super) tag: T,
    /// Counts the decoded bytes, and knows when there are too many.
    pub(super) check: Check,
    /// Their digest.
    pub(super) hasher: Hasher,
    object: Arc<dyn Object>,
    stored: Range<u64>,
    plain: bool,
    /// Decoded bytes that wait to be hashed: the first `ready` of `data`, or those at `mapped` of a plain object in memory.
    data: Vec<u8>,
    mapped: usize,
    ready: usize,
    /// Compressed bytes that wait to be inflated.
    compressed: Vec<u8>,
    inflated: usize,
    asked: u64,
    end: Option<io::Result<()>>,
}

impl<T> Stream<T> {
    /// A stream of the stored bytes `stored` of `object`, which end earlier if the object does. They are to decode to
    /// what `expect` says.
    pub(super) fn new(
        tag: T,
        object: Arc<dyn Object>,
        stored: Range<u64>,
        codec: Codec,
        expect: Expect,
        hasher: Hasher,
    ) -> Self {
        Self {
            tag,
            check: Check::counting(codec, expect),
            hasher,
            object,
            // The system reads a short object ahead by itself.
            asked: if expect.length > PIECE as u64 { stored.start } else { u64::MAX },
            stored,
            plain: codec == Codec::Plain,
            data: Vec::new(),
            mapped: 0,
            ready: 0,
            compressed: Vec::new(),
            inflated: 0,
            end: None,
        }
    }

    /// The bytes that are ready, and who takes them.
    fn work(&mut self) -> (&mut Hasher, &[u8]) {
        let data = match self.object.bytes().filter(|_| self.plain) {
            Some(bytes) => &bytes[self.mapped..],
            None => &self.data,
        };
        (&mut self.hasher, &data[..self.ready])
    }

    /// Makes the next bytes ready: of a plain stream, at most `piece`.
    fn fill(&mut self, piece: usize) {
        self.ready = 0;
        if self.stored.start >= self.asked {
            let ahead = AHEAD.min(self.stored.end - self.stored.start);
            self.object.will_need(self.asked, ahead);
            self.asked = self.asked.saturating_add(AHEAD);
        }
        let filled = if self.plain { self.fill_plain(piece) } else { self.fill_inflated() };
        if let Err(error) = filled {
            self.end = Some(Err(error));
        }
    }

    fn fill_plain(&mut self, piece: usize) -> io::Result<()> {
        let ready = &mut self.ready;
        let mut count = |decoded: &[u8]| *ready = decoded.len();
        let (read, flow) = if let Some(bytes) = self.object.bytes() {
            let room = usize::try_from(self.stored.end - self.stored.start).unwrap_or(usize::MAX).min(piece);
            self.mapped = usize::try_from(self.stored.start).unwrap_or(usize::MAX).min(bytes.len());
            let piece = &bytes[self.mapped..];
            let piece = &piece[..room.min(piece.len())];
            self.stored.start += piece.len() as u64;
            (piece.len(), self.check.push(piece, &mut count))
        } else {
            // Most lanes never need more than the least: what is not touched takes no memory.
            if self.data.len() < piece {
                self.data.resize(piece, 0);
            }
            let read = read(&*self.object, &mut self.stored, &mut self.data[..piece])?;
            (read, self.check.push(&self.data[..read], &mut count))
        };
        if read == 0 || flow.is_break() || self.stored.is_empty() {
            self.end = Some(Ok(()));
        }
        Ok(())
    }

    fn fill_inflated(&mut self) -> io::Result<()> {
        self.data.clear();
        while self.data.len() < LEAST && self.end.is_none() {
            if self.inflated == self.compressed.len() {
                self.compressed.resize(STORED, 0);
                let read = read(&*self.object, &mut self.stored, &mut self.compressed)?;
                self.compressed.truncate(read);
                self.inflated = 0;
            }
            let next = self.compressed.len().min(self.inflated + INFLATED);
            let data = &mut self.data;
            let flow =
                self.check.push(&self.compressed[self.inflated..next], &mut |piece| data.extend_from_slice(piece));
            self.inflated = next;
            let used_up = next == self.compressed.len() && (next == 0 || self.stored.is_empty());
            if flow.is_break() || used_up {
                self.end = Some(Ok(()));
            }
        }
        self.ready = self.data.len();
        Ok(())
    }
}

/// Reads the next of the stored bytes; 0 at their end.
fn read(object: &dyn Object, stored: &mut Range<u64>, buffer: &mut [u8]) -> io::Result<usize> {
    let room = usize::try_from(stored.end - stored.start).unwrap_or(usize::MAX).min(buffer.len());
    loop {
        match object.read_at(stored.start, &mut buffer[..room]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(read) => {
                stored.start += read as u64;
                return Ok(read);
            }
        }
    }
}

thread_local! {
    /// Buffers that this thread uses again: fresh memory costs more than hashing what is read into it.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

fn buffer() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(PIECE + STAGGER))
}

fn put_back(mut buffer: Vec<u8>) {
    buffer.shrink_to(PIECE + STAGGER);
    SPARE.with_borrow_mut(|spare| spare.push(buffer));
}

/// Brings all streams that `next` gives to their ends, `width` at a time, and hands each to `ended`, with the error if it
/// could not be read to its end.
///
/// # Errors
/// [`Error::Interrupted`] only.
pub(super) fn run<T>(
    width: usize,
    mut next: impl FnMut() -> Option<Stream<T>>,
    mut ended: impl FnMut(Stream<T>, io::Result<()>),
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let mut lanes: Vec<Stream<T>> = Vec::new();
    loop {
        watch.go_on()?;
        while lanes.len() < width
            && let Some(mut stream) = next()
        {
            stream.data = buffer();
            lanes.push(stream);
        }
        if lanes.is_empty() {
            return Ok(());
        }
        let piece = (TOGETHER / lanes.len()).clamp(LEAST, PIECE);
        lanes.iter_mut().for_each(|lane| lane.fill(piece));
        update_lanes(lanes.iter_mut().map(Stream::work));
        watch.advance(lanes.iter().map(|lane| lane.ready as u64).sum());
        let mut at = 0;
        while let Some(lane) = lanes.get_mut(at) {
            let Some(end) = lane.end.take() else {
                at += 1;
                continue;
            };
            let mut lane = lanes.swap_remove(at);
            put_back(std::mem::take(&mut lane.data));
            ended(lane, end);
        }
    }
}
