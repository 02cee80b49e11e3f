//! `Draft`: a file that is being written and has no name of its own yet: the one way to publish anything.
//!
//! A draft is made by this process alone, under a name that nobody can guess, and nobody else may open it. Owner and
//! permissions are set on its descriptor when it is whole, it is made durable, and then it takes its name by a rename,
//! before and after which the file behind the name is compared with the descriptor. So whoever may write in the folder
//! can keep a draft from being published, but cannot have another file published in its place, nor have the owner, the
//! permissions or the bytes of another file changed. A draft that is dropped removes itself, and only itself.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use highwater_core::name::Name;

use super::like::{Given, Like};
use super::remove_tree::remove_tree;
use super::work_name::{drafted, work};
use super::{Disk, Inode, Look, What, Writable};
use crate::error::Error;
use crate::store::Identity;

/// How many drafts may be taken from us before they are held, by others who look for leftovers.
const PATIENCE: usize = 4;

/// How often a draft that another holds is tried again, and after how long.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(10);

/// What is left when a draft is dropped that was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// Nothing.
    No,
    /// What was written: another run takes it up.
    Yes,
}

/// A file without a name of its own.
pub struct Draft<'a> {
    disk: &'a dyn Disk,
    work: Name,
    file: Arc<dyn Writable>,
    identity: Identity,
    lasts: Lasts,
}

/// Locks what is new, so that nobody takes it for what a run left that is gone. False when another was quicker.
fn is_held(new: &dyn Inode) -> io::Result<bool> {
    for _ in 0..LOOKS {
        if new.try_lock()? {
            return Ok(true);
        }
        // Another may only be looking whether it is held.
        thread::sleep(LOOK);
    }
    Ok(false)
}

/// Somebody put another file where a draft was, or where it went.
fn meddled(name: &Name, what: &str) -> io::Error {
    io::Error::other(format!("somebody else {what} '{name}' at the same time; look who writes there, and run again"))
}

impl<'a> Draft<'a> {
    /// Begins a file that is to be called `to`, in its folder; its own name ends with `ending`.
    ///
    /// # Errors
    /// The operating system's.
    pub fn of(disk: &'a dyn Disk, to: &Name, ending: &str) -> io::Result<Self> {
        for _ in 0..PATIENCE {
            let mut draft = Self::at(disk, work(to, ending)?)?;
            match is_held(&*draft.file) {
                // Where there are no locks, nothing of that kind is removed.
                Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
                Err(_) => return Ok(draft),
                Ok(true) if draft.is_alone()? => return Ok(draft),
                // Another run took it for a leftover, and goes on with it or removes it.
                Ok(_) => draft.lasts = Lasts::Yes,
            }
        }
        Err(meddled(to, "took every new work file of"))
    }

    /// It has its own name, and no other.
    fn is_alone(&self) -> io::Result<bool> {
        let there = self.disk.look(Some(&self.work))?;
        Ok(there.is_some_and(|there| there.identity == self.identity && there.names == 1))
    }

    /// Begins a file of the name `work`, in a folder that only this process may enter.
    ///
    /// # Errors
    /// The operating system's.
    pub fn at(disk: &'a dyn Disk, work: Name) -> io::Result<Self> {
        let file = disk.create(&work)?;
        Self::taken_up(disk, work, file, Lasts::No)
    }

    /// Goes on with a file that an earlier run began, and which is known to be ours and nobody else's.
    ///
    /// # Errors
    /// The operating system's.
    pub fn taken_up(disk: &'a dyn Disk, work: Name, file: Box<dyn Writable>, lasts: Lasts) -> io::Result<Self> {
        let identity = Inode::look(&*file)?.identity;
        Ok(Self { disk, work, file: Arc::from(file), identity, lasts })
    }

