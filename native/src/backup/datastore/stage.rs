//! `Stage`: the hidden folder in which a snapshot is put together before it has its name.
//!
//! It lies in the root of the store. In the group it would be in a server's way, which removes a group by deleting its
//! `owner`, then the folder: with anything else in that, it ends half-way. A rename leads across no mount, so where the
//! group is on another one than the root, the folder lies in the first folder of that. Chunks on a mount of their own
//! have such a folder of their own.

use highwater_core::formats::datastore::names;
use highwater_core::name::{Name, TEMPORARY};

use crate::disk::{self, Disk, FolderDraft, Holds};
use crate::error::Error;
use crate::shown::quoted;
use crate::watch::Watch;

/// What the folder is called, before the digits. Servers pass over what is hidden.
const STAGE: &str = "snapshot";

/// What the folder of all chunks is called while it is made.
pub(super) const POOL: &str = "chunks";

/// The folders of one backup.
pub(super) struct Stage<'a> {
    /// The snapshot to be.
    pub(super) snapshot: FolderDraft<'a>,
    /// Where chunks are written, if a snapshot's folder cannot be moved there.
    apart: Option<FolderDraft<'a>>,
}

impl<'a> Stage<'a> {
    /// Makes them. Until they are whole, nobody else may enter them; when they are dropped, they go with all that is in
    /// them.
    pub(super) fn begin(disk: &'a dyn Disk, group: &Name) -> Result<Self, Error> {
        let place = first_around(disk, group)?.ok_or_else(|| {
            let group = quoted(&disk.told(Some(group)));
            Error::cannot_start(format!(
                "{group} is a mount of its own, and a snapshot that is being written must not lie in a group: mount \
                 what is around it"
            ))
        })?;
        let pool = Name::new(names::CHUNKS.as_bytes())?;
        let apart = if moves(disk, place.as_ref(), &pool)? {
            None
        } else {
            Some(make(disk, if moves(disk, None, &pool)? { None } else { Some(&pool) })?)
        };
        Ok(Self { snapshot: make(disk, place.as_ref())?, apart })
    }

    /// The folder in which chunks are written.
    pub(super) fn chunks(&self) -> &Name {
        self.apart.as_ref().unwrap_or(&self.snapshot).work()
    }

    /// Makes everything durable that was written, on whatever mount.
    pub(super) fn barrier(&self, disk: &dyn Disk, group: &Name) -> Result<(), Error> {
        let sync = |folder| disk.barrier(folder).map_err(Error::of_folder("sync", disk, folder));
        sync(None)?;
        if !moves(disk, None, group)? {
            sync(Some(group))?;
        }
        let pool = Name::new(names::CHUNKS.as_bytes())?;
        if moves(disk, None, &pool)? { Ok(()) } else { sync(Some(&pool)) }
    }
}

/// The first of the folders around one from which a rename leads into it; none is the root.
#[expect(clippy::option_option, reason = "the root is a place, and has no name")]
pub(crate) fn first_around(disk: &dyn Disk, name: &Name) -> Result<Option<Option<Name>>, Error> {
    let mut around: Vec<Option<Name>> =
        std::iter::successors(name.folder(), Name::folder).map(Some).chain([None]).collect();
    while let Some(place) = around.pop() {
        if moves(disk, place.as_ref(), name)? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// Whether what lies in the folder `place`, or in the root, can be renamed into the folder `to`.
fn moves(disk: &dyn Disk, place: Option<&Name>, to: &Name) -> Result<bool, Error> {
    disk.moves(place, Some(to)).map_err(Error::at("look at", disk, to))
}

fn make<'a>(disk: &'a dyn Disk, place: Option<&Name>) -> Result<FolderDraft<'a>, Error> {
    let last = [names::WORK, STAGE].concat();
    let beginning = match place {
        None => Name::new(last.as_bytes())?,
        Some(place) => place.join(last.as_bytes())?,
    };
    FolderDraft::of(disk, &beginning).map_err(Error::at("make the folder", disk, &beginning))
}

/// Removes the folders that interrupted runs left in a folder.
pub(crate) fn clear(disk: &dyn Disk, folder: Option<&Name>, watch: &Watch<'_>) -> Result<(), Error> {
    disk::clear_folders(disk, folder, holds, watch)
}

/// What a folder of this name holds, if it is one of ours.
fn holds(name: &[u8]) -> Option<Holds> {
    let rest = name.strip_prefix(names::WORK.as_bytes())?;
    if disk::is_made(name) {
        return Some(Holds::NOTHING);
    }
    if rest.strip_prefix(POOL.as_bytes()).is_some_and(|rest| rest.starts_with(b".")) {
        return Some(Holds { folder: is_prefix, ..Holds::NOTHING });
    }
    // Earlier versions had them in the groups, and called them after the time.
    Some(Holds { file: is_of_snapshot, ..Holds::NOTHING })
}

/// The folder of the chunks whose names begin so.
fn is_prefix(name: &[u8]) -> bool {
    name.len() == 4 && name.iter().all(u8::is_ascii_hexdigit)
}

/// What is written by way of the folder, or into it; or was in a snapshot that is removed by way of one.
fn is_of_snapshot(name: &[u8]) -> bool {
    let is_chunk = name.len() == 64 && name.iter().all(u8::is_ascii_hexdigit);
    let is_file = [".fidx", ".didx", ".blob"].iter().any(|end| name.ends_with(end.as_bytes()));
    is_chunk || is_file || name == b"owner" || name.ends_with(TEMPORARY.as_bytes())
}
