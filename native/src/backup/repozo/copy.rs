//! Copies a range of the source into the repository: read, scan, hash, compress and write in one pass.
//!
//! Where the range ends is known only when the scan has seen the last complete transaction, so the hasher keeps a
//! clone of its state at the end of each block's last complete transaction, and the file is cut back at the
//! end. One thread hashes (MD5 is serial and the slowest link), this one reads, scans and writes, the others compress.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use highwater_core::claim::Sum;
use highwater_core::digest::{Algorithm, Digest};
use highwater_core::filestorage::{Indexer, OidIndex, Tid};
use highwater_core::marks::{Marker, Marks};
use highwater_core::name::{Name, TEMPORARY};

use super::BackupOptions;
use super::damage::Damage;
use super::member::{MEMBER, member};
use super::source::Source;
use crate::disk::like::Like;
use crate::disk::{Disk, Draft, Writable};
use crate::error::Error;
use crate::flush::Flusher;
use crate::shown::quoted;
use crate::watch::Watch;

/// Blocks that wait for the hasher.
const WAITING: usize = 4;

/// A finished copy, durable as a draft.
pub(super) struct Copied {
    /// Where the copied range ends in the source.
    pub(super) end: u64,
    /// Bytes stored.
    pub(super) stored: u64,
    /// MD5 of the range.
    pub(super) digest: Digest,
    /// Marks of the range; none when it is too short for any.
    pub(super) marks: Option<Marks>,
    /// The OID index as of `end`; none of a damaged source.
    pub(super) index: Option<OidIndex>,
    /// The id of the last complete transaction, 0 if there is none from the start on.
    pub(super) last_tid: Tid,
    /// What is wrong with the source, which was taken as it is.
    pub(super) damage: Option<Damage>,
}

/// Where a copy begins.
pub(super) struct Base {
    /// The offset in the source.
    pub(super) start: u64,
    /// The OID index as of there, or the damage because of which there is none.
    pub(super) index: Result<OidIndex, Damage>,
}

/// A block on its way to the hasher: the bytes, and how many of them belong to complete transactions as far as is
/// known.
type Block = (Arc<Vec<u8>>, usize);

/// Copies what lies between the base and the end of the last complete transaction to a draft of `file`; none when that
/// is nothing. Of a damaged source that is wanted as it is, it goes to the file's end.
///
/// # Errors
/// Also when the source is damaged and not wanted so.
pub(super) fn copy<'a>(
    job: &BackupOptions,
    disk: &'a dyn Disk,
    source: &Source,
    base: Base,
    file: &Name,
    watch: &Watch<'_>,
) -> Result<Option<(Draft<'a>, Copied)>, Error> {
    let draft = Draft::of(disk, file, TEMPORARY).map_err(Error::at("create", disk, file))?;
    let writing = |error| Error::at("write", disk, draft.work())(error);
    let Some(copied) = copy_to(job, source, base, draft.file(), &writing, watch)? else { return Ok(None) };
    let given = Like::in_place_of(disk, file).and_then(|like| draft.give(&like)).map_err(writing)?;
    given.tell(disk, file, watch);
    draft.file().sync().map_err(writing)?;
    Ok(Some((draft, copied)))
}

