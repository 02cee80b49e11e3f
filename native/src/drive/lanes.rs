//! Hashes many streams side by side on one thread: each is read a piece at a time, then all pieces go through the
//! lanes.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use highwater_core::claim::Claim;
use highwater_core::codec::Workspace;
use highwater_core::digest::{Hasher, update_lanes};
use highwater_core::key::Key;
use highwater_core::lane::Lane;
use highwater_core::report::Depth;

use super::PIECE;
use super::sink::Goes;
use crate::error::Error;
use crate::store::Object;
use crate::watch::Watch;

/// Bytes that all lanes of a thread read at a time, in sum: they stay in the core's own cache until they are hashed.
const TOGETHER: usize = 1024 * 1024;

/// The least that a lane reads, and decodes, at a time: enough to hide the system call.
pub(super) const LEAST: usize = 32 * 1024;

/// What a short object may be longer than what it is to give, in bytes: a header, and some. A longer one is read in
/// several pieces.
const OVERHEAD: usize = 512;

/// How far ahead the system is asked to read, in bytes: a disk with a head must not jump from lane to lane for each
/// piece.
const AHEAD: u64 = 4 * 1024 * 1024;

/// What buffers are apart, besides their length. At equal strides, the lanes' bytes would fall into the same few lines
/// of the cache.
const STAGGER: usize = 320;

/// One stream: a range of an object's stored bytes on its way through a lane.
pub(super) struct Stream<'s, T> {
    /// Whose it is.
    pub(super) tag: T,
    pub(super) lane: Lane,
    object: Arc<dyn Object>,
    /// The stored bytes that were not read, or of an object in memory not taken.
    stored: Range<u64>,
    /// The most that is read of them at a time.
    most: usize,
    /// A buffer of stored bytes, and where in it those lie that were read and not taken.
    input: Vec<u8>,
    read: Range<usize>,
    asked: u64,
    /// Where the decoded bytes go, if anywhere.
    goes: Option<Goes<'s>>,
    end: Option<io::Result<()>>,
}

impl Stream<'_, Claim> {
    /// A stream of the bytes of `claim`, which are in `object`. `key` opens what is encrypted.
    pub(super) fn of(claim: Claim, object: Arc<dyn Object>, depth: Depth, key: Option<&Key>) -> Self {
        let (stored, length) = (claim.stored(), claim.expect.length);
        let lane = Lane::of(&claim, depth, key, LEAST);
        Self::new(claim, object, stored, length, lane)
    }
}

impl<'s, T> Stream<'s, T> {
    /// A stream of the stored bytes `stored` of `object`, which end earlier if the object does. They are to decode to
    /// `length` bytes.
    pub(super) fn new(tag: T, object: Arc<dyn Object>, stored: Range<u64>, length: u64, lane: Lane) -> Self {
        Self {
            tag,
            lane,
            object,
            // The system reads a short object ahead by itself.
            asked: if length > PIECE as u64 { stored.start } else { u64::MAX },
            stored,
            most: usize::try_from(length).unwrap_or(usize::MAX).saturating_add(OVERHEAD),
            input: Vec::new(),
            read: 0..0,
            goes: None,
            end: None,
        }
    }

    /// Lends it what this thread has to spare.
    fn lend(&mut self) {
        self.input = buffer();
        self.lane.lend(buffer());
        if self.lane.has_use_for_workspace()
            && let Some(workspace) = SPARE_WORKSPACES.with_borrow_mut(Vec::pop)
        {
            self.lane.lend_workspace(workspace);
        }
    }

    /// Takes that back.
    fn reclaim(&mut self) {
        let (decoded, workspace) = self.lane.reclaim();
        SPARE_WORKSPACES.with_borrow_mut(|spare| spare.extend(workspace));
        put_back(std::mem::take(&mut self.input));
        put_back(decoded);
    }

    /// This stream, whose decoded bytes go there.
    pub(super) fn to(self, goes: Goes<'s>) -> Self {
        Self { goes: Some(goes), ..self }
    }

    /// Hands the bytes that are ready to where they go.
    fn write(&mut self) -> Result<(), Error> {
        let Some(Goes { sink, at }) = self.goes else { return Ok(()) };
        let bytes = self.lane.ready(self.bytes());
        if bytes.is_empty() {
            return Ok(());
        }
        sink.put(at, bytes, true)?;
        let at = at + bytes.len() as u64;
        self.goes = Some(Goes { sink, at });
        Ok(())
    }