    /// Makes an existing file a draft of `to`: it loses the name `from`, and stays when it is dropped.
    ///
    /// # Errors
    /// The operating system's, or another file has the name by now.
    pub fn from_file(
        disk: &'a dyn Disk,
        (from, file): (&Name, Box<dyn Writable>),
        to: &Name,
        ending: &str,
    ) -> io::Result<Self> {
        let draft = Self::taken_up(disk, work(to, ending)?, file, Lasts::Yes)?;
        draft.is_at(from)?;
        disk.rename_new(from, &draft.work)?;
        draft.is_at(&draft.work)?;
        Ok(draft)
    }

    /// The same, which stays when it is dropped unpublished.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.lasts = Lasts::Yes;
        self
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &dyn Writable {
        &*self.file
    }

    /// The same, for whoever keeps it open, and locked, when it has its name.
    #[must_use]
    pub fn held(&self) -> Arc<dyn Writable> {
        Arc::clone(&self.file)
    }

    /// The name that it has meanwhile.
    #[must_use]
    pub fn work(&self) -> &Name {
        &self.work
    }

    /// Gives it its owner and permissions.
    ///
    /// # Errors
    /// As [`Like::give`].
    pub fn give(&self, like: &Like) -> io::Result<Given> {
        like.give(&*self.file)
    }

    /// Gives it the name `to`, in the place of a file that is there. It must be durable, or a barrier must come before
    /// anything speaks of it.
    ///
    /// # Errors
    /// The operating system's, or somebody else put another file in its place.
    pub fn publish(self, to: &Name) -> io::Result<()> {
        self.published(to, Self::rename)
    }

    /// The same, and the name must be free.
    ///
    /// # Errors
    /// `AlreadyExists`, and as [`Draft::publish`].
    pub fn publish_new(self, to: &Name) -> io::Result<()> {
        self.published(to, |draft, to| draft.disk.rename_new(&draft.work, to))
    }

    /// The same as [`Draft::publish`] where others publish the same bytes under that name at the same time. False when
    /// the name leads to another file than this by now.
    ///
    /// # Errors
    /// As [`Draft::publish`].
    pub fn publish_among(mut self, to: &Name) -> io::Result<bool> {
        self.is_at(&self.work)?;
        self.rename(to)?;
        self.lasts = Lasts::Yes;
        Ok(self.is_at(to).is_ok())
    }

    /// Gives up: what was written stays under the name `to`, or where that is taken, under the name that it has. Gives
    /// the name.
    #[must_use]
    pub fn give_up(mut self, to: &Name) -> Name {
        self.lasts = Lasts::Yes;
        let renamed = self.is_at(&self.work).and_then(|()| self.disk.rename_new(&self.work, to));
        if renamed.is_ok() { to.clone() } else { self.work.clone() }
    }

    fn rename(&self, to: &Name) -> io::Result<()> {
        self.disk.rename(&self.work, to)
    }

    fn published(mut self, to: &Name, rename: impl FnOnce(&Self, &Name) -> io::Result<()>) -> io::Result<()> {
        self.is_at(&self.work)?;
        rename(&self, to)?;
        // What has its name is not removed any more.
        self.lasts = Lasts::Yes;
        self.is_at(to)
    }

    /// The name leads to this file, and no other name does.
    fn is_at(&self, name: &Name) -> io::Result<()> {
        match self.disk.look(Some(name))? {
            Some(look) if look.identity != self.identity => Err(meddled(name, "replaced")),
            Some(look) if look.names > 1 => Err(meddled(name, "gave another name to")),
            Some(_) => Ok(()),
            None => Err(meddled(name, "removed")),
        }
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if self.lasts == Lasts::No
            && let Ok(Some(look)) = self.disk.look(Some(&self.work))
            && look.identity == self.identity
        {
            // What cannot be removed now, a later run removes.
            _ = self.disk.remove(&self.work);
        }
    }
}

