//! Full, increment, or nothing: what the state of repository and source calls for.

use highwater_core::codec::Codec;
use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::formats::repozo::chain::Link;

use super::BackupOptions;
use super::prefix::{self, Differs};
use super::source::Source;
use super::state::{Dat, Newest, State};
use super::stored::{self, Look};
use crate::disk::Disk;
use crate::drive::{NEAR, buffer};
use crate::error::Error;
use crate::shown::shown;
use crate::watch::Watch;

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the repository reaches this offset, and so does the source.
    Nothing(u64),
    /// A full backup.
    Full,
    /// An increment from this offset on.
    Increment(u64),
}

/// Decides.
///
/// By default every byte of the newest chain is compared with the source. `quick` looks at the last line of the index
/// that covers any bytes, hashes that range of the source, and looks whether all files of the chain can be as long as
/// they should be.
pub(super) fn decide(
    job: &BackupOptions,
    disk: &dyn Disk,
    state: &State,
    source: &Source,
    watch: &Watch<'_>,
) -> Result<Decision, Error> {
    let Some(newest) = state.newest.as_ref().filter(|_| !job.full) else {
        watch.note("doing a full backup");
        return Ok(Decision::Full);
    };
    if let Dat::Broken(why) = &newest.dat {
        watch.decision(format!("the newest chain cannot be built upon ({why}): doing a full backup"));
        return Ok(Decision::Full);
    }
    let Some(last) = newest.links.iter().rev().find(|link| link.end > link.start) else {
        watch.note("missing or empty .dat file (full backup)");
        return Ok(Decision::Full);
    };
    let end = newest.end();
    let shrunk = source.size < end;
    if job.sums && !job.quick {
        sums(disk, newest, source, watch)?;
    }
    if shrunk {
        watch.note("file shrunk, possibly because of a pack (full backup)");
        return Ok(Decision::Full);
    }
    let differs = if job.quick {
        quick(job, disk, newest, last, source, watch)?
    } else {
        prefix::difference(disk, &newest.links, source, watch)?
    };
    if let Some(differs) = differs {
        match differs {
            Differs::Source(why) if !job.sums => watch.decision(format!("{why}: doing a full backup")),
            Differs::Source(_) => {}
            Differs::Stored(why) => watch.notice(format!(
                "{why}: nothing can be built upon the newest chain, so this is a full backup; `highwater verify {}` \
                 names the points that are hurt",
                shown(disk.told(None))
            )),
        }
        watch.note("file changed, possibly because of a pack (full backup)");
        return Ok(Decision::Full);
    }
    if source.size == end {
        return Ok(Decision::Nothing(end));
    }
    watch.note(format!("doing incremental, starting at: {end}"));
    Ok(Decision::Increment(end))
}

fn quick(
    job: &BackupOptions,
    disk: &dyn Disk,
    newest: &Newest,
    last: &Link,
    source: &Source,
    watch: &Watch<'_>,
) -> Result<Option<Differs>, Error> {
    for link in &newest.links {
        match stored::look(disk, link) {
            Ok(Look::Fits) => {}
            Ok(Look::Length(length)) => {
                let expected = link.end - link.start;
                let why = format!("'{}' has {length} bytes, its index says {expected}", link.file);
                return Ok(Some(Differs::Stored(why)));
            }
            // Whoever wrote it may have cut it into members as he liked.
            Ok(Look::Doubtful) => {
                let found = prefix::difference(disk, std::slice::from_ref(link), source, watch)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Err(error) => return Ok(Some(Differs::Stored(format!("'{}' cannot be read: {error}", link.file)))),
        }
    }
    if last.codec == Codec::Plain && last.end - last.start <= NEAR && !job.sums {
        // Comparing takes an eighth of the time of hashing, and also finds the chunk itself damaged.
        return prefix::difference(disk, std::slice::from_ref(last), source, watch);
    }
    let found = md5_of(source, last.start, last.end, watch)?;
    watch.note(format!("last incremental file: {}", shown(disk.told(Some(&last.file)))));
    watch.note(format!("last incremental checksum: {}", last.digest));
    watch.note(format!("source checksum range: [{}..{}], sum: {found}", last.start, last.end));
    Ok((found != last.digest).then(|| {
        Differs::Source(format!("the source's bytes {} to {} are not those of '{}'", last.start, last.end, last.file))
    }))
}

fn md5_of(source: &Source, start: u64, end: u64, watch: &Watch<'_>) -> Result<Digest, Error> {
    let mut hasher = Hasher::new(Algorithm::Md5);
    watch.expect(end - start);
    let read = source.object.for_each_piece(start, end, &mut buffer(), |piece| {
        hasher.update(piece);
        watch.advance(piece.len() as u64);
        !watch.stopping()
    });
    read.map_err(|error| source.unread(error))?;
    watch.go_on()?;
    Ok(hasher.finish())
}

/// The three log lines of the original that need sums nobody else needs.
fn sums(disk: &dyn Disk, newest: &Newest, source: &Source, watch: &Watch<'_>) -> Result<(), Error> {
    let mut hasher = Hasher::new(Algorithm::Md5);
    let mut length = 0u64;
    for link in &newest.links {
        let object = disk.open(&link.file).map_err(Error::at("open", disk, &link.file))?;
        let mut decoder = highwater_core::codec::Decoder::new(link.codec, None);
        let read = object.for_each_piece(0, u64::MAX, &mut buffer(), |stored| {
            let pushed = decoder.push(stored, &mut |decoded| {
                hasher.update(decoded);
                length += decoded.len() as u64;
                highwater_core::codec::Flow::Continue(())
            });
            pushed.is_ok() && !watch.stopping()
        });
        read.map_err(Error::at("read", disk, &link.file))?;
        watch.go_on()?;
    }
    let (mut whole, mut prefix) = (Hasher::new(Algorithm::Md5), None);
    let mut at = 0u64;
    let read = source.object.for_each_piece(0, source.size, &mut buffer(), |piece| {
        let until = usize::try_from(length.saturating_sub(at)).unwrap_or(usize::MAX).min(piece.len());
        whole.update(&piece[..until]);
        if at + until as u64 == length && prefix.is_none() {
            prefix = Some(whole.clone());
        }
        whole.update(&piece[until..]);
        at += piece.len() as u64;
        !watch.stopping()
    });
    read.map_err(|error| source.unread(error))?;
    watch.go_on()?;
    let whole = whole.finish();
    watch.note(format!("repository state: {length} bytes, md5: {}", hasher.finish()));
    watch.note(format!("current state   : {} bytes, md5: {whole}", source.size));
    watch.note(format!("backed up state : {length} bytes, md5: {}", prefix.map_or(whole, Hasher::finish)));
    Ok(())
}
