//! `Like`: whom a new file or folder belongs to, and who may do what with it: what the one that it replaces, or its
//! folder, gives it, and never more.

use std::io;

use highwater_core::name::Name;

use super::{Disk, Inode, Look, Owner, What};
use crate::shown::quoted;
use crate::store::umask;
use crate::watch::Watch;

/// What a new file or folder is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Like {
    owner: Owner,
    mode: u32,
    /// It comes in the place of another, or beside it, and must not be open to more people than that.
    bound: bool,
}

/// Whom it came to belong to, and with which permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Given {
    /// To whom it should.
    Whole,
    /// To this user or group, and not to whom what it replaces belongs: only root may give to others. Nobody may read
    /// it then who could not read that.
    Ours,
    /// To whom it should, but its permissions could not be set: it is open to fewer people than what it replaces.
    Closed,
}

impl Given {
    /// Says so when something does not belong to whom it should.
    pub fn tell(self, disk: &dyn Disk, name: &Name, watch: &Watch<'_>) {
        let path = quoted(&disk.told(Some(name)));
        match self {
            Self::Whole => {}
            Self::Ours => watch.notice(format!(
                "{path} belongs to the user of this run, as only root may give files to others; look who must read it"
            )),
            Self::Closed => watch.notice(format!(
                "the permissions of {path} could not be set, and fewer people than before may read it; look who must"
            )),
        }
    }
}

impl Like {
    /// A file, or folder, as this one.
    #[must_use]
    pub fn of(look: &Look) -> Self {
        Self { owner: look.owner, mode: look.mode, bound: true }
    }

    /// A new file in a folder that nothing is replaced by: it belongs to whom the folder belongs to, and the user's own
    /// mask says who may read it.
    #[must_use]
    pub fn new_in(folder: &Look) -> Self {
        Self { owner: folder.owner, mode: 0o666 & !umask(), bound: false }
    }

    /// As the file that has this name, or as a new one in its folder.
    ///
    /// # Errors
    /// When that cannot be looked at.
    pub fn in_place_of(disk: &dyn Disk, name: &Name) -> io::Result<Self> {
        match disk.look(Some(name))?.filter(|look| look.what == What::File) {
            Some(old) => Ok(Self::of(&old)),
            None => Ok(Self::new_in(&disk.look(name.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?)),
        }
    }

    /// As the folder that has this name.
    ///
    /// # Errors
    /// When that is not there, or cannot be looked at.
    pub fn in_place_of_folder(disk: &dyn Disk, name: &Name) -> io::Result<Self> {
        Ok(Self::of(&disk.look(Some(name))?.ok_or(io::ErrorKind::NotFound)?))
    }

    /// The same with these permissions.
    #[must_use]
    pub fn with_mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// Gives owner, group and permissions, in that order: until then nobody else could open it.
    ///
    /// # Errors
    /// When the permissions cannot be set, and those that it has would let in more people.
    pub fn give(&self, to: &dyn Inode) -> io::Result<Given> {
        let owner = self.owner;
        let mut now = to.look()?;
        if now.owner != owner {
            if !allowed(to.set_owner(Some(owner.user), Some(owner.group)))? {
                // Only root may give files away. A member of the group may at least keep it in the group: when not even
                // that is to be had, what follows sees it.
                _ = allowed(to.set_owner(None, Some(owner.group)))?;
            }
            now = to.look()?;
        }
        let stays = now.owner.group == owner.group || !self.bound;
        let mode = if stays { self.mode } else { without_group(self.mode) };
        // Nobody runs a file as a user whom it did not belong to.
        let mode = if now.what == What::File && now.owner != owner { mode & 0o1777 } else { mode };
        // File systems without permissions refuse to set any; all of their files have the same.
        let refused = now.mode != mode && !allowed(to.set_mode(mode))? && self.bound && now.mode != self.mode;
        if refused && now.mode & !mode != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "its permissions cannot be set, and those that it has let in more people",
            ));
        }
        Ok(match now.owner == owner || !self.bound {
            true if refused => Given::Closed,
            true => Given::Whole,
            false => Given::Ours,
        })
    }
}

/// Whether something was done that only some users may do, or some file systems can.
fn allowed(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput => Ok(false),
            _ => Err(error),
        },
    }
}

/// The permissions of a file that has left its group: the members of the new one were others before, and those of the
/// old one are others now.
fn without_group(mode: u32) -> u32 {
    let both = (mode >> 3) & mode & 0o7;
    (mode & 0o700) | (both << 3) | both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_its_group_a_file_is_open_to_nobody_who_could_not_read_it() {
        for (with, without) in
            [(0o640, 0o600), (0o644, 0o644), (0o660, 0o600), (0o604, 0o600), (0o2775, 0o755), (0o666, 0o666)]
        {
            assert_eq!(without_group(with), without, "{with:o}");
        }
    }
}
