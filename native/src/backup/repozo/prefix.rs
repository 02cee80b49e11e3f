//! Compares what a repository holds with the source, byte for byte, on all cores; nothing is hashed.

use std::sync::atomic::{AtomicBool, Ordering};

use highwater_core::codec::{Codec, Decoder, Flow};
use highwater_core::formats::repozo::chain::Link;
use rayon::prelude::*;

use super::source::Source;
use crate::disk::Disk;
use crate::drive::buffer;
use crate::error::Error;
use crate::watch::Watch;

/// Bytes of a plain file that one task compares.
const RANGE: u64 = 16 * 1024 * 1024;

/// What keeps the repository from being a prefix of the source, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Differs {
    /// The source goes on differently: a pack, mostly.
    Source(String),
    /// A file of the repository is not what its line says.
    Stored(String),
}

/// The first thing found that keeps the repository from being a prefix of the source; none if it is one.
///
/// # Errors
/// When the source cannot be read, or the user interrupts.
pub(super) fn difference(
    disk: &dyn Disk,
    links: &[Link],
    source: &Source,
    watch: &Watch<'_>,
) -> Result<Option<Differs>, Error> {
    let mut tasks: Vec<(&Link, u64, u64)> = Vec::new();
    for link in links {
        let length = link.end - link.start;
        watch.expect(length);
        if link.codec == Codec::Gzip || length == 0 {
            tasks.push((link, 0, length));
            continue;
        }
        let ranges = (0..length).step_by(usize::try_from(RANGE).unwrap_or(usize::MAX));
        tasks.extend(ranges.map(|from| (link, from, RANGE.min(length - from))));
    }
    let differs = AtomicBool::new(false);
    let stop = || differs.load(Ordering::Relaxed) || watch.stopping();
    let compare = |buffers: &mut (Vec<u8>, Vec<u8>), (link, from, length): &(&Link, u64, u64)| {
        if stop() {
            return None;
        }
        let found = match link.codec {
            Codec::Plain => plain(disk, link, *from, *length, source, buffers),
            // No repository of this kind has others.
            Codec::Gzip | Codec::Blob(_) | Codec::Cached(_) | Codec::Kept(_) => {
                gzip(disk, link, source, buffers, &stop)
            }
        };
        watch.advance(*length);
        match found {
            Ok(None) => None,
            other => {
                differs.store(true, Ordering::Relaxed);
                Some(other)
            }
        }
    };
    let found = tasks.par_iter().map_init(|| (buffer(), buffer()), compare).find_map_any(|found| found);
    watch.go_on()?;
    found.unwrap_or(Ok(None))
}

type Buffers = (Vec<u8>, Vec<u8>);

fn plain(
    disk: &dyn Disk,
    link: &Link,
    from: u64,
    length: u64,
    source: &Source,
    (ours, theirs): &mut Buffers,
) -> Result<Option<Differs>, Error> {
    let (object, stored) = match disk.open(&link.file).and_then(|object| object.length().map(|length| (object, length)))
    {
        Ok(opened) => opened,
        Err(error) => return Ok(Some(Differs::Stored(format!("'{}' cannot be read: {error}", link.file)))),
    };
    if stored != link.end - link.start {
        return Ok(Some(Differs::Stored(format!(
            "'{}' has {stored} bytes, its index says {}",
            link.file,
            link.end - link.start
        ))));
    }
    let mut at = from;
    while at < from + length {
        let piece = usize::try_from(from + length - at).unwrap_or(usize::MAX).min(ours.len());
        let (ours, theirs) = (&mut ours[..piece], &mut theirs[..piece]);
        if let Err(error) = object.read_exact_at(at, ours) {
            return Ok(Some(Differs::Stored(format!("'{}' cannot be read: {error}", link.file))));
        }
        if let Some(differs) = against(source, link.start + at, ours, theirs)? {
            return Ok(Some(differs));
        }
        at += piece as u64;
    }
    Ok(None)
}

fn gzip(
    disk: &dyn Disk,
    link: &Link,
    source: &Source,
    (ours, theirs): &mut Buffers,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Differs>, Error> {
    let object = match disk.open(&link.file) {
        Ok(object) => object,
        Err(error) => return Ok(Some(Differs::Stored(format!("'{}' cannot be read: {error}", link.file)))),
    };
    let mut decoder = Decoder::new(Codec::Gzip, None);
    let mut at = link.start;
    let mut found: Result<Option<Differs>, Error> = Ok(None);
    let mut broken = None;
    let read = object.for_each_piece(0, u64::MAX, ours, |stored| {
        let pushed = decoder.push(stored, &mut |decoded| {
            found = if decoded.len() as u64 > link.end - at {
                Ok(Some(Differs::Stored(format!(
                    "'{}' holds more than the {} bytes its index says",
                    link.file,
                    link.end - link.start
                ))))
            } else {
                against(source, at, decoded, &mut theirs[..decoded.len()])
            };
            at += decoded.len() as u64;
            if matches!(found, Ok(None)) { Flow::Continue(()) } else { Flow::Break(()) }
        });
        broken = pushed.as_ref().err().cloned();
        pushed.is_ok_and(|flow| flow.is_continue()) && !stop()
    });
    if !matches!(found, Ok(None)) || stop() {
        return found;
    }
    if let Err(error) = read {
        return Ok(Some(Differs::Stored(format!("'{}' cannot be read: {error}", link.file))));
    }
    if let Some(broken) = broken.or_else(|| decoder.end().err()) {
        return Ok(Some(Differs::Stored(format!("'{}' at byte {}: {broken}", link.file, broken.at))));
    }
    Ok((at != link.end).then(|| {
        let held = at - link.start;
        Differs::Stored(format!("'{}' holds {held} bytes, its index says {}", link.file, link.end - link.start))
    }))
}

/// Compares bytes of the repository with the source at an offset.
fn against(source: &Source, at: u64, ours: &[u8], theirs: &mut [u8]) -> Result<Option<Differs>, Error> {
    source.object.read_exact_at(at, theirs).map_err(|error| source.unread(error))?;
    if ours == theirs {
        return Ok(None);
    }
    let first = ours.iter().zip(theirs.iter()).position(|(a, b)| a != b).unwrap_or(0);
    Ok(Some(Differs::Source(format!("the source differs from the repository at byte {}", at + first as u64))))
}
