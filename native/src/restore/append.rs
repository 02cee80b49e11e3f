//! Appends the missing chunks to a target, and writes nothing inside its old bytes.
//!
//! A crash in the middle must leave the old database: see [`super::seal`].

use std::path::Path;
use std::thread;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::report::Depth;

use super::seal::Seal;
use super::write::Writer;
use super::{Job, Plan, sound, target, tell_chunks, tell_whole};
use crate::disk::{Disk, Writable};
use crate::drive::{check_bytes, path_of};
use crate::error::Error;
use crate::shown::shown;
use crate::watch::Watch;

/// How an append went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    /// The target is the point now.
    Done,
    /// The target's last bytes are not the beginning of the next chunk; nothing was written.
    Differs,
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
    let mut seal = Seal::of(first);
    if length > first.target.start {
        // An interrupted run put these bytes there, the seal among them, and may not have made them durable.
        file.sync().map_err(Error::io("sync", target))?;
    }
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
        let from = seal.after(from..claim.target.end);
        let mut writer = Writer::new(scope, file, from, claim.target.end - from, false);
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
                Ok(()) => differs = !seal.same(there, &old, start),
                Err(error) => failed = Some(error),
            }
            if !differs && failed.is_none() && !new.is_empty() {
                failed = seal.put(file, &mut writer, new, start + there.len() as u64).err();
            }
        })?;
        writer.finish().map_err(Error::io("write", target))?;
        Ok(verdict)
    })?;
    if let Some(error) = failed {
        return Err(Error::io("append to", target)(error));
    }
    sound(job, claim, verdict)?;
    Ok(if differs { Result::Differs } else { Result::Done })
}
