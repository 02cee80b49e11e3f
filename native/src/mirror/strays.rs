//! Files in a mirror's tree that no row names: the tree is walked through, and its files are held in batches against
//! those blocks of the index that can have their keys.

use std::collections::HashSet;
use std::io;

use highwater_core::foreign::is_foreign;
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::names;
use highwater_core::inspect::Entry;
use highwater_core::name::{Name, printable};

use super::differences::{Difference, Kind, Telling, look, shown};
use super::index::Index;
use crate::disk::{Disk, What};
use crate::error::Error;
use crate::watch::Watch;

/// How many names, and how many bytes of them, are held at a time.
const NAMES: usize = 1 << 18;
const BYTES: usize = 32 << 20;

/// Folders in one another up to so many are each open while what is in them is gone through; of deeper ones, the names
/// of their folders are held.
const DEEP: usize = 64;

/// A walk through the tree: all but the hidden part. Links lead nowhere.
pub(super) struct Walk<'w, 't> {
    pub(super) disk: &'w dyn Disk,
    pub(super) watch: &'w Watch<'w>,
    /// Who is told what cannot be listed.
    pub(super) telling: &'w mut Telling<'t>,
}

/// Whoever takes files.
type Each<'e> = dyn FnMut(&mut Telling<'_>, &Name) -> Result<(), Error> + 'e;

impl Walk<'_, '_> {
    /// Hands on whatever is no folder, in no order.
    ///
    /// # Errors
    /// Those of `each`; the user. A folder that cannot be listed is told of.
    pub(super) fn files(&mut self, each: &mut Each<'_>) -> Result<(), Error> {
        self.folder(None, 0, each)
    }

    fn folder(&mut self, folder: Option<&Name>, depth: usize, each: &mut Each<'_>) -> Result<(), Error> {
        self.watch.go_on()?;
        let (mut failed, mut later) = (Ok(()), Vec::new());
        let disk = self.disk;
        let listed = disk.list(folder, &mut |entry| {
            let is_hidden = folder.is_none() && entry.name.as_bytes() == names::FOLDER.as_bytes();
            if failed.is_ok() && !is_hidden {
                failed = self.entry((folder, depth), &entry, &mut later, each);
            }
        });
        failed?;
        for name in later {
            self.folder(Some(&name), depth + 1, each)?;
        }
        match listed {
            // It went while this ran.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => self.telling.tell(&Difference {
                kind: Kind::Unreadable,
                place: folder.cloned(),
                key: Vec::new(),
                version: Vec::new(),
                bytes: 0,
                what: format!("what is in it cannot be listed: {error}"),
            }),
            Ok(()) => Ok(()),
        }
    }

    /// Hands on what is no folder, and goes through what is one, or keeps its name for later.
    fn entry(
        &mut self,
        (folder, depth): (Option<&Name>, usize),
        entry: &Entry,
        later: &mut Vec<Name>,
        each: &mut Each<'_>,
    ) -> Result<(), Error> {
        let name = match folder {
            Some(folder) => folder.join(entry.name.as_bytes())?,
            None => entry.name.clone(),
        };
        let what = if entry.kind.may_be_folder() { look(self.disk, &name).ok().flatten() } else { None };
        if what.is_none_or(|look| look.what != What::Folder) {
            return each(self.telling, &name);
        }
        if depth < DEEP {
            return self.folder(Some(&name), depth + 1, each);
        }
        later.push(name);
        Ok(())
    }
}

/// Tells of every file that no row names.
///
/// # Errors
/// The index is damaged or cannot be read; the user.
pub(super) fn strays(
    disk: &dyn Disk,
    (applied, index): (&Applied, &Index),
    telling: &mut Telling<'_>,
    watch: &Watch<'_>,
) -> Result<(), Error> {
    let shown = shown(applied, index)?;
    let mut batch = Batch::default();
    let mut walk = Walk { disk, watch, telling };
    walk.files(&mut |telling, name| {
        batch.take(name);
        if batch.is_full() { batch.end(disk, (shown, index), telling, watch) } else { Ok(()) }
    })?;
    batch.end(disk, (shown, index), walk.telling, watch)
}

/// Files that are looked for together.
#[derive(Default)]
struct Batch {
    names: HashSet<Name>,
    bytes: usize,
    /// The first and the last of their keys, as far as their names tell them.
    keys: Option<(Vec<u8>, Vec<u8>)>,
    /// The name of one tells no key, though it may have one.
    is_unclear: bool,
}

impl Batch {
    fn take(&mut self, name: &Name) {
        match names::read(name).map(|place| place.key) {
            // It is called as no file of the mirror's is.
            None => {}
            Some(None) => self.is_unclear = true,
            Some(Some(key)) => match &mut self.keys {
                None => self.keys = Some((key.clone(), key)),
                Some((first, _)) if key < *first => *first = key,
                Some((_, last)) if key > *last => *last = key,
                Some(_) => {}
            },
        }
        self.bytes += name.as_bytes().len();
        self.names.insert(name.clone());
    }

    fn is_full(&self) -> bool {
        self.names.len() >= NAMES || self.bytes >= BYTES
    }

    /// Tells of those that no row names, and begins anew.
    fn end(
        &mut self,
        disk: &dyn Disk,
        (shown, index): (u32, &Index),
        telling: &mut Telling<'_>,
        watch: &Watch<'_>,
    ) -> Result<(), Error> {
        let Self { mut names, keys, is_unclear, .. } = std::mem::take(self);
        let (first, last) = match &keys {
            Some((first, last)) if !is_unclear => (first.as_slice(), Some(last.as_slice())),
            _ => (&[][..], None),
        };
        let mut count = 0_u64;
        if keys.is_some() || is_unclear {
            index.rows_from(first).up_to(last, &mut |row| {
                count += 1;
                if count.is_multiple_of(1 << 14) {
                    watch.go_on()?;
                }
                if !row.wanted
                    && let Some(place) = row.place(shown, index.tail.is_aside(row.key))
                {
                    names.remove(&place);
                }
                Ok(())
            })?;
        }
        let mut left: Vec<Name> = names.into_iter().collect();
        left.sort_unstable();
        left.iter().try_for_each(|name| telling.tell(&stray(disk, name)))
    }
}

/// What is known of a stray.
fn stray(disk: &dyn Disk, name: &Name) -> Difference {
    let place = names::read(name);
    let kind = if is_foreign(name.last()) { Kind::Foreign } else { Kind::Stray };
    let what = match place.as_ref().and_then(|place| Some((place.key.as_ref()?, place.old.as_ref()?))) {
        Some((key, _)) => format!("it is called like an older version of '{}' that no row lists", printable(key)),
        None if place.is_some() => "the bucket has no such key, or never had".to_owned(),
        None => "nothing of the mirror's is called so".to_owned(),
    };
    let bytes = look(disk, name).ok().flatten().map_or(0, |look| look.length);
    Difference { kind, place: Some(name.clone()), key: Vec::new(), version: Vec::new(), bytes, what }
}
