//! Removes what lies below a folder, through no link and no mount, from the leaves up.

use std::io;

use highwater_core::name::Name;

use super::{Disk, Look, What};
use crate::store::Identity;

/// Removes the folder `top`, if it is the one that `identity` says, with everything below it.
///
/// # Errors
/// The operating system's; `ResourceBusy` where something is mounted, which stays. What was removed by then is gone.
pub(crate) fn remove_tree(disk: &dyn Disk, top: &Name, identity: Identity) -> io::Result<()> {
    let inside = disk.beneath(top)?;
    if inside.look(None)?.is_none_or(|look| look.identity != identity) {
        return Err(io::Error::other(format!("somebody else put another folder in the place of '{top}'")));
    }
    refuse_mount(disk, top)?;
    open_up(disk, top)?;
    remove_inside(&*inside)?;
    disk.remove_folder(top)
}

/// Removes everything below a root. The names in open folders lie in memory.
///
/// # Errors
/// The operating system's; what was removed by then is gone.
fn remove_inside(disk: &dyn Disk) -> io::Result<()> {
    // Folders that are open, each with what is still to be removed from it: no depth of a tree is a depth of calls.
    let mut open = vec![(None, entries(disk, None)?)];
    while let Some((folder, left)) = open.last_mut() {
        match left.pop() {
            None => {
                if let Some(folder) = folder {
                    disk.remove_folder(folder)?;
                }
                open.pop();
            }
            Some(name) => match disk.look(Some(&name))?.map(|look| look.what) {
                None => {}
                Some(What::Folder) => {
                    refuse_mount(disk, &name)?;
                    open_up(disk, &name)?;
                    let inside = entries(disk, Some(&name))?;
                    open.push((Some(name), inside));
                }
                Some(What::File | What::Link | What::Block | What::Other) => disk.remove(&name)?,
            },
        }
    }
    Ok(())
}

/// The first name on which something is mounted: the folder, or one in it. What is removed goes by its names, so the
/// files of another file system would go with a folder that is only their place.
///
/// # Errors
/// The operating system's. A folder that is closed to this user is passed over: whoever may not look into it may not
/// remove what is in it.
pub(crate) fn first_mount(disk: &dyn Disk, folder: &Name) -> io::Result<Option<Name>> {
    let mut ahead = vec![folder.clone()];
    while let Some(name) = ahead.pop() {
        let Some(look) = disk.look(Some(&name))? else { continue };
        if disk.is_mount(&name)? {
            return Ok(Some(name));
        }
        if look.what == What::Folder {
            match entries(disk, Some(&name)) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                inside => ahead.extend(inside?),
            }
        }
    }
    Ok(None)
}

/// Whoever removes a mounted tree removes what lies on another disk, or in another place.
fn refuse_mount(disk: &dyn Disk, folder: &Name) -> io::Result<()> {
    if disk.is_mount(folder)? {
        let what = format!("something is mounted on '{folder}', which is left as it is");
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, what));
    }
    Ok(())
}

/// Lets this user into a folder of his that is closed to him, as restored ones may be. Root needs no leave.
fn open_up(disk: &dyn Disk, folder: &Name) -> io::Result<()> {
    let is_closed = |look: &Look| look.owner.user == disk.user() && look.mode & 0o700 != 0o700;
    let Some(look) = disk.look(Some(folder))?.filter(is_closed).filter(|_| disk.user() != 0) else { return Ok(()) };
    let folder = disk.open_folder(folder)?;
    // Another may have its name by now, and keeps its permissions.
    if folder.look()?.identity == look.identity { folder.set_mode(0o700) } else { Ok(()) }
}

fn entries(disk: &dyn Disk, folder: Option<&Name>) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    disk.list(folder, &mut |entry| names.push(entry.name))?;
    let whole = |last: Name| folder.map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()));
    names.into_iter().map(|last| whole(last).map_err(io::Error::other)).collect()
}
