//! Checks one claim in one stream, and follows one trail.

use std::io;

use highwater_core::check::{Check, Damage, Verdict};
use highwater_core::claim::{Claim, Evidence};
use highwater_core::codec::Codec;
use highwater_core::fault::{Fault, FaultKind};
use highwater_core::finding::Hurts;
use highwater_core::fit::Fit;
use highwater_core::formats::pool_of;
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::report::Depth;
use highwater_core::trail::{Followed, Following, Trail};

use super::buffer;
use crate::error::Error;
use crate::store::{Store, fault};
use crate::watch::Watch;

/// The verdict that does not take the object's bytes; none when it does.
pub(super) fn without_bytes(store: &dyn Store, claim: &Claim, depth: Depth, key: Option<&Key>) -> Option<Verdict> {
    let evidence = claim.evidence(depth);
    if evidence == Evidence::Bytes {
        return None;
    }
    if evidence == Evidence::StoredLength {
        return Some(fits(store, claim, key));
    }
    Some(match store.length(&claim.object) {
        Ok(_) => Verdict::Sound,
        Err(error) => failed(store, claim, &error),
    })
}

/// The verdict on a claim that the length of its object gives, and the few bytes that tell whether that is right.
pub fn fits(store: &dyn Store, claim: &Claim, key: Option<&Key>) -> Verdict {
    let look = || {
        // A plain object is not even opened.
        if claim.codec == Codec::Plain {
            return Ok(Fit::new(claim, store.length(&claim.object)?, key));
        }
        let object = store.open(&claim.object)?;
        let mut fit = Fit::new(claim, object.length()?, key);
        let mut window = Vec::new();
        while let Some(range) = fit.ask() {
            let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
            window.resize(length, 0);
            object.read_exact_at(range.start, &mut window)?;
            fit.answer(&window);
        }
        Ok(fit)
    };
    match look() {
        Ok(fit) => fit.verdict(),
        Err(error) => failed(store, claim, &error),
    }
}

/// Reads a claim's object through a [`Check`], handing decoded bytes to `tee`. Returns the verdict and
/// how many decoded bytes were checked. The key opens what is encrypted.
///
/// # Errors
/// [`Error::Interrupted`] only.
pub fn check_bytes(
    store: &dyn Store,
    claim: &Claim,
    (depth, key): (Depth, Option<&Key>),
    watch: &Watch<'_>,
    tee: &mut dyn FnMut(&[u8]),
) -> Result<(Verdict, u64), Error> {
    let object = match store.open(&claim.object) {
        Ok(object) => object,
        Err(error) => return Ok((failed(store, claim, &error), 0)),
    };
    let mut check = Check::new(claim, depth, key);
    let stored = claim.stored();
    let result = object.for_each_piece(stored.start, stored.end, &mut buffer(), |piece| {
        let flow = check.push(piece, &mut |decoded| {
            watch.advance(decoded.len() as u64);
            tee(decoded);
        });
        flow.is_continue() && !watch.stopping()
    });
    watch.go_on()?;
    let length = check.length();
    let verdict = match result {
        Ok(_) => check.end(),
        // What lies far away turns out not to be there when it is read.
        Err(error) => failed(store, claim, &error),
    };
    Ok((verdict, length))
}

/// The verdict on a claim whose object could not be opened.
pub(crate) fn failed(store: &dyn Store, claim: &Claim, error: &io::Error) -> Verdict {
    let mut fault = fault(error);
    // Whoever removes a chain on purpose removes its index first and for good: an index that is gone by now has named
    // what it named rightly, and its points were given up since this run read it.
    // What many share is another matter: somebody else may name it still, and the survey asks for that.
    let gone = || store.length(&claim.index).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if fault.kind == FaultKind::Absent && !matches!(claim.hurts, Hurts::Shared(_)) && gone() {
        let message = format!("it was removed while this ran, and so was the index '{}' that named it", claim.index);
        fault = Fault { kind: FaultKind::Removed, message };
    }
    // Where a file has the name of its folder, it cannot be either.
    if fault.kind == FaultKind::Absent || error.kind() == io::ErrorKind::NotADirectory {
        // Only then is it worth a look.
        let blocked = error.kind() == io::ErrorKind::NotADirectory;
        let folder = claim.object.folder();
        let is_file = |name: &Name| (blocked || folder.as_ref() != Some(name)) && store.length(name).is_ok();
        let absent = Verdict::absent(claim, pool_of(&claim.object), is_file);
        if fault.kind == FaultKind::Absent || matches!(absent, Verdict::Damaged(Damage::Gone(_))) {
            return absent;
        }
    }
    Verdict::of_fault(fault)
}

/// Follows one trail to its end.
///
/// # Errors
/// [`Error::Interrupted`] only.
pub(super) fn follow(store: &dyn Store, trail: Trail, key: Option<&Key>, watch: &Watch<'_>) -> Result<Followed, Error> {
    let mut following = Following::new(trail, key.cloned());
    let mut buffer = buffer();
    while let Some(name) = following.begin() {
        let read = store.open(&name).and_then(|object| {
            object.for_each_piece(0, u64::MAX, &mut buffer, |piece| {
                following.push(piece).is_continue() && !watch.stopping()
            })
        });
        watch.go_on()?;
        let fault: Option<Fault> = read.err().map(|error| fault(&error));
        following.end(fault.as_ref());
    }
    Ok(following.finish())
}
