//! Appends the missing chunks to a target, and writes nothing inside its old bytes.
//!
//! A crash in the middle must leave the old database: see [`super::seal`].

use std::thread;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::report::Depth;

use super::filestorage::seal::Seal;
use super::write::Writer;
use super::{Run, sound, tell_chunks, tell_whole};
use crate::disk::Writable;
use crate::drive::check_bytes;
use crate::error::Error;
use crate::shown::shown;

/// How an append went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Result {
    /// The target is the point now.
    Done,
    /// The target's last bytes are not the beginning of the next chunk; nothing was written.
    Differs,
}

/// Appends `claims`, the first of which may be there in part, to `file`, the target, which has `length` bytes.
pub(super) fn append(
    run: &Run<'_>,
    claims: &[Claim],
    length: u64,
    file: &dyn Writable,
) -> std::result::Result<Result, Error> {
    let Run { job, plan, watch, .. } = *run;
    watch.note(format!("Recovering (incrementally) file to {}", shown(run.told())));
    watch.note("remaining files needed to recover incrementally onto target file:");
    for claim in claims {
        watch.note(format!("\t{}", shown(run.from.told(Some(&claim.object)))));
    }
    let Some(first) = claims.first() else { return Ok(Result::Done) };
    let mut seal = Seal::of(first);
    if length > first.target.start {
        // An interrupted run put these bytes there, the seal among them, and may not have made them durable.
        file.sync().map_err(run.failed("sync"))?;
    }
    watch.expect(claims.iter().map(|claim| claim.expect.length).sum());
    let mut written = Ok(Result::Done);
    for claim in claims {
        written = chunk(run, claim, length, &mut seal, file);
        if !matches!(written, Ok(Result::Done)) {
            break;
        }
    }
    match written {
        Ok(Result::Done) => {}
        other => {
            // Cutting is no change inside the old bytes: what was appended is not whole: the old end is the end again.
            file.set_length(length).and_then(|()| file.sync()).map_err(run.failed("cut"))?;
            return other;
        }
    }
    file.sync().map_err(run.failed("sync"))?;
    if let Some(real) = seal.real {
        file.write_at(seal.at, &[real]).and_then(|()| file.sync()).map_err(run.failed("write"))?;
    }
    if job.whole_sum {
        tell_whole(file.as_object(), &run.told(), length, plan.end.max(length), watch)?;
    } else {
        tell_chunks(run.from, claims.iter().cloned(), watch);
    }
    Ok(Result::Done)
}

/// Appends what is missing of one chunk, comparing what is there of it.
fn chunk(
    run: &Run<'_>,
    claim: &Claim,
    length: u64,
    seal: &mut Seal,
    file: &dyn Writable,
) -> std::result::Result<Result, Error> {
    let mut at = claim.target.start;
    let mut differs = false;
    let mut failed = None;
    let from = at.max(length).min(claim.target.end);
    let verdict = thread::scope(|scope| -> std::result::Result<Verdict, Error> {
        let from = seal.after(from..claim.target.end);
        let mut writer = Writer::new(scope, file, from, claim.target.end - from, false);
        let mut old = Vec::new();
        let (verdict, _) = check_bytes(run.from, claim, Depth::Digest, run.watch, &mut |bytes| {
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
        writer.finish().map_err(run.failed("write"))?;
        Ok(verdict)
    })?;
    if let Some(error) = failed {
        return Err(run.failed("append to")(error));
    }
    sound(run.from, claim, verdict)?;
    Ok(if differs { Result::Differs } else { Result::Done })
}
