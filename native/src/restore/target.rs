//! What an existing target already holds of a point, found by digests of its own bytes.

use std::sync::Arc;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::codec::Codec;
use highwater_core::key::Key;
use highwater_core::name::Name;
use rayon::prelude::*;

use super::append::seal::Seal;
use super::known::goes_on;
use super::{Plan, Run};
use crate::disk::{Disk, What};
use crate::drive::{Marked, NEAR, buffer, read_marks};
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::store::{Object, Store};
use crate::watch::Watch;

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

/// Whether the target is what the plan restores, to the last byte: the first difference ends the look.
pub(super) fn is_already(run: &Run<'_>, object: &dyn Object) -> Result<bool, Error> {
    let Run { plan, watch, .. } = *run;
    if object.length().map_err(run.failed("read"))? != plan.end {
        return Ok(false);
    }
    let differs = (0..plan.claims.len()).into_par_iter().find_map_any(|at| {
        match holds(object, (&plan.claims.get(at), plan.opens.as_ref()), watch) {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        }
    });
    watch.go_on()?;
    differs.transpose().map(|differs| differs.is_none()).map_err(run.failed("read"))
}

/// Looks at the target: every chunk that it is long enough for, or with `quick` the last one that has bytes. Where it
/// does not fit, also why not, in the original's words.
pub(super) fn fit(run: &Run<'_>, object: &Arc<dyn Object>) -> Result<(Fit, Option<String>), Error> {
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
    let goes_on = begun.map(|claim| goes_on(from, &**object, (claim, plan.opens.as_ref()), length, true)).transpose();
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

/// Whether the marks that lie in the repository prove that the bytes of `object` at a claim's target range are the
/// claimed ones. When they do not, it takes one stream to tell.
fn holds_by_marks(from: &dyn Store, object: &Arc<dyn Object>, claim: &Claim, watch: &Watch<'_>) -> bool {
    let marks = claim.marks.as_ref().and_then(|name| read_marks(from, name));
    let marked = marks.and_then(|marks| Marked::of_range(object.clone(), &claim.target(), claim.expect.sum()?, marks));
    marked.is_some_and(|marked| matches!(marked.verdict(None, watch), Ok(Some(Verdict::Sound))))
}

/// Whether the bytes of `object` at a claim's target range are the claimed ones, by its marks if these prove it.
pub(super) fn is_there(
    from: &dyn Store,
    object: &Arc<dyn Object>,
    (claim, key): (&Claim, Option<&Key>),
    watch: &Watch<'_>,
) -> std::io::Result<bool> {
    Ok(holds_by_marks(from, object, claim, watch) || holds(&**object, (claim, key), watch)?)
}

/// Whether the bytes of `object` at a claim's target range are the claimed ones.
pub(super) fn holds(
    object: &dyn Object,
    (claim, key): (&Claim, Option<&Key>),
    watch: &Watch<'_>,
) -> std::io::Result<bool> {
    let Some(mut hasher) = claim.hasher() else { return Ok(false) };
    let end = object.for_each_piece(claim.target().start, claim.target().end, &mut buffer(), |piece| {
        hasher.update(piece);
        watch.advance(piece.len() as u64);
        !watch.stopping()
    })?;
    Ok(end == claim.target().end && claim.gives(hasher, key))
}

/// Refuses targets that a restore would destroy: a link, a device of characters, a file of the repository itself. Says
/// what is there.
pub(super) fn refuse_what_is_no_target(
    from: &dyn Store,
    plan: &Plan,
    to: &dyn Disk,
    target: &Name,
) -> Result<Option<What>, Error> {
    let path = quoted(&to.told(Some(target)));
    let around = to.around().map_err(Error::of_folder("look around", to, None))?;
    let repository = from.around().map_err(Error::of_folder("look around", from, None))?;
    if repository.first().is_some_and(|repository| around.contains(repository)) {
        let what = format!("{path} lies inside the repository it is to be restored from; name another place");
        return Err(Error::cannot_start(what));
    }
    let Some(look) = to.look(Some(target)).map_err(Error::at("look at", to, target))? else { return Ok(None) };
    if look.what == What::Link {
        let leads = quoted(&to.leads_to(target).unwrap_or_default());
        return Err(Error::cannot_start(format!("{path} is a link to {leads}; name the file itself")));
    }
    if look.what == What::Block {
        return Ok(Some(What::Block));
    }
    if look.what != What::File {
        return Err(Error::cannot_start(format!("{path} is no plain file; name another target")));
    }
    for claim in plan.claims.distinct() {
        let object = there(from.open(&claim.object).and_then(|object| object.identity()));
        if object.map_err(Error::at("look at", from, &claim.object))? == Some(look.identity) {
            let what = format!("{path} is the same file as the backup '{}'; name another target", claim.object);
            return Err(Error::cannot_start(what));
        }
    }
    Ok(Some(look.what))
}

/// What was found, or none when nothing is there.
fn there<T>(found: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
