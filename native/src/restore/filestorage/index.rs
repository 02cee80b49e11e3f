//! The OID index beside a restored database: put there only if it fits, removed when it no longer does.

use std::cell::Cell;
use std::path::Path;

use highwater_core::filestorage;
use highwater_core::name::{Name, NameError, TEMPORARY};

use crate::backup::repozo::QUICK_ENTRIES;
use crate::disk::like::Like;
use crate::disk::{self, Disk};
use crate::drive::buffer;
use crate::error::Error;
use crate::restore::Run;
use crate::shown::{quoted, shown};
use crate::store::Store;
use crate::watch::Watch;

/// Puts the plan's saved index beside the target. False when there is none that fits; then none is there.
pub(in crate::restore) fn put(run: &Run<'_>) -> Result<bool, Error> {
    let Run { from, job, plan, watch, .. } = *run;
    let Some(saved) = &plan.index else {
        let saved = from.told(None).join(format!("{}.index", plan.point));
        watch.note(format!("No index file to restore: {}", shown(saved)));
        remove(run.to, run.target)?;
        return Ok(false);
    };
    let object = from.open(saved).map_err(Error::at("open", from, saved))?;
    let mut bytes = Vec::new();
    // A record takes 42 bytes and more, an entry 8: a longer file is no index of this database.
    let most = plan.end.saturating_add(1 << 20);
    let read = object.for_each_piece(0, most, &mut buffer(), |piece| {
        bytes.extend_from_slice(piece);
        true
    });
    read.map_err(Error::at("read", from, saved))?;
    if !job.trust_index
        && let Some(why) = misfit(&bytes, run)?
    {
        watch.notice(format!(
            "the saved index {} does not fit and was left out ({why}); the database rebuilds it when it opens",
            quoted(&from.told(Some(saved)))
        ));
        remove(run.to, run.target)?;
        return Ok(false);
    }
    place(&bytes, &from.told(Some(saved)), run.to, run.target, watch)?;
    Ok(true)
}

/// Puts a saved index beside the target without looking into it; without one, says so.
pub(in crate::restore) fn put_as_is(
    from: &dyn Store,
    saved: &Name,
    to: &dyn Disk,
    target: &Name,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let object = match from.open(saved) {
        Ok(object) => object,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            watch.note(format!("No index file to restore: {}", shown(from.told(Some(saved)))));
            return Ok(());
        }
        Err(error) => return Err(Error::at("read", from, saved)(error)),
    };
    let bytes = object.read_whole().map_err(Error::at("read", from, saved))?;
    place(&bytes, &from.told(Some(saved)), to, target, watch)
}

/// Puts an index beside the target, for good, open to those who may read the target.
fn place(bytes: &[u8], saved: &Path, to: &dyn Disk, target: &Name, watch: &Watch<'_>) -> Result<(), Error> {
    let name = beside(target)?;
    watch.note(format!("Restoring index file {} to {}", shown(saved), shown(to.told(Some(&name)))));
    let like = Like::in_place_of(to, target).map_err(Error::at("look at", to, target))?;
    // What a run that was killed here left.
    disk::clear(to, None, |last| disk::is_draft(last, &name, TEMPORARY), watch)?;
    disk::put(to, &name, bytes, &like, TEMPORARY, true)?.tell(to, &name, watch);
    to.sync_folder(None).map_err(Error::of_folder("sync", to, None))
}

/// Removes an index beside the target, if there is one, for good: beside other bytes it could mislead the database.
///
/// The folder is synced even when there is none: a run that was killed may have removed it a moment ago.
pub(in crate::restore) fn remove(to: &dyn Disk, target: &Name) -> Result<(), Error> {
    let name = beside(target)?;
    match to.remove(&name) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::at("remove", to, &name)(error)),
        _ => to.sync_folder(None).map_err(Error::of_folder("sync", to, None)),
    }
}

/// Why a saved index does not fit the target, if it does not.
///
/// # Errors
/// When the target cannot be read, which says nothing about the index.
fn misfit(bytes: &[u8], run: &Run<'_>) -> Result<Option<String>, Error> {
    let Run { to, plan, target, .. } = *run;
    let (pos, index) = match filestorage::decode_whole(bytes) {
        Ok(decoded) => decoded,
        Err(bad) => return Ok(Some(bad.to_string())),
    };
    if pos != plan.end {
        return Ok(Some(format!("it is of byte {pos}, the point ends at {}", plan.end)));
    }
    let object = to.open(target).map_err(Error::at("open", to, target))?;
    let failed = Cell::new(None);
    let read_at = |at: u64, out: &mut [u8]| match object.read_exact_at(at, out) {
        Ok(()) => Some(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => None,
        Err(error) => {
            failed.set(Some(error));
            None
        }
    };
    let most = if run.job.quick { QUICK_ENTRIES } else { u64::MAX };
    let sane =
        filestorage::sane(&index, pos, read_at).and_then(|_| filestorage::leads_to_records(&index, pos, most, read_at));
    match failed.take() {
        Some(error) => Err(Error::at("read", to, target)(error)),
        None => Ok(sane.err().map(|insane| insane.to_string())),
    }
}

fn beside(target: &Name) -> Result<Name, NameError> {
    Name::new(&[target.as_bytes(), b".index"].concat())
}
