//! `Zodb`: a ZODB database and its blobs, of which a point is one transaction's state.
//!
//! ```text
//! STORE/filestorage/Data.fs   the records, of which some stand for blobs   (or STORE/Data.fs)
//! STORE/blobstorage/.layout   bushy or lawn                                (or STORE/blobs)
//! STORE/blobstorage/…         a file for each blob and transaction, which nobody writes again
//! ```
//!
//! What names comes first, what is named second. `Data.fs` is backed up, to the end of its last finished transaction,
//! into a repozo repository in the set: a point of that is what the point of the set names. Its records up to there
//! tell which blobs there are (`records`); these are the files of the point. Where the newest point of the set has a
//! state that this one grew from, its blobs are taken from its list, and only what was added is read (`known`). A blob
//! is put in its place before its transaction is finished (`storeBlob` and `tpc_finish` in ZODB 6.4), so all of them
//! are there; those of later transactions, and those that no record names, are left out.
//!
//! A pack makes a new `Data.fs`, renames it, and only then removes blobs (`FileStorage.pack`). So a blob that is
//! missing while `Data.fs` is still the file that was read is lost; otherwise all of it is begun again with the new
//! file. Neither lock nor stop is needed: whoever reads `Data.fs` only up to a finished transaction sees what is final.

mod known;
mod records;

use std::io;
use std::sync::Arc;

use highwater_core::filestorage::{BLOB_LAYOUT, BlobLayout, Magic, id, last_tid};
use highwater_core::formats::repozo::Repozo;
use highwater_core::formats::tree::Within;
use highwater_core::inspect::Format;
use highwater_core::marks::DISTANCE;
use highwater_core::name::Name;
use highwater_core::render::thousands;

use self::known::{Known, Places};
use super::{Changes, Elsewhere, Frozen, Lack, Listed, Set, Source};
use crate::backup::repozo::{self, BackupOptions, BackupSummary};
use crate::disk::like::Like;
use crate::disk::{Disk, What, make_folder};
use crate::error::Error;
use crate::shown::quoted;
use crate::store::{Identity, Object, Place};
use crate::watch::Watch;

/// Where a `Data.fs` lies as a rule: as Plone has it, and plain.
const DATA: [&str; 2] = ["filestorage/Data.fs", "Data.fs"];

/// Where its blobs lie as a rule.
const BLOBS: [&str; 2] = ["blobstorage", "blobs"];

/// The folder in a set that keeps the states of `Data.fs`.
const REPOSITORY: &str = "repozo";

/// What every blob is known by beside its name. The name says object and transaction: no other transaction gets that
/// id, and what a finished one wrote is not written again. A pack may give all blobs second names (`pack_keep_old`),
/// which changes the times of their inodes and not their bytes.
const COMMITTED: &str = "committed";

/// How often it is begun again because a pack came between.
const TRIES: u32 = 5;

/// So many blobs that are lost are told one by one.
const TOLD: usize = 1000;

/// What to take, and how to keep `Data.fs`.
#[derive(Debug, Clone, Default)]
pub struct ZodbOptions {
    /// Where `Data.fs` lies below the store; where it lies as a rule if none is named.
    pub data: Option<Name>,
    /// Where the folder of the blobs lies; likewise.
    pub blobs: Option<Name>,
    /// Keep all of `Data.fs` anew.
    pub full: bool,
    /// Trust the last line of the repository's index and the sizes of its files.
    pub quick: bool,
    /// Compress what is kept of `Data.fs`, at this zlib level.
    pub gzip: Option<u32>,
    /// `Data.fs` may be another one than before, or an older state of it.
    pub other_source: bool,
}

/// A database and its blobs.
pub struct Zodb {
    root: Arc<dyn Disk>,
    data: Name,
    blobs: Name,
    options: ZodbOptions,
    /// The `Data.fs` that was read. As long as it is open, no other file has its identity.
    held: Option<(Box<dyn Object>, Identity)>,
}

