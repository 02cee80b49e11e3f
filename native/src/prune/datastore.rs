//! Removes snapshots of chunk datastores.
//!
//! A snapshot is a folder. It loses its name in one step, to a hidden one that servers pass over, where the stage of a
//! backup lies: so nobody ever sees half of one, and what an interrupted run leaves is removed by the next, or by the
//! next backup. Chunks stay: only a garbage collection knows what else needs them.
//!
//! A server's own locks on groups and snapshots lie in its run directory, out of reach. Of a group that a server backs
//! up into at the same time, the snapshot that it builds on is the newest finished one, and that stays.

use highwater_core::formats::datastore::names;
use highwater_core::inspect::Entry;
use highwater_core::name::Name;
use highwater_core::point::{LATEST, Point};

use super::{Pruner, Removal};
use crate::backup::datastore::stage;
use crate::disk::{self, Disk};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::watch::Watch;

/// What the hidden folder is called, before the digits.
const GONE: &str = "pruned";

/// The marker of a snapshot that is to stay.
const PROTECTED: &str = ".protected";

/// How the names of all others end that a snapshot has.
const FILES: [&str; 3] = [".fidx", ".didx", ".blob"];

/// A store.
#[derive(Debug)]
pub(super) struct Store;

impl Pruner for Store {
    fn kind(&self) -> &'static str {
        "datastore"
    }

    fn narrows(&self, point: &Point) -> Result<(), String> {
        let last = point.as_str().rsplit('/').next().unwrap_or_default();
        let is_group = names::Group::parse(point.as_str()).is_some();
        let is_space = point.as_str().split('/').rev().nth(1) == Some("ns") && last != LATEST;
        if is_group || is_space {
            return Ok(());
        }
        Err(format!("snapshots are pruned by groups: name all of one, as in STORE@vm/100, and not '{point}'"))
    }

    fn holds(&self, disk: &dyn Disk, points: &[&str]) -> Result<Vec<Option<String>>, Error> {
        points.iter().map(|point| why_held(disk, &Name::new(point.as_bytes())?)).collect()
    }

    fn finish(&self, disk: &dyn Disk, watch: &Watch<'_>) -> Result<(), Error> {
        clear(disk, None, watch)
    }

    fn remove(&self, job: &Removal<'_>, gone: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let &Removal { disk, goes, newest, watch } = job;
        let newest = Name::new(newest.as_bytes())?;
        let group = newest.folder().ok_or_else(|| Error::failed(format!("'{newest}' is in no group")))?;
        let shown = quoted(&disk.told(Some(&group)));
        let _alone = lock::hold(disk, Some(&group), || {
            format!("a backup into {shown}, or another prune of it, is running; wait for it, or end it")
        })?;
        let place = stage::first_around(disk, &group)?.ok_or_else(|| {
            Error::cannot_start(format!("{shown} is a mount of its own: mount what is around it, then prune"))
        })?;
        if place.is_some() {
            clear(disk, place.as_ref(), watch)?;
        }
        let manifest = newest.join(names::MANIFEST.as_bytes())?;
        for point in goes {
            watch.go_on()?;
            // The plan may be old by now, and servers do not see our locks.
            if disk.look(Some(&manifest)).map_err(Error::at("look at", disk, &manifest))?.is_none() {
                let what = format!("'{newest}', the newest sound snapshot, was removed meanwhile");
                return Err(Error::failed(format!("{what}; nothing more is removed: prune again")));
            }
            let name = Name::new(point.as_bytes())?;
            if let Some(why) = why_held(disk, &name)? {
                return Err(Error::failed(format!("'{name}' changed meanwhile: {why}; prune again")));
            }
            remove(disk, &name, place.as_ref())?;
            watch.note(format!("removed {name}"));
            gone(point);
        }
        Ok(())
    }

    fn leaves(&self) -> &'static str {
        "chunks that no snapshot needs any more are removed by the server's garbage collection; `highwater strays` \
         tells how many bytes that will be"
    }
}

/// Removes what interrupted runs left in a folder, or in the root. That their snapshots have lost their names is made
/// durable before.
fn clear(disk: &dyn Disk, place: Option<&Name>, watch: &Watch<'_>) -> Result<(), Error> {
    disk.barrier(place).map_err(Error::of_folder("sync", disk, place))?;
    stage::clear(disk, place, watch)?;
    disk.sync_folder(place).map_err(Error::of_folder("sync", disk, place))
}

/// Why a snapshot stays, if it does.
fn why_held(disk: &dyn Disk, snapshot: &Name) -> Result<Option<String>, Error> {
    let files = files(disk, snapshot)?;
    let stranger = files.iter().find(|name| !FILES.iter().any(|end| name.last().ends_with(end.as_bytes())));
    Ok(match stranger {
        _ if files.iter().any(|name| name.last() == PROTECTED.as_bytes()) => Some("protected".to_owned()),
        Some(stranger) => Some(format!("it holds '{stranger}', which is no file of a snapshot")),
        None => None,
    })
}

/// The files of a snapshot.
fn files(disk: &dyn Disk, snapshot: &Name) -> Result<Vec<Name>, Error> {
    let mut names = Vec::new();
    let listed = disk.list(Some(snapshot), &mut |entry: Entry| names.push(entry.name));
    listed.map_err(Error::at("list", disk, snapshot))?;
    names.into_iter().map(|last| Ok(snapshot.join(last.as_bytes())?)).collect()
}

/// Removes a snapshot: its name in one step and for good, then what is in it. `place` is the folder around in which the
/// hidden name lies; none is the root.
fn remove(disk: &dyn Disk, snapshot: &Name, place: Option<&Name>) -> Result<(), Error> {
    let last = [names::WORK, GONE].concat();
    let beginning = place.map_or_else(|| Name::new(last.as_bytes()), |place| place.join(last.as_bytes()))?;
    let hidden = disk::work(&beginning, "").map_err(Error::at("remove", disk, snapshot))?;
    // Whoever removes leftovers passes over what is held.
    let _held = lock::hold(disk, Some(snapshot), || {
        format!("a process holds {}; wait for it", quoted(&disk.told(Some(snapshot))))
    })?;
    disk.rename_new(snapshot, &hidden).map_err(Error::at("remove", disk, snapshot))?;
    for folder in [snapshot.folder().as_ref(), place] {
        disk.sync_folder(folder).map_err(Error::of_folder("sync", disk, folder))?;
    }
    for file in files(disk, &hidden)? {
        disk.remove(&file).map_err(Error::at("remove", disk, &file))?;
    }
    disk.remove_folder(&hidden).map_err(Error::at("remove", disk, &hidden))?;
    disk.sync_folder(place).map_err(Error::of_folder("sync", disk, place))
}
