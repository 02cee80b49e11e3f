//! `Draft`: the folder that becomes the checkpoint, from its first file to its name, and the list that stands beside
//! it.

use std::io;

use highwater_core::digest::Digest;
use highwater_core::formats;
use highwater_core::inspect::{Of, Scope};
use highwater_core::mtree::{SIGNATURE, push_line, seal};
use highwater_core::name::{Name, TEMPORARY};
use highwater_core::node::{Meta, Node, NodeKind};
use highwater_core::report::{Depth, Soundness};
use highwater_core::survey::{Options, Survey};

use rayon::prelude::*;

use super::capture::Captured;
use super::copies::Unread;
use super::copy::sum_of;
use super::pins::HIDDEN;
use super::{CheckpointSummary, Run};
use crate::disk::like::Like;
use crate::disk::{self, Disk, FolderDraft, Look, What, clear, discard_folder, is_draft, sweep};
use crate::drive;
use crate::error::Error;
use crate::shown::quoted;
use crate::store::Place;

/// What follows the name of the checkpoint in that of its list.
const LIST: &[u8] = b".mtree";

/// What the list begins with, behind the signature.
const TITLE: &str = "# highwater checkpoint 1";

/// From so many files or folders on, one barrier takes the place of a sync of each.
const MANY: usize = 256;

/// The list of a checkpoint of this name.
fn list_of(dest: &Name) -> Result<Name, Error> {
    let last = [dest.last(), LIST].concat();
    Ok(dest.folder().map_or_else(|| Name::new(&last), |folder| folder.join(&last))?)
}

/// The beginning of the name of the folder that is being filled.
fn beginning(dest: &Name) -> Result<Name, Error> {
    let last = [b".", dest.last(), b".part"].concat();
    Ok(dest.folder().map_or_else(|| Name::new(&last), |folder| folder.join(&last))?)
}

/// Makes sure that nothing has the name, and that it does not lie in the store.
pub(super) fn refuse_what_is_there<D: Disk>(run: &Run<'_, D>) -> Result<(), Error> {
    let (to, dest) = (&*run.to.root, &run.to.name);
    let told = || quoted(&to.told(Some(dest)));
    if to.look(Some(dest)).map_err(Error::at("look at", to, dest))?.is_some() {
        return Err(Error::cannot_start(format!(
            "{} is there already: a checkpoint is a new folder; name another, or remove it",
            told()
        )));
    }
    let store = run.from.identity(None);
    if store.is_some_and(|store| to.around().is_ok_and(|around| around.contains(&store))) {
        let store = quoted(&run.from.told(None));
        return Err(Error::cannot_start(format!(
            "{} lies in the store {store}, whose program would meet it; name a place outside",
            told()
        )));
    }
    let list = list_of(dest)?;
    let Some(look) = to.look(Some(&list)).map_err(Error::at("look at", to, &list))? else { return Ok(()) };
    let begins = format!("{SIGNATURE}{TITLE}");
    let mut first = vec![0; begins.len()];
    let is_ours = look.what == What::File && to.open(&list).and_then(|file| file.read_at(0, &mut first)).is_ok();
    if is_ours && first == begins.as_bytes() {
        return Ok(());
    }
    let list = quoted(&to.told(Some(&list)));
    Err(Error::cannot_start(format!("{list}, where the list of the files is to lie, is something else; move it away")))
}

/// Removes a checkpoint and its list. Should it be killed meanwhile, the next run removes the rest.
pub(super) fn discard<D: Disk>(dest: &Place<D>, made: &CheckpointSummary) -> Result<(), Error> {
    let (to, name) = (&*dest.root, &dest.name);
    let list = list_of(name)?;
    discard_folder(to, name, made.folder, &beginning(name)?).map_err(Error::at("remove", to, name))?;
    to.remove(&list).map_err(Error::at("remove", to, &list))
}

/// Removes what runs left that were killed: folders that were being filled, and links beside the store.
pub(super) fn sweep_leftovers<D: Disk>(run: &Run<'_, D>) -> Result<(), Error> {
    let (to, list) = (&*run.to.root, list_of(&run.to.name)?);
    clear(to, list.folder().as_ref(), |last| is_draft(last, &list, TEMPORARY), run.watch)?;
    sweep(to, &beginning(&run.to.name)?, run.watch)?;
    run.beside.map_or(Ok(()), |beside| sweep(beside, &Name::new(HIDDEN)?, run.watch))
}

/// A checkpoint that has no name yet.
pub(super) struct Draft<'a, D: Disk> {
    run: &'a Run<'a, D>,
    folder: FolderDraft<'a>,
    inside: Box<dyn Disk>,
}

