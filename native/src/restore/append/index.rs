//! The OID index beside a restored database: put there only if it is the one that the records give, removed when there
//! is none.

use std::cell::Cell;
use std::io;
use std::path::Path;

use highwater_core::filestorage::{self, OidIndex};
use highwater_core::name::{Name, NameError, TEMPORARY};

use crate::backup::repozo::QUICK_ENTRIES;
use crate::disk::like::Like;
use crate::disk::{self, Disk};
use crate::drive::buffer;
use crate::error::Error;
use crate::filestorage::{Records, records};
use crate::restore::Run;
use crate::shown::{quoted, shown};
use crate::store::{Store, is_no_file};
use crate::watch::Watch;

/// The saved index of a point, if there is one.
pub(in crate::restore) fn saved(from: &dyn Store, point: &str) -> Result<Option<Name>, Error> {
    let index = Name::new(format!("{point}.index").as_bytes())?;
    match from.length(&index) {
        Ok(_) => Ok(Some(index)),
        // A folder or a FIFO of that name is no index either, and the database makes it anew.
        Err(error) if is_no_file(&error) => Ok(None),
        Err(error) => Err(Error::at("read", from, &index)(error)),
    }
}

/// Puts an index beside the target if the plan has a saved one: that one when the records of the target give it, else
/// one made from them. False when there is none; then none is there. A quick restore that wrote nothing anew looks at
/// [`QUICK_ENTRIES`] of it only. What the records of the target give may be known (`given`).
pub(in crate::restore) fn put(run: &Run<'_>, anew: bool, given: Option<io::Result<Records>>) -> Result<bool, Error> {
    let Run { from, job, plan, watch, to, target } = *run;
    let Some(saved) = &plan.index else {
        let saved = from.told(None).join(format!("{}.index", plan.point));
        watch.note(format!("No index file to restore: {}", shown(saved)));
        remove(to, target)?;
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
    let saved = from.told(Some(saved));
    if job.quick && !anew && misfit(&bytes, run)?.is_none() {
        place(&bytes, &saved, to, target, watch)?;
        return Ok(true);
    }
    put_what_the_records_give(&bytes, &saved, (to, target), (plan.end, given), watch)
}

/// Puts the saved index beside a target of which nothing but the bytes is known, or one made from its records; without
/// a saved one, says so.
pub(in crate::restore) fn put_beside(
    from: &dyn Store,
    saved: &Name,
    to: &dyn Disk,
    target: &Name,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let object = match from.open(saved) {
        Ok(object) => object,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            watch.note(format!("No index file to restore: {}", shown(from.told(Some(saved)))));
            return Ok(());
        }
        Err(error) => return Err(Error::at("read", from, saved)(error)),
    };
    let bytes = object.read_whole().map_err(Error::at("read", from, saved))?;
    let end = to.length(target).map_err(Error::at("read", to, target))?;
    put_what_the_records_give(&bytes, &from.told(Some(saved)), (to, target), (end, None), watch).map(|_| ())
}

/// Puts an index of the target, which is of `end` bytes, beside it: the saved one, byte for byte, if the records give
/// the same, else one made from them. Where there are no records to ask, as in no FileStorage at all, the saved one.
fn put_what_the_records_give(
    bytes: &[u8],
    saved: &Path,
    (to, target): (&dyn Disk, &Name),
    (end, given): (u64, Option<io::Result<Records>>),
    watch: &Watch<'_>,
) -> Result<bool, Error> {
    let given = match given {
        Some(given) => given,
        None => records(&*to.open(target).map_err(Error::at("open", to, target))?, end),
    };
    let given = match given.map_err(Error::at("read", to, target))? {
        Records::Index(given) => given,
        Records::Foreign => {
            place(bytes, saved, to, target, watch)?;
            return Ok(true);
        }
        Records::Broken(at) => {
            watch.notice(format!(
                "the saved index {} was left out: the records of the database end at byte {at}, which is not where \
                 the point ends ({end}); run fstest on it",
                quoted(saved)
            ));
            remove(to, target)?;
            return Ok(false);
        }
    };
    let why = match filestorage::decode_whole(bytes) {
        Ok((pos, index)) if pos == end && index == given => {
            place(bytes, saved, to, target, watch)?;
            return Ok(true);
        }
        Ok((pos, _)) if pos != end => format!("it is of byte {pos}, the point ends at {end}"),
        Ok((_, index)) => first_difference(&index, &given),
        Err(bad) => bad.to_string(),
    };
    watch.notice(format!(
        "the saved index {} is not the one that the records give ({why}); one made from the records was put in its \
         place",
        quoted(saved)
    ));
    let mut made = Vec::new();
    filestorage::encode(&given, end, &mut |piece| made.extend_from_slice(piece));
    place(&made, saved, to, target, watch)?;
    Ok(true)
}

/// The first object of which a saved index says something else than the records.
fn first_difference(saved: &OidIndex, given: &OidIndex) -> String {
    let (mut ours, mut theirs) = (given.iter(), saved.iter());
    loop {
        match (ours.next(), theirs.next()) {
            (Some(ours), Some(theirs)) if ours == theirs => {}
            (Some((oid, at)), Some((other, elsewhere))) if oid == other => {
                return format!("object {oid:#x} is at {at}, and it says {elsewhere}");
            }
            (Some((oid, _)), Some((other, _))) if other < oid => return format!("there is no object {other:#x}"),
            (Some((oid, _)), _) => return format!("object {oid:#x} is not in it"),
            (None, Some((other, _))) => return format!("there is no object {other:#x}"),
            (None, None) => return "it is written differently".to_owned(),
        }
    }
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
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", to, &name)(error)),
        _ => to.sync_folder(None).map_err(Error::of_folder("sync", to, None)),
    }
}

/// Why a saved index does not fit the target where it is looked at, if it does not.
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
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(error) => {
            failed.set(Some(error));
            None
        }
    };
    let sane = filestorage::sane(&index, pos, read_at)
        .and_then(|_| filestorage::leads_to_records(&index, pos, QUICK_ENTRIES, read_at));
    match failed.take() {
        Some(error) => Err(Error::at("read", to, target)(error)),
        None => Ok(sane.err().map(|insane| insane.to_string())),
    }
}

fn beside(target: &Name) -> Result<Name, NameError> {
    Name::new(&[target.as_bytes(), b".index"].concat())
}
