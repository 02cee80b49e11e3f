//! Applies a plan whose bodies are there: moves files, and puts what waited into its place.
//!
//! What makes room goes first, then what comes back, then what waited; and each is durable before the next begins, or a
//! power cut could keep the second of two names of a file and lose the first. Each step is done or not done yet,
//! whatever a run before did of it: a file that lies where it should go, and not where it comes from, was moved. No
//! step replaces a file. So all of them can be done again from the first.
//!
//! What goes, goes when the pointer means an index that does not name it any more, and before anything else is begun:
//! no cut leaves a file that no row and no plan tells of.

use std::io;
use std::ops::AddAssign;

use highwater_core::formats::mirror::plan::{Step, Why};
use highwater_core::name::Name;

use super::area::Area;
use super::journal::Journal;
use super::place::{folders, make_way, settle, stage};
use crate::disk::{Look, What};
use crate::error::Error;
use crate::watch::Watch;

/// What became of files that were to be moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applying {
    /// Those that were.
    pub moved: u64,
    /// Those that were not where they should have been, or whose place another file had: verify names them. And what
    /// has the place of a file that was to go, and another length, or is none: it stays.
    pub lost: u64,
    /// Those that went.
    pub removed: u64,
    /// Their bytes.
    pub freed: u64,
}

impl AddAssign for Applying {
    fn add_assign(&mut self, other: Self) {
        let Self { moved, lost, removed, freed } = other;
        self.moved += moved;
        self.lost += lost;
        self.removed += removed;
        self.freed = self.freed.saturating_add(freed);
    }
}

/// Carries out all steps but the fetching and the removing; says whether anything is to be removed.
///
/// # Errors
/// The operating system's; the user, between two steps. The next run goes on.
pub(super) fn all(area: &Area<'_>, goes_on: bool, watch: &Watch<'_>) -> Result<(Applying, bool), Error> {
    let mut done = Applying::default();
    for comes_back in [false, true] {
        let mut is_any = false;
        Journal::for_each(area, &mut |step| {
            watch.go_on()?;
            if let Step::Move { from, to, why } = step
                && (why == Why::Back) == comes_back
            {
                is_any = true;
                match relocate(area, (&from, &to), goes_on && why == Why::Retired, watch)? {
                    Became::Moved => done.moved += 1,
                    Became::Lost => done.lost += 1,
                    Became::Done => {}
                }
            }
            Ok(())
        })?;
        if is_any {
            area.barrier()?;
        }
    }
    let mut removes = false;
    Journal::for_each(area, &mut |step| {
        watch.go_on()?;
        match step {
            Step::Remove { .. } => removes = true,
            Step::Fetch(wish) if wish.staged => {
                let (stage, place) = (stage(wish.number)?, wish.place());
                if let Some(place) = place
                    && is_there(area, &stage)?
                {
                    done.lost += u64::from(settle(area, &stage, &place, watch)?);
                }
            }
            Step::Fetch(_) | Step::Move { .. } => {}
            Step::Touch { at, .. } if what(area, &at)? != Some(What::File) => {
                watch.notice(format!("'{at}' is no file any more, and its time was to be set: verify the mirror"));
                done.lost += 1;
            }
            Step::Touch { at, modified } => match area.disk.open_for_writing(&at) {
                Ok(file) => file.set_modified(modified).map_err(Error::at("set the time of", area.disk, &at))?,
                // Its bytes are right: its time alone is not worth to end a run for.
                Err(error) => {
                    watch.notice(format!("the time of '{at}' cannot be set: {error}"));
                    done.lost += 1;
                }
            },
        }
        Ok(())
    })?;
    Ok((done, removes))
}

