//! Appends the missing chunks to a target, and writes nothing inside its old bytes.
//!
//! A crash in the middle must leave the old database. Appended bytes may reach the disk in any order, and a database
//! that finds a whole transaction does not look inside it. So the status byte of the first appended transaction is first
//! written as `c`, "voted but not finished", at which every FileStorage reader stops; only when all is durable, it gets its real value.

use std::path::Path;
use std::thread;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::report::Depth;

use super::write::Writer;
use super::{Job, Plan, sound, target, tell_chunks, tell_whole};
use crate::disk::{Disk, Writable};
use crate::drive::{check_bytes, path_of};
use crate::error::Error;
use crate::store::Object;
use crate::watch::{Watch, shown};

/// Where a transaction's status stands in it.
const STATUS: u64 = 16;

/// The status at which readers stop.
const VOTED: u8 = b'c';

/// How an append went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    /// The target is the point now.
    Done,
    /// The target's last bytes are not the beginning of the next chunk; nothing was written.
    Differs,
}

/// Whether a chunk that an object holds may still bear the seal of an interrupted append.
pub(super) fn is_sealed(object: &dyn Object, claim: &Claim) -> bool {
    let at = claim.target.start.saturating_add(STATUS);
    let mut status = [0];
    claim.target.start > 0
        && at < claim.target.end
        && object.read_exact_at(at, &mut status).is_ok()
        && status == [VOTED]
}

/// The status byte that is held back.
#[derive(Debug, Clone, Copy)]
struct Seal {
    at: u64,
    real: Option<u8>,
}

/// Appends `claims`, the first of which may be there in part, to a target of `length` bytes.
pub(super) fn append(
    job: &Job,
    plan: &Plan,
    claims: &[Claim],
    length: u64,
    target: &Path,
    disk: &dyn Disk,
    watch: &Watch<'_>,
) -> std::result::Result<Result, Error> {
    watch.note(format!("Recovering (incrementally) file to {}", shown(target)));
    watch.note("remaining files needed to recover incrementally onto target file:");
    for claim in claims {
        watch.note(format!("\t{}", shown(path_of(&job.repository, &claim.object))));
    }
    let Some(first) = claims.first() else { return Ok(Result::Done) };
    let file = target::open_alone(disk, target)?;
    let mut seal = Seal { at: first.target.start.saturating_add(STATUS), real: None };
    watch.expect(claims.iter().map(|claim| claim.expect.length).sum());
    let mut written = Ok(Result::Done);
    for claim in claims {
        written = chunk(job, claim, length, &mut seal, &*file, target, disk, watch);
        if !matches!(written, Ok(Result::Done)) {
            break;
        }
    }
    match written {
        Ok(Result::Done) => {}
        other => {
            // Cutting is no change inside the old bytes: what was appended is not whole: the old end is the end again.
            file.set_length(length).and_then(|()| file.sync()).map_err(Error::io("cut", target))?;
            return other;
        }
    }
    file.sync().map_err(Error::io("sync", target))?;
    if let Some(real) = seal.real {
        file.write_at(seal.at, &[real]).and_then(|()| file.sync()).map_err(Error::io("write", target))?;
    }
    if job.whole_sum {
        tell_whole(file.as_object(), target, length, plan.end.max(length), watch)?;
    } else {
        tell_chunks(job, claims, watch);
    }
    Ok(Result::Done)
}

/// Appends what is missing of one chunk, comparing what is there of it.
#[expect(clippy::too_many_arguments, reason = "one step of the loop above, with its whole surroundings")]
fn chunk(
    job: &Job,
    claim: &Claim,
    length: u64,
    seal: &mut Seal,
    file: &dyn Writable,
    target: &Path,
    disk: &dyn Disk,
    watch: &Watch<'_>,
) -> std::result::Result<Result, Error> {
    let path = path_of(&job.repository, &claim.object);
    let mut at = claim.target.start;
    let mut differs = false;
    let mut failed = None;
    let from = at.max(length).min(claim.target.end);
    let verdict = thread::scope(|scope| -> std::result::Result<Verdict, Error> {
        let mut writer = Writer::new(scope, file, from, claim.target.end - from);
        let mut old = Vec::new();
        let (verdict, _) = check_bytes(disk, &path, claim, Depth::Digest, watch, &mut |bytes| {
            let start = at;
            at += bytes.len() as u64;
            if differs || failed.is_some() {
                return;
            }
            let there = usize::try_from(length.saturating_sub(start)).unwrap_or(usize::MAX).min(bytes.len());
            let (there, new) = bytes.split_at(there);
            old.resize(there.len(), 0);
            match file.as_object().read_exact_at(start, &mut old) {
                Ok(()) => differs = !same(there, &old, start, seal),
                Err(error) => failed = Some(error),
            }
            if !differs && failed.is_none() && !new.is_empty() {
                put(&mut writer, new, start + there.len() as u64, seal);
            }
        })?;
        writer.finish().map_err(Error::io("write", target))?;
        Ok(verdict)
    })?;
    if let Some(error) = failed {
        return Err(Error::io("read", target)(error));
    }
    sound(job, claim, verdict)?;
    Ok(if differs { Result::Differs } else { Result::Done })
}

/// Compares bytes of the chunk with the target's, at which an earlier run may have left the seal.
fn same(chunk: &[u8], old: &[u8], start: u64, seal: &mut Seal) -> bool {
    chunk.iter().zip(old).enumerate().all(|(i, (new, old))| {
        let sealed = start + i as u64 == seal.at && *old == VOTED && new != old;
        if sealed {
            seal.real = Some(*new);
        }
        sealed || new == old
    })
}

/// Hands bytes to the writer, with the seal in place of the status byte.
fn put<'scope, 'a: 'scope>(writer: &mut Writer<'scope, 'a>, bytes: &[u8], start: u64, seal: &mut Seal) {
    let inside =
        seal.at.checked_sub(start).and_then(|skip| usize::try_from(skip).ok()).filter(|skip| *skip < bytes.len());
    let Some(skip) = inside else { return writer.put(bytes) };
    seal.real = Some(bytes[skip]);
    writer.put(&bytes[..skip]);
    writer.put(&[VOTED]);
    writer.put(&bytes[skip + 1..]);
}
