//! What a restore looks at before its first write: that everything is there that it will read, and room for what it
//! will write.

use highwater_core::check::Verdict;
use highwater_core::claim::{Claim, Evidence};
use highwater_core::codec::Codec;
use highwater_core::fit::Fit;
use highwater_core::key::Key;
use highwater_core::render::{bytes, thousands};
use highwater_core::report::Depth;
use rayon::prelude::*;

use super::alone::Alone;
use super::zeros::Zeros;
use super::{How, Plan, Run, sound};
use crate::disk::Room;
use crate::drive::{fits, unopened};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Store;
use crate::watch::Watch;

/// A byte of deflated data holds at most so many (RFC 1951: 258 bytes take two bits).
const DEFLATED: u64 = 1032;

/// How closely files are looked at before the first write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// They are there. The original keeps what it wrote before the first that is wrong, so its part must be begun.
    Presence,
    /// They are also as long as their lengths alone say.
    Length,
    /// They are also as long as the few bytes say that tell: nothing else will be read, or an old file is given up.
    Closely,
}

/// Looks at every file that holds a chunk from number `next` on. Of what is only zeros, nothing is read.
pub(super) fn files(
    from: &dyn Store,
    plan: &Plan,
    next: usize,
    closely: Look,
    zeros: &Zeros,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let look = |claim: &Claim| {
        if zeros.are(claim) { watch.go_on() } else { object(from, (claim, plan.opens.as_ref()), closely, watch) }
    };
    if next == 0 {
        let distinct: Vec<Claim> = plan.claims.distinct().collect();
        // The first of several, so that the same damage gives the same sentence.
        return distinct.par_iter().find_map_first(|claim| look(claim).err()).map_or(Ok(()), Err);
    }
    plan.claims.from(next).try_for_each(|claim| look(&claim))
}

/// Looks at the object that holds what a claim is on.
pub(crate) fn object(
    from: &dyn Store,
    (claim, key): (&Claim, Option<&Key>),
    closely: Look,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    watch.go_on()?;
    if let (Codec::Gzip, Ok(length)) = (claim.codec, from.length(&claim.object))
        && length.saturating_mul(DEFLATED).saturating_add(DEFLATED) < claim.expect.length
    {
        let (path, wanted) = (quoted(&from.told(Some(&claim.object))), thousands(claim.expect.length));
        let length = thousands(length);
        return Err(Error::damage(format!("{path} has {length} bytes, which hold no {wanted} bytes compressed")));
    }
    let has_length = closely != Look::Presence && claim.evidence(Depth::Size) == Evidence::StoredLength;
    let verdict = match from.length(&claim.object) {
        Ok(_) if has_length && closely == Look::Closely => fits(from, claim, key),
        Ok(length) if has_length => {
            let fit = Fit::new(claim, length, key);
            if fit.ask().is_none() { fit.verdict() } else { Verdict::Sound }
        }
        Ok(_) => Verdict::Sound,
        Err(error) => unopened(from, claim, &error),
    };
    sound(from, claim, verdict)
}

/// Looks whether there is room for what is to be written: bytes from `start` on, or all of the chunks.
pub(super) fn room(run: &Run<'_>, how: How, start: u64, zeros: &Zeros, alone: &Alone) -> Result<(), Error> {
    let Run { job, plan, to, from, watch, .. } = *run;
    let wanted = match how {
        How::Nothing | How::Cut => return Ok(()),
        How::Appended => plan.end - start,
        How::Full => plan.claims.iter().filter(|claim| !zeros.are(claim)).map(|claim| claim.expect.length).sum(),
    };
    let Some(Room { free, shares, .. }) = to.room().map_err(Error::of_folder("look at the room in", to, None))? else {
        return Ok(());
    };
    let look = |error| Error::at("look at", to, run.target)(error);
    let left = if how == How::Full { alone.stored().map_err(look)? } else { 0 };
    let old = alone.old.as_ref().filter(|old| how == How::Full && old.look.names == 1).map_or(0, |old| old.look.stored);
    let index = plan.index.as_ref().map_or(0, |index| from.length(index).unwrap_or(0));
    let wanted = wanted.saturating_sub(left) + index;
    let gives_up = job.in_place && alone.old.is_some();
    let there = free + if gives_up { old } else { 0 };
    if wanted <= there {
        return Ok(());
    }
    let path = quoted(&run.told());
    let what = format!(
        "there is no room for {path}: {} bytes are to be written, {} are free there",
        thousands(wanted),
        thousands(free)
    );
    // A file system that compresses or shares blocks may take more than it has room for.
    if shares && !gives_up {
        watch.notice(format!("{what}; it is tried, as that file system may store less than it is given"));
        return Ok(());
    }
    let next = if gives_up {
        format!("even without the old file ({}), which was not given up for it", bytes(old))
    } else if wanted <= free + old && old > 0 {
        "with --in-place, which gives the old file up first, there would be".to_owned()
    } else {
        "make room, or restore to another place".to_owned()
    };
    Err(Error::cannot_start(format!("{what}; {next}")))
}
