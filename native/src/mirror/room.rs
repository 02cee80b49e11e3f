//! `Need`: what a plan still needs of its file system, looked at before the first body is asked for.

use highwater_core::formats::mirror::plan::{Step, Wish};
use highwater_core::name::Name;
use highwater_core::render::{bytes, thousands};

use super::area::Area;
use super::differences::look;
use super::journal::Journal;
use super::place::stage;
use super::results::RECORD;
use crate::disk::{Room, What};
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;

/// A file takes a whole number of blocks. Those of some network file systems are larger than what a file takes.
const BLOCK: u64 = 4096;

/// How long a digest of what arrived is that an index keeps, in bytes.
const OWN: u64 = 32;

/// Files that a run makes beside bodies: the index, what is wanted, records, pointers.
const OURS: u64 = 16;

/// What is needed: that of bodies which do not lie there already, in whole blocks, and of the next index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    /// In bytes.
    pub bytes: u64,
    /// Files and folders.
    pub files: u64,
}

/// What a plan needs. If `looks`, the tree is looked at, a look for each body and folder; otherwise none of them is
/// taken to be there. Steps come in the order of keys, so what lies in a folder comes together, and a folder counts
/// once.
///
/// # Errors
/// The plan cannot be read; the user.
pub(super) fn need(
    area: &Area<'_>,
    journal: &Journal,
    (block, looks): (u64, bool),
    watch: &Watch<'_>,
) -> Result<Need, Error> {
    let block = block.clamp(1, BLOCK);
    let wanted = journal.wanted.unwrap_or(0);
    let index = journal.applied.size.saturating_add(wanted.saturating_mul(OWN + RECORD as u64));
    let mut need = Need { bytes: index, files: OURS };
    let mut folder: Option<Name> = None;
    Journal::for_each(area, &mut |step| {
        watch.go_on()?;
        let Step::Fetch(wish) = step else { return Ok(()) };
        let Some(place) = wish.place().filter(|_| !looks || !is_there(area, &wish)) else { return Ok(()) };
        need.bytes = need.bytes.saturating_add(wish.size.div_ceil(block).saturating_mul(block));
        need.files += 1;
        let of = place.folder();
        if of.is_some() && of != folder {
            need.files += lacking(area, (of.as_ref(), folder.as_ref()), looks);
            folder = of;
        }
        Ok(())
    })?;
    Ok(need)
}

/// Whether a body of this length lies where it is looked for before it is fetched.
fn is_there(area: &Area<'_>, wish: &Wish) -> bool {
    let at = if wish.staged { stage(wish.number).ok() } else { wish.place() };
    let found = at.and_then(|at| look(area.disk, &at).ok().flatten());
    found.is_some_and(|look| look.what == What::File && look.length == wish.size)
}

/// How many folders are to be made for this one, when another one was made before.
fn lacking(area: &Area<'_>, (folder, before): (Option<&Name>, Option<&Name>), looks: bool) -> u64 {
    let is_there = |name: &Name| look(area.disk, name).ok().flatten().is_some_and(|look| look.what == What::Folder);
    let (mut next, mut lacking) = (folder.cloned(), 0);
    while let Some(name) = next {
        let is_made = before.is_some_and(|before| {
            before.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
        });
        if is_made || looks && is_there(&name) {
            break;
        }
        lacking += 1;
        next = name.folder();
    }
    lacking
}

/// How much room there is; none where nobody knows.
///
/// # Errors
/// The operating system's.
pub(super) fn room(area: &Area<'_>) -> Result<Option<Room>, Error> {
    area.disk.room().map_err(Error::of_folder("look for room in", area.disk, None))
}

/// Refuses a plan that there is no room for. Where there is room for all of it, nothing is looked at.
///
/// # Errors
/// There is none; those of [`need`].
pub(super) fn judge(area: &Area<'_>, journal: &Journal, watch: &Watch<'_>) -> Result<(), Error> {
    let Some(room) = room(area)? else { return Ok(()) };
    if journal.fetched == 0 || has_ample(&room, journal) {
        return Ok(());
    }
    let has_room = |need: Need| room.free >= need.bytes && room.files.is_none_or(|free| free >= need.files);
    if has_room(need(area, journal, (room.block, false), watch)?) {
        return Ok(());
    }
    let need = need(area, journal, (room.block, true), watch)?;
    let lacks_files = room.files.filter(|files| *files < need.files);
    let lacks_bytes = Some(room.free).filter(|free| *free < need.bytes);
    let what = match (lacks_bytes, lacks_files) {
        (None, None) => return Ok(()),
        (Some(free), _) => format!("{} are needed, and {} are free", bytes(need.bytes), bytes(free)),
        (None, Some(free)) => {
            format!("{} files and folders are to be made, and {} can be", thousands(need.files), thousands(free))
        }
    };
    let path = quoted(&area.disk.told(None));
    let what = format!("there is no room for the sync to {} in {path}: {what}", journal.applied.point);
    // A file system that compresses or shares blocks may take more than it has room for.
    if lacks_files.is_none() && room.shares {
        watch.notice(format!("{what}; it is tried, as that file system may store less than it is given"));
        return Ok(());
    }
    Err(Error::cannot_start(format!("{what}; nothing more is fetched: make room, and sync again")))
}

/// Whether there is room even if nothing of it lies there yet, and each body has folders of its own.
fn has_ample(room: &Room, journal: &Journal) -> bool {
    const FOLDERS: u64 = 512;
    let wanted = journal.wanted.unwrap_or(0);
    let each = BLOCK.saturating_add(OWN + RECORD as u64);
    let bytes = journal.bytes.saturating_add(journal.applied.size).saturating_add(wanted.saturating_mul(each));
    let files = journal.fetched.saturating_mul(FOLDERS).saturating_add(OURS);
    room.free >= bytes && room.files.is_none_or(|free| free >= files)
}
