//! `TreeDraft`: the new tree, in a folder beside the target that nobody else may enter.

use highwater_core::name::Name;

use super::Run;
use super::meta::{self, Unrecorded};
use super::plan::Is;
use super::there::There;
use crate::disk::{Disk, FolderDraft, What, is_draft, remove_tree};
use crate::error::Error;
use crate::shown::quoted;

/// What follows the target's name in that of its work folder.
const PART: &[u8] = b".part";

/// The beginning of the names of the target's work folders.
fn beginning(target: &Name) -> Result<Name, Error> {
    let last = [target.last(), PART].concat();
    Ok(target.folder().map_or_else(|| Name::new(&last), |folder| folder.join(&last))?)
}

/// Tells of work folders of the target that are there. None is removed: whoever may rename folders in the target's can
/// make any look like one.
pub(super) fn tell_leftovers(run: &Run<'_>) -> Result<(), Error> {
    let Run { to, target, watch, .. } = *run;
    let (beginning, folder) = (beginning(target)?, target.folder());
    let mut left = Vec::new();
    let listed = to.list(folder.as_ref(), &mut |entry| {
        left.extend(Some(entry.name).filter(|name| is_draft(name.as_bytes(), &beginning, "")));
    });
    listed.map_err(Error::of_folder("list", to, folder.as_ref()))?;
    for last in left {
        let name = folder.as_ref().map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()))?;
        // What another run is at work with is held.
        let is_held = matches!(to.hold(Some(&name)), Ok(None));
        if !is_held && to.look(Some(&name)).is_ok_and(|look| look.is_some_and(|look| look.what == What::Folder)) {
            let path = quoted(&to.told(Some(&name)));
            watch.notice(format!(
                "{path} was left by a restore that did not come to its end; look at it, and remove it"
            ));
        }
    }
    Ok(())
}

/// A tree that is being made.
pub(super) struct TreeDraft<'a> {
    run: Run<'a>,
    folder: FolderDraft<'a>,
    /// What is in it: entries have the names that they will have in the target.
    pub(super) inside: Box<dyn Disk>,
}

impl<'a> TreeDraft<'a> {
    /// One that holds the folders and nothing else. Only this user may enter them until the end.
    pub(super) fn with_folders(run: &Run<'a>) -> Result<Self, Error> {
        let told = || Error::of_folder("make a work folder in", run.to, run.target.folder().as_ref());
        let folder = FolderDraft::of(run.to, &beginning(run.target)?).map_err(told())?;
        let inside = folder.inside().map_err(told())?;
        let draft = Self { run: *run, folder, inside };
        for (path, _) in run.plan.entries.iter().filter(|(_, entry)| matches!(entry.what, Is::Folder)) {
            run.watch.go_on()?;
            draft.inside.make_folder(path).map_err(Error::at("make the folder", &*draft.inside, path))?;
        }
        Ok(draft)
    }

    /// Gives a file of the old tree, the target, a second name here. False when it cannot have one.
    pub(super) fn link(&self, path: &Name) -> Result<bool, Error> {
        let (old, new) = (self.run.target.join(path.as_bytes())?, self.folder.work().join(path.as_bytes())?);
        Ok(self.run.to.link(&old, &new).is_ok())
    }

    /// Makes the links, when all files are written, and gives every entry what is on record of it, from the leaves up.
    /// Files that were written have it. Gives how many entries did not get all of it.
    pub(super) fn finish(&self, kept: &dyn Fn(&Name) -> bool, unrecorded: &Unrecorded) -> Result<u64, Error> {
        let (Run { plan, watch, .. }, to) = (self.run, &*self.inside);
        let mut ours = 0;
        let mut note = |is_whole: bool| ours += u64::from(!is_whole);
        for (path, entry) in &plan.entries {
            watch.go_on()?;
            let meta = || unrecorded.fill(Some(path), &entry.meta);
            match &entry.what {
                Is::Hard(of) => to.link(of, path).map_err(Error::at("link", to, path))?,
                Is::Link(text) => {
                    to.make_link(path, text).map_err(Error::at("make the link", to, path))?;
                    note(meta::give_link(to, path, &meta()).map_err(Error::at("set", to, path))?);
                }
                Is::File(_) if kept(path) => {
                    let opened = to.open_to_hold(path).map_err(Error::at("open", to, path))?;
                    note(meta::give(&*opened, &meta()).map_err(Error::at("set", to, path))?);
                }
                Is::File(_) | Is::Folder => {}
            }
        }
        // A path comes after that of the folder that it lies in.
        for (path, entry) in plan.entries.iter().rev().filter(|(_, entry)| matches!(entry.what, Is::Folder)) {
            watch.go_on()?;
            let folder = to.open_folder(path).map_err(Error::at("open", to, path))?;
            note(meta::give(&*folder, &unrecorded.fill(Some(path), &entry.meta)).map_err(Error::at("set", to, path))?);
        }
        Ok(ours)
    }

    /// Makes everything durable and gives the tree its name, in place of the old one, which is removed. False when the
    /// top did not get all that is on record of it.
    pub(super) fn publish(self, old: Option<&There<'_>>, unrecorded: &Unrecorded) -> Result<bool, Error> {
        let Run { plan, to, target, watch, .. } = self.run;
        watch.go_on()?;
        let told = || Error::at("publish", to, target);
        // From here on, others may enter it.
        let is_whole = meta::give(self.folder.folder(), &unrecorded.fill(None, &plan.top)).map_err(told())?;
        self.inside.barrier(None).map_err(told())?;
        let parent = target.folder();
        let Some(old) = old else {
            self.folder.place(target).map_err(told())?;
            return to.sync_folder(parent.as_ref()).map(|()| is_whole).map_err(told());
        };
        match self.folder.exchange(target, old.identity) {
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                let path = quoted(&to.told(Some(target)));
                return Err(Error::cannot_start(format!(
                    "this file system cannot exchange {path} with another folder in one step; restore to a new folder"
                )));
            }
            exchanged => exchanged.map_err(told())?,
        }
        to.sync_folder(parent.as_ref()).map_err(told())?;
        let work = self.folder.work();
        let removed = remove_tree(to, work, old.identity);
        removed.map(|()| is_whole).map_err(Error::at("remove the old tree, which is now", to, work))
    }
}
