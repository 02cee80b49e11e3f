//! `Reader`: a catalogue that comes piece by piece, as what contradicts it.

use std::collections::BTreeSet;

use super::entry::Entry;
use super::table::Table;
use super::unit::Unit;
use super::{EDGE, Odd, begins};
use crate::formats::datastore::names::is_file;
use crate::formats::datastore::pxar::hash;
use crate::name::printable;
use crate::sort;

/// How many tables are remembered that no folder has named yet.
pub(super) const TABLES: usize = 1 << 21;

/// How many names of one folder are held against each other.
pub(super) const NAMES: usize = 1 << 21;

/// A catalogue on its way in.
#[derive(Debug)]
pub struct Reader {
    /// The length of the catalogue, in bytes, and where what is read next begins.
    length: u64,
    at: u64,
    unit: Unit,
    now: Now,
    /// Where tables begin that no folder has named yet.
    tables: BTreeSet<u64>,
    /// Of the table that is being read, the hash of each name, and where its entry begins.
    names: Vec<(u64, u64)>,
    /// Of the last table, whether it has an entry, and where the first one is that is no folder.
    last: (bool, Option<u64>),
}

/// What is being read.
#[derive(Debug, Clone, Copy)]
enum Now {
    Mark,
    Head,
    Entries(Table),
    /// Where the root's table begins.
    Root,
    Over,
    /// Nothing more can be said.
    Lost,
}

impl Reader {
    /// Begins a catalogue of so many bytes.
    #[must_use]
    pub fn new(length: u64) -> Self {
        Self {
            length,
            at: 0,
            unit: Unit::default(),
            now: Now::Mark,
            tables: BTreeSet::new(),
            names: Vec::new(),
            last: (false, None),
        }
    }

    /// How many of the next bytes it does not look at.
    #[must_use]
    pub fn skips(&self) -> u64 {
        if matches!(self.now, Now::Lost) { self.length.saturating_sub(self.at) } else { 0 }
    }

    /// Passes over so many of the next bytes, of which [`Reader::skips`] says that it does not look at them.
    pub fn skip(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes.min(self.skips()));
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// What contradicts the catalogue so that it cannot be followed any further; nothing more comes of it.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(Odd)) -> Result<(), Odd> {
        while !bytes.is_empty() && !matches!(self.now, Now::Lost) {
            let mut unit = std::mem::take(&mut self.unit);
            let left = unit.take(bytes, |bytes| self.take(bytes, each));
            self.unit = unit;
            match left {
                Ok(left) => bytes = left,
                Err(odd) => {
                    self.now = Now::Lost;
                    return Err(odd);
                }
            }
        }
        Ok(())
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// That something is missing.
    pub fn end(&mut self) -> Result<(), Odd> {
        match self.now {
            Now::Over | Now::Lost => Ok(()),
            _ => Err(Odd::record(self.at, "the catalogue ends before the place of its root")),
        }
    }

    /// Where the tables end.
    fn limit(&self) -> u64 {
        self.length.saturating_sub(EDGE)
    }

    /// Takes what begins here; says how many bytes it has, or that it needs more of them.
    fn take(&mut self, bytes: &[u8], each: &mut dyn FnMut(Odd)) -> Result<Option<usize>, Odd> {
        let at = self.at;
        let record = |what: String| Odd::record(at, what);
        let used = match self.now {
            Now::Mark => {
                let Some(mark) = bytes.first_chunk() else { return Ok(None) };
                begins(*mark, self.length)?;
                self.now = Now::Head;
                mark.len()
            }
            Now::Head => {
                let Some((table, used)) = Table::read(bytes, at, self.limit()).map_err(record)? else {
                    return Ok(None);
                };
                self.last = (table.left > 0, None);
                self.now = Now::Entries(table);
                used
            }
            Now::Entries(table) => {
                let room = table.end.saturating_sub(at);
                let bytes = bytes.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(bytes);
                let Some((entry, used)) = Entry::read(bytes).map_err(record)? else {
                    let is_all = bytes.len() as u64 == room;
                    return if is_all { Err(record("an entry goes on behind its table".to_owned())) } else { Ok(None) };
                };
                self.entry(table, entry, each)?;
                used
            }
            Now::Root => {
                let Some(place) = bytes.first_chunk() else { return Ok(None) };
                self.root(u64::from_le_bytes(*place))?;
                self.now = Now::Over;
                place.len()
            }
            Now::Over => return Err(record("something follows the place of its root".to_owned())),
            Now::Lost => return Ok(Some(bytes.len())),
        };
        self.at = at.saturating_add(used as u64);
        self.turn(each)?;
        Ok(Some(used))
    }

