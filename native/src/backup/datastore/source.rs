//! Chunks of a source, read and hashed side by side.

use std::path::PathBuf;
use std::sync::OnceLock;

use highwater_core::digest::{Algorithm, Digest, Hasher, update_lanes};

use super::{Archive, SnapshotOptions};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Object;
use crate::watch::Watch;

/// How many bytes all chunks together have read before they are hashed: so few that they are still in the core's own
/// cache.
const TOGETHER: usize = 1024 * 1024;

/// A source, as one backup sees it.
pub(super) struct Source<'a> {
    job: &'a SnapshotOptions,
    /// Its number among the sources of the backup, and what becomes of it.
    pub(super) number: usize,
    pub(super) archive: &'a Archive,
    object: Box<dyn Object>,
    /// Its length, in bytes.
    pub(super) size: u64,
    /// The digest of a whole chunk of zeros: of images, often most of it.
    zeros: OnceLock<Digest>,
}

/// A chunk that is being read.
struct Reading<'a> {
    at: u64,
    length: usize,
    /// Its last bytes: all that were read, or those of the last piece.
    bytes: &'a mut Vec<u8>,
    /// How many of its bytes were read, and how many hashed. As long as all are zeros, none is.
    read: usize,
    hashed: usize,
    /// Nothing but zeros was read.
    zeros: bool,
    hasher: Hasher,
}

/// What becomes of the bytes of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    /// They are wanted.
    Kept,
    /// Only their digest is: then they never leave the core's own cache.
    Hashed,
}

impl<'a> Source<'a> {
    /// Opens it. One that is empty is refused: there is no archive of no bytes.
    pub(super) fn open(job: &'a SnapshotOptions, (number, archive): (usize, &'a Archive)) -> Result<Self, Error> {
        let path = &archive.source.told();
        let object = archive.source.root.open_source(&archive.source.name).map_err(Error::io("open", path))?;
        let size = object.length().map_err(Error::io("read", path))?;
        if size == 0 {
            let what = format!("{} is empty, and an archive of no bytes cannot be stored", quoted(path));
            return Err(Error::cannot_start(what));
        }
        Ok(Self { job, number, archive, object, size, zeros: OnceLock::new() })
    }

    /// What people call it.
    pub(super) fn path(&self) -> PathBuf {
        self.archive.source.told()
    }

    /// The length of the chunk at `at`.
    pub(super) fn length(&self, at: u64) -> Result<usize, Error> {
        usize::try_from(self.job.chunk.min(self.size.saturating_sub(at)))
            .map_err(|_| Error::failed("a chunk is too long for this machine"))
    }

    /// The digest of the chunk at `at`.
    pub(super) fn digest(&self, at: u64) -> Result<Digest, Error> {
        self.one(at).map(|(_, digest)| digest)
    }

    /// Reads the chunk at `at`.
    pub(super) fn one(&self, at: u64) -> Result<(Vec<u8>, Digest), Error> {
        let mut buffers = [Vec::new()];
        let digests = self.read(&[at], &mut buffers, Bytes::Kept)?;
        let [buffer] = buffers;
        Ok((buffer, digests[0]))
    }

    /// Reads the chunk at `at` once more; it must still be what it was.
    pub(super) fn again(&self, at: u64, digest: &Digest) -> Result<Vec<u8>, Error> {
        let (buffer, found) = self.one(at)?;
        if found != *digest {
            let what = format!(
                "the store has lost the chunk {digest}, and at byte {at} {} is not what it was",
                quoted(&self.path())
            );
            return Err(Error::failed(format!("{what}; run again. No snapshot was made")));
        }
        Ok(buffer)
    }

    /// Says so if the source is not what it was when its reading began: what was stored is then of no single moment.
    pub(super) fn warn_of_change(&self, watch: &Watch<'_>) -> Result<(), Error> {
        let now = self.object.length().map_err(Error::io("read", &self.path()))?;
        if now != self.size {
            let what =
                "while it was read: this archive is of no single moment; stop its writer, or back up a snapshot of it";
            watch.notice(format!("{} changed from {} to {now} bytes {what}", quoted(&self.path()), self.size));
        }
        Ok(())
    }

    /// Reads the chunks at `ats`, into as many of the `buffers` if their bytes are to be kept. Gives their digests.
    pub(super) fn read(&self, ats: &[u64], buffers: &mut [Vec<u8>], keep: Bytes) -> Result<Vec<Digest>, Error> {
        let piece = TOGETHER / ats.len().max(1);
        let mut all = Vec::with_capacity(ats.len());
        for (at, bytes) in ats.iter().zip(buffers) {
            let length = self.length(*at)?;
            // Where the source has a hole, there is nothing to read.
            let hole = self.object.next_data(*at).is_some_and(|data| data >= at + length as u64);
            if hole {
                bytes.clear();
            }
            match keep {
                Bytes::Kept => bytes.resize(length, 0),
                Bytes::Hashed => bytes.resize(length.min(piece), 0),
            }
            let (read, hasher) = (if hole { length } else { 0 }, Hasher::new(Algorithm::Sha256));
            all.push(Reading { at: *at, length, bytes, read, hashed: 0, zeros: true, hasher });
        }
        while all.iter().any(|chunk| chunk.read < chunk.length) {
            for chunk in &mut all {
                self.next(chunk, piece)?;
            }
            update_lanes(all.iter_mut().filter_map(|chunk| (!chunk.zeros).then(|| chunk.work())));
        }
        all.into_iter().map(|chunk| Ok(self.finish(chunk))).collect()
    }

    /// Reads the next bytes of a chunk.
    fn next(&self, chunk: &mut Reading<'_>, piece: usize) -> Result<(), Error> {
        let (from, to) = (chunk.read, chunk.length.min(chunk.read + piece));
        let place = if chunk.bytes.len() == chunk.length { from } else { 0 };
        let bytes = &mut chunk.bytes[place..place + (to - from)];
        self.object.read_exact_at(chunk.at + from as u64, bytes).map_err(Error::io("read", &self.path()))?;
        chunk.read = to;
        if chunk.zeros && bytes.iter().fold(0, |any, byte| any | byte) != 0 {
            chunk.zeros = false;
            chunk.take_zeros(from);
        }
        Ok(())
    }

    fn finish(&self, chunk: Reading<'_>) -> Digest {
        let digest = |mut chunk: Reading<'_>| {
            if chunk.zeros {
                chunk.take_zeros(chunk.length);
            }
            chunk.hasher.update(self.job.key.as_ref().map_or(&[][..], |key| key.id()));
            chunk.hasher.finish()
        };
        if chunk.zeros && chunk.length as u64 == self.job.chunk {
            return *self.zeros.get_or_init(|| digest(chunk));
        }
        digest(chunk)
    }
}

impl Reading<'_> {
    /// What was read last, and who takes it.
    fn work(&mut self) -> (&mut Hasher, &[u8]) {
        let count = self.read - std::mem::replace(&mut self.hashed, self.read);
        let end = if self.bytes.len() == self.length { self.read } else { count };
        (&mut self.hasher, &self.bytes[end - count..end])
    }

    /// Takes the zeros up to `to` that were read and not hashed.
    fn take_zeros(&mut self, to: usize) {
        const ZEROS: [u8; 4096] = [0; 4096];
        while self.hashed < to {
            let some = &ZEROS[..ZEROS.len().min(to - self.hashed)];
            self.hasher.update(some);
            self.hashed += some.len();
        }
    }
}