    /// The stored bytes that are at hand.
    fn bytes(&self) -> &[u8] {
        self.object.bytes().unwrap_or(&self.input)
    }

    /// The bytes that are ready, and who takes them.
    fn work(&mut self) -> Option<(&mut Hasher, &[u8])> {
        self.lane.work(self.object.bytes().unwrap_or(&self.input))
    }

    /// How many bytes are ready.
    fn ready(&self) -> usize {
        self.lane.ready(self.bytes()).len()
    }

    /// Makes the next bytes ready, out of at most `piece` stored ones or a little more.
    fn fill(&mut self, piece: usize) {
        if self.stored.start >= self.asked {
            let ahead = AHEAD.min(self.stored.end - self.stored.start);
            self.object.will_need(self.asked, ahead);
            self.asked = self.asked.saturating_add(AHEAD);
        }
        self.lane.hashed();
        while self.lane.has_room() && self.end.is_none() {
            if let Err(error) = self.step(piece) {
                self.end = Some(Err(error));
            }
        }
    }

    /// Decodes some more of the stored bytes, of which it reads at most `piece` at a time.
    fn step(&mut self, piece: usize) -> io::Result<()> {
        if self.object.bytes().is_none() && self.read.is_empty() {
            // What is not touched takes no memory.
            let left = usize::try_from(self.stored.end - self.stored.start).unwrap_or(usize::MAX);
            let room = piece.min(self.most).min(left);
            if self.input.len() < room {
                self.input.resize(room, 0);
            }
            let count = read(&*self.object, &mut self.stored, &mut self.input[..room])?;
            self.read = 0..count;
        }
        let Self { object, stored, input, read, lane, .. } = self;
        let (flow, over) = match object.bytes() {
            Some(all) => {
                let end = usize::try_from(stored.end).unwrap_or(usize::MAX).min(all.len());
                let from = usize::try_from(stored.start).unwrap_or(usize::MAX).min(end);
                let room = piece.min(end - from);
                let (taken, flow) = lane.take(all, from..from + room);
                stored.start += taken as u64;
                (flow, room == 0)
            }
            None => {
                let room = read.len();
                let (taken, flow) = lane.take(input, read.clone());
                read.start += taken;
                (flow, taken == room && (room == 0 || stored.is_empty()))
            }
        };
        if flow.is_break() || over {
            self.end = Some(Ok(()));
        }
        Ok(())
    }
}

/// Reads the next of the stored bytes; 0 at their end.
fn read(object: &dyn Object, stored: &mut Range<u64>, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match object.read_at(stored.start, buffer) {
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
    /// And what decoders worked with.
    static SPARE_WORKSPACES: RefCell<Vec<Workspace>> = const { RefCell::new(Vec::new()) };
}

fn buffer() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(PIECE + STAGGER))
}

fn put_back(mut buffer: Vec<u8>) {
    buffer.shrink_to(PIECE + STAGGER);
    SPARE.with_borrow_mut(|spare| spare.push(buffer));
}

/// Brings all streams that `next` gives to their ends, `width` at a time, and hands each to `ended`, with the error if
/// it could not be read to its end.
///
/// # Errors
/// [`Error::Interrupted`], those of `next` and `ended`, and those of what takes a stream's bytes.
pub(super) fn run<'s, T>(
    width: usize,
    mut next: impl FnMut() -> Result<Option<Stream<'s, T>>, Error>,
    mut ended: impl FnMut(Stream<'s, T>, io::Result<()>) -> Result<(), Error>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let mut lanes: Vec<Stream<'s, T>> = Vec::new();
    loop {
        watch.go_on()?;
        while lanes.len() < width
            && let Some(mut stream) = next()?
        {
            stream.lend();
            lanes.push(stream);
        }
        if lanes.is_empty() {
            return Ok(());
        }
        let piece = (TOGETHER / lanes.len()).clamp(LEAST, PIECE);
        lanes.iter_mut().for_each(|lane| lane.fill(piece));
        lanes.iter_mut().try_for_each(Stream::write)?;
        update_lanes(lanes.iter_mut().filter_map(Stream::work));
        watch.advance(lanes.iter().map(|lane| lane.ready() as u64).sum());
        let mut at = 0;
        while let Some(lane) = lanes.get_mut(at) {
            let Some(end) = lane.end.take() else {
                at += 1;
                continue;
            };
            let mut lane = lanes.swap_remove(at);
            lane.reclaim();
            ended(lane, end)?;
        }
    }
}
