//! What a [`Shelf`] does as a store and as a disk.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use highwater_core::inspect::{Entry, Kind};
use highwater_core::name::Name;

use super::lease::{Lease, Taken};
use super::spool::Spool;
use super::there::{Drafted, There, looked, number};
use super::{All, Shelf, WAITS};
use crate::disk::{Disk, Held, Inode, Look, What, Writable};
use crate::store::{Identity, Object, Store};

impl Store for Shelf {
    fn told(&self, name: Option<&Name>) -> PathBuf {
        let full = self.folder(name).ok().flatten();
        self.all.bucket.told(full.as_ref())
    }

    fn list(&self, folder: Option<&Name>, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
        let full = self.folder(folder)?;
        let mut seen = HashSet::new();
        {
            let made = self.made();
            let drafts = made.drafts.keys().map(|name| (name, Kind::File));
            for (name, kind) in drafts.chain(made.folders.keys().map(|name| (name, Kind::Folder))) {
                if name.folder() == full
                    && let Ok(last) = Name::new(name.last())
                    && seen.insert(last.clone())
                {
                    each(Entry::new(last, kind));
                }
            }
        }
        let is_made = full.as_ref().is_none_or(|full| self.made().folders.contains_key(full));
        let listed = self.all.bucket.list(full.as_ref(), &mut |entry| {
            // A list may have a name twice.
            if seen.insert(entry.name.clone()) {
                each(entry);
            }
        });
        match listed {
            // A root in which nothing is, is one that can be written to.
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_made => Ok(()),
            listed => listed,
        }
    }

    fn open(&self, name: &Name) -> io::Result<Box<dyn Object>> {
        let full = self.full(name)?;
        let draft = self.made().drafts.get(&full).cloned();
        match draft {
            Some(spool) => Ok(Box::new(Drafted(spool))),
            None => self.all.bucket.open(&full),
        }
    }

    fn length(&self, name: &Name) -> io::Result<u64> {
        let full = self.full(name)?;
        let draft = self.made().drafts.get(&full).cloned();
        draft.map_or_else(|| self.all.bucket.length(&full), |spool| Object::length(&*spool))
    }

    fn identity(&self, folder: Option<&Name>) -> Option<Identity> {
        self.look(folder).ok().flatten().filter(|look| look.what == What::Folder).map(|look| look.identity)
    }

    fn ways(&self) -> Option<usize> {
        self.all.bucket.ways()
    }
}

impl Disk for Shelf {
    fn as_store(&self) -> &dyn Store {
        self
    }

    fn beneath(&self, folder: &Name) -> io::Result<Box<dyn Disk>> {
        Ok(Box::new(Self { all: Arc::clone(&self.all), below: Some(self.full(folder)?) }))
    }

    fn create(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        let spool = Arc::new(Spool::new(self.fresh()));
        let full = self.full(name)?;
        let mut made = self.made();
        if made.drafts.contains_key(&full) || made.folders.contains_key(&full) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        made.drafts.insert(full, Arc::clone(&spool));
        Ok(Box::new(Drafted(spool)))
    }

    fn open_for_writing(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        let full = self.full(name)?;
        let draft = self.made().drafts.get(&full).cloned();
        if let Some(spool) = draft {
            return Ok(Box::new(Drafted(spool)));
        }
        let object = self.all.bucket.open(&full)?;
        let look = self.looked_at(&full)?.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(There { look, object: Some(object) }))
    }

    fn open_to_hold(&self, name: &Name) -> io::Result<Box<dyn Writable>> {
        self.open_for_writing(name)
    }

    fn rename(&self, from: &Name, to: &Name) -> io::Result<()> {
        self.moved(from, to, false)
    }

    fn rename_new(&self, from: &Name, to: &Name) -> io::Result<()> {
        self.moved(from, to, true)
    }

    fn open_folder(&self, name: &Name) -> io::Result<Box<dyn Inode>> {
        let look = self.look(Some(name))?.filter(|look| look.what == What::Folder);
        Ok(Box::new(There { look: look.ok_or(io::ErrorKind::NotFound)?, object: None }))
    }

    /// Each name was durable when it was given.
    fn sync_folder(&self, _: Option<&Name>) -> io::Result<()> {
        self.holds_now()
    }

    fn takes_threads(&self) -> bool {
        true
    }

    fn waits(&self) -> (u64, usize) {
        WAITS
    }

    /// What comes behind it is looked at anew.
    fn barrier(&self, folder: Option<&Name>) -> io::Result<()> {
        if folder.is_none() {
            self.all.bucket.known().clear();
            return self.holds_now();
        }
        self.holds()
    }

    fn moves(&self, _: Option<&Name>, _: Option<&Name>) -> io::Result<bool> {
        Ok(true)
    }

    fn remove(&self, name: &Name) -> io::Result<()> {
        let full = self.full(name)?;
        if self.made().drafts.remove(&full).is_some() {
            return Ok(());
        }
        self.object(&full)?.ok_or(io::ErrorKind::NotFound)?;
        self.gone(&full)
    }

    fn look(&self, name: Option<&Name>) -> io::Result<Option<Look>> {
        match self.folder(name)? {
            None => Ok(Some(looked(What::Folder, number("the root"), 0, None))),
            Some(full) if name.is_some() => self.looked_at(&full),
            // A folder that was entered is there.
            Some(full) => {
                let made = self.made().folders.get(&full).copied();
                Ok(Some(looked(What::Folder, made.unwrap_or_else(|| number(&full)), 0, None)))
            }
        }
    }

    fn make_folder(&self, name: &Name) -> io::Result<Box<dyn Inode>> {
        let (full, number) = (self.full(name)?, self.fresh());
        let mut made = self.made();
        if made.drafts.contains_key(&full) || made.folders.contains_key(&full) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        made.folders.insert(full, number);
        Ok(Box::new(There { look: looked(What::Folder, number, 0, None), object: None }))
    }

    fn remove_folder(&self, name: &Name) -> io::Result<()> {
        let full = self.full(name)?;
        let mut is_empty = true;
        match self.list(Some(name), &mut |_| is_empty = false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            listed => listed?,
        }
        if !is_empty {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.made().folders.remove(&full);
        Ok(())
    }

    fn lock(&self, name: &Name, text: &str) -> io::Result<Option<Held>> {
        let All { bucket, keeper, lease, .. } = &*self.all;
        let full = self.full(name)?;
        let mut keeper = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(client) = keeper.as_ref() else {
            return Err(io::Error::other("a run takes one lock in a bucket"));
        };
        match Lease::take(bucket, Arc::clone(client), &full, text)? {
            Taken::Busy => Ok(None),
            Taken::Held(held) => {
                *keeper = None;
                *lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(held.shared()));
                Ok(Some(Box::new(held)))
            }
        }
    }

    fn hold(&self, name: Option<&Name>) -> io::Result<Option<Held>> {
        let full = self.folder(name)?;
        match full.is_some_and(|full| self.made().folders.contains_key(&full)) {
            true => Ok(Some(Box::new(()))),
            false => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn touch(&self, name: &Name) -> io::Result<u64> {
        self.length(name)
    }

    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }
}
