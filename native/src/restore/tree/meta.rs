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

/// Whether an entry has everything that is on record of it.
pub(super) fn is_right(meta: &Meta, look: &Look) -> bool {
    let mode = meta.mode.is_none_or(|mode| mode == look.mode || look.what == What::Link);
    mode && owner(meta, look.owner) == look.owner && meta.modified.is_none_or(|modified| modified == look.modified)
}

/// Sets what is on record of an open file or folder. False when it does not belong to whom it should: only root may
/// give files away. Nobody runs such a file as its new owner.
///
/// # Errors
/// The operating system's.
pub(super) fn give(inode: &dyn Inode, meta: &Meta) -> io::Result<bool> {
    let now = inode.look()?;
    let wanted = owner(meta, now.owner);
    let is_whole = wanted == now.owner || may(inode.set_owner(Some(wanted.user), Some(wanted.group)))?;
    if !is_whole && wanted.group != now.owner.group {
        // A member of the group may at least keep it in the group.
        _ = may(inode.set_owner(None, Some(wanted.group)))?;
    }
    let mode = meta.mode.unwrap_or_else(|| default_mode(now.what));
    let mode = if is_whole { mode } else { mode & 0o1777 };
    // A new owner takes some of the bits away, so that they are set in any case.
    if now.mode != mode || wanted != now.owner {
        _ = may(inode.set_mode(mode))?;
    }
    if let Some(modified) = meta.modified {
        inode.set_modified(modified)?;
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
