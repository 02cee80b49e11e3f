//! `Fit`: how far an existing database is the one that is restored.

use std::sync::Arc;

use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use rayon::prelude::*;

use super::known::goes_on;
use super::seal::Seal;
use crate::drive::{NEAR, buffer};
use crate::error::Error;
use crate::restore::Run;
use crate::restore::target::is_there;
use crate::shown::shown;
use crate::store::{Object, Store};

/// How an existing target fits a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is the point.
    Same,
    /// It is a later point of the same chain.
    Longer,
    /// Its first bytes are the chunks before `next`; it is `length` bytes long, which may be within chunk `next`.
    Prefix {
        /// The first chunk that is not all there.
        next: usize,
        /// The target's length.
        length: u64,
    },
    /// It is something else.
    Not,
}

/// Looks at the target: every chunk that it is long enough for, or with `quick` the last one that has bytes. Where it
/// does not fit, also why not, in the original's words.
pub(super) fn look(run: &Run<'_>, object: &Arc<dyn Object>) -> Result<(Fit, Option<String>), Error> {
    let not = |why: &str| Ok((Fit::Not, Some(format!("{why}, falling back to a full recover."))));
    let Run { job, plan, from, watch, .. } = *run;
    let length = object.length().map_err(run.failed("read"))?;
    let claims: Vec<Claim> = plan.claims.iter().collect();
    let short = claims.iter().position(|claim| claim.target().end > length).unwrap_or(claims.len());
    // A crash in an append leaves its seal: from there on, every byte has yet to be compared.
    let sealed = claims[..short].iter().position(|claim| Seal::is_on(&**object, claim));
    let next = sealed.unwrap_or(short);
    let there = &claims[..next];
    if there.iter().all(|claim| claim.expect.length == 0) {
        return not("Target file smaller than full backup");
    }
    let looked_at = if job.quick {
        let last = there.iter().rposition(|claim| claim.expect.length > 0).unwrap_or(0);
        &there[last..=last]
    } else {
        there
    };
    watch.expect(looked_at.iter().map(|claim| claim.expect.length).sum());
    let same = |claim: &Claim| {
        let near = job.quick && claim.expect.length <= NEAR;
        let equal = near.then(|| equals(from, &**object, claim)).flatten();
        if equal == Some(true) { Ok(true) } else { is_there(from, object, (claim, plan.opens.as_ref()), watch) }
    };
    let differs = looked_at.par_iter().find_map_first(|claim| match same(claim) {
        Ok(true) => None,
        Ok(false) => Some(Ok(claim)),
        Err(error) => Some(Err(error)),
    });
    watch.go_on()?;
    match differs {
        Some(Ok(claim)) => {
            let path = from.told(Some(&claim.object));
            return not(&format!("Target file is not consistent with backup {}", shown(&path)));
        }
        Some(Err(error)) => return Err(run.failed("read")(error)),
        None => {}
    }
    let begun = claims.get(next).filter(|claim| sealed.is_none() && claim.target().start < length);
    let goes_on = begun.map(|claim| goes_on(from, &**object, (claim, plan.opens.as_ref()), length)).transpose();
    if goes_on.map_err(run.failed("read"))?.flatten() == Some(false) {
        return not("Target file goes on differently from the next backup");
    }
    let larger =
        || (Fit::Not, Some("Target file is larger than latest backup, falling back to a full recover.".to_owned()));
    let fit = match length {
        length if sealed.is_some() && length <= plan.end => Fit::Prefix { next, length },
        _ if sealed.is_some() => return Ok(larger()),
        length if length == plan.end => Fit::Same,
        length if length > plan.end => Fit::Longer,
        length => Fit::Prefix { next, length },
    };
    Ok((fit, None))
}

/// Whether the bytes of `object` at a claim's target range are those of the repository's own file, where that is plain
/// and can be read. Comparing takes an eighth of the time of hashing.
fn equals(from: &dyn Store, object: &dyn Object, claim: &Claim) -> Option<bool> {
    let whole = claim.codec == Codec::Plain && claim.range.is_none();
    let stored = from.open(&claim.object).ok().filter(|_| whole)?;
    if stored.length().ok()? != claim.expect.length {
        return None;
    }
    let mut theirs = buffer();
    let mut at = claim.target().start;
    let mut same = true;
    let read = stored.for_each_piece(0, claim.expect.length, &mut buffer(), |ours| {
        let theirs = &mut theirs[..ours.len()];
        same = object.read_exact_at(at, theirs).is_ok() && ours == theirs;
        at += ours.len() as u64;
        same
    });
    read.ok().map(|_| same && at == claim.target().end)
}