/// Removes what is to go, and the folders that are empty then. Can be done again, and ended at any step.
///
/// # Errors
/// The operating system's; the next run goes on.
pub(super) fn remove(area: &Area<'_>, done: &mut Applying, watch: &Watch<'_>) -> Result<(), Error> {
    let mut folder: Option<Name> = None;
    Journal::for_each(area, &mut |step| {
        let Step::Remove { at, size } = step else { return Ok(()) };
        watch.go_on()?;
        if folder != at.folder() {
            forget(area, folder.take())?;
            folder = at.folder();
        }
        let Some(look) = look(area, &at)? else { return Ok(()) };
        if look.what != What::File || look.length != size {
            watch.notice(format!(
                "'{at}' was to go, and stays: it is not the file of {size} bytes that the mirror had there; look what \
                 it is, and remove it yourself"
            ));
            done.lost += 1;
            return Ok(());
        }
        area.remove(&at)?;
        done.removed += 1;
        done.freed = done.freed.saturating_add(size);
        Ok(())
    })?;
    forget(area, folder)
}

/// Removes a folder of the tree, and those that it lies in, as far as they are empty.
fn forget(area: &Area<'_>, folder: Option<Name>) -> Result<(), Error> {
    let mut next = folder;
    while let Some(folder) = next {
        match area.disk.remove_folder(&folder) {
            Ok(()) => {}
            // A run before may have removed it, and not those around it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => match error.kind() {
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => break,
                // Others may see to it that a folder stays: an empty one is in nobody's way.
                io::ErrorKind::PermissionDenied | io::ErrorKind::ResourceBusy => break,
                _ => return Err(Error::at("remove", area.disk, &folder)(error)),
            },
        }
        next = folder.folder();
    }
    Ok(())
}

/// What became of one file.
enum Became {
    /// It was moved now.
    Moved,
    /// It was moved by a run before.
    Done,
    /// It is nowhere; or another file was in its place, and is out of the way now.
    Lost,
}

/// Moves a file, if it was not moved yet, which an earlier run may have done where another file is by now.
fn relocate(
    area: &Area<'_>,
    (from, to): (&Name, &Name),
    may_be_done: bool,
    watch: &Watch<'_>,
) -> Result<Became, Error> {
    let disk = area.disk;
    let mut is_odd = false;
    for _ in 0..3 {
        // No version of anything: it came into the place of a file that was moved, or that is lost.
        if what(area, from)?.is_some_and(|what| what != What::File) {
            if what(area, to)? == Some(What::File) {
                return Ok(Became::Done);
            }
            watch.notice(format!("'{from}' is no file any more, and was to be moved to '{to}': verify the mirror"));
            return Ok(Became::Lost);
        }
        let failed = match disk.rename_new(from, to) {
            Ok(()) => return Ok(if is_odd { Became::Lost } else { Became::Moved }),
            Err(error) => error,
        };
        match failed.kind() {
            // It was moved; what is where it was, if anything is, came into its place since.
            io::ErrorKind::AlreadyExists if may_be_done || !is_there(area, from)? => return Ok(Became::Done),
            // Nothing comes where it was: what is in its place is none of the mirror's.
            io::ErrorKind::AlreadyExists => {
                make_way(area, to, watch)?;
                is_odd = true;
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                if is_there(area, to)? {
                    return Ok(Became::Done);
                }
                if !is_there(area, from)? {
                    watch.notice(format!("'{from}' is not there, and was to be moved to '{to}': verify the mirror"));
                    return Ok(Became::Lost);
                }
                folders(area, to, watch)?;
            }
            _ => return Err(Error::at("move", disk, from)(failed)),
        }
    }
    Err(Error::failed(format!("'{from}' cannot be moved to '{to}': somebody else writes there again and again")))
}

fn is_there(area: &Area<'_>, name: &Name) -> Result<bool, Error> {
    what(area, name).map(|what| what.is_some())
}

fn what(area: &Area<'_>, name: &Name) -> Result<Option<What>, Error> {
    look(area, name).map(|look| look.map(|look| look.what))
}

/// What has a name; none when nothing has.
fn look(area: &Area<'_>, name: &Name) -> Result<Option<Look>, Error> {
    match area.disk.look(Some(name)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        look => look.map_err(Error::at("look at", area.disk, name)),
    }
}
