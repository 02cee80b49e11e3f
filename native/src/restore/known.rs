//! Whether what an existing target holds is known to the set: if not, nobody but its owner may give it up.
//!
//! | what the target holds | |
//! |---|---|
//! | nothing, or only a hole | is replaced |
//! | any point of the repository, or the beginning of the one that is restored, as an interrupted run leaves it | is replaced |
//! | a point, and then the beginning of the next with zeros in it, as a power cut in an append leaves it | is replaced |
//! | a database whose newest transaction the point holds too, or the newest point: it is older, packed differently, or damaged | is replaced |
//! | the point and more | is refused |
//! | another database, a newer one, an image with bytes of its own, any other file | is refused |
//!
//! An image is known if it is, byte for byte, that archive of a snapshot of the same group: nothing in its bytes says how
//! old they are.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use highwater_core::claim::Claim;
use highwater_core::key::Key;

use highwater_core::codec::{Decoder, Flow};
use highwater_core::render::thousands;
use rayon::prelude::*;

use super::Run;
use super::append::newest;
use super::append::seal::Seal;
use super::claims::Claims;
use super::target::{Fit, holds};
use crate::drive::buffer;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Object, Store};
use crate::watch::Watch;

/// What its owner can do.
const NEXT: &str = "name another target, or give it up with --full";

/// The first thing that could not be read while it was to be found out what a target holds: that it is unknown says
/// nothing then.
#[derive(Default)]
pub(super) struct Unread(OnceLock<String>);

impl Unread {
    /// Notes a sentence.
    pub(super) fn note(&self, what: impl FnOnce() -> String) {
        self.0.get_or_init(what);
    }
}

