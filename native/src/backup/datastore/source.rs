//! A chunk of the source, read and hashed.

use highwater_core::digest::{Algorithm, Digest, Hasher, update_lanes};

use super::Job;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Object;

/// How many bytes of each chunk are hashed before the next chunk's: so many that reading ahead pays, so few that they stay in the cache.
const STRIDE: usize = 32 * 1024;

/// The digest of the chunk at `at`.
pub(super) fn digest(job: &Job, source: &dyn Object, at: u64, size: u64) -> Result<Digest, Error> {
    one(job, source, at, size).map(|(_, digest)| digest)
}

fn one(job: &Job, source: &dyn Object, at: u64, size: u64) -> Result<(Vec<u8>, Digest), Error> {
    let mut buffer = Vec::new();
    fill(job, source, at, length(job, at, size)?, &mut buffer)?;
    let digest = digests_of(job, std::slice::from_ref(&buffer))[0];
    Ok((buffer, digest))
}

/// Reads the chunk at `at` once more; it must still be what it was.
pub(super) fn again(job: &Job, source: &dyn Object, at: u64, size: u64, digest: &Digest) -> Result<Vec<u8>, Error> {
    let (buffer, found) = one(job, source, at, size)?;
    if found != *digest {
        let what = format!(
            "the store has lost the chunk {digest}, and at byte {at} {} is not what it was",
            quoted(&job.source)
        );
        return Err(Error::failed(format!("{what}; run again. No snapshot was made")));
    }
    Ok(buffer)
}

/// The length of the chunk at `at`.
pub(super) fn length(job: &Job, at: u64, size: u64) -> Result<usize, Error> {
    usize::try_from(job.chunk.min(size.saturating_sub(at)))
        .map_err(|_| Error::failed("a chunk is too long for this machine"))
}

/// Reads a chunk; where the source has a hole, there is nothing to read.
pub(super) fn fill(job: &Job, source: &dyn Object, at: u64, length: usize, buffer: &mut Vec<u8>) -> Result<(), Error> {
    if source.next_data(at).is_some_and(|data| data >= at + length as u64) {
        buffer.clear();
        buffer.resize(length, 0);
        return Ok(());
    }
    buffer.resize(length, 0);
    source.read_exact_at(at, buffer).map_err(Error::io("read", &job.source))
}

/// The digests of chunks, side by side.
pub(super) fn digests_of(job: &Job, chunks: &[Vec<u8>]) -> Vec<Digest> {
    let mut hashers = vec![Hasher::new(Algorithm::Sha256); chunks.len()];
    let longest = chunks.iter().map(Vec::len).max().unwrap_or(0);
    for at in (0..longest).step_by(STRIDE) {
        let piece = |chunk: &'_ Vec<u8>| at.min(chunk.len())..(at + STRIDE).min(chunk.len());
        let same = chunks.iter().all(|chunk| piece(chunk).len() == piece(&chunks[0]).len());
        if same {
            update_lanes(hashers.iter_mut().zip(chunks.iter().map(|chunk| &chunk[piece(chunk)])));
        } else {
            // The last chunk of an archive may be short.
            hashers.iter_mut().zip(chunks).for_each(|(hasher, chunk)| hasher.update(&chunk[piece(chunk)]));
        }
    }
    let id = job.key.as_ref().map_or(&[][..], |key| key.id());
    hashers
        .into_iter()
        .map(|mut hasher| {
            hasher.update(id);
            hasher.finish()
        })
        .collect()
}
