//! Removes every chain older than a new full backup, so that at no moment a point looks whole and is not, and ends what
//! an interrupted run of this has begun.

use std::io;

use highwater_core::formats::repozo::chain::{Chain, Listing};
use highwater_core::formats::repozo::names::{DataFile, KILL_OLD, MARKS};
use highwater_core::name::Name;

use super::publish::replace;
use super::state::State;
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// Removes all data files that sort before the full backup of `stem`, with their `.dat`, `.index` and marks, and every
/// older `.index` and file of marks that is alone.
///
/// A note goes first, which says what is being done. Then each chain's index goes, for good: without it its files are
/// no points any more, so that an interruption leaves leftovers and not a damaged chain; and with the note, they are
/// told from a chain that lost its index. Returns how many data files went.
pub(super) fn older(disk: &dyn Disk, stem: &str, watch: &Watch<'_>) -> Result<usize, Error> {
    let state = State::read(disk)?;
    crate::prune::repozo::end(disk, &state.listing, watch)?;
    let old: Vec<Chain> = state.listing.chains().into_iter().filter(|chain| chain.stem.as_str() < stem).collect();
    let note = Name::new(format!("{stem}{KILL_OLD}").as_bytes())?;
    if !old.is_empty() {
        replace(disk, &note, b"Everything older than this full backup is being removed.\n")?;
    }
    for chain in old.iter().filter(|chain| chain.has_dat) {
        remove(disk, &chain.dat())?;
    }
    disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))?;
    let removed = files(disk, &old, watch)?;
    lone(disk, &state.listing, stem)?;
    disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))?;
    // Once nothing can come back that it speaks of.
    let notes = state.listing.removals().chain([note]);
    notes.map(|note| note.to_string()).try_for_each(|note| remove(disk, &note))?;
    Ok(removed)
}

/// Ends a removal that was interrupted: of chains that have lost their index to it, the files. Chains that still have
/// one are whole, and stay.
pub(super) fn finish(disk: &dyn Disk, listing: &Listing, watch: &Watch<'_>) -> Result<(), Error> {
    let pruned = crate::prune::repozo::end(disk, listing, watch)?;
    if pruned > 0 {
        watch.notice(format!("ended the removal of older points that a prune had begun: {pruned} files"));
    }
    if listing.removals().next().is_none() {
        return Ok(());
    }
    let left: Vec<Chain> = listing.chains().into_iter().filter(|chain| listing.is_being_removed(chain)).collect();
    let removed = files(disk, &left, watch)?;
    listing.removed_before().map_or(Ok(()), |stem| lone(disk, listing, stem))?;
    disk.sync_folder(None).map_err(Error::of_folder("sync", disk, None))?;
    listing.removals().map(|note| note.to_string()).try_for_each(|note| remove(disk, &note))?;
    watch.notice(format!("ended the removal of older backups that a run with --kill-old had begun: {removed} files"));
    Ok(())
}

/// Removes the data files of chains, the newest first, each with its OID index and marks.
fn files(disk: &dyn Disk, chains: &[Chain], watch: &Watch<'_>) -> Result<usize, Error> {
    let mut removed = 0;
    for file in chains.iter().flat_map(|chain| &chain.files).rev() {
        watch.note(format!("removing old backup file {file} (and .dat / .index)"));
        // What a prune had begun may have been ended a moment ago.
        remove(disk, &file.to_string())?;
        removed += 1;
        if let Some(data) = DataFile::parse(file.as_bytes()) {
            remove(disk, &format!("{}.index", data.stem))?;
            remove(disk, &format!("{}{MARKS}", data.name()))?;
        }
    }
    Ok(removed)
}

/// Removes the OID indices and marks of data files that are gone and were older.
fn lone(disk: &dyn Disk, listing: &Listing, stem: &str) -> Result<(), Error> {
    let lone = listing.lone_indices().filter(|lone| *lone < stem);
    lone.map(|lone| format!("{lone}.index")).try_for_each(|name| remove(disk, &name))?;
    let marks = listing.lone_marks().filter(|marks| marks.as_bytes() < stem.as_bytes());
    marks.map(|marks| marks.to_string()).try_for_each(|name| remove(disk, &name))
}

/// Removes a file that may be gone already.
fn remove(disk: &dyn Disk, name: &str) -> Result<(), Error> {
    let name = Name::new(name.as_bytes())?;
    match disk.remove(&name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("remove", disk, &name)(error)),
        _ => Ok(()),
    }
}
