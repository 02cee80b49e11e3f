//! `Lists::fetch`: brings the lists of an inventory here, several at once, each proven as it arrives.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use highwater_core::digest::lanes::width;
use highwater_core::digest::{Algorithm, Digest, Hasher, update_lanes};
use highwater_core::formats::mirror::names;
use highwater_core::inventory::Kind;
use highwater_core::name::{Name, TEMPORARY};
use highwater_core::render::bytes;

use super::list::List;
use super::{Lists, sort};
use crate::disk::like::Like;
use crate::disk::{self, Disk, Draft, What, Writable};
use crate::error::{Class, Error};
use crate::mirror::inventories::{Inventory, of_s3};
use crate::s3::{self, Ask, Client, Head, Sink};
use crate::watch::Watch;

/// What a list's file is called behind its MD5.
const ENDINGS: [(Kind, &[u8]); 2] = [(Kind::Csv, b".csv.gz"), (Kind::Parquet, b".parquet")];

/// How often a list is fetched whose bytes are not those of its manifest.
const LOOKS: u32 = 2;

/// Reads are of so many bytes when a list that is here is proven.
const PIECE: usize = 64 << 10;

impl<'a> Lists<'a> {
    /// Brings the lists of an inventory into the mirror, `jobs` at once. Those that are here already, and are what the
    /// manifest says, stay; those of other inventories go. The mirror's lock is the caller's.
    ///
    /// # Errors
    /// When a list cannot be had, is not what the manifest says, or has no room; [`Error::Interrupted`].
    pub fn fetch(
        disk: Arc<dyn Disk>,
        inventory: &Inventory,
        client: &Client,
        jobs: usize,
        watch: &'a Watch<'a>,
    ) -> Result<Self, Error> {
        let lists = lists(inventory)?;
        let folder = Name::new(names::LISTS.as_bytes())?;
        make_folders(&*disk)?;
        disk::sweep(&*disk, &sort::beginning()?, watch)?;
        disk::clear(&*disk, Some(&folder), |last| last.ends_with(TEMPORARY.as_bytes()), watch)?;
        discard(&*disk, &folder, |last| lists.iter().any(|list| list.name.last() == last))?;
        let mut ahead = 0;
        for list in &lists {
            let there = disk.look(Some(&list.name)).map_err(Error::at("look at", &*disk, &list.name))?;
            ahead += if there.is_some_and(|there| there.length == list.size) { 0 } else { list.size };
        }
        room(&*disk, ahead)?;
        watch.expect(lists.iter().map(|list| list.size).sum());
        let this = Self { disk, watch, schema: inventory.schema.clone(), lists, sorted: None };
        this.bring(client, jobs)?;
        Ok(this)
    }

    /// Removes all lists, when nothing is planned by them any more.
    ///
    /// # Errors
    /// The operating system's.
    pub fn remove(self) -> Result<(), Error> {
        let Self { disk, sorted, .. } = self;
        drop(sorted);
        discard(&*disk, &Name::new(names::LISTS.as_bytes())?, |_| false)
    }