    /// Takes an entry of a table.
    fn entry(&mut self, table: Table, entry: Entry<'_>, each: &mut dyn FnMut(Odd)) -> Result<(), Odd> {
        let Entry { name, back, .. } = entry;
        let at = self.at;
        if !is_file(name) {
            each(Odd::record(at, format!("'{}' is no name of a file", printable(name))));
        }
        match back {
            Some(back) => {
                let child = table.at.checked_sub(back).filter(|child| self.tables.remove(child));
                if child.is_none() {
                    let shown = printable(name);
                    let what = format!(
                        "the table of the folder '{shown}' is said to begin {back} bytes before byte {}, where none \
                         begins that is left for it",
                        table.at
                    );
                    return Err(Odd::record(at, what));
                }
            }
            None if self.last.1.is_none() => self.last.1 = Some(at),
            None => {}
        }
        if self.names.len() < NAMES {
            self.names.push((hash(name), at));
        } else if self.names.len() == NAMES {
            // One more, which tells that this was said.
            self.names.push((0, u64::MAX));
            let what = format!("the folder has more than {NAMES} entries, and the names of no more are compared");
            each(Odd::unlooked(at, what));
        }
        self.now = Now::Entries(Table { left: table.left.saturating_sub(1), ..table });
        Ok(())
    }

    /// Goes on behind a table, once all its entries were read; and to the place of the root behind the last.
    fn turn(&mut self, each: &mut dyn FnMut(Odd)) -> Result<(), Odd> {
        if let Now::Entries(table) = self.now
            && table.left == 0
        {
            let more = table.end.saturating_sub(self.at);
            if more > 0 {
                let what = format!("{more} bytes are in the table of a folder behind its last entry");
                return Err(Odd::record(self.at, what));
            }
            self.names.truncate(NAMES);
            sort::values(&mut self.names);
            let twice = self.names.iter().zip(self.names.iter().skip(1)).find(|(one, other)| one.0 == other.0);
            if let Some((_, (_, at))) = twice {
                each(Odd::record(*at, "an entry before it in its folder has the same name"));
            }
            self.names.clear();
            self.tables.insert(table.at);
            if self.tables.len() > TABLES {
                let what = format!("more than {TABLES} folders wait for a name, and no more are followed");
                return Err(Odd::unlooked(table.at, what));
            }
            self.now = Now::Head;
        }
        if matches!(self.now, Now::Head) && self.at >= self.limit() {
            self.now = Now::Root;
        }
        Ok(())
    }

    /// Takes the place of the root: of the one table that no folder named.
    fn root(&mut self, place: u64) -> Result<(), Odd> {
        if !self.tables.remove(&place) {
            let what = format!("its root is said to be at byte {place}, where no table begins that is left for it");
            return Err(Odd::record(self.at, what));
        }
        if let Some(first) = self.tables.first() {
            let what = format!("no folder has the table that begins there, which is one of {}", self.tables.len());
            return Err(Odd::record(*first, what));
        }
        // What is named by none that comes before it is the last.
        match self.last {
            (false, _) => Err(Odd::record(place, "its root has no entry, and each archive has one there")),
            (true, Some(at)) => Err(Odd::record(at, "the entries of its root are archives, and this one is no folder")),
            (true, None) => Ok(()),
        }
    }
}
