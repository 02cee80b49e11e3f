//! Where files of a mirror go: from the stage into their places, and what is in the way out of it. Nothing is replaced.

use std::io;
use std::sync::PoisonError;

use highwater_core::formats::mirror::names;
use highwater_core::name::Name;

use super::area::{Area, FOUND, folder, named};
use crate::disk::{Disk, Look, What};
use crate::error::Error;
use crate::store::Locks;
use crate::watch::Watch;

/// How a folder is called in the stage that is made, or begins to be, where several processes make some.
pub(super) const FOLDER: &[u8] = b"folder";

/// Where the version of a row waits.
pub(super) fn stage(number: u64) -> Result<Name, Error> {
    Ok(named(names::STAGE)?.join(number.to_string().as_bytes())?)
}

/// Where the version of a row is written. Where nobody's locks say that this process has its part alone, no other
/// writes there.
pub(super) fn draft(area: &Area<'_>, number: u64) -> Result<Name, Error> {
    let stage = stage(number)?;
    let own = area.work.last().strip_prefix(FOLDER).unwrap_or_default();
    if own.is_empty() || area.disk.locks() == Locks::Needed {
        return Ok(stage);
    }
    Ok(named(names::STAGE)?.join(&[stage.last(), own].concat())?)
}

/// Puts a file from the stage into its place. What lies there that nobody planned is kept, out of the way; whether
/// something did, is handed back.
pub(super) fn settle(area: &Area<'_>, stage: &Name, place: &Name, watch: &Watch<'_>) -> Result<bool, Error> {
    let (disk, mut was_taken) = (area.disk, false);
    for _ in 0..3 {
        let failed = match disk.rename_new(stage, place) {
            Ok(()) => return Ok(was_taken),
            Err(error) => error,
        };
        match failed.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => folders(area, place, watch)?,
            io::ErrorKind::AlreadyExists => {
                make_way(area, place, watch)?;
                was_taken = true;
            }
            _ => return Err(Error::at("name", disk, place)(failed)),
        }
    }
    Err(Error::failed(format!("somebody else writes '{place}' again and again; look who writes there")))
}

/// Keeps what lies in a place, out of the way, and says so.
pub(super) fn make_way(area: &Area<'_>, place: &Name, watch: &Watch<'_>) -> Result<(), Error> {
    let aside = aside(area, place)?;
    watch.notice(format!(
        "'{place}' held other bytes than the bucket has, or was none of the mirror's; it is '{aside}' now"
    ));
    Ok(())
}

/// Makes the folders that a place lies in. A file that lies where one should be is kept, out of the way.
pub(super) fn folders(area: &Area<'_>, place: &Name, watch: &Watch<'_>) -> Result<(), Error> {
    let disk = area.disk;
    let _alone = area.folders.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ahead = Vec::new();
    let mut next = place.folder();
    while let Some(name) = next {
        next = name.folder();
        match disk.look(Some(&name)) {
            Ok(Some(look)) if look.what == What::Folder => break,
            Ok(Some(_)) => {
                let _way = area.way(watch)?;
                // Another process may have made it a folder meanwhile.
                if area.is_shared && disk.look(Some(&name)).is_ok_and(|look| look.is_none_or(is_folder)) {
                    next = Some(name);
                    continue;
                }
                let aside = aside(area, &name)?;
                watch.notice(format!("'{name}' is to be a folder, and was none: what it was is '{aside}' now"));
            }
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(Error::at("look at", disk, &name)(error)),
        }
        ahead.push(name);
    }
    // Made where nobody puts anything into it, and named when it is open to others.
    let work = &area.work;
    for name in ahead.iter().rev() {
        forget_folder(disk, work)?;
        folder(disk, work)?;
        match disk.rename_new(work, name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::at("make", disk, name)(error));
            }
            _ => {}
        }
    }
    forget_folder(disk, work)
}

fn is_folder(look: Look) -> bool {
    look.what == What::Folder
}

/// Removes the folder that was made and not named, if one was.
pub(super) fn forget_folder(disk: &dyn Disk, work: &Name) -> Result<(), Error> {
    match disk.remove_folder(work) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", disk, work)(error)),
        _ => Ok(()),
    }
}

/// Gives what lies in a place a name where it is in nobody's way, and lost to nobody.
fn aside(area: &Area<'_>, place: &Name) -> Result<Name, Error> {
    let disk = area.disk;
    let found = named(FOUND)?;
    for number in 0_u64.. {
        let name = found.join(number.to_string().as_bytes())?;
        match disk.rename_new(place, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            renamed => {
                renamed.map_err(Error::at("move", disk, place))?;
                return Ok(name);
            }
        }
    }
    Err(Error::failed("there are too many files in the mirror's folder 'found'"))
}
