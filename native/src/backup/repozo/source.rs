//! `Source`: the `Data.fs` being backed up, held open from the first look to the last byte.
//!
//! A server may append to it and may pack it (replace it by another file) meanwhile. The open file stays
//! the same one, its size is taken once, and only complete transactions below that size count.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use highwater_core::filestorage::{self, Indexer, Magic, OidIndex, Sink, Walk, last_tid};
use highwater_core::name::Name;

use super::BackupOptions;
use super::damage::Damage;
use super::state::State;
use crate::disk::Disk;
use crate::drive::buffer;
use crate::error::Error;
use crate::filestorage::hop;
use crate::shown::quoted;
use crate::store::{Object, Place};
use crate::watch::Watch;

/// Entries of a saved index that a quick run looks at: some milliseconds' worth.
pub(crate) const QUICK_ENTRIES: u64 = 4 * 1024;

/// How often the end of a pack is waited for, and how long each time: ten seconds in all.
const LOOKS: u32 = 500;
const LOOK: Duration = Duration::from_millis(20);

/// Opens the source, also while a pack is putting its new file in the place of the old one: between its two renames,
/// the source has no name, and what it will be is called `NAME.pack`.
///
/// # Errors
/// It is not there, or cannot be opened.
pub(crate) fn open(place: &Place, watch: &Watch<'_>) -> Result<Box<dyn Object>, Error> {
    let Place { root, name } = place;
    let packed = Name::new(&[name.as_bytes(), b".pack"].concat())?;
    let packing = || root.length(&packed).is_ok();
    for look in 0..LOOKS {
        match root.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && packing() => {
                if look == 0 {
                    watch.note("the source is being replaced by a pack: waiting for its end");
                }
            }
            // The pack may have ended between the two looks.
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            opened => return opened.map_err(|error| cannot(place, &error)),
        }
        watch.go_on()?;
        thread::sleep(LOOK);
    }
    root.open(name).map_err(|error| cannot(place, &error))
}

fn cannot(place: &Place, error: &io::Error) -> Error {
    Error::cannot_start(format!("cannot open the source {}: {error}", quoted(&place.told())))
}

/// An open `Data.fs`.
pub(super) struct Source {
    place: Place,
    pub(super) object: Box<dyn Object>,
    /// Its size when it was opened, in bytes.
    pub(super) size: u64,
    identity: (u64, u64),
    tail: Option<[u8; 8]>,
}

impl Source {
    /// Opens the file and looks at its first bytes.
    pub(super) fn open(place: &Place, watch: &Watch<'_>) -> Result<Self, Error> {
        let cannot = |error: io::Error| cannot(place, &error);
        let object = open(place, watch)?;
        let size = object.length().map_err(cannot)?;
        let identity = object.identity().map_err(cannot)?;
        let mut magic = [0u8; 4];
        let known =
            size >= 4 && object.read_exact_at(0, &mut magic).map(|()| Magic::parse(magic).is_some()).map_err(cannot)?;
        if !known {
            let what = format!(
                "the source {} is no FileStorage: it does not begin with FS30 or FS21 at byte 0; nothing was backed up",
                quoted(&place.told())
            );
            return Err(Error::Refused { class: crate::error::Class::Damage, what });
        }
        let mut tail = [0u8; 8];
        let tail = (size >= 8 && object.read_exact_at(size - 8, &mut tail).is_ok()).then_some(tail);
        Ok(Self { place: place.clone(), object, size, identity, tail })
    }

    /// What people call it.
    pub(super) fn told(&self) -> PathBuf {
        self.place.told()
    }

    /// It could not be read.
    pub(super) fn unread(&self, error: io::Error) -> Error {
        Error::io("read", &self.told())(error)
    }

    /// A walk from `start` to the size the file had when it was opened.
    pub(super) fn walk(&self, start: u64) -> Walk {
        let last = last_tid(start, |at, out| self.object.read_exact_at(at, out).ok());
        Walk::new(start, self.size).with_tail(self.tail).with_last_tid(last.unwrap_or(0))
    }

    /// A walk from `start` to the end of the last complete transaction, by hopping from header to header.
    pub(super) fn hop_from(&self, start: u64) -> Result<Walk, Error> {
        self.hop_to(self.walk(start))
    }

    /// The OID index as of `base`, a transaction boundary that the repository reaches: with `quick` the repository's
    /// own newest one if it fits where it is looked at, else what the records before `base` give. What the records do
    /// not give is damage.
    pub(super) fn index_at(
        &self,
        disk: &dyn Disk,
        job: &BackupOptions,
        state: &State,
        base: u64,
        watch: &Watch<'_>,
    ) -> Result<Result<OidIndex, Damage>, Error> {
        if job.quick {
            let stem = state.newest.as_ref().and_then(|newest| newest.links.last()).map(|link| link.stem.as_str());
            let saved = stem.and_then(|stem| Name::new(format!("{stem}.index").as_bytes()).ok());
            if let Some(index) = saved.and_then(|name| self.saved_index(disk, &name, base)) {
                return Ok(Ok(index));
            }
            watch.note("scanning the source: the repository has no usable index to start from");
        }
        self.index_on(OidIndex::new(), 0..base)
    }

    /// The OID index as of the end of a range of whole transactions, given the one as of its start; where the range
    /// does not end with a whole transaction, the damage.
    pub(super) fn index_on(&self, base: OidIndex, range: Range<u64>) -> Result<Result<OidIndex, Damage>, Error> {
        let mut indexer = Indexer::new(base);
        let mut walk = Walk::new(range.start, range.end);
        self.hop_on(&mut walk, &mut indexer)?;
        if walk.end() != range.end {
            return Ok(Err(Damage::before(&walk, range.end)));
        }
        Ok(Ok(indexer
            .finish()
            .map_err(|error| Error::damage(format!("the source {}: {error}", quoted(&self.told()))))?))
    }

    /// A saved index, if it is of `base` and agrees with the source at some of its entries.
    fn saved_index(&self, disk: &dyn Disk, name: &Name, base: u64) -> Option<OidIndex> {
        let object = disk.open(name).ok()?;
        let mut bytes = Vec::new();
        object
            .for_each_piece(0, u64::MAX, &mut buffer(), |piece| {
                bytes.extend_from_slice(piece);
                // Eight bytes an object and some overhead: more than the source can hold is no index of it.
                bytes.len() as u64 <= base
            })
            .ok()?;
        let (pos, index) = filestorage::decode_whole(&bytes).ok()?;
        let read_at = |at: u64, out: &mut [u8]| self.object.read_exact_at(at, out).ok();
        let sane = pos == base && filestorage::sane(&index, pos, read_at).is_ok();
        (sane && filestorage::leads_to_records(&index, pos, QUICK_ENTRIES, read_at).is_ok()).then_some(index)
    }

    /// Takes a walk to its end, whatever that is.
    pub(super) fn hop_to(&self, mut walk: Walk) -> Result<Walk, Error> {
        self.hop_on(&mut walk, &mut ())?;
        Ok(walk)
    }

    fn hop_on(&self, walk: &mut Walk, sink: &mut impl Sink) -> Result<(), Error> {
        hop(&*self.object, walk, sink).map_err(|error| self.unread(error))
    }

    /// Tells the user when the path leads to another file by now.
    pub(super) fn still_there(&self, watch: &Watch<'_>) {
        let now = self.place.root.open(&self.place.name).and_then(|file| file.identity());
        if now.is_ok_and(|now| now != self.identity) {
            watch.notice(format!(
                "the source {} was replaced (packed) meanwhile; the backup holds what it was before",
                quoted(&self.told())
            ));
        }
    }
}