/// What was kept of `Data.fs`.
struct Kept {
    /// The point of the repository; of a dry run, none.
    point: String,
    /// How long `Data.fs` is in it, in bytes.
    end: u64,
    /// The points that it grew from, and how long each is.
    chain: Vec<(String, u64)>,
}

impl Zodb {
    /// The database in a folder; none if the folder does not look like one, unless it must be.
    ///
    /// # Errors
    /// What was named is not there, or cannot be looked at.
    pub fn find(root: Arc<dyn Disk>, options: ZodbOptions, must_be: bool) -> Result<Option<Self>, Error> {
        let is_named = must_be || options.data.is_some() || options.blobs.is_some();
        let data = usual(options.data.as_ref(), &DATA, |name| is_data(&*root, name))?;
        let blobs = usual(options.blobs.as_ref(), &BLOBS, |name| is_blobs(&*root, name, options.blobs.is_some()))?;
        let place = quoted(&root.told(None));
        match (data, blobs) {
            (Some(data), Some(blobs)) => Ok(Some(Self { root, data, blobs, options, held: None })),
            _ if !is_named => Ok(None),
            (None, _) => Err(Error::cannot_start(format!(
                "{place} has no {} that begins as a FileStorage does (FS30 or FS21)",
                wanted(options.data.as_ref(), &DATA)
            ))),
            (_, None) => Err(Error::cannot_start(format!(
                "{place} has no folder of blobs {}",
                wanted(options.blobs.as_ref(), &BLOBS)
            ))),
        }
    }

    /// Which file `Data.fs` is now; none while a pack renames it.
    fn identity(&self) -> Result<Option<Identity>, Error> {
        let look = self.root.look(Some(&self.data)).map_err(Error::at("look at", &*self.root, &self.data))?;
        Ok(look.map(|look| look.identity))
    }

    /// Backs `Data.fs` up into the repository in the set, and holds the file that was read.
    fn keep_data(&mut self, set: &Set<'_>, repository: &Name, watch: &Watch<'_>) -> Result<Kept, Error> {
        let place = Place { root: Arc::clone(&self.root) as Arc<dyn crate::store::Store>, name: self.data.clone() };
        for _ in 0..TRIES {
            let object = repozo::open(&place, watch)?;
            let identity = object.identity().map_err(Error::at("look at", &*self.root, &self.data))?;
            self.held = Some((object, identity));
            let kept = self.back_up(&place, set, repository, watch)?;
            // The repository was made of the file of this name: it is the one that is held if that had it all the time.
            if self.identity()? == Some(identity) {
                return Ok(kept);
            }
            watch.note("a pack came between: beginning again with its new file");
        }
        Err(Error::failed(format!(
            "{} was packed each of {TRIES} times while it was read; run again when no pack runs; no point was made",
            quoted(&place.told())
        )))
    }

    fn back_up(&self, place: &Place, set: &Set<'_>, repository: &Name, watch: &Watch<'_>) -> Result<Kept, Error> {
        let look = |name| set.disk.look(name).map_err(Error::of_folder("look at", set.disk, name));
        if look(Some(repository))?.is_none() {
            if set.dry_run {
                return Ok(Kept { point: String::new(), end: self.end()?, chain: Vec::new() });
            }
            let around = look(None)?.ok_or_else(|| Error::failed("the set is gone"))?;
            make_folder(set.disk, repository, &Like::of(&around)).map_err(Error::at(
                "make the folder",
                set.disk,
                repository,
            ))?;
        }
        let inside = set.disk.beneath(repository).map_err(Error::at("open the folder", set.disk, repository))?;
        // The point of the repository is called as that of the set, unless it has that already: a pack came between.
        let newest = repozo::newest_chain(&*inside)?.pop();
        let is_later = newest.is_none_or(|(point, _)| *point < *set.stamp);
        let job = BackupOptions {
            full: self.options.full,
            quick: self.options.quick,
            gzip: self.options.gzip,
            kill_old: false,
            damaged_source: false,
            other_source: self.options.other_source,
            dry_run: set.dry_run,
            now: is_later.then(|| set.stamp.to_owned()),
            marks: DISTANCE,
            sums: false,
        };
        let end = match repozo::backup(&job, place, &*inside, watch)? {
            BackupSummary::Nothing(end) => end,
            BackupSummary::Made(made) => made.end,
        };
        if set.dry_run {
            return Ok(Kept { point: String::new(), end, chain: Vec::new() });
        }
        let chain = repozo::newest_chain(&*inside)?;
        match chain.last() {
            Some((point, there)) if *there == end => Ok(Kept { point: point.clone(), end, chain }),
            Some(_) => Err(Error::failed(format!(
                "another program writes to {}; no point was made",
                quoted(&inside.told(None))
            ))),
            None => Err(Error::cannot_start(format!("{} holds no transaction yet", quoted(&place.told())))),
        }
    }

