//! Appends the missing chunks to a target, and writes nothing inside its old bytes.
//!
//! A crash in the middle must leave the old database: see [`super::seal`].

use std::thread;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::codec::{Decoder, Flow};
use highwater_core::report::Depth;

use super::beyond::{self, Beyond};
use super::seal::Seal;
use crate::disk::Writable;
use crate::drive::{self, buffer, check_bytes};
use crate::error::Error;
use crate::restore::write::Ranges;
use crate::restore::{Run, sound, tell_chunks, tell_whole};
use crate::shown::{quoted, shown};

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
    if length > first.target().start {
        // An interrupted run put these bytes there, the seal among them, and may not have made them durable.
        file.sync().map_err(run.failed("sync"))?;
    }
    watch.expect(claims.iter().map(|claim| claim.expect.length).sum());
    let path = run.told();
    let (written, seal) = thread::scope(|scope| {
        let ranges = Ranges::new(scope, file, &path, u64::MAX);
        let beyond = Beyond::new(&ranges, file, &path, Seal::of(first), length);
        let written = put(run, claims, &beyond);
        let seal = beyond.finish();
        (ranges.finish().and(written), seal)
    });
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

/// Writes what is missing: one chunk after the other up to the seal and to the old end, and all others at once.
fn put(run: &Run<'_>, claims: &[Claim], beyond: &Beyond<'_, '_, '_>) -> std::result::Result<Result, Error> {
    let key = run.plan.opens.as_ref();
    let settled = |claim: &Claim, verdict: Verdict| sound(run.from, claim, verdict);
    let is_beyond = |claim: &Claim| beyond.is_behind_the_end(claim) && beyond.is_behind_the_seal(claim);
    let begun = claims.iter().position(is_beyond).unwrap_or(claims.len());
    let (begun, missing) = claims.split_at(begun);
    for claim in begun {
        head(run, claim, beyond)?;
        // In one stream, so that the old bytes are compared before anything is written behind them.
        let whole = Claim { marks: None, ..claim.clone() };
        drive::write((run.from, key), vec![whole], beyond, run.watch, &settled)?;
        if beyond.differs() {
            return Ok(Result::Differs);
        }
    }
    if let Some(first) = missing.first() {
        head(run, first, beyond)?;
        drive::write((run.from, key), missing.to_vec(), beyond, run.watch, &settled)?;
    }
    Ok(if beyond.differs() { Result::Differs } else { Result::Done })
}

/// Writes a chunk's bytes up to the seal, if that is in it and still to be written, before any other.
fn head(run: &Run<'_>, claim: &Claim, beyond: &Beyond<'_, '_, '_>) -> std::result::Result<(), Error> {
    let Some(wanted) = beyond.head_of(claim) else { return Ok(()) };
    let mut bytes = Vec::new();
    let mut decoder = Decoder::new(claim.codec, None);
    // Whatever is wrong with it, reading all of it tells.
    _ = run.from.open(&claim.object).and_then(|object| {
        object.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
            let pushed = decoder.push(piece, &mut |decoded| {
                let some = decoded.len().min(wanted - bytes.len());
                bytes.extend_from_slice(&decoded[..some]);
                if bytes.len() < wanted { Flow::Continue(()) } else { Flow::Break(()) }
            });
            pushed.is_ok_and(|flow| flow.is_continue()) && !run.watch.stopping()
        })
    });
    run.watch.go_on()?;
    if bytes.len() == wanted {
        return beyond.put_head(claim, &bytes);
    }
    let (verdict, _) = check_bytes(run.from, claim, (Depth::Digest, run.plan.opens.as_ref()), run.watch, &mut |_| {})?;
    sound(run.from, claim, verdict)?;
    Err(beyond::changed(&quoted(&run.from.told(Some(&claim.object)))))
}
