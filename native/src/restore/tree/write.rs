//! Writes files of a tree, many at a time: their bytes have places in one space of addresses, so that one pass of lanes
//! serves small files side by side as it serves the chunks of an image, and a claim on bytes of many files is read
//! once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use highwater_core::claim::Claim;
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

/// The longest file that is put together in memory and not on the disk, in bytes, and how many of these are put
/// together at a time, and how many bytes they have: the bytes of many may come from one claim, which is read once
/// then.
const SHORT: u64 = 64 * 1024;
const SHORT_ONES: usize = 64 * 1024;
const SHORT_BYTES: u64 = 32 * 1024 * 1024;

/// Claims on files that are written at a time, unless it is one file.
const CLAIMS: usize = 16 * 1024;

/// A file that is being written.
struct Open<'p> {
    name: &'p Name,
    file: &'p File,
    meta: Meta,
    bytes: Bytes,
    /// How many bytes it was given.
    given: AtomicU64,
}

/// Where its bytes go.
enum Bytes {
    Memory(Mutex<Vec<u8>>),
    Disk {
        file: Box<dyn Writable>,
        /// Zeros were left out: its length is still to be set.
        has_holes: AtomicBool,
    },
}

/// Files that are written together, by the places of their bytes.
struct Together<'a, 'p> {
    to: &'a dyn Disk,
    files: Vec<Open<'p>>,
}

impl Sink for Together<'_, '_> {
    fn put(&self, at: u64, bytes: &[u8], fresh: bool) -> Result<(), Error> {
        let first = self.files.partition_point(|open| open.file.span.end <= at);
        for open in self.files.get(first..).unwrap_or_default() {
            // What belongs to no file, or to one that is there, goes nowhere.
            let Some((from, bytes)) = open.file.part_of(at, bytes) else { break };
            open.put(from, bytes, fresh).map_err(Error::at("write", self.to, open.name))?;
        }
        Ok(())
    }
}

impl Open<'_> {
    fn put(&self, from: u64, bytes: &[u8], fresh: bool) -> io::Result<()> {
        match &self.bytes {
            Bytes::Memory(memory) => {
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                let start = usize::try_from(from).unwrap_or(usize::MAX);
                let place = memory.get_mut(start..start.saturating_add(bytes.len()));
                place.ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(bytes);
            }
            Bytes::Disk { has_holes, .. } if fresh && is_zero(bytes) => has_holes.store(true, Ordering::Relaxed),
            Bytes::Disk { file, .. } => file.write_at(from, bytes)?,
        }
        self.given.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
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
    let mut missing = missing.to_vec();
    // An empty file lies before the one that begins where it does: ends are in order then, too.
    missing.sort_by_key(|(_, file)| (file.span.start, file.span.end));
    let claims = run.plan.claims_on(missing.iter().map(|(_, file)| *file));
    run.watch.expect(claims.iter().map(|claim| claim.expect.length).sum());
    let (mut left, mut ours) = (&*missing, 0);
    while !left.is_empty() {
        let (mut claims, mut long, mut short) = (0, 0, 0);
        let fits = |(_, file): &&(&Name, &File)| {
            claims += run.plan.claims_of(file).len();
            if file.length() > SHORT {
                long += 1
            } else {
                short += file.length()
            }
            claims <= CLAIMS && long <= OPEN && short <= SHORT_BYTES
        };
        let count = left.iter().take(SHORT_ONES).take_while(fits).count().max(1);
        let (some, rest) = left.split_at(count);
        ours += together(run, draft, some, unrecorded)?;
        left = rest;
    }
    Ok(ours)
}

/// Writes some files, as [`files`] does.
fn together<'p>(
    run: &Run<'_>,
    draft: &TreeDraft<'_>,
    some: &[(&'p Name, &'p File)],
    unrecorded: &Unrecorded,
) -> Result<u64, Error> {
    let Run { plan, from, watch, .. } = *run;
    let to = &*draft.inside;
    let open = |&(name, file): &(&'p Name, &'p File)| {
        let meta = plan.entries.get(name).map(|entry| &entry.meta);
        let meta = meta.ok_or_else(|| Error::failed(format!("'{name}' is not in the plan")))?;
        let bytes = match file.length() {
            length @ ..=SHORT => Bytes::Memory(Mutex::new(vec![0; usize::try_from(length).unwrap_or_default()])),
            _ => {
                let file = to.create(name).map_err(Error::at("make", to, name))?;
                Bytes::Disk { file, has_holes: AtomicBool::new(false) }
            }
        };
        Ok::<_, Error>(Open { name, file, meta: unrecorded.fill(Some(name), meta), bytes, given: AtomicU64::new(0) })
    };
    let files = some.par_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let claims = plan.claims_on(some.iter().map(|(_, file)| *file)).into_iter().cloned().collect();
    let sink = Together { to, files };
    let settled = |claim: &Claim, verdict| sound(from, claim, verdict);
    drive::write((from, plan.key.as_ref()), claims, &sink, watch, &settled)?;
    let close = |open: Open<'p>| {
        let name = open.name;
        close(open, to).map(u64::from).map_err(Error::at("write", to, name))
    };
    sink.files.into_par_iter().map(close).try_reduce(|| 0, |one, other| Ok(one + other))
}

/// Gives a file that is written its length and what is on record of it. True when it did not get all of it.
fn close(open: Open<'_>, to: &dyn Disk) -> io::Result<bool> {
    let Open { name, file, meta, bytes, given } = open;
    // Whatever went wrong, no file is taken for whole that was not given all of its bytes.
    if given.into_inner() < file.length() {
        return Err(io::Error::other("not all of its bytes came"));
    }
    let file = match bytes {
        Bytes::Memory(memory) => {
            let bytes = memory.into_inner().unwrap_or_else(PoisonError::into_inner);
            let made = to.create(name)?;
            match is_zero(&bytes) {
                true if bytes.is_empty() => {}
                true => made.set_length(file.length())?,
                false => made.write_at(0, &bytes)?,
            }
            made
        }
        Bytes::Disk { file: made, has_holes } => {
            if has_holes.into_inner() {
                made.set_length(file.length())?;
            }
            made
        }
    };
    Ok(!meta::give(&*file, &meta)?)
}
