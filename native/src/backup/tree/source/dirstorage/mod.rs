//! `DirStorage`: a store of DirectoryStorage that is in snapshot mode: its database holds still and is whole
//! transactions.
//!
//! What `misc/sublock` keeps out is whoever may change the database. So the lock is taken first, together with others
//! that only read, and then `misc/snapshot` must be there, which the storage makes when it enters snapshot mode or is
//! ended cleanly (DirectoryStorage 1.1.21, `snapshot.py`, `LocalFilesystem.py`). A storage that is started meanwhile
//! finds the lock taken and stays in snapshot mode. Under the storage's own tool, which holds the lock for the command
//! that it runs and says so in its environment, the lock is that tool's.
//!
//! Of the state are `config`, all of `A` but what a pack left for delayed deletion or marked files with, the mark of
//! snapshot mode, and the folders `B`, `journal` and `misc`, empty: the storage starts with them, and so does this, as
//! the mark says that what was restored is a snapshot too. What is in the journal and in `B` is of later transactions.

mod history;
mod listing;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use highwater_core::formats::dirstorage::names;
use highwater_core::formats::dirstorage::settings::{self, Class};
use highwater_core::name::{Name, TEMPORARY};

use super::hook::Hook;
use super::parent::Title;
use super::{Changes, Frozen, Listed, Set, Source, word};
use crate::disk::like::Like;
use crate::disk::{Disk, Draft, Held, What};
use crate::error::Error;
use crate::lock;
use crate::shown::quoted;
use crate::watch::Watch;

/// What whoever may change the database locks, and whoever wants nobody to.
const SUBLOCK: &str = "misc/sublock";

/// There while the database holds still.
const MARK: &str = "misc/snapshot";

/// No file that is read whole here is longer, in bytes.
const SHORT: u64 = 64 << 10;

/// A store.
pub struct DirStorage {
    store: Arc<dyn Disk>,
    hook: Option<Hook>,
    /// The storage's own tool holds the lock for this process.
    is_under_its_tool: bool,
    held: Option<Held>,
}

impl DirStorage {
    /// A store; with commands that make it enter snapshot mode and leave it, or not. Under the storage's own tool, the
    /// lock may be that tool's.
    #[must_use]
    pub fn new(store: Arc<dyn Disk>, hook: Option<Hook>, is_under_its_tool: bool) -> Self {
        Self { store, hook, is_under_its_tool, held: None }
    }

    /// Takes the lock, and sees to it that the database holds still.
    fn enter(&mut self, dry_run: bool, watch: &Watch<'_>) -> Result<(), Error> {
        let (store, sublock) = (&*self.store, Name::new(SUBLOCK.as_bytes())?);
        let path = quoted(&store.told(None));
        let has_lock = store.look(Some(&sublock)).map_err(Error::at("look at", store, &sublock))?.is_some();
        if !has_lock && !dry_run {
            make_lock(store, &sublock)?;
        }
        if has_lock || !dry_run {
            let held = match store.hold(Some(&sublock)) {
                // On a file system that is mounted read-only, nobody changes anything.
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                _ => {
                    let busy = || {
                        format!(
                            "the store {path} is not in snapshot mode, as a process holds '{SUBLOCK}' and may change it: \
                             {}",
                            ways_out(&path)
                        )
                    };
                    match lock::hold(store, Some(&sublock), busy) {
                        Err(_) if self.is_under_its_tool => {
                            watch.note("the tool that this runs under holds the lock");
                            None
                        }
                        held => Some(held?),
                    }
                }
            };
            self.held = held;
        }
        if !self.has_mark()? {
            return Err(Error::cannot_start(format!(
                "the store {path} is not in snapshot mode, and was not ended cleanly, as '{MARK}' is not there: {}",
                ways_out(&path)
            )));
        }
        Ok(())
    }

    fn has_mark(&self) -> Result<bool, Error> {
        let (store, mark) = (&*self.store, Name::new(MARK.as_bytes())?);
        let look = store.look(Some(&mark)).map_err(Error::at("look at", store, &mark))?;
        Ok(look.is_some_and(|look| look.what == What::File))
    }

