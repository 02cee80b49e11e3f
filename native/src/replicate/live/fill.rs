//! `fill`: the folder that becomes the replica: what the old one has, and what comes from the checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use highwater_core::digest::{Algorithm, Digest, Hasher};
use highwater_core::inspect::Kind;
use highwater_core::name::Name;
use highwater_core::render::bytes;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::record::Old;
use super::source::{Checkpoint, sum_of};
use super::{At, Came, Filled, StoreOptions};
use crate::disk::like::Like;
use crate::disk::{Look, What, Writable, remove_tree};
use crate::drive::buffer;
use crate::error::Error;
use crate::replicate::copied;
use crate::shown::quoted;
use crate::store::Kept;
use crate::watch::Watch;

/// More files and folders no checkpoint has: their names lie in memory.
const MOST: usize = 4 << 20;

/// What is to be filled from.
struct Run<'a> {
    job: &'a StoreOptions<'a>,
    at: &'a At<'a>,
    old: &'a Old,
    from: &'a dyn Checkpoint,
    settled: fn(&Name) -> bool,
    watch: &'a Watch<'a>,
}

/// A file of the checkpoint.
struct File {
    name: Name,
    length: u64,
    kept: Kept,
}

/// Fills the folder.
///
/// # Errors
/// The checkpoint cannot be read, or is not what came; the folder cannot be written; the user interrupts.
pub(super) fn fill(
    job: &StoreOptions<'_>,
    at: &At<'_>,
    old: &Old,
    (from, settled): (&dyn Checkpoint, fn(&Name) -> bool),
    watch: &Watch<'_>,
) -> Result<Filled, Error> {
    let run = Run { job, at, old, from, settled, watch };
    let (names, folders) = run.walk()?;
    let files = Mutex::new(Vec::with_capacity(names.len()));
    run.each(&names, |name| {
        let (length, kept) = from.look(name).map_err(Error::at("look at", from.root(), name))?;
        files.lock().unwrap_or_else(PoisonError::into_inner).push(File { name: name.clone(), length, kept });
        Ok(())
    })?;
    let mut files = files.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let there = run.prepare(&files, &folders)?;
    run.has_room(&files, &there)?;
    let came = Mutex::new(BTreeMap::new());
    run.each(&files, |file| {
        let one = run.get(file, there.contains(&file.name))?;
        came.lock().unwrap_or_else(PoisonError::into_inner).insert(file.name.clone(), one);
        Ok(())
    })?;
    let files = came.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Filled { files, folders: folders.into_iter().collect() })
}