    /// Brings all; the first error ends it.
    fn bring(&self, client: &Client, jobs: usize) -> Result<(), Error> {
        let lacking = self.lacking()?;
        let (next, failed, first) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(None));
        let work = || {
            while let Some(list) = lacking.get(next.fetch_add(1, Ordering::Relaxed))
                && !failed.load(Ordering::Relaxed)
            {
                if let Err(error) = self.get(list, client, &failed) {
                    failed.store(true, Ordering::Relaxed);
                    // What the others say then is only that they were stopped.
                    first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..jobs.min(lacking.len()) {
                thread::Builder::new().spawn_scoped(scope, work).map_err(Error::no_thread)?;
            }
            work();
            Ok::<_, Error>(())
        })?;
        first.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// The lists that are not here, or are not what the manifest says.
    fn lacking(&self) -> Result<Vec<&List>, Error> {
        let (mut here, mut lacking) = (Vec::new(), Vec::new());
        for list in &self.lists {
            let there = self.disk.look(Some(&list.name)).map_err(Error::at("look at", &*self.disk, &list.name))?;
            match there.is_some_and(|there| there.what == What::File && there.length == list.size) {
                true => here.push(list),
                false => lacking.push(list),
            }
        }
        for some in here.chunks(width(Algorithm::Md5).max(1)) {
            for (list, is_right) in some.iter().zip(self.prove(some)?) {
                if is_right {
                    self.watch.advance(list.size);
                } else {
                    self.watch.note(format!("'{}' is not the list that it was: it is fetched again", list.name));
                    lacking.push(list);
                }
            }
        }
        Ok(lacking)
    }

    /// Whether lists of the right length have their MD5s; side by side, which costs little more than one of them.
    fn prove(&self, lists: &[&List]) -> Result<Vec<bool>, Error> {
        let disk = &*self.disk;
        let open = |list: &&List| disk.open(&list.name).map_err(Error::at("open", disk, &list.name));
        let objects = lists.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let mut hashers: Vec<Hasher> = lists.iter().map(|_| Hasher::new(Algorithm::Md5)).collect();
        let mut pieces: Vec<Vec<u8>> = lists.iter().map(|_| Vec::with_capacity(PIECE)).collect();
        let most = lists.iter().map(|list| list.size).max().unwrap_or(0);
        for at in (0..most).step_by(PIECE) {
            self.watch.go_on()?;
            for ((list, object), piece) in lists.iter().zip(&objects).zip(&mut pieces) {
                let some = list.size.saturating_sub(at).min(PIECE as u64);
                piece.resize(usize::try_from(some).unwrap_or(PIECE), 0);
                object.read_exact_at(at, piece).map_err(Error::at("read", disk, &list.name))?;
            }
            update_lanes(hashers.iter_mut().zip(pieces.iter().map(Vec::as_slice)));
        }
        Ok(hashers.into_iter().zip(lists).map(|(hasher, list)| hasher.finish() == list.md5).collect())
    }

    /// Fetches a list.
    fn get(&self, list: &List, client: &Client, failed: &AtomicBool) -> Result<(), Error> {
        let disk = &*self.disk;
        let io = || Error::at("write", disk, &list.name);
        for look in 1.. {
            let draft = Draft::of(disk, &list.name, TEMPORARY).map_err(io())?;
            let hasher = Hasher::new(Algorithm::Md5);
            let mut taker = Taker { list, file: draft.file(), watch: self.watch, failed, hasher, at: 0, refused: None };
            let got = client.get(&Ask::latest(&list.bucket, list.key.as_bytes()), &mut taker);
            let Taker { hasher, refused, .. } = taker;
            got.map_err(|error| match (refused, error) {
                (_, s3::Error::Sink { .. }) if self.watch.stopping() => Error::Interrupted,
                (Some(why), s3::Error::Sink { at, .. }) => Error::failed(format!("{at}: {why}")),
                (None, s3::Error::Sink { source, .. }) => io()(source),
                (_, error) => of_s3(error, Class::Failed),
            })?;
            let found = hasher.finish();
            if found == list.md5 {
                let like = Like::in_place_of(disk, &list.name).map_err(io())?;
                _ = draft.give(&like).map_err(io())?;
                return draft.publish(&list.name).map_err(io());
            }
            if look == LOOKS {
                return Err(Error::failed(format!(
                    "{list}: the list has the MD5 {found}, and its manifest says {}; take an older inventory",
                    list.md5
                )));
            }
            self.watch.expect(list.size);
        }
        Ok(())
    }
}

/// Takes a list as it arrives.
struct Taker<'a> {
    list: &'a List,
    file: &'a dyn Writable,
    watch: &'a Watch<'a>,
    /// Another list has failed.
    failed: &'a AtomicBool,
    hasher: Hasher,
    at: u64,
    refused: Option<String>,
}

