//! What differs between the index that is applied and the tree, and why: no byte of a body is read, and nothing is held
//! of what was looked at.
//!
//! Rows are read in their order, and each is looked at where it should lie. Then files are counted: every version has a
//! place of its own, so where no more files lie in the tree than were found in their places, none is a stray. Where
//! more do, the strays among them are looked for ([`strays`](super::strays)).

use std::collections::{BTreeMap, HashMap};
use std::io;

use highwater_core::digest::{Algorithm, Digest, of};
use highwater_core::foreign::is_foreign;
use highwater_core::formats::mirror::applied::Applied;
use highwater_core::formats::mirror::index::{Row, text};
use highwater_core::formats::mirror::names;
use highwater_core::formats::mirror::wanted::Wanted;
use highwater_core::name::{Name, printable};

use super::area::{FOUND, named};
use super::index::Index;
use super::state::for_each_wanted;
use super::strays::{Walk, strays};
use crate::disk::{Disk, Look, What};
use crate::error::Error;
use crate::watch::Watch;

/// Rows between two looks whether the user wants to stop.
const ROWS: u64 = 1 << 12;

/// What differs, or is to be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The index names it, and nothing lies there.
    Missing,
    /// What lies there is no file.
    NoFile,
    /// The file has another length than the index says.
    Length,
    /// The file has the length, and was changed at another time, to the second.
    Time,
    /// What lies there cannot be looked at.
    Unreadable,
    /// It could not be had.
    Wanted,
    /// It could not be had, and the newest inventory lists it no more.
    Past,
    /// It was not asked for: a filter leaves it out.
    Filtered,
    /// A file that no row names.
    Stray,
    /// A stray of a name that file systems and desktops make for themselves.
    Foreign,
    /// A key that lies under another name.
    Renamed,
    /// A version that the newest inventory lists no more, and that stays.
    Stays,
    /// What lay in the way, and was moved aside.
    Aside,
    /// What was fetched, and has no place yet.
    Staged,
}

/// What a kind of difference is for the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// All is as it should be.
    Nothing,
    /// Something is lacking, or could not be judged.
    Lack,
    /// A file is not what the index says.
    Damage,
}

impl Kind {
    const ALL: [(Self, &'static str, Weight); 14] = [
        (Self::Missing, "missing", Weight::Damage),
        (Self::NoFile, "no-file", Weight::Damage),
        (Self::Length, "length", Weight::Damage),
        (Self::Time, "time", Weight::Lack),
        (Self::Unreadable, "unreadable", Weight::Lack),
        (Self::Wanted, "wanted", Weight::Lack),
        (Self::Past, "past", Weight::Lack),
        (Self::Filtered, "filtered", Weight::Nothing),
        (Self::Stray, "stray", Weight::Nothing),
        (Self::Foreign, "foreign", Weight::Nothing),
        (Self::Renamed, "renamed", Weight::Nothing),
        (Self::Stays, "stays", Weight::Nothing),
        (Self::Aside, "aside", Weight::Nothing),
        (Self::Staged, "staged", Weight::Nothing),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, word, _)| word)
    }

    /// What it is for the mirror.
    #[must_use]
    pub fn weight(self) -> Weight {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or(Weight::Damage, |(.., weight)| *weight)
    }
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub kind: Kind,
    /// Where it lies or should lie; none where nothing can.
    pub place: Option<Name>,
    /// The key, where a row tells.
    pub key: Vec<u8>,
    /// The version; empty where no row tells.
    pub version: Vec<u8>,
    /// How many bytes it has: by its row, or where there is none, by the file system.
    pub bytes: u64,
    /// The evidence, as a clause; empty where the kind says all.
    pub what: String,
}

/// How many there are of a kind, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// How many there are of each kind; none of what there is none of.
    pub counts: BTreeMap<Kind, Count>,
    /// Files that lie in the tree.
    pub files: u64,
    /// Those that are as the index says.
    pub right: u64,
}