/// Puts a small file under its name in one step. A power cut may bring the old file back, until the folder is synced;
/// with `durable`, it brings nothing else.
///
/// # Errors
/// The operating system's, or somebody meddled.
pub fn put(disk: &dyn Disk, to: &Name, bytes: &[u8], like: &Like, ending: &str, durable: bool) -> Result<Given, Error> {
    let write = || {
        let draft = Draft::of(disk, to, ending)?;
        draft.file().write_at(0, bytes)?;
        let given = draft.give(like)?;
        if durable {
            draft.file().sync()?;
        }
        draft.publish(to)?;
        Ok(given)
    };
    write().map_err(Error::at("write", disk, to))
}

/// A folder that is being filled and has no name of its own yet. Nobody else may enter it.
pub struct FolderDraft<'a> {
    disk: &'a dyn Disk,
    work: Name,
    folder: Arc<dyn Inode>,
    identity: Identity,
    /// The files that were written into it: the last parts of their names, and which they are.
    files: RefCell<Vec<(Vec<u8>, Identity)>>,
    /// Somebody else removes it.
    is_let_go: bool,
}

impl<'a> FolderDraft<'a> {
    /// Begins a folder that is called `beginning` and digits meanwhile, which nobody can guess.
    ///
    /// # Errors
    /// The operating system's.
    pub fn of(disk: &'a dyn Disk, beginning: &Name) -> io::Result<Self> {
        for _ in 0..PATIENCE {
            let work = work(beginning, "")?;
            let folder = disk.make_folder(&work)?;
            let identity = folder.look()?.identity;
            let folder = Arc::from(folder);
            let draft = Self { disk, work, folder, identity, files: RefCell::default(), is_let_go: false };
            match is_held(&*draft.folder) {
                Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
                // Where there are no locks, nothing of that kind is removed.
                Err(_) => return Ok(draft),
                Ok(true) if draft.is(&draft.work)? => return Ok(draft),
                // Another run took it for a leftover, and removes it.
                Ok(_) => {}
            }
        }
        Err(meddled(beginning, "took every new work folder of"))
    }

    /// The name that it has meanwhile.
    #[must_use]
    pub fn work(&self) -> &Name {
        &self.work
    }

    /// Writes a new file into it. A barrier makes it durable.
    ///
    /// # Errors
    /// The operating system's.
    pub fn write(&self, last: &[u8], bytes: &[u8], like: &Like) -> io::Result<()> {
        let file = self.disk.create(&self.work.join(last).map_err(io::Error::other)?)?;
        file.write_at(0, bytes)?;
        _ = like.give(&*file)?;
        self.files.borrow_mut().push((last.to_owned(), Inode::look(&*file)?.identity));
        Ok(())
    }

    /// Writes a file anew that was written into it. A barrier makes it durable.
    ///
    /// # Errors
    /// The operating system's, or somebody else put another file in its place.
    pub fn rewrite(&self, last: &[u8], bytes: &[u8], like: &Like) -> io::Result<()> {
        self.is_at(&self.work)?;
        self.disk.remove(&self.work.join(last).map_err(io::Error::other)?)?;
        self.files.borrow_mut().retain(|(name, _)| name != last);
        self.write(last, bytes, like)
    }

    /// Gives it its owner, its permissions and the name `to`, which must be free. All that is in it must be durable.
    /// After an error it can be tried again.
    ///
    /// # Errors
    /// The operating system's, or somebody else put another folder in its place, at whatever moment.
    pub fn publish(&self, to: &Name, like: &Like) -> io::Result<()> {
        _ = like.give(&*self.folder)?;
        self.sync()?;
        self.place(to)
    }

