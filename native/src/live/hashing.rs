//! `Hashing`: the digest of a log, found out by a thread of its own while the log is copied and made durable.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use highwater_core::digest::{Algorithm, Digest, Hasher};

use crate::store::Object;

/// A copy that is being hashed as it grows.
pub(super) struct Hashing {
    grown: SyncSender<u64>,
    thread: JoinHandle<io::Result<Hashed>>,
}

/// What was hashed: the hasher as it was after each stretch, as nobody knows yet where the last whole entry ends.
struct Hashed {
    copy: Box<dyn Object>,
    after: Vec<(u64, Hasher)>,
}

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// So many stretches may wait: each is a number.
const WAITING: usize = 1 << 10;

impl Hashing {
    /// Begins with a copy of which nothing is there yet; none where no thread can be started.
    pub(super) fn begin(copy: Box<dyn Object>) -> Option<Self> {
        let (grown, told) = sync_channel(WAITING);
        let thread = Builder::new().spawn(move || hash(copy, &told)).ok()?;
        Some(Self { grown, thread })
    }

    /// The first so many bytes of the copy are there, and stay as they are.
    pub(super) fn grown(&self, end: u64) {
        // Should it have ended, it tells why in the end.
        _ = self.grown.send(end);
    }

    /// What the first so many bytes give.
    ///
    /// # Errors
    /// The copy cannot be read.
    pub(super) fn end(self, whole: u64) -> io::Result<Digest> {
        drop(self.grown);
        let hashed = self.thread.join().map_err(|_| io::Error::other("the thread that hashes ended"))?;
        let Hashed { copy, after } = hashed?;
        let (at, mut hasher) = after
            .into_iter()
            .take_while(|(at, _)| *at <= whole)
            .last()
            .unwrap_or_else(|| (0, Hasher::new(Algorithm::Sha256)));
        if !push(&*copy, (at, whole), &mut hasher)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(hasher.finish())
    }
}

fn hash(copy: Box<dyn Object>, told: &Receiver<u64>) -> io::Result<Hashed> {
    let (mut at, mut hasher, mut after) = (0, Hasher::new(Algorithm::Sha256), Vec::new());
    for end in told {
        // What lay behind the last whole entry is cut off by and by.
        if !push(&*copy, (at, end), &mut hasher)? {
            break;
        }
        at = end;
        after.push((at, hasher.clone()));
    }
    Ok(Hashed { copy, after })
}

/// Hashes a stretch; false when the copy ends before it.
fn push(copy: &dyn Object, (at, end): (u64, u64), hasher: &mut Hasher) -> io::Result<bool> {
    let taken = copy.for_each_piece(at, end, &mut vec![0; PIECE], |piece| {
        hasher.update(piece);
        true
    })?;
    Ok(taken >= end)
}