impl Run<'_> {
    /// Does something with each of these, side by side.
    fn each<T: Sync>(&self, items: &[T], deed: impl Fn(&T) -> Result<(), Error> + Sync + Send) -> Result<(), Error> {
        let deed = |item: &T| self.watch.go_on().and_then(|()| deed(item));
        match self.from.root().ways() {
            Some(ways) if items.len() > 1 => {
                let threads = ThreadPoolBuilder::new().num_threads(ways.min(items.len())).build();
                let threads = threads.map_err(Error::no_thread)?;
                threads.install(|| items.par_iter().with_max_len(1).try_for_each(deed))
            }
            _ if self.at.disk.takes_threads() => items.par_iter().try_for_each(deed),
            _ => items.iter().try_for_each(deed),
        }
    }

    /// The files and folders of the checkpoint; a folder before what lies in it.
    fn walk(&self) -> Result<(Vec<Name>, BTreeSet<Name>), Error> {
        let root = self.from.root();
        let (mut files, mut folders, mut ahead) = (BTreeSet::new(), BTreeSet::new(), vec![None]);
        while let Some(folder) = ahead.pop() {
            self.watch.go_on()?;
            let mut entries = Vec::new();
            let told = Error::of_folder("list", root, folder.as_ref());
            root.list(folder.as_ref(), &mut |entry| entries.push(entry)).map_err(told)?;
            for entry in entries {
                let last = entry.name.as_bytes();
                let name = folder.as_ref().map_or_else(|| Name::new(last), |folder: &Name| folder.join(last))?;
                let is_new = match entry.kind {
                    Kind::File => files.insert(name),
                    Kind::Folder => {
                        ahead.push(Some(name.clone()));
                        folders.insert(name)
                    }
                    Kind::Link | Kind::Other => false,
                };
                if !is_new || files.len() + folders.len() > MOST {
                    let root = quoted(&root.told(None));
                    return Err(Error::failed(format!("{root} lists '{}' as no checkpoint does", entry.name)));
                }
            }
        }
        if let Some(both) = files.intersection(&folders).next() {
            let root = quoted(&root.told(None));
            return Err(Error::failed(format!("{root} lists '{both}' as no checkpoint does")));
        }
        Ok((files.into_iter().collect(), folders))
    }

    /// Makes the folder, or takes up the one that an earlier run left: gives the files in it that may be those of the
    /// checkpoint. All else in it goes.
    fn prepare(&self, files: &[File], folders: &BTreeSet<Name>) -> Result<BTreeSet<Name>, Error> {
        let At { disk, ref store, .. } = *self.at;
        let mut there = BTreeSet::new();
        if disk.look(Some(store)).map_err(Error::at("look at", disk, store))?.is_none() {
            _ = disk.make_folder(store).map_err(Error::at("make the folder", disk, store))?;
        } else {
            let folder = disk.open_folder(store).and_then(|folder| folder.set_mode(0o700));
            folder.map_err(Error::at("take up", disk, store))?;
            self.clear(None, files, folders, &mut there)?;
        }
        for folder in folders {
            let folder = store.join(folder.as_bytes())?;
            match disk.make_folder(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => _ = made.map_err(Error::at("make the folder", disk, &folder))?,
            }
        }
        Ok(there)
    }

    fn clear(
        &self,
        folder: Option<&Name>,
        files: &[File],
        folders: &BTreeSet<Name>,
        there: &mut BTreeSet<Name>,
    ) -> Result<(), Error> {
        let At { disk, ref store, .. } = *self.at;
        let mut ahead = vec![folder.cloned()];
        while let Some(folder) = ahead.pop() {
            self.watch.go_on()?;
            let within = folder.as_ref().map_or_else(|| Ok(store.clone()), |folder| store.join(folder.as_bytes()))?;
            let mut names = Vec::new();
            let told = Error::at("list", disk, &within);
            disk.list(Some(&within), &mut |entry| names.push(entry.name)).map_err(told)?;
            for last in names {
                let whole = within.join(last.as_bytes())?;
                let name: Name =
                    folder.as_ref().map_or_else(|| Ok(last.clone()), |folder| folder.join(last.as_bytes()))?;
                let Some(look) = disk.look(Some(&whole)).map_err(Error::at("look at", disk, &whole))? else { continue };
                let is_it = |look: &Look| {
                    let file = files.binary_search_by(|file| file.name.cmp(&name)).ok().and_then(|at| files.get(at));
                    // A second name of a file of the replica is made anew.
                    file.is_some_and(|file| file.is(look) && look.names == 1 && (self.settled)(&name))
                };
                match look.what {
                    What::Folder if folders.contains(&name) => ahead.push(Some(name)),
                    What::Folder => {
                        remove_tree(disk, &whole, look.identity).map_err(Error::at("remove", disk, &whole))?;
                    }
                    What::File if is_it(&look) => _ = there.insert(name),
                    _ => disk.remove(&whole).map_err(Error::at("remove", disk, &whole))?,
                }
            }
        }
        Ok(())
    }

    /// Says what is to come, and stops where there is no room for it.
    fn has_room(&self, files: &[File], there: &BTreeSet<Name>) -> Result<(), Error> {
        let At { disk, .. } = *self.at;
        let comes = |file: &&File| !there.contains(&file.name) && self.on_record(file).is_none();
        let lacking = files.iter().filter(comes).fold(0_u64, |sum, file| sum.saturating_add(file.length));
        self.watch.expect(lacking);
        let room = disk.room().map_err(Error::of_folder("look at", disk, None))?;
        match room.filter(|room| !room.shares && room.free < lacking) {
            None => Ok(()),
            Some(room) => Err(Error::failed(format!(
                "the replica lacks {}, and its file system has room for {}; make room, and run again",
                bytes(lacking),
                bytes(room.free)
            ))),
        }
    }

    /// What the old replica's file is known to give, if it never changes and is the one of the checkpoint by its length
    /// and time.
    fn on_record(&self, file: &File) -> Option<Digest> {
        let kept = self.old.record.as_ref()?.files.get(&file.name).filter(|_| (self.settled)(&file.name))?;
        (kept.length == file.length && Some(kept.modified) == file.kept.modified).then_some(kept.digest)
    }

    /// Has a file in the folder.
    fn get(&self, file: &File, is_there: bool) -> Result<Came, Error> {
        let At { disk, dest, ref store, .. } = *self.at;
        let target = store.join(file.name.as_bytes())?;
        let look = || {
            let look = disk.look(Some(&target)).and_then(|look| look.ok_or_else(|| io::ErrorKind::NotFound.into()));
            look.map_err(Error::at("look at", disk, &target))
        };
        if let Some(digest) = self.on_record(file) {
            let had = dest.join(file.name.as_bytes())?;
            if (!self.job.check || self.is_same(&had, file)? == Some(digest)) && disk.link(&had, &target).is_ok() {
                return Ok(Came { look: look()?, digest, linked: true });
            }
        }
        if is_there {
            if let Some(digest) = self.is_same(&target, file)? {
                return Ok(Came { look: look()?, digest, linked: false });
            }
            disk.remove(&target).map_err(Error::at("remove", disk, &target))?;
        }
        let digest = self.fetch(file, &target)?;
        Ok(Came { look: look()?, digest, linked: false })
    }

    /// What a file here gives, if the one of the checkpoint gives the same.
    fn is_same(&self, here: &Name, file: &File) -> Result<Option<Digest>, Error> {
        let (disk, root) = (self.at.disk, self.from.root());
        let there = self.from.sum(&file.name).map_err(Error::at("read", root, &file.name))?;
        let digest = disk.open(here).and_then(|object| sum_of(&*object)).map_err(Error::at("read", disk, here))?;
        let there = there().map_err(Error::at("read", root, &file.name))?;
        Ok((there == digest).then_some(digest))
    }

    /// Copies a file, and compares what came with what it gives where it lies.
    fn fetch(&self, file: &File, target: &Name) -> Result<Digest, Error> {
        let (disk, root) = (self.at.disk, self.from.root());
        let reading = || Error::at("read", root, &file.name);
        let there = self.from.is_far().then(|| self.from.sum(&file.name)).transpose().map_err(reading())?;
        let object = root.open(&file.name).map_err(reading())?;
        let write = || Error::at("write", disk, target);
        let new = disk.create(target).map_err(write())?;
        let (mut hasher, mut at, mut failed) = (Hasher::new(Algorithm::Sha256), 0, None);
        // No more is taken than is to come.
        let read = object.for_each_piece(0, file.length.saturating_add(1), &mut buffer(), |piece| {
            hasher.update(piece);
            failed = new.write_at(at, piece).map_err(write()).and_then(|()| self.watch.go_on()).err();
            at += piece.len() as u64;
            self.watch.advance(piece.len() as u64);
            failed.is_none()
        });
        if let Some(error) = failed {
            return Err(error);
        }
        read.map_err(reading())?;
        let digest = hasher.finish();
        let there = there.map(|there| there()).transpose().map_err(reading())?;
        if at != file.length || there.is_some_and(|there| there != digest) {
            let (path, length) = (quoted(&root.told(Some(&file.name))), file.length);
            return Err(Error::failed(format!(
                "{path} arrived as {at} bytes that give {digest}, which are not the {length} bytes that lie there; the \
                 replica is left as it was: run again"
            )));
        }
        self.finish(&*new, file).map_err(write())?;
        Ok(digest)
    }

    /// Gives a file that is whole whom it belongs to, its permissions and its time: by that the next run knows it.
    fn finish(&self, new: &dyn Writable, file: &File) -> io::Result<()> {
        let At { disk, dest, .. } = *self.at;
        let around = disk.look(dest.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?;
        let like = Like::new_in(&around).with_mode(file.kept.mode.unwrap_or(0o600) & 0o777);
        copied(new, &like, file.kept)
    }
}

impl File {
    /// Whether a file may be this one.
    fn is(&self, look: &Look) -> bool {
        look.length == self.length && Some(look.modified) == self.kept.modified
    }
}
