//! Compares files that are there with what a repository has, where one digest covers bytes of several files: what it is
//! of is read there, and every byte is looked at.

use std::io;

use highwater_core::claim::Claim;
use highwater_core::name::Name;

use super::Run;
use super::there::Candidate;
use crate::disk::Disk;
use crate::drive::{self, Sink};
use crate::error::Error;
use crate::restore::sound;
use crate::store::Object;

/// Files that are open at a time.
const OPEN: usize = 256;

/// Files of a tree, by the places of their bytes.
struct Files<'a, F: Fn(&Name, &'static str) + Sync> {
    inside: &'a dyn Disk,
    files: Vec<(&'a Candidate<'a>, Option<Box<dyn Object>>)>,
    note: &'a F,
}

impl<F: Fn(&Name, &'static str) + Sync> Sink for Files<'_, F> {
    fn put(&self, at: u64, bytes: &[u8], _: bool) -> Result<(), Error> {
        let first = self.files.partition_point(|(candidate, _)| candidate.file.span.end <= at);
        for (candidate, object) in self.files.get(first..).unwrap_or_default() {
            let Some((from, bytes)) = candidate.file.part_of(at, bytes) else { break };
            let Some(object) = object else { continue };
            match is_there(&**object, from, bytes) {
                Ok(true) => {}
                Ok(false) => (self.note)(candidate.path, "it holds other bytes"),
                Err(error) => {
                    drop(Error::at("read", self.inside, candidate.path)(error));
                    (self.note)(candidate.path, "it cannot be read");
                }
            }
        }
        Ok(())
    }
}

/// Whether a file has these bytes at this place.
fn is_there(object: &dyn Object, from: u64, bytes: &[u8]) -> io::Result<bool> {
    let mut rest = bytes;
    let end = from.saturating_add(bytes.len() as u64);
    let mut is_same = true;
    object.for_each_piece(from, end, &mut vec![0; bytes.len().clamp(1, drive::PIECE)], |piece| {
        let (some, after) = rest.split_at_checked(piece.len()).unwrap_or((&[], &[]));
        is_same &= some == piece;
        rest = after;
        is_same
    })?;
    Ok(is_same && rest.is_empty())
}

/// Compares files, and notes those that do not hold what the point has, or cannot be read.
pub(super) fn files<'a, F: Fn(&Name, &'static str) + Sync>(
    run: &Run<'a>,
    inside: &'a dyn Disk,
    some: &[&'a Candidate<'a>],
    note: &'a F,
) -> Result<(), Error> {
    let Run { plan, from, watch, .. } = *run;
    let mut some = some.to_vec();
    some.sort_unstable_by_key(|candidate| candidate.file.span.start);
    for some in some.chunks(OPEN) {
        let open = |candidate: &&'a Candidate<'a>| {
            let object = inside.open(candidate.path).ok();
            if object.is_none() {
                note(candidate.path, "it cannot be read");
            }
            (*candidate, object)
        };
        let files = Files { inside, files: some.iter().map(open).collect(), note };
        // What lies in one file alone was looked at.
        let is_shared = |claim: &&Claim| {
            let target = claim.target();
            !some.iter().any(|one| one.file.span.start <= target.start && target.end <= one.file.span.end)
        };
        let claims = plan.claims_on(some.iter().map(|candidate| candidate.file));
        let claims: Vec<Claim> = claims.into_iter().filter(is_shared).cloned().collect();
        watch.expect(claims.iter().map(|claim| claim.expect.length).sum());
        let settled = |claim: &Claim, verdict| sound(from, claim, verdict);
        drive::write((from, plan.key.as_ref()), claims, &files, watch, &settled)?;
    }
    Ok(())
}
