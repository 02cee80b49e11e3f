//! Writes files of a tree, many at a time: their bytes lie one after another in one space of addresses, so that one
//! pass of lanes serves small files side by side as it serves the chunks of an image.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use highwater_core::claim::{Claim, Extent};
use highwater_core::name::Name;
use highwater_core::node::Meta;
use rayon::prelude::*;

use super::Run;
use super::draft::TreeDraft;
use super::meta::{self, Unrecorded};
use super::plan::File;
use crate::disk::{Disk, Writable};
use crate::drive::{self, Sink};
use crate::error::Error;
use crate::restore::sound;
use crate::restore::write::is_zero;

/// Files that are open at a time: a process may have 1,024 by default.
const OPEN: usize = 256;

/// Claims of files that are open at a time, unless it is one file.
const CLAIMS: usize = 16 * 1024;

/// A file that is being written.
struct Open {
    /// Where it begins in the space of addresses.
    base: u64,
    length: u64,
    name: Name,
    meta: Meta,
    file: Box<dyn Writable>,
    /// Zeros were left out: its length is still to be set.
    has_holes: AtomicBool,
}

/// Files that are open together, by their bases.
struct Together<'a> {
    to: &'a dyn Disk,
    files: Vec<Open>,
}

impl Sink for Together<'_> {
    fn put(&self, at: u64, bytes: &[u8], fresh: bool) -> Result<(), Error> {
        // Of several that begin at one address, all but the last are empty.
        let number = self.files.partition_point(|file| file.base <= at);
        let Some(open) = number.checked_sub(1).and_then(|number| self.files.get(number)) else {
            return Err(Error::failed(format!("no file has a byte {at}")));
        };
        if fresh && is_zero(bytes) {
            open.has_holes.store(true, Ordering::Relaxed);
            return Ok(());
        }
        open.file.write_at(at - open.base, bytes).map_err(Error::at("write", self.to, &open.name))
    }
}

/// Writes files, and gives each what is on record of it. A claim that does not hold ends all. Gives how many did not
/// get all of it.
pub(super) fn files(
    run: &Run<'_>,
    draft: &TreeDraft<'_>,
    missing: &[(&Name, &File)],
    unrecorded: &Unrecorded,
) -> Result<u64, Error> {
    run.watch.expect(missing.iter().map(|(_, file)| file.length).sum());
    let (mut left, mut ours) = (missing, 0);
    while !left.is_empty() {
        let mut claims = 0;
        let fits = |(_, file): &&(&Name, &File)| {
            claims += file.claims.len();
            claims <= CLAIMS
        };
        let count = left.iter().take(OPEN).take_while(fits).count().max(1);
        let (some, rest) = left.split_at(count);
        ours += together(run, draft, some, unrecorded)?;
        left = rest;
    }
    Ok(ours)
}

/// Writes some files, as [`files`] does.
fn together(
    run: &Run<'_>,
    draft: &TreeDraft<'_>,
    some: &[(&Name, &File)],
    unrecorded: &Unrecorded,
) -> Result<u64, Error> {
    let Run { plan, from, watch, .. } = *run;
    let to = &*draft.inside;
    let mut end: u64 = 0;
    let mut based = Vec::with_capacity(some.len());
    for (path, file) in some {
        let meta = plan.entries.get(*path).map(|entry| &entry.meta);
        let meta = meta.ok_or_else(|| Error::failed(format!("'{path}' is not in the plan")))?;
        based.push((end, *path, *file, unrecorded.fill(Some(path), meta)));
        end = end.saturating_add(file.length);
    }
    let open = |(base, name, file, meta): &(u64, &Name, &File, Meta)| {
        let (base, length, name, has_holes) = (*base, file.length, (*name).clone(), AtomicBool::new(false));
        let file = to.create(&name).map_err(Error::at("make", to, &name))?;
        Ok::<_, Error>(Open { base, length, name, meta: *meta, file, has_holes })
    };
    let files = based.par_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let claims =
        based.iter().flat_map(|(base, _, file, _)| plan.claims_of(file).iter().map(|claim| moved(claim, *base)));
    let sink = Together { to, files };
    let settled = |claim: &Claim, verdict| sound(from, claim, verdict);
    drive::write((from, plan.key.as_ref()), claims.collect(), &sink, watch, &settled)?;
    let close = |open: &Open| close(open, to).map(|is_whole| u64::from(!is_whole));
    sink.files.par_iter().map(close).try_reduce(|| 0, |one, other| Ok(one + other))
}

/// A claim on bytes that lie where the file begins at `base`.
fn moved(claim: &Claim, base: u64) -> Claim {
    let at = base.saturating_add(claim.target().start);
    Claim { extent: Some(Extent { path: None, at }), ..claim.clone() }
}

/// Gives a file that is written its length and what is on record of it. False when it did not get all of it.
fn close(open: &Open, to: &dyn Disk) -> Result<bool, Error> {
    let finish = || -> io::Result<bool> {
        if open.has_holes.load(Ordering::Relaxed) {
            open.file.set_length(open.length)?;
        }
        meta::give(&*open.file, &open.meta)
    };
    finish().map_err(Error::at("write", to, &open.name))
}