fn copy_to(
    job: &BackupOptions,
    source: &Source,
    base: Base,
    target: &dyn Writable,
    writing: &dyn Fn(io::Error) -> Error,
    watch: &Watch<'_>,
) -> Result<Option<Copied>, Error> {
    let start = base.start;
    watch.expect(source.size.saturating_sub(start));
    let mut walk = source.walk(start);
    let (index, mut damage) = match base.index {
        Ok(index) => (index, None),
        Err(damage) => (OidIndex::new(), Some(damage)),
    };
    let mut indexer = Indexer::new(index);
    let mut store: Box<dyn Store + '_> = match job.gzip {
        None => Box::new(Plain { target, written: 0 }),
        Some(level) => Box::new(Gzip::new(target, level)),
    };
    let (digest, marker, end) = thread::scope(|scope| -> Result<_, Error> {
        let (send, receive) = sync_channel::<Block>(WAITING);
        let marker = Marker::new(Algorithm::Md5, job.marks);
        let hasher = thread::Builder::new().spawn_scoped(scope, move || hash(marker, &receive));
        let hasher = hasher.map_err(Error::no_thread)?;
        let mut flusher = Flusher::new(scope, target);
        let mut pump = |send: SyncSender<Block>| -> Result<u64, Error> {
            let mut pool = Pool::default();
            let mut at = start;
            while at < source.size {
                watch.go_on()?;
                let mut block = pool.take(usize::try_from(source.size - at).unwrap_or(usize::MAX));
                let filled = fill(source, at, &mut block)?;
                if filled == 0 {
                    // The writer cut an aborted transaction off meanwhile.
                    break;
                }
                block.truncate(filled);
                walk.push(&block, &mut indexer);
                if damage.is_none() && walk.want().is_none() && walk.end() < source.size {
                    damage = source.damage(&walk)?;
                    if let Some(damage) = damage.as_ref().filter(|_| !job.damaged_source) {
                        return Err(damage.refusal(source, walk.end()));
                    }
                }
                let complete = match damage {
                    Some(_) => filled,
                    None => usize::try_from(walk.end().saturating_sub(at)).unwrap_or(usize::MAX).min(filled),
                };
                let block = Arc::new(block);
                pool.lend(&block);
                if send.send((block.clone(), complete)).is_err() {
                    return Err(Error::failed("the hashing thread ended early"));
                }
                store.put(&block, complete).map_err(writing)?;
                flusher.wrote(filled as u64);
                at += filled as u64;
                watch.advance(filled as u64);
                if walk.want().is_none() && damage.is_none() {
                    break;
                }
            }
            Ok(if damage.is_some() { at } else { walk.end() })
        };
        let end = pump(send);
        let (digest, marker) = hasher.join().map_err(|_| Error::failed("the hashing thread ended early"))?;
        let end = end?;
        flusher.finish().map_err(writing)?;
        Ok((digest, marker, end))
    })?;
    if end <= start {
        return Ok(None);
    }
    let stored = store.finish(source, start, end).map_err(writing)?;
    drop(store);
    target.set_length(stored).map_err(writing)?;
    let index = match damage {
        Some(_) => None,
        None => Some(
            indexer
                .finish()
                .map_err(|error| Error::damage(format!("the source {}: {error}", quoted(&source.told()))))?,
        ),
    };
    let marks = marker.marks(Sum { length: end - start, digest }).filter(|marks| !marks.values().is_empty());
    let last_tid = walk.last_tid();
    Ok(Some(Copied { end, stored, digest, marks, index, last_tid, damage }))
}

/// Hashes blocks as they come; the digest is that of everything up to the last complete transaction. The marks may go
/// on behind it.
fn hash(mut marker: Marker, blocks: &Receiver<Block>) -> (Digest, Marker) {
    let mut complete = marker.hasher().clone();
    for (block, upto) in blocks {
        if upto > 0 {
            marker.update(&block[..upto]);
            complete = marker.hasher().clone();
        }
        marker.update(&block[upto..]);
    }
    (complete.finish(), marker)
}

fn fill(source: &Source, at: u64, block: &mut [u8]) -> Result<usize, Error> {
    let mut filled = 0;
    while filled < block.len() {
        match source.object.read_at(at + filled as u64, &mut block[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(source.unread(error)),
        }
    }
    Ok(filled)
}

/// Blocks that are used again once everyone is done with them: fresh memory is slower than the copy.
#[derive(Default)]
struct Pool {
    lent: VecDeque<Arc<Vec<u8>>>,
}

impl Pool {
    fn take(&mut self, most: usize) -> Vec<u8> {
        let free = self.lent.front().is_some_and(|block| Arc::strong_count(block) == 1);
        let spare = if free { self.lent.pop_front().and_then(Arc::into_inner) } else { None };
        let mut block = spare.unwrap_or_default();
        block.resize(most.min(MEMBER), 0);
        block
    }

    fn lend(&mut self, block: &Arc<Vec<u8>>) {
        self.lent.push_back(block.clone());
    }
}

/// How blocks are stored.
trait Store {
    /// Takes the next block; its first `complete` bytes belong to complete transactions as far as is known.
    fn put(&mut self, block: &Arc<Vec<u8>>, complete: usize) -> io::Result<()>;

    /// Everything was put; only `[start, end)` counts. Returns the stored length, to which the caller cuts the file.
    fn finish(&mut self, source: &Source, start: u64, end: u64) -> io::Result<u64>;
}

/// Stores bytes as they are.
struct Plain<'a> {
    target: &'a dyn Writable,
    written: u64,
}

