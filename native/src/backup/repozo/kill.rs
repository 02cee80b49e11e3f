//! Removes every chain older than a new full backup, so that at no moment a point looks whole and is not.

use highwater_core::formats::repozo::chain::Chain;
use highwater_core::formats::repozo::names::{DataFile, MARKS};
use highwater_core::name::Name;

use super::state::State;
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// Removes all data files that sort before the full backup of `stem`, with their `.dat`, `.index` and marks, and every
/// older `.index` and file of marks that is alone.
///
/// A chain's index goes first and for good: without it its files are no points any more, so that an
/// interruption leaves leftovers and not a damaged chain. Returns how many data files went.
pub(super) fn older(disk: &dyn Disk, stem: &str, watch: &Watch<'_>) -> Result<usize, Error> {
    let state = State::read(disk)?;
    let old: Vec<Chain> = state.listing.chains().into_iter().filter(|chain| chain.stem.as_str() < stem).collect();
    let remove = |name: &str| {
        let name = Name::new(name.as_bytes())?;
        match disk.remove(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::at("remove", disk, &name)(error)),
            _ => Ok(()),
        }
    };
    for chain in old.iter().filter(|chain| chain.has_dat) {
        remove(&chain.dat())?;
    }
    disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))?;
    let mut removed = 0;
    for file in old.iter().flat_map(|chain| &chain.files).rev() {
        watch.note(format!("removing old backup file {file} (and .dat / .index)"));
        disk.remove(file).map_err(Error::at("remove", disk, file))?;
        removed += 1;
        if let Some(data) = DataFile::parse(file.as_bytes()) {
            remove(&format!("{}.index", data.stem))?;
            remove(&format!("{}{MARKS}", data.name()))?;
        }
    }
    // What an interrupted run of this left: indices of data files that are gone.
    let lone = state.listing.lone_indices().filter(|lone| *lone < stem);
    lone.map(|lone| format!("{lone}.index")).try_for_each(|name| remove(&name))?;
    let marks = state.listing.lone_marks().filter(|marks| marks.as_bytes() < stem.as_bytes());
    marks.map(|marks| marks.to_string()).try_for_each(|name| remove(&name))?;
    disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))?;
    Ok(removed)
}
