//! The OID index beside a restored database: put there only if it fits, removed when it no longer does.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use highwater_core::filestorage;

use super::{Job, Plan};
use crate::backup::repozo::{QUICK_ENTRIES, replace};
use crate::disk::Disk;
use crate::drive::buffer;
use crate::error::Error;
use crate::shown::{quoted, shown};
use crate::watch::Watch;

/// Puts the plan's saved index beside the target. False when there is none that fits; then none is there.
pub(super) fn put(job: &Job, plan: &Plan, target: &Path, disk: &dyn Disk, watch: &Watch<'_>) -> Result<bool, Error> {
    let to = beside(target);
    let Some(from) = &plan.index else {
        watch
            .note(format!("No index file to restore: {}", shown(job.repository.join(format!("{}.index", plan.point)))));
        remove(target, disk)?;
        return Ok(false);
    };
    let object = disk.open(from).map_err(Error::io("open", from))?;
    let mut bytes = Vec::new();
    // A record takes 42 bytes and more, an entry 8: a longer file is no index of this database.
    let most = plan.end.saturating_add(1 << 20);
    let read = object.for_each_piece(0, most, &mut buffer(), |piece| {
        bytes.extend_from_slice(piece);
        true
    });
    read.map_err(Error::io("read", from))?;
    if !job.trust_index
        && let Some(why) = misfit(&bytes, plan, target, job.quick, disk)?
    {
        watch.notice(format!(
            "the saved index {} does not fit and was left out ({why}); the database rebuilds it when it opens",
            quoted(from)
        ));
        remove(target, disk)?;
        return Ok(false);
    }
    watch.note(format!("Restoring index file {} to {}", shown(from), shown(&to)));
    replace(disk, &to, &bytes, Some(target))?;
    Ok(true)
}

/// Puts a saved index beside the target without looking into it; without one, says so.
pub(super) fn put_as_is(from: &Path, target: &Path, disk: &dyn Disk, watch: &Watch<'_>) -> Result<(), Error> {
    let to = beside(target);
    let object = match disk.open(from) {
        Ok(object) => object,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            watch.note(format!("No index file to restore: {}", shown(from)));
            return Ok(());
        }
        Err(error) => return Err(Error::io("read", from)(error)),
    };
    let bytes = object.read_whole().map_err(Error::io("read", from))?;
    watch.note(format!("Restoring index file {} to {}", shown(from), shown(&to)));
    replace(disk, &to, &bytes, Some(target))
}

/// Removes an index beside the target, if there is one, for good: beside other bytes it could mislead the database.
///
/// The folder is synced even when there is none: a run that was killed may have removed it a moment ago.
pub(super) fn remove(target: &Path, disk: &dyn Disk) -> Result<(), Error> {
    let path = beside(target);
    match disk.remove(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &path)(error)),
        _ => {
            let folder = target.parent().unwrap_or(Path::new("."));
            disk.sync_folder(folder).map_err(Error::io("sync", folder))
        }
    }
}

/// Why a saved index does not fit the target, if it does not.
///
/// # Errors
/// When the target cannot be read, which says nothing about the index.
fn misfit(bytes: &[u8], plan: &Plan, target: &Path, quick: bool, disk: &dyn Disk) -> Result<Option<String>, Error> {
    let (pos, index) = match filestorage::decode_whole(bytes) {
        Ok(decoded) => decoded,
        Err(bad) => return Ok(Some(bad.to_string())),
    };
    if pos != plan.end {
        return Ok(Some(format!("it is of byte {pos}, the point ends at {}", plan.end)));
    }
    let object = disk.open(target).map_err(Error::io("open", target))?;
    let failed = Cell::new(None);
    let read_at = |at: u64, out: &mut [u8]| match object.read_exact_at(at, out) {
        Ok(()) => Some(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => None,
        Err(error) => {
            failed.set(Some(error));
            None
        }
    };
    let most = if quick { QUICK_ENTRIES } else { u64::MAX };
    let sane =
        filestorage::sane(&index, pos, read_at).and_then(|_| filestorage::leads_to_records(&index, pos, most, read_at));
    match failed.take() {
        Some(error) => Err(Error::io("read", target)(error)),
        None => Ok(sane.err().map(|insane| insane.to_string())),
    }
}

fn beside(target: &Path) -> PathBuf {
    let mut path = target.as_os_str().to_owned();
    path.push(".index");
    PathBuf::from(path)
}
