//! `Work`: the hidden folder in a replica in which everything lies until it gets its name.
//!
//! Only this user may enter it, so nobody else can put anything there; and one run holds it at a time. It is emptied
//! when a run begins and goes when one ends, but for long objects that have not come to their end: the next run goes on
//! with them.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use highwater_core::digest::sha256_of;
use highwater_core::name::Name;

use crate::disk::{Disk, Held, What, is_mark, standing, sweep};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::watch::Watch;

/// What the folder is called.
pub(super) const FOLDER: &str = ".highwater-replica";

/// How often another run may come between, and how long it is waited then.
const TRIES: usize = 8;
const WAIT: Duration = Duration::from_millis(20);

/// What the name of a long object begins with there.
const LONG: &[u8] = b"long-";

/// The folder.
pub(super) struct Work<'a> {
    disk: &'a dyn Disk,
    folder: Name,
    count: AtomicU64,
}

impl<'a> Work<'a> {
    /// Makes it, or takes up what an earlier run left. It is held as long as the second lives.
    ///
    /// # Errors
    /// Another run holds it, or something else has its name.
    pub(super) fn begin(disk: &'a dyn Disk, watch: &Watch<'_>) -> Result<(Self, Held), Error> {
        Self::named(disk, Name::new(FOLDER.as_bytes())?, watch)
    }

    /// The same under another name.
    ///
    /// # Errors
    /// As [`Work::begin`].
    pub(super) fn named(disk: &'a dyn Disk, folder: Name, watch: &Watch<'_>) -> Result<(Self, Held), Error> {
        sweep(disk, &folder, watch)?;
        let path = || quoted(&disk.told(Some(&folder)));
        let making = || Error::at("make the folder", disk, &folder);
        let mut is_foreign = false;
        for tried in 0..TRIES {
            watch.go_on()?;
            if tried > 0 {
                thread::sleep(WAIT);
            }
            let stands = match standing(disk, &folder) {
                // A run that ends removes it, and one that begins has made it and not yet said so.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                stands => stands.map_err(making())?,
            };
            is_foreign = stands.is_none();
            let Some(identity) = stands else { continue };
            let is_it = || Ok::<_, io::Error>(disk.look(Some(&folder))?.is_some_and(|look| look.identity == identity));
            let busy = || format!("another run copies into {}: wait for it, or end it", quoted(&disk.told(None)));
            let held = lock::hold(disk, Some(&folder), busy);
            // Whoever holds one that has lost its name holds nothing.
            if is_it().map_err(making())? {
                return Ok((Self { disk, folder, count: AtomicU64::new(0) }, held?));
            }
        }
        Err(Error::cannot_start(match is_foreign {
            true => format!("{} is none that a run of this made: move it away, and run again", path()),
            false => format!("other runs copy into {}: wait for them, or end them", quoted(&disk.told(None))),
        }))
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Name {
        &self.folder
    }

    /// Removes what an earlier run left, but for long objects if those are gone on with.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub(super) fn empty(&self, but_long: bool) -> Result<(), Error> {
        for name in self.files().map_err(Error::at("list", self.disk, &self.folder))? {
            if !(but_long && Self::is_long(&name)) {
                let removed = || match self.disk.look(Some(&name))?.map(|look| look.what) {
                    None => Ok(()),
                    Some(What::Folder) => self.disk.remove_folder(&name),
                    Some(_) => self.disk.remove(&name),
                };
                removed().map_err(Error::at("remove", self.disk, &name))?;
            }
        }
        Ok(())
    }

    /// A new name in it.
    ///
    /// # Errors
    /// None that can come.
    pub(super) fn name(&self) -> io::Result<Name> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("{number}").as_bytes()).map_err(io::Error::other)
    }

    /// The name of a long object in it.
    ///
    /// # Errors
    /// None that can come.
    pub(super) fn long(&self, object: &Name) -> io::Result<Name> {
        let last = [LONG, sha256_of(object.as_bytes()).to_string().as_bytes()].concat();
        self.folder.join(&last).map_err(io::Error::other)
    }

    /// Whether a name in it is that of a long object.
    pub(super) fn is_long(name: &Name) -> bool {
        name.last().starts_with(LONG)
    }

    /// Removes it; what cannot be removed now, a later run removes. What of long objects has come stays, if asked for.
    pub(super) fn end(self, but_long: bool) {
        _ = self.empty(but_long).and_then(|()| {
            let files = self.files().map_err(Error::at("list", self.disk, &self.folder))?;
            if files.is_empty() { self.remove() } else { Ok(()) }
        });
    }

    /// Removes it if nothing is in it.
    pub(super) fn end_if_empty(self) {
        if self.files().is_ok_and(|files| files.is_empty()) {
            // What cannot be removed now, a later run removes.
            _ = self.remove();
        }
    }

    /// Its mark goes when everything else is gone for good: what has none is not ours.
    fn remove(&self) -> Result<(), Error> {
        let remove = || {
            self.disk.sync_folder(Some(&self.folder))?;
            let mut marks = Vec::new();
            self.disk.list(Some(&self.folder), &mut |entry| marks.push(entry.name))?;
            for mark in marks {
                self.disk.remove(&self.folder.join(mark.as_bytes()).map_err(io::Error::other)?)?;
            }
            self.disk.remove_folder(&self.folder)
        };
        remove().map_err(Error::at("remove", self.disk, &self.folder))
    }

    /// All that is in it, but for its mark.
    fn files(&self) -> io::Result<Vec<Name>> {
        let mut files = Vec::new();
        self.disk.list(Some(&self.folder), &mut |entry| files.push(entry.name))?;
        let below = files.into_iter().filter(|last| !is_mark(last.as_bytes()));
        below.map(|last| self.folder.join(last.as_bytes()).map_err(io::Error::other)).collect()
    }
}