/// Refuses to give up a target that does not fit the plan, unless the set knows what it holds.
pub(super) fn or_refuse(run: &Run<'_>, object: &Arc<dyn Object>, fit: Fit) -> Result<(), Error> {
    let length = object.length().map_err(run.failed("read"))?;
    // A hole to its end holds nothing either.
    let unread = Unread::default();
    if length == 0 || object.next_data(0) == Some(u64::MAX) || is_known(run, &**object, length, fit, &unread)? {
        return Ok(());
    }
    if let Some(what) = unread.0.into_inner() {
        let what = format!("whether {} may be given up cannot be told: {what}", quoted(&run.told()));
        return Err(Error::failed(format!("{what}. Restore again, or say with --full that it may")));
    }
    let Run { from, plan, .. } = *run;
    let (path, repository) = (quoted(&run.told()), quoted(&from.told(None)));
    let holds_point = length > plan.end && (fit == Fit::Longer || is(run, &**object, &plan.claims)?);
    let why = if holds_point {
        let more = thousands(length - plan.end);
        format!("it holds {} and then {more} bytes more, which {repository} does not know", plan.point)
    } else if plan.grows {
        newest::stranger(&**object, &repository).map_err(run.failed("read"))?
    } else {
        format!("its {} bytes are not this archive as any snapshot of its group has it", thousands(length))
    };
    Err(Error::cannot_start(format!("{path} was not touched, as {why}; {NEXT}")))
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
    let newest = plan.newest_of_chain(&related).filter(|_| plan.grows);
    if let Some(newest) = newest {
        // What of it is in the point was looked at before.
        let seen = if fit == Fit::Longer { plan.end } else { 0 };
        if begins(run, object, length, &plan.claims_of(from, &newest.name, unread)?, seen, unread)? {
            return Ok(true);
        }
    }
    let group = newest.map(|newest| newest.group);
    let others = related.iter().filter(|set| set.name != plan.point && Some(set.group) != group);
    for set in others.filter(|set| !plan.grows || set.bytes == length) {
        let claims = plan.claims_of(from, &set.name, unread)?;
        if claims.end() == length && is(run, object, &claims)? {
            return Ok(true);
        }
    }
    if !plan.grows {
        return begins(run, object, length, &plan.claims, 0, unread);
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

/// Whether an object holds these chunks, all of them.
fn is(run: &Run<'_>, object: &dyn Object, claims: &Claims) -> Result<bool, Error> {
    let watch = run.watch;
    let differs = (0..claims.len()).into_par_iter().find_map_any(|at| {
        match holds(object, (&claims.get(at), run.plan.opens.as_ref()), watch) {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        }
    });
    watch.go_on()?;
    differs.transpose().map(|differs| differs.is_none()).map_err(run.failed("read"))
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
    let differs = (0..claims.len()).into_par_iter().find_map_any(|at| {
        let claim = claims.get(at);
        if claim.target().start >= length || claim.target().end <= seen {
            return None;
        }
        let sealed = run.plan.grows && Seal::is_on(object, &claim);
        let same = if claim.target().end <= length && !sealed {
            holds(object, (&claim, run.plan.opens.as_ref()), watch)
        } else {
            goes_on(from, object, (&claim, run.plan.opens.as_ref()), length, run.plan.grows).map(|same| {
                if same.is_none() {
                    unread.note(|| format!("{} cannot be read", quoted(&from.told(Some(&claim.object)))));
                }
                same == Some(true)
            })
        };
        // What was appended may have reached the disk in part.
        let same = match same {
            Ok(false) if run.plan.grows && claim.target().start > 0 => is_torn(from, object, &claim, length),
            same => same,
        };
        match same {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        }
    });
    watch.go_on()?;
    differs.transpose().map(|differs| differs.is_none()).map_err(run.failed("read"))
}

/// Whether each byte of an object of `length` bytes, as far as it reaches into a chunk, is that of the chunk, the seal of
/// an append, or zero. False when the chunk cannot be read.
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

/// Whether the bytes of an object of `length` bytes are those of a chunk as far as they reach; of a file that `grows`, but
/// for the seal that an interrupted append leaves. None when the chunk cannot be read.
///
/// # Errors
/// When the object cannot be read.
pub(super) fn goes_on(
    from: &dyn Store,
    object: &dyn Object,
    (claim, key): (&Claim, Option<&Key>),
    length: u64,
    grows: bool,
) -> io::Result<Option<bool>> {
    let mut seal = Seal::of(claim);
    agrees(from, object, (claim, key), length, |new, old, at| new == old || grows && seal.same(new, old, at))
}

/// Whether `agree(new, old, at)` holds of all bytes of a chunk and of an object of `length` bytes, as far as that reaches
/// into the chunk, piece by piece, each with its offset. None when the chunk cannot be read.
///
/// # Errors
/// When the object cannot be read.
fn agrees(
    from: &dyn Store,
    object: &dyn Object,
    (claim, key): (&Claim, Option<&Key>),
    length: u64,
    mut agree: impl FnMut(&[u8], &[u8], u64) -> bool,
) -> io::Result<Option<bool>> {
    let Ok(stored) = from.open(&claim.object) else { return Ok(None) };
    let end = length.min(claim.target().end);
    let (mut at, mut same, mut failed, mut old) = (claim.target().start, true, None, Vec::new());
    let mut decoder = Decoder::new(claim.codec, key);
    let read = stored.for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
        let pushed = decoder.push(piece, &mut |decoded| {
            let some = usize::try_from(end - at).unwrap_or(usize::MAX).min(decoded.len());
            old.resize(some, 0);
            match object.read_exact_at(at, &mut old) {
                Ok(()) => same &= agree(&decoded[..some], &old, at),
                Err(error) => failed = Some(error),
            }
            at += some as u64;
            if same && failed.is_none() && at < end { Flow::Continue(()) } else { Flow::Break(()) }
        });
        pushed.is_ok_and(|flow| flow.is_continue())
    });
    match failed {
        Some(error) => Err(error),
        None if !same => Ok(Some(false)),
        None => Ok(read.ok().filter(|_| at >= end).map(|_| true)),
    }
}
