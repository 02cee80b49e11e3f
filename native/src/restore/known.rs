//! Whether what an existing target holds is known to the set: if not, nobody but its owner may give it up.
//!
//! | what the target holds | |
//! |---|---|
//! | nothing, or only a hole | is replaced |
//! | any point of the repository, or the beginning of the one that is restored, as an interrupted run leaves it | is replaced |
//! | the point and more | is refused |
//! | any other file | is refused |
//!
//! What else is known depends on the shape: see `append::known` and `image::known`.

use std::io;
use std::sync::OnceLock;

use highwater_core::claim::Claim;
use highwater_core::codec::{Decoder, Flow};
use highwater_core::key::Key;
use rayon::prelude::*;

use super::Run;
use super::claims::Claims;
use super::target::holds;
use crate::drive::buffer;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Object, Store};

/// What its owner can do.
pub(super) const NEXT: &str = "name another target, or give it up with --full";

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

/// Refuses to give up a target unless the set knows what its `length` bytes are, as `is_known` finds out; else, `why`
/// is said.
pub(super) fn or_refuse(
    run: &Run<'_>,
    object: &dyn Object,
    is_known: impl FnOnce(u64, &Unread) -> Result<bool, Error>,
    why: impl FnOnce(u64) -> Result<String, Error>,
) -> Result<(), Error> {
    let length = object.length().map_err(run.failed("read"))?;
    // A hole to its end holds nothing either.
    let unread = Unread::default();
    if length == 0 || object.next_data(0) == Some(u64::MAX) || is_known(length, &unread)? {
        return Ok(());
    }
    let path = quoted(&run.told());
    if let Some(what) = unread.0.into_inner() {
        let what = format!("whether {path} may be given up cannot be told: {what}");
        return Err(Error::failed(format!("{what}. Restore again, or say with --full that it may")));
    }
    Err(Error::cannot_start(format!("{path} was not touched, as {}; {NEXT}", why(length)?)))
}

/// Why a target is refused that holds the point and so many bytes more, as a clause.
pub(super) fn more(run: &Run<'_>, more: u64) -> String {
    let (more, repository) = (highwater_core::render::thousands(more), quoted(&run.from.told(None)));
    format!("it holds {} and then {more} bytes more, which {repository} does not know", run.plan.point)
}

/// Whether the target is what the plan restores, to the last byte: the first difference ends the look.
pub(super) fn is_already(run: &Run<'_>, object: &dyn Object) -> Result<bool, Error> {
    let plan = run.plan;
    if object.length().map_err(run.failed("read"))? != plan.end {
        return Ok(false);
    }
    is(run, object, &plan.claims)
}

/// Whether an object holds these chunks, all of them.
pub(super) fn is(run: &Run<'_>, object: &dyn Object, claims: &Claims) -> Result<bool, Error> {
    all(run, claims, 0..u64::MAX, |claim| holds(object, (claim, run.plan.opens.as_ref()), run.watch))
}

/// Whether `same` holds of all chunks of which a byte lies in this range of the target.
pub(super) fn all(
    run: &Run<'_>,
    claims: &Claims,
    range: std::ops::Range<u64>,
    same: impl Fn(&Claim) -> io::Result<bool> + Sync,
) -> Result<bool, Error> {
    let differs = (0..claims.len()).into_par_iter().find_map_any(|at| {
        let claim = claims.get(at);
        if claim.target().start >= range.end
            || claim.target().start + claim.expect.length <= range.start && range.start > 0
        {
            return None;
        }
        match same(&claim) {
            Ok(true) => None,
            Ok(false) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        }
    });
    run.watch.go_on()?;
    differs.transpose().map(|differs| differs.is_none()).map_err(run.failed("read"))
}

/// Notes that a chunk cannot be read, if it is so; gives whether it is the same.
pub(super) fn known_or_unread(from: &dyn Store, claim: &Claim, same: Option<bool>, unread: &Unread) -> bool {
    if same.is_none() {
        unread.note(|| format!("{} cannot be read", quoted(&from.told(Some(&claim.object)))));
    }
    same == Some(true)
}

/// Whether `agree(new, old, at)` holds of all bytes of a chunk and of an object of `length` bytes, as far as that
/// reaches into the chunk, piece by piece, each with its offset. None when the chunk cannot be read.
///
/// # Errors
/// When the object cannot be read.
pub(super) fn agrees(
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
