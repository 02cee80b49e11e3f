//! `Fleeting`: a checkpoint that is read and removed again. Nothing of it is made durable.
//!
//! It lies in a hidden work folder, as a rule beside the store, where tables are links and nothing is copied. It goes
//! with whoever made it; what one left that was killed, the next one removes that is made in the same place.

use std::io;
use std::path::Path;
use std::sync::Arc;

use highwater_core::name::Name;

use super::{State, catch, no_folder};
use crate::disk::like::Like;
use crate::disk::{Disk, WorkFolder, sweep};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Files, Links, Store as _};
use crate::watch::Watch;

/// What the work folder is called, before the digits.
const WORK: &[u8] = b".highwater-frozen";

/// The checkpoint in it.
const STORE: &[u8] = b"store";

/// A store, and where checkpoints of it may lie.
pub struct Fleet<'a> {
    /// The store.
    pub store: &'a Arc<dyn Disk>,
    /// The folder that the store lies in, where that can be told.
    pub beside: Option<&'a Arc<dyn Disk>>,
    /// Where checkpoints may lie: the first that is on the store's file system and can be written, else the last.
    pub places: &'a [&'a Arc<dyn Disk>],
}

/// A checkpoint that goes when this does.
pub struct Fleeting {
    /// What is in it.
    pub root: Arc<dyn Disk>,
    work: WorkFolder,
}

impl Fleeting {
    /// Makes one of the store in a folder: beside it, or in the folder `place`.
    ///
    /// # Errors
    /// As [`Fleeting::make`].
    pub fn at(
        store: &Path,
        place: Option<&Path>,
        kind: Option<&str>,
        watch: &Watch<'_>,
    ) -> Result<(Self, State), Error> {
        let folder = Files::open(store, Links::Beneath).map_err(|error| no_folder(store, &error))?;
        let real = std::fs::canonicalize(store).map_err(|error| no_folder(store, &error))?;
        let open = |path: &Path| {
            let files = Files::open(path, Links::Followed).map_err(Error::io("open the folder", path))?;
            Ok::<_, Error>(Arc::new(files) as Arc<dyn Disk>)
        };
        // Without it, files of others cannot be pinned by way of it.
        let beside = real.parent().and_then(|around| open(around).ok());
        let given = place.map(open).transpose()?;
        let Some(place) = given.as_ref().or(beside.as_ref()) else {
            let store = quoted(store);
            return Err(Error::cannot_start(format!(
                "nothing can be made beside {store}: say where checkpoints may lie"
            )));
        };
        let within = place.around().map_err(Error::of_folder("look at", &**place, None))?;
        if folder.identity(None).is_some_and(|store| within.contains(&store)) {
            let (place, store) = (quoted(&place.told(None)), quoted(store));
            return Err(Error::cannot_start(format!(
                "{place} lies in the store {store}, whose program would meet the checkpoint; name a place outside"
            )));
        }
        let store: Arc<dyn Disk> = Arc::new(folder);
        Self::make(&Fleet { store: &store, beside: beside.as_ref(), places: &[place] }, kind, watch)
    }

    /// Makes one of a store of this kind, or of that which its files tell.
    ///
    /// # Errors
    /// As [`checkpoint`](super::checkpoint), or none of the places can be written.
    pub fn make(fleet: &Fleet<'_>, kind: Option<&str>, watch: &Watch<'_>) -> Result<(Self, State), Error> {
        let (work, root) = room(fleet, watch)?;
        let beside = fleet.beside.map(|beside| &**beside);
        let state = catch(&**fleet.store, beside, &*root, kind, watch)?;
        Ok((Self { root, work }, state))
    }

    /// Removes it.
    ///
    /// # Errors
    /// The operating system's; then the next one that is made there removes it.
    pub fn remove(self) -> Result<(), Error> {
        self.work.remove()
    }
}

/// An empty folder for a checkpoint.
fn room(fleet: &Fleet<'_>, watch: &Watch<'_>) -> Result<(WorkFolder, Arc<dyn Disk>), Error> {
    let beginning = Name::new(WORK)?;
    let store = fleet.store;
    let device = |disk: &dyn Disk| disk.identity(None).map(|(device, _)| device);
    let make = |disk: &Arc<dyn Disk>| {
        let work = WorkFolder::of(Arc::clone(disk), &beginning)?;
        let (folder, inside) = work.folder(STORE)?;
        let look = store.look(None)?.ok_or(io::ErrorKind::NotFound)?;
        // Its time is given at last, by whoever fills it.
        _ = Like::of(&look).give(&*folder)?;
        Ok::<_, io::Error>((work, inside))
    };
    let Some((last, firsts)) = fleet.places.split_last() else {
        return Err(Error::cannot_start("there is no place for a checkpoint"));
    };
    sweep(&***last, &beginning, watch)?;
    for place in firsts.iter().filter(|place| device(&****place) == device(&**store)) {
        let made = sweep(&***place, &beginning, watch).map_err(|error| error.to_string());
        match made.and_then(|()| make(place).map_err(|error| error.to_string())) {
            Ok(made) => return Ok(made),
            Err(error) => watch.note(format!("the checkpoint does not lie beside the store: {error}")),
        }
    }
    make(last).map_err(Error::of_folder("make a work folder in", &***last, None))
}