impl Store for Plain<'_> {
    fn put(&mut self, block: &Arc<Vec<u8>>, _: usize) -> io::Result<()> {
        self.target.write_at(self.written, block)?;
        self.written += block.len() as u64;
        Ok(())
    }

    fn finish(&mut self, _: &Source, start: u64, end: u64) -> io::Result<u64> {
        Ok(end - start)
    }
}

/// Stores gzip members, compressed on all cores and written in order.
struct Gzip<'a> {
    target: &'a dyn Writable,
    level: u32,
    written: u64,
    /// Decompressed bytes put so far.
    put: u64,
    running: VecDeque<Receiver<io::Result<Vec<u8>>>>,
    /// Start (decompressed) and stored offset of each member written or running since the last complete transaction
    /// began.
    members: VecDeque<u64>,
    offsets: VecDeque<u64>,
}

impl<'a> Gzip<'a> {
    fn new(target: &'a dyn Writable, level: u32) -> Self {
        Self {
            target,
            level,
            written: 0,
            put: 0,
            running: VecDeque::new(),
            members: VecDeque::new(),
            offsets: VecDeque::new(),
        }
    }

    /// Writes members until at most `most` are being compressed.
    fn land(&mut self, most: usize) -> io::Result<()> {
        while self.running.len() > most {
            let Some(stored) = self.running.pop_front().and_then(|result| result.recv().ok()) else {
                return Err(io::Error::other("a compressing thread ended early"));
            };
            let stored = stored?;
            self.offsets.push_back(self.written);
            self.target.write_at(self.written, &stored)?;
            self.written += stored.len() as u64;
        }
        Ok(())
    }
}

impl Store for Gzip<'_> {
    fn put(&mut self, block: &Arc<Vec<u8>>, complete: usize) -> io::Result<()> {
        let (send, receive) = channel();
        let (raw, level) = (block.clone(), self.level);
        rayon::spawn(move || {
            // Nobody listens any more only when the backup was given up.
            _ = send.send(member(&raw, level));
        });
        self.running.push_back(receive);
        self.members.push_back(self.put);
        self.put += block.len() as u64;
        self.land(rayon::current_num_threads())?;
        // A member before the one in which the last complete transaction ends will never be cut.
        if complete > 0 {
            while self.offsets.len() > 1 {
                self.members.pop_front();
                self.offsets.pop_front();
            }
        }
        Ok(())
    }

    fn finish(&mut self, source: &Source, start: u64, end: u64) -> io::Result<u64> {
        self.land(0)?;
        let length = end - start;
        let last = self.members.iter().zip(&self.offsets).rev().find(|(from, _)| **from < length);
        let Some((&from, &offset)) = last else { return Err(io::Error::other("the copy lost its place")) };
        if length == self.put {
            return Ok(self.written);
        }
        // The last complete transaction ends inside a member: compress its part of that member anew.
        let whole = self.members.iter().copied().find(|next| *next > from).unwrap_or(self.put);
        if whole == length {
            let next = self.members.iter().zip(&self.offsets).find(|(next, _)| **next == whole);
            return Ok(next.map_or(self.written, |(_, offset)| *offset));
        }
        let mut raw = vec![0; usize::try_from(length - from).map_err(io::Error::other)?];
        source.object.read_exact_at(start + from, &mut raw)?;
        let stored = member(&raw, self.level)?;
        self.target.write_at(offset, &stored)?;
        Ok(offset + stored.len() as u64)
    }
}
