//! Replicates a live store: a checkpoint of it becomes a folder that the store's own program opens.
//!
//! 1. The replica must be one that a run of this made, as that left it ([`record`]), or none yet.
//! 2. A checkpoint is made beside the store, here or behind ssh ([`source`]).
//! 3. A folder is filled beside the replica, which only this user may enter. Files that never change and that the
//!    replica has are links to its own. All others come from the checkpoint, and each is compared with what it gives
//!    there ([`fill`]). What an earlier run left in that folder is taken, once it gives the same.
//! 4. The checkpoint is removed, whatever came of that.
//! 5. What came is judged by the digests that the store itself keeps, where it does ([`judge`]).
//! 6. All of it is made durable, and takes the place of the replica in one step ([`place`]).
//!
//! So whoever opens the replica, at any moment, has one state of the store as a whole.

mod fill;
mod judge;
mod place;
mod record;
mod source;

use std::collections::BTreeMap;

use highwater_core::digest::Digest;
use highwater_core::name::{Name, printable};

use super::work::Work;
use crate::disk::{Disk, Look, What};
use crate::error::Error;
use crate::live::{self, Count};
use crate::shown::quoted;
use crate::watch::Watch;
pub use source::{Checkpoint, Here, There};

/// What follows the name of the replica in that of the folder that is filled beside it.
const WORK: &[u8] = b".highwater-replica";

/// The folder in it that becomes the replica.
const STORE: &[u8] = b"store";

/// The list of the files in it, until it has its name.
const LIST: &[u8] = b"list";

/// What follows the name of the replica in that of its list.
const LISTED: &[u8] = b".mtree";

/// How to replicate a live store.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions<'a> {
    /// What the source is called: a replica is of one source.
    pub of: &'a str,
    /// Read what the replica has, too, and fetch anew what is not as in the store.
    pub check: bool,
    /// It is a replica of this source although its list does not say so, or its program wrote there.
    pub related: bool,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct StoreSummary {
    /// The kind of store.
    pub kind: String,
    /// Up to where it goes, in words of the store.
    pub position: String,
    /// Files that came, and their bytes.
    pub copied: Count,
    /// Files that were there.
    pub had: Count,
    /// What whoever relies on it should know, a sentence each.
    pub notes: Vec<String>,
    /// Its own digests were compared.
    pub judged: bool,
}

/// Where the replica is to be, and what lies beside it.
struct At<'a> {
    disk: &'a dyn Disk,
    dest: &'a Name,
    /// Its list.
    list: Name,
    /// The folder that is filled, and the list of it.
    store: Name,
    next: Name,
}

/// A file of the replica that is being made.
struct Came {
    look: Look,
    digest: Digest,
    /// It is the old replica's, under another name.
    linked: bool,
}

/// What the replica is made of: files by their names, and folders.
#[derive(Default)]
struct Filled {
    files: BTreeMap<Name, Came>,
    folders: Vec<Name>,
}

/// Makes the folder `dest` a replica of the live store that `make` makes a checkpoint of.
///
/// # Errors
/// Something else has the name, or its program wrote there; no checkpoint can be made; what came is not what was there;
/// the store is damaged; something cannot be read or written; or the user interrupts. The replica is as it was then.
pub fn replicate_store<'c>(
    job: &StoreOptions<'_>,
    (disk, dest): (&dyn Disk, &Name),
    make: impl FnOnce() -> Result<Box<dyn Checkpoint + 'c>, Error>,
    watch: &Watch<'_>,
) -> Result<StoreSummary, Error> {
    let beside = |before: &[u8], behind: &[u8]| {
        let last = [before, dest.last(), behind].concat();
        dest.folder().map_or_else(|| Name::new(&last), |folder| folder.join(&last))
    };
    let (work, _held) = Work::named(disk, beside(b".", WORK)?, watch)?;
    let (store, next) = (work.folder().join(STORE)?, work.folder().join(LIST)?);
    let at = At { disk, dest, list: beside(b"", LISTED)?, store, next };
    let done = once(job, &at, make, watch);
    // What came by now is the next run's.
    work.end_if_empty();
    done
}

fn once<'c>(
    job: &StoreOptions<'_>,
    at: &At<'_>,
    make: impl FnOnce() -> Result<Box<dyn Checkpoint + 'c>, Error>,
    watch: &Watch<'_>,
) -> Result<StoreSummary, Error> {
    let old = record::old(job, at, watch)?;
    watch.go_on()?;
    let checkpoint = make()?;
    let (kind, position) = (checkpoint.kind().to_owned(), checkpoint.position().to_owned());
    let mut summary = StoreSummary { kind, position, notes: checkpoint.notes().to_vec(), ..StoreSummary::default() };
    let settled = live::settled(&summary.kind);
    let filled = match (settled, old.is_of(&summary.kind)) {
        (None, _) => Err(Error::failed(format!(
            "the checkpoint is of a store of kind '{}', which this version does not know",
            printable(summary.kind.as_bytes())
        ))),
        (_, false) => Err(Error::cannot_start(format!(
            "{} is no replica of a {} store: name another folder",
            quoted(&at.disk.told(Some(at.dest))),
            summary.kind
        ))),
        (Some(settled), true) => fill::fill(job, at, &old, (&*checkpoint, settled), watch),
    };
    let removed = checkpoint.discard();
    let filled = match filled {
        Ok(filled) => filled,
        Err(error) => {
            // Whoever is interrupted waits for nobody: the far end removes it by itself.
            if let (Err(other), false) = (removed, watch.stopping()) {
                watch.notice(other.to_string());
            }
            return Err(error);
        }
    };
    for came in filled.files.values() {
        if came.linked { &mut summary.had } else { &mut summary.copied }.add(came.look.length);
    }
    summary.judged = judge::judge(job, at, &summary.kind, &filled, watch)?;
    place::place(job, at, &old, (&summary, filled), watch)?;
    removed.map(|()| summary)
}

/// What has a name, if it is a folder or nothing.
fn folder(at: &At<'_>) -> Result<Option<Look>, Error> {
    let Some(look) = at.disk.look(Some(at.dest)).map_err(Error::at("look at", at.disk, at.dest))? else {
        return Ok(None);
    };
    if look.what == What::Folder {
        return Ok(Some(look));
    }
    let path = quoted(&at.disk.told(Some(at.dest)));
    Err(Error::cannot_start(format!("{path} is no folder: name a new one")))
}
