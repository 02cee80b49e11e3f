//! `Adapter`: what is particular to one kind of store: its head, what that names, and when its logs go on where it
//! ends.

use std::io;
use std::sync::Arc;

use highwater_core::codec::Flow;
use highwater_core::digest::Digest;
use highwater_core::inspect::Entry;
use highwater_core::name::Name;

use super::held::Held;
use super::pins::Pins;
use crate::disk::Disk;
use crate::error::Error;
use crate::store::Object;

/// One kind of store. What it remembers from one call to the next is its own.
pub(super) trait Adapter: Send {
    /// The word for it.
    fn kind(&self) -> &'static str;

    /// Whether a folder with these entries is one.
    fn recognise(&self, entries: &[Entry]) -> bool;

    /// Looks at what is settled for as long as the store is open. Gives what whoever relies on a checkpoint should
    /// know, a sentence each.
    ///
    /// # Errors
    /// It is one that no true copy can be made of: why, and what to do.
    fn look(&mut self, _store: &dyn Disk) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }

    /// Whether an entry of the store's folder is the store's own. What is not is told to whoever makes a checkpoint.
    fn knows(&self, entry: &Entry) -> bool;

    /// What tells the files, by their names in the store, that nobody writes in place once they are named.
    fn settled(&self) -> fn(&Name) -> bool;

    /// What is to be held or pinned as soon as it comes, by its name in the store's folder and in those that this has
    /// watched; none if nothing is.
    fn passing(&self) -> Option<Passing> {
        None
    }

    /// Lists what there is, if that is what is pinned: heads that do not say which files they need. It is asked for
    /// before the heads are read and after it, until nothing goes meanwhile.
    ///
    /// # Errors
    /// The operating system's.
    fn list(&mut self, _store: &dyn Disk) -> Result<Option<Vec<Named>>, Stop> {
        Ok(None)
    }

    /// Reads the heads.
    ///
    /// # Errors
    /// They cannot be read, or contradict each other, as they do while they change.
    fn read(&mut self, store: &dyn Disk, held: &Held) -> Result<Head, Stop>;

    /// Chooses, once everything is pinned that the heads name, the logs to be copied from those that are held, oldest
    /// first.
    ///
    /// # Errors
    /// The logs do not go on where the heads end.
    fn choose(&mut self, _store: &dyn Disk, _held: &Held) -> Result<Vec<u64>, Stop> {
        Ok(Vec::new())
    }

    /// Begins to look for the end of the last whole entry of the log of this place.
    fn scan(&self, _number: u64) -> Box<dyn Scan> {
        Box::new(Everything(0))
    }

    /// Looks, when the logs are copied, whether all of it fits together.
    ///
    /// # Errors
    /// It does not fit.
    fn accept(&mut self, store: &dyn Disk, has: &Caught<'_>) -> Result<Accepted, Stop>;
}

/// What a file is, by its name, that may be gone before anybody looks; none if nobody need look.
pub(super) type Passing = fn(&Name) -> Option<Class>;

/// What may be gone before anybody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// A log, and its place among the logs, oldest first.
    Log(u64),
    /// A head.
    Head,
    /// A file that never changes once a head names it, and whose name no other ever has that a head names.
    File,
}

/// Why a try comes to nothing.
#[derive(Debug)]
pub(super) enum Stop {
    /// The store changed: try again. Why, as a clause.
    Moved(String),
    /// Either the store changed, or it is damaged: it is when the same is seen again. What, as a clause.
    Odd(String),
    /// No other try can help.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// What the heads say.
#[derive(Default)]
pub(super) struct Head {
    /// What they name, which does not change any more.
    pub(super) named: Vec<Named>,
    /// Folders that must be there even if nothing lies in them.
    pub(super) folders: Vec<Name>,
}

/// What a try has caught of the store.
pub(super) struct Caught<'a> {
    /// The logs, open.
    pub(super) held: &'a Held,
    /// Those that were chosen, copied.
    pub(super) logs: &'a [Copied],
    /// The files.
    pub(super) pins: &'a Pins<'a>,
}

