//! `place`: makes what was filled durable, and has it take the place of the old replica in one step.

use std::io;

use highwater_core::name::Name;

use super::record::{self, Old};
use super::{At, Filled, StoreOptions, StoreSummary};
use crate::disk::Look;
use crate::disk::like::Like;
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;

/// From so many files on, one barrier takes the place of a sync of each.
const MANY: usize = 256;

/// Whom a new folder lets in: this user.
const PRIVATE: u32 = 0o700;

/// Puts it in its place.
///
/// # Errors
/// The file system's; or somebody wrote into the old replica meanwhile, or put another folder there.
pub(super) fn place(
    job: &StoreOptions<'_>,
    at: &At<'_>,
    old: &Old,
    (summary, filled): (&StoreSummary, Filled),
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let At { disk, dest, .. } = *at;
    let told = || Error::at("publish", disk, dest);
    let around = look(at, dest.folder().as_ref())?;
    // Whom the old one let in, this lets in; a new one, nobody else.
    let like = old.folder.map_or_else(|| Like::new_in(&around).with_mode(PRIVATE), |old| Like::of(&old));
    let below: Vec<Name> =
        filled.folders.iter().map(|name| at.store.join(name.as_bytes())).collect::<Result<_, _>>()?;
    for folder in below.iter().rev().chain([&at.store]) {
        let given = disk.open_folder(folder).and_then(|folder| like.give(&*folder));
        _ = given.map_err(Error::at("set", disk, folder))?;
    }
    let top = look(at, Some(&at.store))?;
    sync(at, &filled, &below)?;
    write_list(at, &record::list(job, summary, &top, &filled), &around)?;
    watch.go_on()?;
    let parent = dest.folder();
    let sync_names = || disk.sync_folder(parent.as_ref()).and_then(|()| disk.sync_folder(at.next.folder().as_ref()));
    match old.identity() {
        None => disk.rename_new(&at.store, dest).map_err(told())?,
        Some(identity) => {
            if let Some(record) = &old.record {
                let inside = disk.beneath(dest).map_err(told())?;
                if let Some(why) = record.differs(&*inside, watch)? {
                    let dest = quoted(&disk.told(Some(dest)));
                    return Err(Error::failed(format!("{dest} changed meanwhile, and is left as it is: {why}")));
                }
            }
            exchange(at, identity)?;
        }
    }
    sync_names().map_err(told())?;
    let listed = disk.rename(&at.next, &at.list).and_then(|()| sync_names());
    listed.map_err(Error::at("publish", disk, &at.list))?;
    old.identity().map_or(Ok(()), |identity| record::remove(at, identity))
}

/// Puts it in the place of the folder that is known by `old`.
fn exchange(at: &At<'_>, old: (u64, u64)) -> Result<(), Error> {
    let At { disk, dest, ref store, .. } = *at;
    let exchange = || disk.exchange(store, dest);
    match exchange() {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            let path = quoted(&disk.told(Some(dest)));
            return Err(Error::cannot_start(format!(
                "this file system cannot exchange {path} with another folder in one step; name a new folder each time"
            )));
        }
        exchanged => exchanged.map_err(Error::at("publish", disk, dest))?,
    }
    if look(at, Some(store))?.identity == old {
        return Ok(());
    }
    exchange().map_err(Error::at("publish", disk, dest))?;
    let dest = quoted(&disk.told(Some(dest)));
    Err(Error::failed(format!("somebody else put another folder in the place of {dest}, which was left alone")))
}

fn look(at: &At<'_>, name: Option<&Name>) -> Result<Look, Error> {
    let look = at.disk.look(name).and_then(|look| look.ok_or_else(|| io::ErrorKind::NotFound.into()));
    look.map_err(Error::of_folder("look at", at.disk, name))
}

/// Makes all of it durable; what the old replica had is so already.
fn sync(at: &At<'_>, filled: &Filled, below: &[Name]) -> Result<(), Error> {
    let At { disk, ref store, .. } = *at;
    let new: Vec<&Name> = filled.files.iter().filter(|(_, came)| !came.linked).map(|(name, _)| name).collect();
    if new.len() + below.len() > MANY {
        return disk.barrier(Some(store)).map_err(Error::at("sync", disk, store));
    }
    for name in new {
        let name = store.join(name.as_bytes())?;
        disk.open_to_hold(&name).and_then(|file| file.sync()).map_err(Error::at("sync", disk, &name))?;
    }
    for folder in below.iter().chain([store]) {
        disk.sync_folder(Some(folder)).map_err(Error::at("sync", disk, folder))?;
    }
    Ok(())
}

/// Writes the list, which gets its name later.
fn write_list(at: &At<'_>, text: &str, around: &Look) -> Result<(), Error> {
    let At { disk, ref next, .. } = *at;
    let write = || {
        if disk.look(Some(next))?.is_some() {
            disk.remove(next)?;
        }
        let file = disk.create(next)?;
        file.write_at(0, text.as_bytes())?;
        _ = Like::new_in(around).give(&*file)?;
        file.sync()?;
        disk.sync_folder(next.folder().as_ref())
    };
    write().map_err(Error::at("write", disk, next))
}