impl Differences {
    /// The gravest of all.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.counts.keys().map(|kind| kind.weight()).max().unwrap_or(Weight::Nothing)
    }
}

/// Whoever takes differences, one by one.
pub(super) type Each<'e> = dyn FnMut(&Difference) -> Result<(), Error> + 'e;

/// What counts differences, and hands them on.
pub(super) struct Telling<'a> {
    pub(super) found: Differences,
    pub(super) each: &'a mut Each<'a>,
}

impl Telling<'_> {
    pub(super) fn tell(&mut self, difference: &Difference) -> Result<(), Error> {
        let count = self.found.counts.entry(difference.kind).or_default();
        count.count += 1;
        count.bytes = count.bytes.saturating_add(difference.bytes);
        (self.each)(difference)
    }
}

/// Finds all of them. Nothing is locked: what a sync does meanwhile may be told of.
///
/// # Errors
/// It is no mirror, or its index is damaged or cannot be read; those of `each`; the user.
pub fn differences(disk: &dyn Disk, each: &mut Each<'_>, watch: &Watch<'_>) -> Result<Differences, Error> {
    let mut telling = Telling { found: Differences::default(), each };
    let pointer = super::state::pointer(disk)?;
    if let Some((applied, index)) = &pointer {
        watch.expect(index.tail.totals.rows);
        let reasons = reasons(disk)?;
        let places = rows(disk, (applied, index), &reasons, &mut telling, watch)?;
        let mut walk = Walk { disk, watch, telling: &mut telling };
        let mut files = 0;
        watch.expect(places);
        walk.files(&mut |_, _| {
            files += 1;
            watch.advance(1);
            Ok(())
        })?;
        telling.found.files = files;
        if files > places {
            strays(disk, (applied, index), &mut telling, watch)?;
        }
    }
    hidden(disk, FOUND, Kind::Aside, &mut telling)?;
    hidden(disk, names::STAGE, Kind::Staged, &mut telling)?;
    Ok(telling.found)
}

/// Looks at every row's place; gives how many have something that is no folder.
fn rows(
    disk: &dyn Disk,
    (applied, index): (&Applied, &Index),
    reasons: &HashMap<[u8; 16], String>,
    telling: &mut Telling<'_>,
    watch: &Watch<'_>,
) -> Result<u64, Error> {
    let shown = shown(applied, index)?;
    let newest = index.tail.newest();
    let (mut places, mut count, mut key) = (0, 0_u64, Vec::new());
    index.rows().all(&mut |row| {
        count += 1;
        watch.count(1);
        watch.advance(1);
        if count.is_multiple_of(ROWS) {
            watch.go_on()?;
        }
        if row.marker || row.pruned {
            return Ok(());
        }
        let aside = index.tail.is_aside(row.key);
        let place = row.place(shown, aside);
        if row.wanted {
            let reason = reasons.get(&sum(row.key, row.version, &text(&row.etag)));
            let kind = match reason {
                Some(_) => Kind::Wanted,
                None if row.seen.last != newest => Kind::Past,
                None => Kind::Filtered,
            };
            return telling.tell(&of_row(kind, row, place, reason.cloned().unwrap_or_default()));
        }
        if row.key != key.as_slice() {
            key.clear();
            key.extend_from_slice(row.key);
            let local = names::latest(row.key, aside);
            if local.as_ref().is_none_or(|local| local.as_bytes() != row.key) {
                telling.tell(&Difference { bytes: 0, ..of_row(Kind::Renamed, row, local, String::new()) })?;
            }
        }
        if row.seen.last != newest {
            let last = index.tail.points.get(row.seen.last as usize).map(|point| point.name.as_str());
            let what = format!("listed last by {}", last.unwrap_or_default());
            telling.tell(&of_row(Kind::Stays, row, place.clone(), what))?;
        }
        let Some(place) = place else {
            return telling.tell(&of_row(Kind::Missing, row, None, "no file can be named so".to_owned()));
        };
        let told = match look(disk, &place) {
            Err(error) => Some((Kind::Unreadable, error.to_string())),
            Ok(None) => Some((Kind::Missing, String::new())),
            Ok(Some(look)) => {
                places += u64::from(look.what != What::Folder);
                judge(row, &look)
            }
        };
        match told {
            Some((kind, what)) => telling.tell(&of_row(kind, row, Some(place), what)),
            None => {
                telling.found.right += 1;
                Ok(())
            }
        }
    })?;
    Ok(places)
}