/// What a try has come to that came to its end.
pub(super) struct Accepted {
    /// Up to where it goes, in words of the store.
    pub(super) position: String,
    /// The heads, and whatever else is written anew.
    pub(super) files: Files,
}

/// Files that are written anew, by their names.
pub(super) type Files = Vec<(Name, Content)>;

/// What a file is written from.
pub(super) enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The first so many bytes of an open file that is only appended to.
    Prefix(Arc<dyn Object>, u64),
}

/// A file that does not change any more.
#[derive(Debug, Clone)]
pub(super) struct Named {
    /// Where it lies in the store, and in the checkpoint.
    pub(super) name: Name,
    /// Its length, where it is on record.
    pub(super) length: Option<u64>,
    /// Its digest, where that is on record.
    pub(super) digest: Option<Digest>,
}

impl Named {
    /// A file of which nothing is on record.
    pub(super) fn new(name: Name) -> Self {
        Self { name, length: None, digest: None }
    }
}

/// No head that is written anew with each change is longer, in bytes.
const SMALL: u64 = 1 << 20;

/// No head is longer, in bytes.
const LARGE: u64 = 1 << 30;

/// All of a short file; none when it is not there.
pub(super) fn read_small(store: &dyn Disk, name: &Name) -> Result<Option<Vec<u8>>, Error> {
    read(store, name, SMALL)
}

/// All of a file that grows with the number of files that it names; none when it is not there.
pub(super) fn read_whole(store: &dyn Disk, name: &Name) -> Result<Option<Vec<u8>>, Error> {
    read(store, name, LARGE)
}

fn read(store: &dyn Disk, name: &Name, most: u64) -> Result<Option<Vec<u8>>, Error> {
    let object = match store.open(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        object => object.map_err(Error::at("open", store, name))?,
    };
    read_up_to(&*object, store, name, most).map(Some)
}

/// All of an open file, which had this name.
pub(super) fn read_object(object: &dyn Object, store: &dyn Disk, name: &Name) -> Result<Vec<u8>, Error> {
    read_up_to(object, store, name, LARGE)
}

fn read_up_to(object: &dyn Object, store: &dyn Disk, name: &Name, most: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let taken = object.for_each_piece(0, most.saturating_add(1), &mut vec![0; 64 << 10], |piece| {
        bytes.extend_from_slice(piece);
        true
    });
    if taken.map_err(Error::at("read", store, name))? > most {
        return Err(Error::failed(format!("'{name}' has more than {most} bytes, which no such file has")));
    }
    Ok(bytes)
}

/// Looks for the end of a log's last whole entry.
pub(super) trait Scan {
    /// Takes the next bytes. `Break` when nothing that follows can be an entry.
    fn push(&mut self, bytes: &[u8]) -> Flow;

    /// What was found.
    fn end(self: Box<Self>) -> Scanned;
}

/// What is in a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    /// Where its last whole entry ends.
    pub(super) whole: u64,
    /// How many there are.
    pub(super) entries: u64,
    /// The number of the first one, where the store numbers them.
    pub(super) first: Option<u64>,
    /// The number of the last one.
    pub(super) last: Option<u64>,
    /// No number is missing between these.
    pub(super) runs_on: bool,
    /// Behind it stands what the store's program cuts off when it opens it.
    pub(super) torn: bool,
    /// What stands behind it is no torn end: where that is, and what is wrong.
    pub(super) broken: Option<(u64, String)>,
}

/// A log that was copied.
#[derive(Debug, Clone)]
pub(super) struct Copied {
    /// Its place among the logs.
    pub(super) number: u64,
    /// Its name.
    pub(super) name: Name,
    /// What is in the copy.
    pub(super) scanned: Scanned,
}

/// A log whose entries are not looked at.
struct Everything(u64);

impl Scan for Everything {
    fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0 += bytes.len() as u64;
        Flow::Continue(())
    }

    fn end(self: Box<Self>) -> Scanned {
        Scanned { whole: self.0, ..Scanned::default() }
    }
}
