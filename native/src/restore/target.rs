//! What an existing target already holds of a point, found by digests of its own bytes.

use std::sync::Arc;

use highwater_core::check::Verdict;
use highwater_core::claim::Claim;
use highwater_core::key::Key;
use highwater_core::name::Name;

use super::Plan;
use crate::disk::{Disk, What};
use crate::drive::{Marked, buffer, read_marks};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Identity, Object, Store};
use crate::watch::Watch;

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
    refuse_inside(from, to, target)?;
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

/// Refuses a target that lies in the repository. Gives the folders that the repository lies in, itself first.
pub(super) fn refuse_inside(from: &dyn Store, to: &dyn Disk, target: &Name) -> Result<Vec<Identity>, Error> {
    let around = to.around().map_err(Error::of_folder("look around", to, None))?;
    let repository = from.around().map_err(Error::of_folder("look around", from, None))?;
    if repository.first().is_some_and(|repository| around.contains(repository)) {
        let path = quoted(&to.told(Some(target)));
        let what = format!("{path} lies inside the repository it is to be restored from; name another place");
        return Err(Error::cannot_start(what));
    }
    Ok(repository)
}

/// What was found, or none when nothing is there, or nothing that is a file of this machine.
fn there<T>(found: std::io::Result<T>) -> std::io::Result<Option<T>> {
    use std::io::ErrorKind::{NotFound, Unsupported};
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | Unsupported) => Ok(None),
        Err(error) => Err(error),
    }
}