impl<'a, D: Disk> Draft<'a, D> {
    /// An empty one.
    pub(super) fn of(run: &'a Run<'a, D>) -> Result<Self, Error> {
        let (to, dest) = (&*run.to.root, &run.to.name);
        let told = || Error::of_folder("make a work folder in", to, dest.folder().as_ref());
        let folder = FolderDraft::marked(to, &beginning(dest)?).map_err(told())?;
        let inside = folder.inside().map_err(told())?;
        Ok(Self { run, folder, inside })
    }

    /// What is in it.
    pub(super) fn inside(&self) -> &dyn Disk {
        &*self.inside
    }

    /// Makes all of it durable and gives it its name; then comes the list.
    pub(super) fn publish(self, mut captured: Captured) -> Result<CheckpointSummary, Error> {
        let (to, dest, watch) = (&*self.run.to.root, &self.run.to.name, self.run.watch);
        if self.run.options.verify {
            self.verify(&mut captured)?;
        }
        let told = || Error::at("publish", to, dest);
        let top = self.look_of_store(None)?;
        self.give_folders(&captured.folders)?;
        self.folder.unmark().map_err(told())?;
        _ = Like::of(&top).give(self.folder.folder()).map_err(told())?;
        self.sync_files(&mut captured)?;
        let list = self.write_list(&self.list(&captured)?)?;
        self.sync_names(&captured, &list)?;
        watch.go_on()?;
        self.folder.place(dest).map_err(told())?;
        self.publish_list(list).map_err(|error| {
            let dest = quoted(&to.told(Some(dest)));
            Error::failed(format!("{dest} is there and whole, but not its list of files: {error}"))
        })?;
        Ok(CheckpointSummary { folder: self.folder.identity(), ..captured.summary })
    }

    /// Writes the list, which has no name yet.
    fn write_list(&self, list: &str) -> Result<disk::Draft<'_>, Error> {
        let (to, name) = (&*self.run.to.root, list_of(&self.run.to.name)?);
        let write = || {
            let around = to.look(name.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?;
            let draft = disk::Draft::of(to, &name, TEMPORARY)?;
            draft.file().write_at(0, list.as_bytes())?;
            _ = draft.give(&Like::new_in(&around))?;
            Ok(draft)
        };
        write().map_err(Error::at("write", to, &name))
    }

    /// Makes the name of the checkpoint durable, then gives the list its own: it must never be there without what it
    /// lists.
    fn publish_list(&self, list: disk::Draft<'_>) -> Result<(), Error> {
        let (to, name) = (&*self.run.to.root, list_of(&self.run.to.name)?);
        let parent = name.folder();
        let publish = || {
            to.sync_folder(parent.as_ref())?;
            list.publish(&name)?;
            to.sync_folder(parent.as_ref())
        };
        publish().map_err(Error::at("write", to, &name))
    }

    /// What the store's folder of this name is like.
    fn look_of_store(&self, folder: Option<&Name>) -> Result<Look, Error> {
        let from = self.run.from;
        let look = |name: Option<&Name>| from.look(name).map_err(Error::of_folder("look at", from, name));
        // A folder that is gone by now was like the store itself.
        match look(folder)?.filter(|look| look.what == What::Folder) {
            Some(look) => Ok(look),
            None => look(None)?.ok_or_else(|| Error::failed("the store is gone")),
        }
    }

    /// Gives the folders their owners and permissions, the innermost first: after that others may enter.
    fn give_folders(&self, folders: &[Name]) -> Result<(), Error> {
        for name in folders.iter().rev() {
            let like = Like::of(&self.look_of_store(Some(name))?);
            let given = self.inside.open_folder(name).and_then(|folder| like.give(&*folder));
            _ = given.map_err(Error::at("set", &*self.inside, name))?;
        }
        Ok(())
    }

    /// Makes files durable that were written: what was linked is so already. Meanwhile, finds out what logs give.
    fn sync_files(&self, captured: &mut Captured) -> Result<(), Error> {
        let inside = &*self.inside;
        let (files, unsynced) = (&mut captured.files, &captured.unsynced);
        let unread = std::mem::take(&mut captured.unread);
        let sync = || match unsynced.len() > MANY {
            true => inside.barrier(None).map_err(Error::of_folder("sync", inside, None)),
            false => each(inside, unsynced, |name| inside.open_to_hold(name).and_then(|file| file.sync())),
        };
        let sum = || {
            for Unread { name, length, hashing } in unread {
                let found = match hashing {
                    Some(hashing) => hashing.end(length),
                    None => inside.open(&name).and_then(|file| sum_of(&*file, length)),
                };
                let found = found.map_err(Error::at("read", inside, &name))?;
                files.insert(name, Some(found));
            }
            Ok(())
        };
        if !inside.takes_threads() {
            return sync().and_then(|()| sum());
        }
        let (synced, summed) = rayon::join(sync, sum);
        synced.and(summed)
    }