/// What is wrong with what lies in a row's place, if something is.
fn judge(row: &Row<'_>, look: &Look) -> Option<(Kind, String)> {
    if look.what != What::File {
        let what = if look.what == What::Folder { "it is a folder" } else { "it is no file" };
        return Some((Kind::NoFile, what.to_owned()));
    }
    if look.length != row.size {
        return Some((Kind::Length, format!("it has {} bytes, and the index says {}", look.length, row.size)));
    }
    let (found, said) = (look.modified.0, row.modified.0);
    let what = || format!("it was changed {} seconds {}", found.abs_diff(said), side(found > said));
    (found != said).then(|| (Kind::Time, what()))
}

fn side(is_later: bool) -> &'static str {
    if is_later { "after the version was written" } else { "before the version was written" }
}

fn of_row(kind: Kind, row: &Row<'_>, place: Option<Name>, what: String) -> Difference {
    Difference { kind, place, key: row.key.to_vec(), version: row.version.to_vec(), bytes: row.size, what }
}

/// The number of the point that the tree shows.
pub(super) fn shown(applied: &Applied, index: &Index) -> Result<u32, Error> {
    let number = index.tail.number(&applied.point);
    number.ok_or_else(|| Error::damage(format!("the index has no point {}, which the pointer names", applied.point)))
}

/// What has a name; none when nothing has.
pub(super) fn look(disk: &dyn Disk, name: &Name) -> io::Result<Option<Look>> {
    match disk.look(Some(name)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        look => look,
    }
}

/// Why versions could not be had, by their sums.
fn reasons(disk: &dyn Disk) -> Result<HashMap<[u8; 16], String>, Error> {
    let mut reasons = HashMap::new();
    for_each_wanted(disk, &mut |Wanted { why, key, version, etag, message, .. }| {
        let what = format!("{}: {}", why.word(), printable(message.as_bytes()));
        reasons.insert(sum(&key, &version, &etag), what);
    })?;
    Ok(reasons)
}

/// What tells a version from every other.
fn sum(key: &[u8], version: &[u8], etag: &[u8]) -> [u8; 16] {
    let mut bytes = Vec::with_capacity(key.len() + version.len() + etag.len() + 16);
    for part in [key, version, etag] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    match of(Algorithm::Xxh3, &bytes) {
        Digest::Xxh3(sum) => sum,
        other => other.as_bytes().first_chunk().copied().unwrap_or_default(),
    }
}

/// Tells of what lies in a folder of the hidden part.
fn hidden(disk: &dyn Disk, folder: &str, kind: Kind, telling: &mut Telling<'_>) -> Result<(), Error> {
    let folder = named(folder)?;
    let mut failed = Ok(());
    let listed = disk.list(Some(&folder), &mut |entry| {
        let mut tell = || {
            let place = folder.join(entry.name.as_bytes())?;
            let bytes = look(disk, &place).ok().flatten().map_or(0, |look| look.length);
            telling.tell(&Difference {
                kind,
                place: Some(place),
                key: Vec::new(),
                version: Vec::new(),
                bytes,
                what: String::new(),
            })
        };
        if failed.is_ok() && !is_foreign(entry.name.as_bytes()) {
            failed = tell();
        }
    });
    match listed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::at("list", disk, &folder)(error)),
        _ => failed,
    }
}