    fn listed(&self, set: &Set<'_>, watch: &Watch<'_>) -> Result<Frozen, Error> {
        let store = &*self.store;
        let replica = Name::new(names::JOURNAL.as_bytes())?.join(names::REPLICA.as_bytes())?;
        if store.look(Some(&replica)).map_err(Error::at("look at", store, &replica))?.is_some() {
            return Err(Error::cannot_start(format!(
                "'{replica}' is an increment that the replica {} may have taken in by half: start the storage, or run the \
                 replication once more, so that it takes in all of it, then run again",
                quoted(&store.told(None))
            )));
        }
        let name = Name::new(names::SETTINGS.as_bytes())?;
        let settings = settings::parse(&read(store, &name)?)
            .map_err(|odd| Error::cannot_start(format!("'{name}' {odd}; is this a DirectoryStorage?")))?;
        let identity = read(store, &Name::new(names::IDENTITY.as_bytes())?).ok().and_then(|bytes| word(&bytes));
        let mut listing = listing::list(store, watch)?;
        let mut notes = std::mem::take(&mut listing.notes);
        let before = Title::newest(set.disk)?.filter(|title| title.kind == self.kind());
        let (mut position, mut wrong) = (None, Vec::new());
        match (settings.class, before) {
            (Class::Minimal, _) => notes.push("the store is of the class Minimal, which keeps no history".to_owned()),
            (Class::Full, Some(before)) if before.identity != identity => {
                notes.push(format!(
                    "the points before this one are of another store, {}",
                    before.identity.as_deref().unwrap_or("which had no identity")
                ));
                (position, wrong) = history::look(store, settings.layout, &listing.files, None, &mut notes, watch)?;
            }
            (Class::Full, before) => {
                let since = before.and_then(|before| history::parse(&before.position?));
                (position, wrong) = history::look(store, settings.layout, &listing.files, since, &mut notes, watch)?;
            }
        }
        listing.files.extend(listing.others);
        Ok(Frozen {
            root: Some(Arc::clone(&self.store)),
            listed: Listed::Those(listing.files),
            elsewhere: Vec::new(),
            identity,
            position,
            notes,
            wrong,
            token: None,
            changes: Changes::BreakIt,
            tokens: HashMap::new(),
            is_settled: |_| false,
        })
    }
}

impl Source for DirStorage {
    fn kind(&self) -> &'static str {
        "dirstorage"
    }

    fn store(&self) -> &dyn Disk {
        &*self.store
    }

    fn freeze(&mut self, set: &Set<'_>, watch: &Watch<'_>) -> Result<Frozen, Error> {
        let hook = self.hook.as_mut().filter(|_| !set.dry_run);
        let entered = hook.map_or(Ok(()), |hook| hook.freeze(None, watch));
        let entered = entered.and_then(|()| self.enter(set.dry_run, watch));
        let frozen = entered.and_then(|()| self.listed(set, watch));
        if frozen.is_err()
            && let Err(error) = self.thaw(watch)
        {
            watch.notice(error.to_string());
        }
        frozen
    }

    fn held_still(&mut self) -> Result<(), Error> {
        if self.has_mark()? {
            return Ok(());
        }
        Err(Error::failed(format!(
            "the store {} left snapshot mode while it was read; look who ended that, and run again; no point was made",
            quoted(&self.store.told(None))
        )))
    }

    fn thaw(&mut self, _watch: &Watch<'_>) -> Result<(), Error> {
        self.held = None;
        self.hook.as_mut().map_or(Ok(()), Hook::thaw)
    }
}

/// What to do about a store that does not hold still.
fn ways_out(path: &str) -> String {
    format!(
        "run this under the storage's own tool (snapshot.py --storage {path} highwater backup …), or name commands that \
         make it enter snapshot mode and leave it (--freeze CMD --thaw CMD), or take the files as they are, of which \
         only the storage can make whole transactions again (--kind folder)"
    )
}

/// Makes the lock file, which the storage makes when it is started first. One that is there by now is as good.
fn make_lock(store: &dyn Disk, sublock: &Name) -> Result<(), Error> {
    let make = || {
        let misc = store.look(sublock.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?;
        let draft = Draft::of(store, sublock, TEMPORARY)?;
        _ = draft.give(&Like::new_in(&misc))?;
        draft.publish_new(sublock)
    };
    match make() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(()),
        made => made.map_err(Error::at("make the lock file", store, sublock)),
    }
}

/// All of a short file.
fn read(store: &dyn Disk, name: &Name) -> Result<Vec<u8>, Error> {
    let object = store.open(name).map_err(Error::at("open", store, name))?;
    let mut bytes = Vec::new();
    object
        .for_each_piece(0, SHORT + 1, &mut vec![0; 4 << 10], |piece| {
            bytes.extend_from_slice(piece);
            true
        })
        .map_err(Error::at("read", store, name))?;
    Ok(bytes)
}