    /// Makes the names of all that is in the checkpoint durable, and the list.
    fn sync_names(&self, captured: &Captured, list: &disk::Draft<'_>) -> Result<(), Error> {
        let inside = &*self.inside;
        let sync_list = || list.file().sync().map_err(Error::at("sync", &*self.run.to.root, list.work()));
        let sync = || {
            if captured.folders.len() > MANY {
                return inside.barrier(None).map_err(Error::of_folder("sync", inside, None));
            }
            each(inside, &captured.folders, |name| inside.sync_folder(Some(name)))?;
            inside.sync_folder(None).map_err(Error::of_folder("sync", inside, None))
        };
        if !inside.takes_threads() {
            return sync_list().and_then(|()| sync());
        }
        let (listed, synced) = rayon::join(sync_list, sync);
        listed.and(synced)
    }

    /// Reads all of it. What the store keeps digests of gives them; of the rest, the list gets digests.
    fn verify(&self, captured: &mut Captured) -> Result<(), Error> {
        let (inside, watch) = (&*self.inside, self.run.watch);
        if let Some(format) = formats::by_name(captured.summary.kind) {
            let depth = Depth::Digest;
            let scope = Scope::new(Of::All).trailing(depth >= format.facts().trails);
            let survey = Survey::new(format.inspect(&scope), Options::whole(format, "", depth));
            let report = drive::run(inside.as_store(), survey, depth, watch, &mut |_, _| {})?.finish();
            return match report.findings.first() {
                _ if report.verdict == Soundness::Sound => Ok(()),
                Some(note) => Err(Error::damage(format!(
                    "what was captured is not sound: {} {}: {}; nothing was made of it",
                    note.code, note.object, note.message
                ))),
                None => Err(Error::failed("what was captured could not be judged; nothing was made of it")),
            };
        }
        let unread = captured.files.iter_mut().filter(|(_, sum)| sum.is_none());
        for (name, sum) in unread {
            watch.go_on()?;
            let file = inside.open(name).map_err(Error::at("open", inside, name))?;
            *sum = Some(sum_of(&*file, u64::MAX).map_err(Error::at("read", inside, name))?);
        }
        Ok(())
    }

    /// The list: every folder and file, in the order of their names.
    fn list(&self, captured: &Captured) -> Result<String, Error> {
        let (summary, inside) = (&captured.summary, &*self.inside);
        let mut text = format!("{SIGNATURE}{TITLE} · store {} · {}\n", summary.kind, summary.position);
        push_line(&node(None, &look(inside, None)?), None, None, &mut text);
        let folders = captured.folders.iter().map(|name| (name, &None::<Digest>));
        let mut all: Vec<(&Name, &Option<Digest>)> = folders.chain(&captured.files).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        // Files of one folder are reached by one descriptor.
        for group in all.chunk_by(|(one, _), (other, _)| one.folder() == other.folder()) {
            let folder = group.first().and_then(|(name, _)| name.folder());
            let opened = folder.map(|folder| self.inside.beneath(&folder).map_err(Error::at("open", inside, &folder)));
            let opened = opened.transpose()?;
            let folder = opened.as_deref().unwrap_or(inside);
            for (name, sum) in group {
                let look = look(folder, Some(&Name::new(name.last())?))?;
                push_line(&node(Some(name), &look), sum.as_ref(), None, &mut text);
            }
        }
        seal(&mut text);
        Ok(text)
    }
}

/// Syncs each of some names, side by side where that is faster: a journal that the file system writes anyway takes in
/// all that wait for it.
fn each(inside: &dyn Disk, names: &[Name], sync: impl Fn(&Name) -> io::Result<()> + Sync) -> Result<(), Error> {
    let sync = |name: &Name| sync(name).map_err(Error::at("sync", inside, name));
    if inside.takes_threads() { names.par_iter().try_for_each(sync) } else { names.iter().try_for_each(sync) }
}

/// What something in the checkpoint is.
fn look(inside: &dyn Disk, name: Option<&Name>) -> Result<Look, Error> {
    let look = inside.look(name).map_err(Error::of_folder("look at", inside, name))?;
    look.ok_or_else(|| Error::failed("somebody else removed files from the checkpoint while it was made"))
}

/// What the list says of a file or folder.
fn node(path: Option<&Name>, look: &Look) -> Node {
    let kind = if look.what == What::Folder { NodeKind::Folder } else { NodeKind::File(look.length) };
    let meta = Meta {
        mode: Some(look.mode),
        uid: Some(look.owner.user),
        gid: Some(look.owner.group),
        modified: Some(look.modified),
    };
    Node { path: path.cloned(), kind, meta }
}
