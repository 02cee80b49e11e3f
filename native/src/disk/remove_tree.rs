//! Removes a folder and all that lies below it, through no link, from the leaves up.

use std::io;

use highwater_core::name::Name;

use super::{Disk, What};

/// Removes the folder `top` with everything below it. Its entries lie in memory, a folder at a time.
///
/// # Errors
/// The operating system's; what was removed by then is gone.
pub(crate) fn remove_tree(disk: &dyn Disk, top: &Name) -> io::Result<()> {
    // Folders that are open, each with what is still to be removed from it: no depth of a tree is a depth of calls.
    let mut open = vec![(top.clone(), entries(disk, top)?)];
    while let Some((folder, left)) = open.last_mut() {
        match left.pop() {
            None => {
                disk.remove_folder(folder)?;
                open.pop();
            }
            Some(name) => match disk.look(Some(&name))?.map(|look| look.what) {
                None => {}
                Some(What::Folder) => {
                    let inside = entries(disk, &name)?;
                    open.push((name, inside));
                }
                Some(What::File | What::Link | What::Block | What::Other) => disk.remove(&name)?,
            },
        }
    }
    Ok(())
}

fn entries(disk: &dyn Disk, folder: &Name) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    disk.list(Some(folder), &mut |entry| names.push(entry.name))?;
    names.into_iter().map(|last| folder.join(last.as_bytes()).map_err(io::Error::other)).collect()
}
