//! Gives entries what the file system keeps of them beside bytes: owner, permissions and time, in that order.

use std::collections::HashMap;
use std::io;

use highwater_core::name::Name;
use highwater_core::node::Meta;

use crate::disk::{Disk, Inode, Look, Owner, What};
use crate::store::umask;

/// What entries get of which not everything is on record: what the old entry of that name has, or else whom it belongs
/// to that the target lies in. A restore opens nothing to more people than before, and takes nothing from its owner.
#[derive(Default)]
pub(super) struct Unrecorded {
    /// The old entries, by their paths; none for the target itself.
    was: HashMap<Option<Name>, (Owner, u32)>,
    around: Option<Owner>,
}

impl Unrecorded {
    /// In a folder that belongs to `around`, as far as this `user` can give files to others.
    pub(super) fn within(around: Owner, user: u32) -> Self {
        Self { was: HashMap::new(), around: Some(around).filter(|_| user == 0) }
    }

    /// Notes what an old entry has, if that is needed.
    pub(super) fn note(&mut self, path: Option<&Name>, meta: &Meta, look: &Look) {
        if meta.mode.is_none() || meta.uid.is_none() || meta.gid.is_none() {
            self.was.insert(path.cloned(), (look.owner, look.mode));
        }
    }

    /// All that an entry is to have.
    pub(super) fn fill(&self, path: Option<&Name>, meta: &Meta) -> Meta {
        let was = if self.was.is_empty() { None } else { self.was.get(&path.cloned()) };
        let owner = was.map(|(owner, _)| *owner).or(self.around);
        Meta {
            mode: meta.mode.or(was.map(|(_, mode)| *mode)),
            uid: meta.uid.or(owner.map(|owner| owner.user)),
            gid: meta.gid.or(owner.map(|owner| owner.group)),
            modified: meta.modified,
        }
    }
}

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

/// The same for a symbolic link, which has no permissions.
///
/// # Errors
/// The operating system's.
pub(super) fn give_link(to: &dyn Disk, path: &Name, meta: &Meta) -> io::Result<bool> {
    let now = to.look(Some(path))?.ok_or(io::ErrorKind::NotFound)?.owner;
    let wanted = Some(owner(meta, now)).filter(|wanted| *wanted != now);
    let is_whole = may(to.set_link(path, wanted, None))?;
    Ok(may(to.set_link(path, None, meta.modified))? && is_whole)
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
