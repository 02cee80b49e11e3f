//! Applies a plan whose bodies are there: moves files, and puts what waited into its place.
//!
//! What makes room goes first, then what comes back, then what waited; and each is durable before the next begins, or a
//! power cut could keep the second of two names of a file and lose the first. Each step is done or not done yet, whatever a run before did of it: a file that lies where it should go, and not where
//! it comes from, was moved. No step replaces a file. So all of them can be done again from the first.

use std::io;

use highwater_core::formats::mirror::plan::{Step, Why};
use highwater_core::name::Name;

use super::area::Area;
use super::fetch::{folders, settle, stage};
use super::journal::Journal;
use crate::disk::What;
use crate::error::Error;
use crate::watch::Watch;

/// Carries out all steps but the fetching. What the user asks for meanwhile waits until it is done.
///
/// # Errors
/// The operating system's; the next run goes on.
pub(super) fn all(area: &Area<'_>, watch: &Watch<'_>) -> Result<u64, Error> {
    let mut moved = 0;
    for comes_back in [false, true] {
        let mut is_any = false;
        Journal::for_each(area, &mut |step| {
            if let Step::Move { from, to, why } = step
                && (why == Why::Back) == comes_back
            {
                is_any = true;
                moved += u64::from(relocate(area, &from, &to, watch)?);
            }
            Ok(())
        })?;
        if is_any {
            area.barrier()?;
        }
    }
    Journal::for_each(area, &mut |step| {
        match step {
            Step::Fetch(wish) if wish.staged => {
                let (stage, place) = (stage(wish.number)?, wish.place());
                if let Some(place) = place
                    && is_there(area, &stage)?
                {
                    settle(area, &stage, &place, watch)?;
                }
            }
            Step::Fetch(_) | Step::Move { .. } => {}
            Step::Touch { at, modified } => match area.disk.open_for_writing(&at) {
                Ok(file) => file.set_modified(modified).map_err(Error::at("set the time of", area.disk, &at))?,
                // It was lost before: verify says so.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::at("open", area.disk, &at)(error)),
            },
        }
        Ok(())
    })?;
    Ok(moved)
}

/// Moves a file, if it was not moved yet.
fn relocate(area: &Area<'_>, from: &Name, to: &Name, watch: &Watch<'_>) -> Result<bool, Error> {
    let disk = area.disk;
    for _ in 0..2 {
        // A folder is no version of anything: it came into the place of a file that was moved.
        if what(area, from)?.is_some_and(|what| what != What::File) {
            return Ok(false);
        }
        let failed = match disk.rename_new(from, to) {
            Ok(()) => return Ok(true),
            Err(error) => error,
        };
        match failed.kind() {
            // It was moved, and what came into its place since is another's.
            io::ErrorKind::AlreadyExists => return Ok(false),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                if is_there(area, to)? {
                    return Ok(false);
                }
                if !is_there(area, from)? {
                    watch.notice(format!("'{from}' is not there, and was to be moved to '{to}': verify the mirror"));
                    return Ok(false);
                }
                folders(area, to, watch)?;
            }
            _ => return Err(Error::at("move", disk, from)(failed)),
        }
    }
    Err(Error::failed(format!("'{from}' cannot be moved to '{to}': the folder of that goes again and again")))
}

fn is_there(area: &Area<'_>, name: &Name) -> Result<bool, Error> {
    what(area, name).map(|what| what.is_some())
}

/// What has a name; none when nothing has.
fn what(area: &Area<'_>, name: &Name) -> Result<Option<What>, Error> {
    match area.disk.look(Some(name)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        look => Ok(look.map_err(Error::at("look at", area.disk, name))?.map(|look| look.what)),
    }
}