    /// Where the finished transactions of the file that is held end.
    fn end(&self) -> Result<u64, Error> {
        records::end(self.object()?).map_err(Error::at("read", &*self.root, &self.data))
    }

    fn object(&self) -> Result<&dyn Object, Error> {
        self.held.as_ref().map(|(object, _)| &**object).ok_or_else(|| Error::failed("Data.fs is not open"))
    }

    /// How the folder of the blobs is laid out, and the file that says so, if there is one.
    fn layout(&self) -> Result<(BlobLayout, Option<Name>), Error> {
        let name = self.blobs.join(BLOB_LAYOUT.as_bytes())?;
        match self.root.open(&name).and_then(|object| object.read_whole()) {
            Ok(text) => match BlobLayout::parse(&text) {
                Some(layout) => Ok((layout, Some(name))),
                None => Err(Error::cannot_start(format!(
                    "{} names a layout that is not known: only bushy and lawn are",
                    quoted(&self.root.told(Some(&name)))
                ))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((BlobLayout::Lawn, None)),
            Err(error) => Err(Error::at("read", &*self.root, &name)(error)),
        }
    }

    /// A blob that is lost, as a sentence.
    fn lost(&self, blob: &Name) -> String {
        let path = blob.as_bytes().strip_prefix(self.blobs.as_bytes()).unwrap_or_default();
        let path = String::from_utf8_lossy(path).replace("/0x", "/");
        let (oid, tid) = path.trim_end_matches(".blob").rsplit_once('/').unwrap_or_default();
        let number = |digits: &str| id(u64::from_str_radix(&digits.replace('/', ""), 16).unwrap_or_default());
        let (oid, tid) = (number(oid), number(tid));
        format!(
            "'{blob}' is not there, the blob of object {oid} that transaction {tid} wrote, and '{}' names it: the source \
             is damaged",
            self.data
        )
    }
}

impl Source for Zodb {
    fn kind(&self) -> &'static str {
        "zodb"
    }

    fn store(&self) -> &dyn Disk {
        &*self.root
    }

    fn freeze(&mut self, set: &Set<'_>, watch: &Watch<'_>) -> Result<Frozen, Error> {
        let repository = Name::new(REPOSITORY.as_bytes())?;
        let is_first = set.disk.look(Some(&repository)).is_ok_and(|look| look.is_none());
        let (layout, says) = self.layout()?;
        let Kept { point, end, chain } = self.keep_data(set, &repository, watch)?;
        let object = self.object()?;
        let places = Places { data: &self.data, repository: &repository, blobs: &self.blobs, layout };
        let known = Known::newest(set.disk, &places, watch)?.filter(|known| chain.contains(&known.data));
        let (known, start) = known.map_or((Vec::new(), 0), |known| (known.blobs, known.data.1));
        let position =
            last_tid(end, |at, out| object.read_exact_at(at, out).ok()).map(|tid| format!("transaction {}", id(tid)));
        let blobs =
            records::blobs(object, known, start..end, watch).map_err(|error| error.of(&*self.root, &self.data))?;
        watch.note(format!(
            "{} blobs are named up to byte {end}, read from byte {start} on",
            thousands(blobs.len() as u64)
        ));
        let mut names = Vec::with_capacity(blobs.len() + 3);
        for &(oid, tid) in &blobs {
            names.push(self.blobs.join(layout.path(oid, tid).as_bytes())?);
        }
        let tokens = names.iter().map(|name| (name.clone(), COMMITTED.to_owned())).collect();
        names.extend(says);
        names.push(self.blobs.clone());
        names.extend(self.data.folder());
        let within =
            Within { path: self.data.clone(), kind: Repozo.facts().name.to_owned(), folder: repository, point };
        let mut notes = Vec::new();
        if is_first {
            notes.push(format!(
                "the points are of '{}' and of the blobs in '{}' that it names; nothing else in {} is in them",
                self.data,
                self.blobs,
                quoted(&self.root.told(None))
            ));
        }
        Ok(Frozen {
            root: Some(Arc::clone(&self.root)),
            listed: Listed::Those(names),
            elsewhere: vec![Elsewhere { within, length: end }],
            identity: None,
            position,
            notes,
            wrong: Vec::new(),
            token: None,
            changes: Changes::BreakIt,
            tokens,
            is_settled: |name| name.as_bytes().ends_with(b".blob"),
        })
    }

    fn lacks(&mut self, files: &[Name], watch: &Watch<'_>) -> Result<Lack, Error> {
        let read = self.held.as_ref().map(|(_, identity)| *identity);
        if self.identity()? != read {
            watch.note(format!(
                "a pack came between, and '{}' is gone: beginning again",
                files.first().map_or_else(String::new, ToString::to_string)
            ));
            return Ok(Lack::GoneOn);
        }
        let (blobs, others): (Vec<&Name>, Vec<&Name>) =
            files.iter().partition(|name| name.as_bytes().ends_with(b".blob"));
        if let (true, Some(other)) = (blobs.is_empty(), others.first()) {
            return Err(Error::failed(format!("'{other}' is not there; no point was made")));
        }
        let mut lost: Vec<String> = blobs.iter().take(TOLD).map(|blob| self.lost(blob)).collect();
        if let Some(more) = blobs.len().checked_sub(TOLD).filter(|more| *more > 0) {
            lost.push(format!("and {} more blobs are lost", thousands(more as u64)));
        }
        Ok(Lack::Lost(lost))
    }

    fn thaw(&mut self, _watch: &Watch<'_>) -> Result<(), Error> {
        self.held = None;
        Ok(())
    }
}

/// Where something lies: where it is said to, or the first of the usual places where it is.
fn usual(
    named: Option<&Name>,
    places: &[&str],
    is_it: impl Fn(&Name) -> Result<bool, Error>,
) -> Result<Option<Name>, Error> {
    let places = places.iter().map(|place| Name::new(place.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    for name in named.map_or(places, |named| vec![named.clone()]) {
        if is_it(&name)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// What was looked for, for a sentence.
fn wanted(named: Option<&Name>, places: &[&str]) -> String {
    named.map_or_else(|| format!("'{}'", places.join("' or '")), |named| format!("'{named}'"))
}

/// Whether a file begins as a `Data.fs` does, or is about to be put in its place by a pack.
fn is_data(root: &dyn Disk, name: &Name) -> Result<bool, Error> {
    let packed = Name::new(&[name.as_bytes(), b".pack"].concat())?;
    let mut magic = [0; 4];
    match root.open(name) {
        Ok(object) => Ok(object.read_exact_at(0, &mut magic).is_ok() && Magic::parse(magic).is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(root.length(&packed).is_ok()),
        Err(_) => Ok(false),
    }
}

/// Whether a folder holds blobs: it says how it is laid out, or is said to.
fn is_blobs(root: &dyn Disk, name: &Name, is_named: bool) -> Result<bool, Error> {
    let says = name.join(BLOB_LAYOUT.as_bytes())?;
    let is_folder = root.look(Some(name)).is_ok_and(|look| look.is_some_and(|look| look.what == What::Folder));
    Ok(is_folder && (is_named || root.length(&says).is_ok()))
}
