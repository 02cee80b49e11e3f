//! What of a source that only grows need not be read again: the whole chunks that the snapshot before has of it.
//!
//! That it only grows, its owner must say. The source itself has to bear that out: it is no shorter than it was, and of
//! the chunks that it had, the first, the last and some between still give the digests that the snapshot names.
//! Otherwise all of it is read.

use highwater_core::digest::Digest;

use super::SnapshotOptions;
use super::previous::Previous;
use super::source::Source;
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;

/// How many of the old chunks are read as samples, about.
const SAMPLES: usize = 16;

/// The digests of the chunks that need not be read, from the source's first byte on.
pub(super) fn kept(
    job: &SnapshotOptions,
    source: &Source<'_>,
    previous: Option<&Previous>,
    watch: &Watch<'_>,
) -> Result<Vec<Digest>, Error> {
    let Some(previous) = previous.filter(|_| job.append_only) else { return Ok(Vec::new()) };
    let whole = usize::try_from(previous.size / previous.chunk.max(1)).unwrap_or(0);
    let old = previous.digests.get(..whole).unwrap_or_default();
    let not = if previous.chunk != job.chunk {
        Some("that has chunks of another length".to_owned())
    } else if source.size < previous.size {
        Some(format!("it has {} bytes now, and had {}", source.size, previous.size))
    } else {
        differs(job, source, old, watch)?.map(|at| format!("it differs in the chunk at byte {at}"))
    };
    match not {
        None => Ok(old.to_vec()),
        Some(why) => {
            let (name, snapshot) = (quoted(&source.path()), &previous.snapshot);
            watch.notice(format!("{name} did not grow out of what {snapshot} holds: {why}. All of it is read"));
            Ok(Vec::new())
        }
    }
}

/// Where one of the samples is not what it was.
fn differs(
    job: &SnapshotOptions,
    source: &Source<'_>,
    old: &[Digest],
    watch: &Watch<'_>,
) -> Result<Option<u64>, Error> {
    let samples = (0..old.len()).step_by((old.len() / SAMPLES).max(1)).chain(old.len().checked_sub(1));
    for number in samples {
        watch.go_on()?;
        let at = number as u64 * job.chunk;
        if source.digest(at)? != old[number] {
            return Ok(Some(at));
        }
    }
    Ok(None)
}
