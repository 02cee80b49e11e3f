//! Writes one file of a tree as a stream. The last of its bytes wait until all are known to be right.

use std::io::Write;

use highwater_core::report::Depth;

use super::plan::{Entry, File, Is, TreePlan};
use crate::drive::check_bytes;
use crate::error::{Class, Error};
use crate::restore::sound;
use crate::store::Store;
use crate::watch::Watch;

/// Writes the one file that a plan is narrowed to, and gives its length in bytes.
///
/// # Errors
/// It is not one file; damage, a failed read, or an output that takes no more: what was written by then is not all of
/// it.
pub fn file_to_stream(plan: &TreePlan, from: &dyn Store, out: &mut dyn Write, watch: &Watch<'_>) -> Result<u64, Error> {
    let file = only(plan)?;
    let cannot = |error| Error::failed(format!("cannot write to the output: {error}"));
    plan.doubts.iter().for_each(|doubt| watch.notice(doubt));
    watch.expect(file.length());
    let mut held = Vec::new();
    for claim in plan.claims_of(file) {
        let (mut failed, mut at) = (None, claim.target().start);
        let end = claim.target().end;
        let tee = &mut |bytes: &[u8]| {
            // What is longer than it should be is damaged, and belongs to nothing.
            let most = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX).min(bytes.len());
            let bytes = &bytes[..most];
            if let Some((_, part)) = file.part_of(at, bytes) {
                if failed.is_none() {
                    failed = out.write_all(&held).err();
                }
                held.clear();
                held.extend_from_slice(part);
            }
            at = at.saturating_add(most as u64);
        };
        let (verdict, _) = check_bytes(from, claim, (Depth::Digest, plan.key.as_ref()), watch, tee)?;
        if let Some(error) = failed {
            return Err(cannot(error));
        }
        sound(from, claim, verdict)?;
    }
    out.write_all(&held).and_then(|()| out.flush()).map_err(cannot)?;
    Ok(file.length())
}

/// The file that is all of the plan.
fn only(plan: &TreePlan) -> Result<&File, Error> {
    let what = match plan.entries.values().next().filter(|_| plan.is_alone) {
        Some(Entry { what: Is::File(file), .. }) => return Ok(file),
        Some(_) => format!("{} is a link, and no file", plan.point),
        None => format!(
            "{} is a folder, and standard output takes one file: name it behind the point, as in REPO@POINT/PATH; or \
             restore to a folder",
            plan.point
        ),
    };
    Err(Error::Refused { class: Class::Usage, what })
}
