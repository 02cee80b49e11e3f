//! Reads the source chunk by chunk, in order, on all cores, and hashes several chunks side by side.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use highwater_core::codec::Packer;
use highwater_core::digest::{Algorithm, Digest, lanes};
use rayon::prelude::*;

use super::chunks::Chunks;
use super::source::{digests_of, fill, length};
use super::{Job, LEVEL};
use crate::error::Error;
use crate::store::Object;
use crate::watch::Watch;

/// Takes every chunk of the source to `chunks`, the first of them without reading it: those that are `kept`. Gives the digests of all, in order.
pub(super) fn all(
    job: &Job,
    source: &dyn Object,
    size: u64,
    kept: Vec<Digest>,
    chunks: &Chunks<'_>,
    watch: &Watch<'_>,
) -> Result<Vec<Digest>, Error> {
    kept.par_iter().enumerate().try_for_each(|(number, digest)| {
        watch.go_on()?;
        chunks.keep(*digest, number as u64 * job.chunk, source, size)
    })?;
    let count = size.div_ceil(job.chunk);
    let next = AtomicU64::new(kept.len() as u64);
    let digests = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    // Of images, often most of it.
    let zeros = OnceLock::new();
    let work = || -> Result<(), Error> {
        let width = lanes::width(Algorithm::Sha256) as u64;
        let mut packer = Packer::new(LEVEL).map_err(Error::failed)?;
        let mut buffers: Vec<Vec<u8>> = Vec::new();
        loop {
            watch.go_on()?;
            let first = next.fetch_add(width, Ordering::Relaxed);
            if first >= count {
                return Ok(());
            }
            let last = (first + width).min(count);
            buffers.resize_with(width as usize, Vec::new);
            for (buffer, number) in buffers.iter_mut().zip(first..last) {
                let at = number * job.chunk;
                fill(job, source, at, length(job, at, size)?, buffer)?;
            }
            let some = &buffers[..usize::try_from(last - first).unwrap_or(0)];
            let found = if some.iter().all(|chunk| is_zero(chunk, job.chunk)) {
                let zeros = zeros.get_or_init(|| digests_of(job, &some[..1])[0]);
                vec![*zeros; some.len()]
            } else {
                digests_of(job, some)
            };
            for ((buffer, digest), number) in some.iter().zip(&found).zip(first..) {
                chunks.take(*digest, number * job.chunk, buffer, &mut packer)?;
                watch.advance(buffer.len() as u64);
            }
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

/// Whether these are as many zeros as a chunk has.
fn is_zero(chunk: &[u8], length: u64) -> bool {
    let zeros = |piece: &[u8]| piece.iter().fold(0, |any, byte| any | byte) == 0;
    chunk.len() as u64 == length && chunk.chunks(4096).all(zeros)
}
