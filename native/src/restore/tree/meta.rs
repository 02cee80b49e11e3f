//! Gives entries what the file system keeps of them beside bytes: owner, permissions and time, in that order.

use std::io;

use highwater_core::node::Meta;

use crate::disk::{Inode, Look, Owner, What};
use crate::store::umask;

/// What an entry has of which no permissions are on record.
fn default_mode(what: What) -> u32 {
    let all = if what == What::Folder { 0o777 } else { 0o666 };
    all & !umask()
}

/// Whom an entry is to belong to, who has `now`.
pub(super) fn owner(meta: &Meta, now: Owner) -> Owner {
    Owner { user: meta.uid.unwrap_or(now.user), group: meta.gid.unwrap_or(now.group) }
}

/// Whether an entry has everything that is on record of it, as far as this `user` can give it.
pub(super) fn is_right(meta: &Meta, look: &Look, user: u32) -> bool {
    let owned = owner(meta, look.owner) == look.owner;
    let mode = |wanted: u32| if owned { wanted } else { without_owner(wanted) };
    let is_mode = meta.mode.is_none_or(|wanted| mode(wanted) == look.mode || look.what == What::Link);
    let is_owned = owned || user != 0 && look.owner.user == user;
    is_mode && is_owned && meta.modified.is_none_or(|modified| modified == look.modified)
}

/// Whether nobody who is not to write a file can have it open for writing: it belongs to this `user`, or where that is
/// root, to whom it should, and its permissions let in no writers that those on record do not.
pub(super) fn may_stay(meta: &Meta, look: &Look, user: u32) -> bool {
    let is_owned = look.owner.user == user || user == 0 && owner(meta, look.owner) == look.owner;
    is_owned && look.mode & 0o022 & !meta.mode.unwrap_or(look.mode) == 0
}

/// The permissions of what did not get its owner: nobody runs it as the one it has.
fn without_owner(mode: u32) -> u32 {
    mode & 0o1777
}

/// Sets what is on record of an open file or folder. False when something of it could not be set: only root may give
/// files away, and not every file system keeps permissions. Nobody runs such a file as its new owner.
///
/// # Errors
/// The operating system's.
pub(super) fn give(inode: &dyn Inode, meta: &Meta) -> io::Result<bool> {
    let now = inode.look()?;
    let wanted = owner(meta, now.owner);
    let mut is_whole = wanted == now.owner || may(inode.set_owner(Some(wanted.user), Some(wanted.group)))?;
    if !is_whole && wanted.group != now.owner.group {
        // A member of the group may at least keep it in the group.
        _ = may(inode.set_owner(None, Some(wanted.group)))?;
    }
    let mode = meta.mode.unwrap_or_else(|| default_mode(now.what));
    let mode = if is_whole { mode } else { without_owner(mode) };
    // A new owner takes some of the bits away, so that they are set in any case.
    if now.mode != mode || wanted != now.owner {
        is_whole &= may(inode.set_mode(mode))?;
    }
    if let Some(modified) = meta.modified.filter(|modified| *modified != now.modified) {
        is_whole &= may(inode.set_modified(modified))?;
    }
    Ok(is_whole)
}

/// Whether something was done that only some users may do, or some file systems can.
pub(super) fn may(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput => Ok(false),
            _ => Err(error),
        },
    }
}
