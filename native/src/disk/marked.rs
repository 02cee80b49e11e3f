//! Work folders that say of themselves that they are ones: so a run can remove, with all that is in it, what another
//! left that was killed.
//!
//! Whoever owns the folder around can rename a folder of ours so that it looks like a leftover, though he can write
//! nothing into it. So a work folder holds a file that names the folder's own inode, until it is published. A
//! folder without that file, or a copy of one, is left alone.

use std::io;

use highwater_core::name::Name;

use super::remove_tree::remove_tree;
use super::work_name::{is_draft, work};
use super::{Disk, FolderDraft, Look, What};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Identity, Object};
use crate::watch::Watch;

/// The file in a work folder that says so.
const MARK: &[u8] = b".highwater-work";

fn mark() -> io::Result<Name> {
    Name::new(MARK).map_err(io::Error::other)
}

/// A device may have another number after the machine has started again.
fn text((_, inode): Identity) -> String {
    format!("work folder {inode}; removed by the next run if this one was killed\n")
}

impl<'a> FolderDraft<'a> {
    /// Begins a folder as [`FolderDraft::of`] does, which another run may [sweep](sweep) if this one is killed.
    ///
    /// # Errors
    /// The operating system's.
    pub fn marked(disk: &'a dyn Disk, beginning: &Name) -> io::Result<Self> {
        let draft = Self::of(disk, beginning)?;
        put_mark(&*draft.inside()?, draft.identity())?;
        Ok(draft)
    }

    /// Takes the mark off, before the folder gets its name.
    ///
    /// # Errors
    /// The operating system's.
    pub fn unmark(&self) -> io::Result<()> {
        self.inside()?.remove(&mark()?)
    }
}

/// Puts the mark into a folder. It is durable before anything else is there.
fn put_mark(inside: &dyn Disk, identity: Identity) -> io::Result<()> {
    let file = inside.create(&mark()?)?;
    file.write_at(0, text(identity).as_bytes())?;
    file.sync()?;
    inside.sync_folder(None)
}

/// Removes a folder with all that is in it, if it is the one that `identity` says: it loses its name in one step, and
/// becomes a work folder of `beginning`, which is swept if this run is killed.
///
/// # Errors
/// The operating system's, or another folder has the name by now: that is left alone.
pub fn discard_folder(disk: &dyn Disk, name: &Name, identity: Identity, beginning: &Name) -> io::Result<()> {
    let folder = disk.open_folder(name)?;
    if folder.look()?.identity != identity {
        return Err(io::Error::other("somebody put another folder in its place, which was left alone"));
    }
    folder.set_mode(0o700)?;
    if folder.look()?.owner.user != disk.user() {
        folder.set_owner(Some(disk.user()), None)?;
    }
    let inside = disk.beneath(name)?;
    if inside.look(None)?.is_none_or(|look| look.identity != identity) {
        return Err(io::Error::other("somebody else put another folder in its place"));
    }
    put_mark(&*inside, identity)?;
    let work = work(beginning, "")?;
    disk.rename_new(name, &work)?;
    remove_tree(disk, &work, identity)
}

/// Removes the marked folders among those that lie in `folder` and whose names begin as those of drafts of `beginning`
/// do, unless a run is at work with them, and says so.
///
/// # Errors
/// When the folder cannot be listed.
pub fn sweep(disk: &dyn Disk, beginning: &Name, watch: &Watch<'_>) -> Result<(), Error> {
    let folder = beginning.folder();
    let mut found = Vec::new();
    disk.list(folder.as_ref(), &mut |entry| {
        found.extend(Some(entry.name).filter(|name| is_draft(name.as_bytes(), beginning, "")));
    })
    .map_err(Error::of_folder("list", disk, folder.as_ref()))?;
    for last in found {
        let name = folder.as_ref().map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()))?;
        let path = quoted(&disk.told(Some(&name)));
        match sweep_one(disk, &name) {
            Ok(Swept::Busy) => {}
            Ok(Swept::Removed) => watch.notice(format!("removed {path}, the work folder of a run that was killed")),
            Ok(Swept::Foreign) => watch.notice(format!(
                "{path} looks like the work folder of a run that was killed, but does not say so inside: it was left \
                 alone"
            )),
            Err(error) => watch.notice(format!("{path}, the work folder of a run that was killed, stays: {error}")),
        }
    }
    Ok(())
}

/// What became of a folder that may be a leftover.
enum Swept {
    /// It is gone, or a run is at work with it.
    Busy,
    /// It was removed.
    Removed,
    /// It is none.
    Foreign,
}

fn sweep_one(disk: &dyn Disk, name: &Name) -> io::Result<Swept> {
    let Some(look) = disk.look(Some(name))? else { return Ok(Swept::Busy) };
    let is_ours = |look: &Look| look.what == What::Folder && look.owner.user == disk.user() && look.mode & 0o077 == 0;
    if !is_ours(&look) {
        return Ok(Swept::Foreign);
    }
    let held = match disk.hold(Some(name)) {
        Ok(None) => return Ok(Swept::Busy),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Swept::Busy),
        held => held?,
    };
    let inside = disk.beneath(name)?;
    if inside.look(None)?.is_none_or(|now| now.identity != look.identity) {
        return Ok(Swept::Busy);
    }
    let said = said(&*inside)?;
    // A run may have been killed before it had said anything; then nothing else is there.
    let mut others = 0;
    inside.list(None, &mut |entry| others += u64::from(entry.name.as_bytes() != MARK))?;
    if said != text(look.identity).as_bytes() && others > 0 {
        return Ok(Swept::Foreign);
    }
    remove_tree(disk, name, look.identity)?;
    drop(held);
    Ok(Swept::Removed)
}

/// What the mark of a folder says; nothing where there is none.
fn said(inside: &dyn Disk) -> io::Result<Vec<u8>> {
    match inside.open(&mark()?) {
        Ok(file) => read_short(&*file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The folder of a name that stays from one run to the next, which only this user may enter: a new one, or the one that
/// an earlier run made under it. None when something else has the name.
///
/// # Errors
/// The operating system's.
pub(crate) fn standing(disk: &dyn Disk, name: &Name) -> io::Result<Option<Identity>> {
    if disk.look(Some(name))?.is_none() {
        let draft = FolderDraft::marked(disk, name)?;
        match draft.place(name) {
            // Another run was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            placed => placed?,
        }
    }
    let Some(look) = disk.look(Some(name))? else { return Ok(None) };
    let private = look.what == What::Folder && look.owner.user == disk.user() && look.mode & 0o077 == 0;
    if !private {
        return Ok(None);
    }
    let inside = disk.beneath(name)?;
    if said(&*inside)? == text(look.identity).as_bytes() {
        return Ok(Some(look.identity));
    }
    // The run that removed it may have been killed when all but the folder itself was gone.
    let mut others = 0;
    inside.list(None, &mut |_| others += 1)?;
    if others > 0 {
        return Ok(None);
    }
    put_mark(&*inside, look.identity)?;
    Ok(Some(look.identity))
}

/// The last part of the name of the mark.
pub(crate) fn is_mark(last: &[u8]) -> bool {
    last == MARK
}

/// The first bytes of a file that is short.
fn read_short(file: &dyn Object) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.for_each_piece(0, 256, &mut [0; 256], |piece| {
        bytes.extend_from_slice(piece);
        true
    })?;
    Ok(bytes)
}
