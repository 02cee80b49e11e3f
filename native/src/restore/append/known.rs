//! Whether what an existing database holds is known to the set.
//!
//! | what the target holds | |
//! |---|---|
//! | a point, and then the beginning of the next with zeros in it, as a power cut in an append leaves it | is replaced |
//! | a database whose newest transaction the point holds too, or the newest point: it is older, packed differently, or damaged | is replaced |
//! | another database, a newer one | is refused |

use std::io;
use std::path::Path;
use std::sync::Arc;

use highwater_core::claim::Claim;
use highwater_core::key::Key;
use highwater_core::render::thousands;

use super::fit::Fit;
use super::newest;
use super::seal::Seal;
use crate::drive::buffer;
use crate::error::Error;
use crate::restore::Run;
use crate::restore::claims::Claims;
use crate::restore::known::{self, NEXT, Unread, agrees, all, is, known_or_unread};
use crate::restore::target::holds;
use crate::shown::quoted;
use crate::store::{Object, Store};
use crate::watch::Watch;

/// Refuses to give up a target that does not fit the plan, unless the set knows what it holds.
pub(super) fn or_refuse(run: &Run<'_>, object: &Arc<dyn Object>, fit: Fit) -> Result<(), Error> {
    let Run { from, plan, .. } = *run;
    known::or_refuse(
        run,
        &**object,
        |length, unread| is_known(run, &**object, length, fit, unread),
        |length| {
            if length > plan.end && (fit == Fit::Longer || is(run, &**object, &plan.claims)?) {
                return Ok(known::more(run, length - plan.end));
            }
            newest::stranger(&**object, &quoted(&from.told(None))).map_err(run.failed("read"))
        },
    )
}

/// Refuses to give up an old file for a new one that does not hold what the old one does: its bytes, or its newest
/// transaction.
pub(super) fn of_file(old: &dyn Object, new: &dyn Object, path: &Path, watch: &Watch<'_>) -> Result<(), Error> {
    let failed = |error| Error::io("read", path)(error);
    let (length, end) = (old.length().map_err(failed)?, new.length().map_err(failed)?);
    let (mut at, mut theirs) = (0, buffer());
    let read = old.for_each_piece(0, length.min(end), &mut buffer(), |piece| {
        let theirs = &mut theirs[..piece.len()];
        let same = new.read_exact_at(at, theirs).is_ok() && piece == theirs;
        at += if same { piece.len() as u64 } else { 0 };
        same && !watch.stopping()
    });
    read.map_err(failed)?;
    watch.go_on()?;
    if at == length {
        return Ok(());
    }
    let quoted = quoted(path);
    let why = if at == end {
        format!("it holds all that is to be recovered and then {} bytes more", thousands(length - end))
    } else {
        match newest::transaction(old).map_err(failed)? {
            newest::Newest::None => return Ok(()),
            newest::Newest::Some(tid) if newest::is_in_file(tid, new, watch)? => return Ok(()),
            _ => newest::stranger(old, "the repository").map_err(failed)?,
        }
    };
    Err(Error::cannot_start(format!("{quoted} was not touched, as {why}; {NEXT}")))
}

fn is_known(run: &Run<'_>, object: &dyn Object, length: u64, fit: Fit, unread: &Unread) -> Result<bool, Error> {
    let Run { from, plan, .. } = *run;
    let related = plan.related(from, unread)?;
    let newest = plan.newest_of_chain(&related);
    if let Some(newest) = newest {
        // What of it is in the point was looked at before.
        let seen = if fit == Fit::Longer { plan.end } else { 0 };
        if begins(run, object, length, &plan.claims_of(from, &newest.name, unread)?, seen, unread)? {
            return Ok(true);
        }
    }
    let group = newest.map(|newest| newest.group);
    let others = related.iter().filter(|set| set.name != plan.point && Some(set.group) != group);
    for set in others {
        let claims = plan.claims_of(from, &set.name, unread)?;
        if claims.end() == length && is(run, object, &claims)? {
            return Ok(true);
        }
    }
    match newest::transaction(object).map_err(run.failed("read"))? {
        newest::Newest::None => Ok(true),
        newest::Newest::Some(tid) => {
            // An older point may be wanted: then the newest of all tells.
            let newest = related.first().filter(|newest| newest.name != plan.point);
            Ok(newest::is_in(tid, from, &plan.claims, unread, run.watch)?
                || newest.map_or(Ok(false), |newest| {
                    newest::is_in(tid, from, &plan.claims_of(from, &newest.name, unread)?, unread, run.watch)
                })?)
        }
        newest::Newest::Unknown => Ok(false),
    }
}

/// Whether an object of `length` bytes is what these chunks begin with; up to `seen` it is.
fn begins(
    run: &Run<'_>,
    object: &dyn Object,
    length: u64,
    claims: &Claims,
    seen: u64,
    unread: &Unread,
) -> Result<bool, Error> {
    let Run { from, watch, .. } = *run;
    if length > claims.end() {
        return Ok(false);
    }
    all(run, claims, seen..length, |claim| {
        let same = if claim.target().end <= length && !Seal::is_on(object, claim) {
            holds(object, (claim, run.plan.opens.as_ref()), watch)?
        } else {
            known_or_unread(from, claim, goes_on(from, object, (claim, run.plan.opens.as_ref()), length)?, unread)
        };
        // What was appended may have reached the disk in part.
        if same || claim.target().start == 0 { Ok(same) } else { is_torn(from, object, claim, length) }
    })
}

/// Whether each byte of an object of `length` bytes, as far as it reaches into a chunk, is that of the chunk, the seal
/// of an append, or zero. False when the chunk cannot be read.
///
/// # Errors
/// When the object cannot be read.
fn is_torn(from: &dyn Store, object: &dyn Object, claim: &Claim, length: u64) -> io::Result<bool> {
    let seal = Seal::of(claim);
    let torn = agrees(from, object, (claim, None), length, |new, old, at| {
        let mut pairs = (at..).zip(new.iter().zip(old));
        pairs.all(|(at, (new, old))| new == old || *old == 0 || seal.is(at, *old))
    });
    Ok(torn? == Some(true))
}

/// Whether the bytes of an object of `length` bytes are those of a chunk as far as they reach, but for the seal that an
/// interrupted append leaves. None when the chunk cannot be read.
///
/// # Errors
/// When the object cannot be read.
pub(super) fn goes_on(
    from: &dyn Store,
    object: &dyn Object,
    (claim, key): (&Claim, Option<&Key>),
    length: u64,
) -> io::Result<Option<bool>> {
    let mut seal = Seal::of(claim);
    agrees(from, object, (claim, key), length, |new, old, at| new == old || seal.same(new, old, at))
}