    /// What is in it, reached by its descriptor.
    ///
    /// # Errors
    /// The operating system's, or somebody else put another folder in its place.
    pub fn inside(&self) -> io::Result<Box<dyn Disk>> {
        let inside = self.disk.beneath(&self.work)?;
        match inside.look(None)? {
            Some(look) if look.identity == self.identity => Ok(inside),
            _ => Err(meddled(&self.work, "replaced")),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &dyn Inode {
        &*self.folder
    }

    /// Which folder it is.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Makes the folder itself durable: its owner and permissions, and the names in it.
    fn sync(&self) -> io::Result<()> {
        match self.folder.sync() {
            // Not every file system can; that is remembered where folders are synced by their names.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => self.disk.sync_folder(Some(&self.work))?,
            synced => synced?,
        }
        Ok(())
    }

    /// Gives it the name `to`, which must be free. The folder must be durable already, with all that is in it.
    ///
    /// # Errors
    /// As [`FolderDraft::publish`].
    pub fn place(&self, to: &Name) -> io::Result<()> {
        self.is_at(&self.work)?;
        self.disk.rename_new(&self.work, to)?;
        self.is_at(to)
    }

    /// Gives it the name `to` in place of the folder `old`, which then has the name that this had. The folder must be
    /// durable already, with all that is in it.
    ///
    /// # Errors
    /// The operating system's; `Unsupported` where two names cannot be exchanged in one step; or somebody else put
    /// another folder in the place of either, which is then back under its name.
    pub fn exchange(&self, to: &Name, old: Identity) -> io::Result<()> {
        self.is_at(&self.work)?;
        self.disk.exchange(&self.work, to)?;
        if self.disk.look(Some(&self.work))?.is_none_or(|look| look.identity != old) {
            self.disk.exchange(&self.work, to)?;
            return Err(meddled(to, "replaced"));
        }
        self.is_at(to)
    }

    /// Whether the name leads to this folder.
    fn is(&self, name: &Name) -> io::Result<bool> {
        let there = self.disk.look(Some(name))?;
        Ok(there.is_some_and(|Look { identity, what, .. }| identity == self.identity && what == What::Folder))
    }

    /// Hands it over to whoever removes it: its name, which folder it is, and what holds it.
    pub(super) fn let_go(mut self) -> (Name, Identity, Arc<dyn Inode>) {
        self.is_let_go = true;
        (self.work.clone(), self.identity, Arc::clone(&self.folder))
    }

    /// The name leads to this folder, and all that was written is in it.
    fn is_at(&self, name: &Name) -> io::Result<()> {
        if !self.is(name)? {
            return Err(meddled(name, "replaced"));
        }
        // Another folder may have had its name while they were written.
        self.files.borrow().iter().try_for_each(|(last, identity)| {
            let name = name.join(last).map_err(io::Error::other)?;
            let there = self.disk.look(Some(&name))?;
            let ours = there.is_some_and(|there| there.identity == *identity);
            if ours { Ok(()) } else { Err(meddled(&name, "replaced")) }
        })
    }
}

/// What an empty folder is called while it is made, before the digits.
const MADE: &[u8] = b".highwater-folder";

/// Whether this is the name of a folder that [`make_folder`] had not finished.
#[must_use]
pub fn is_made(last: &[u8]) -> bool {
    drafted(last) == Some((MADE, b""))
}

/// Makes an empty folder, with its owner and permissions from the moment on at which it has its name. One that is there
/// by now is as good. A barrier makes it durable.
///
/// # Errors
/// The operating system's, or somebody else put another folder in its place.
pub fn make_folder(disk: &dyn Disk, to: &Name, like: &Like) -> io::Result<()> {
    let beginning = to.folder().map_or_else(|| Name::new(MADE), |folder| folder.join(MADE));
    let beginning = beginning.map_err(io::Error::other)?;
    match FolderDraft::of(disk, &beginning).and_then(|draft| draft.publish(to, like)) {
        // Another run was quicker, and may have taken ours for a leftover.
        Err(_) if disk.look(Some(to))?.is_some_and(|there| there.what == What::Folder) => Ok(()),
        made => made,
    }
}

impl Drop for FolderDraft<'_> {
    fn drop(&mut self) {
        if !self.is_let_go && self.is(&self.work).is_ok_and(|is| is) {
            // What cannot be removed now, a later run removes.
            _ = remove_tree(self.disk, &self.work, self.identity);
        }
    }
}
