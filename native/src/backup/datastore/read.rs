//! Reads a source chunk by chunk, in order, on all cores, and hashes several chunks side by side.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use highwater_core::codec::Packer;
use highwater_core::digest::{Algorithm, Digest, lanes};
use rayon::prelude::*;

use super::chunks::Chunks;
use super::source::{Bytes, Source};
use super::{Known, LEVEL, SnapshotOptions};
use crate::error::Error;
use crate::watch::Watch;

/// Takes every chunk of the source to `chunks`, the first of them without reading it: those that are `kept`. Gives the
/// digests of all, in order.
pub(super) fn all(
    job: &SnapshotOptions,
    source: &Source<'_>,
    kept: Vec<Digest>,
    chunks: &Chunks<'_>,
    watch: &Watch<'_>,
) -> Result<Vec<Digest>, Error> {
    kept.par_iter().enumerate().try_for_each(|(number, digest)| {
        watch.go_on()?;
        chunks.keep(*digest, source, number as u64 * job.chunk)
    })?;
    let count = source.size.div_ceil(job.chunk);
    let next = AtomicU64::new(kept.len() as u64);
    let digests = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    let work = || -> Result<(), Error> {
        let width = lanes::width(Algorithm::Sha256) as u64;
        let mut packer = Packer::new(LEVEL).map_err(Error::failed)?;
        let mut buffers: Vec<Vec<u8>> = Vec::new();
        // Most of a source is what it was when it was backed up before: then there is no need to keep what was read.
        let always = job.known == Known::Digest;
        let mut keep = if always || !chunks.has_previous(source) { Bytes::Kept } else { Bytes::Hashed };
        loop {
            watch.go_on()?;
            let first = next.fetch_add(width, Ordering::Relaxed);
            if first >= count {
                return Ok(());
            }
            let ats: Vec<u64> = (first..count.min(first + width)).map(|number| number * job.chunk).collect();
            buffers.resize_with(ats.len(), Vec::new);
            let mut found = source.read(&ats, &mut buffers, keep)?;
            let mut new = always;
            for ((buffer, digest), at) in buffers.iter().zip(&mut found).zip(ats) {
                match keep {
                    Bytes::Kept => new |= chunks.take(*digest, source, at, buffer, &mut packer)?,
                    Bytes::Hashed => {
                        let stored;
                        (*digest, stored) = known(chunks, source, *digest, at, &mut packer, watch)?;
                        new |= stored;
                    }
                }
                watch.advance(source.length(at)? as u64);
            }
            keep = if new { Bytes::Kept } else { Bytes::Hashed };
            digests.lock().unwrap_or_else(PoisonError::into_inner).push((first, found));
        }
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| {
                if let Err(error) = work() {
                    // The others find nothing left.
                    next.store(count, Ordering::Relaxed);
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut digests = digests.into_inner().unwrap_or_else(PoisonError::into_inner);
    digests.sort_by_key(|(first, _)| *first);
    Ok(kept.into_iter().chain(digests.into_iter().flat_map(|(_, digests)| digests)).collect())
}

/// Takes a chunk of which only the digest was kept: as a rule the store has it. Gives the digest of what was taken, and
/// whether that had to be stored.
fn known(
    chunks: &Chunks<'_>,
    source: &Source<'_>,
    digest: Digest,
    at: u64,
    packer: &mut Packer,
    watch: &Watch<'_>,
) -> Result<(Digest, bool), Error> {
    if chunks.take_known(digest, source, at)? {
        return Ok((digest, false));
    }
    watch.note(format!("the chunk at byte {at} is new"));
    // The source may have changed since: then this is what it holds.
    let (bytes, digest) = source.one(at)?;
    Ok((digest, chunks.take(digest, source, at, &bytes, packer)?))
}