impl Sink for Taker<'_> {
    fn begin(&mut self, head: &Head) -> io::Result<()> {
        if head.length == self.list.size {
            return Ok(());
        }
        let (length, size) = (head.length, self.list.size);
        let why = format!("the list has {length} bytes, and its manifest says {size}; take an older inventory");
        self.refused = Some(why);
        Err(io::ErrorKind::InvalidData.into())
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.failed.load(Ordering::Relaxed) || self.watch.stopping() {
            self.refused = Some("another list cannot be had".to_owned());
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.file.write_at(self.at, bytes)?;
        self.hasher.update(bytes);
        self.at += bytes.len() as u64;
        self.watch.advance(bytes.len() as u64);
        Ok(())
    }
}

/// The lists of a manifest. Two with the same bytes are one: each of its rows says the same twice.
fn lists(inventory: &Inventory) -> Result<Vec<List>, Error> {
    let mut sizes: BTreeMap<&[u8], u64> = BTreeMap::new();
    let mut lists = Vec::new();
    let ending =
        ENDINGS.iter().find(|(kind, _)| *kind == inventory.schema.kind()).map_or(&b""[..], |(_, ending)| ending);
    for file in &inventory.manifest.files {
        let Digest::Md5(sum) = &file.md5 else { continue };
        let (bucket, key) = (inventory.bucket.clone(), file.key.clone());
        let name = [names::LISTS.as_bytes(), b"/", file.md5.to_string().as_bytes(), ending].concat();
        let list = List { bucket, key, name: Name::new(&name)?, size: file.size, md5: file.md5 };
        match sizes.insert(sum, file.size) {
            None => lists.push(list),
            Some(size) if size == file.size => {}
            Some(size) => {
                return Err(Error::cannot_start(format!(
                    "{list}: its manifest says that it has {} bytes, and of another list with the same MD5 that it has \
                     {size}; take an older inventory",
                    file.size
                )));
            }
        }
    }
    Ok(lists)
}

/// Makes the folder of the lists, and the one around it.
fn make_folders(disk: &dyn Disk) -> Result<(), Error> {
    for name in [names::FOLDER, names::LISTS] {
        let name = Name::new(name.as_bytes())?;
        let made = || {
            if disk.look(Some(&name))?.is_some() {
                return Ok(());
            }
            let like = Like::of(&disk.look(name.folder().as_ref())?.ok_or(io::ErrorKind::NotFound)?);
            disk::make_folder(disk, &name, &like)
        };
        made().map_err(Error::at("make the folder", disk, &name))?;
    }
    Ok(())
}

/// Removes lists that are not to stay.
fn discard(disk: &dyn Disk, folder: &Name, stays: impl Fn(&[u8]) -> bool) -> Result<(), Error> {
    let mut found = Vec::new();
    let is_list = |last: &[u8]| {
        let digits = ENDINGS.iter().find_map(|(_, ending)| last.strip_suffix(*ending));
        digits.is_some_and(|digits| Digest::from_hex(Algorithm::Md5, digits).is_some())
    };
    let listed = disk.list(Some(folder), &mut |entry| found.push(entry.name));
    listed.map_err(Error::at("list", disk, folder))?;
    for last in found.iter().map(Name::as_bytes).filter(|last| is_list(last) && !stays(last)) {
        let name = folder.join(last)?;
        disk.remove(&name).map_err(Error::at("remove", disk, &name))?;
    }
    Ok(())
}

/// Sees to it that there is room for the lists.
fn room(disk: &dyn Disk, needed: u64) -> Result<(), Error> {
    let room = disk.room().map_err(Error::of_folder("look for room in", disk, None))?;
    match room {
        Some(room) if room.free < needed && !room.shares => Err(Error::cannot_start(format!(
            "the lists of the inventory need {}, and there is room for {}: make room",
            bytes(needed),
            bytes(room.free)
        ))),
        _ => Ok(()),
    }
}
