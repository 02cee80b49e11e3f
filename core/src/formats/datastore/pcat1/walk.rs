//! `Walk`: goes through a catalogue from its root, by the places of the tables, and lists what is in it.
//!
//! It asks for what it looks at next, wherever that is: of a catalogue of which one folder is wanted, little is read.
//! Whether the rest contradicts itself, only a [`super::Reader`] sees.

use super::entry::{Entry, Kind};
use super::table::Table;
use super::unit::Unit;
use super::{EDGE, Odd, begins};
use crate::formats::datastore::names::is_file;
use crate::formats::datastore::pxar::LONGEST_PATH;
use crate::name::printable;

/// What a walk hands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// An entry; a folder comes before what is in it.
    Listed(Listed<'a>),
    /// A contradiction behind which the catalogue can still be followed.
    Odd(Odd),
}

/// An entry of a catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Its path, which begins with the name of its archive. Hostile until it is taken as a [name](crate::name::Name).
    pub path: &'a [u8],
    /// Where it begins in the catalogue, in bytes.
    pub at: u64,
    /// What it is.
    pub kind: Kind,
}

/// A catalogue that is being walked through.
#[derive(Debug)]
pub struct Walk {
    length: u64,
    /// Only what lies at this path and below is listed; empty for all.
    within: Vec<u8>,
    now: Now,
    /// Where what is read next begins.
    at: u64,
    unit: Unit,
    /// The folders that lead to it.
    folders: Vec<Folder>,
    path: Vec<u8>,
    /// The bytes of all tables that were come to: each once, these are no more than the catalogue has, so that no
    /// folder that is said to be in many others is listed without end.
    walked: u64,
}

/// What is being read.
#[derive(Debug, Clone, Copy)]
enum Now {
    Mark,
    Root,
    /// The head of a table that ends before this byte.
    Head(u64),
    Entry,
    Over,
}

#[derive(Debug)]
struct Folder {
    table: Table,
    /// Where its next entry begins.
    next: u64,
    /// How long its path is.
    path: usize,
}

impl Walk {
    /// Begins to list a catalogue of so many bytes, or what lies at a path in it and below.
    #[must_use]
    pub fn new(length: u64, within: &[u8]) -> Self {
        Self {
            length,
            within: within.to_vec(),
            now: Now::Mark,
            at: 0,
            unit: Unit::default(),
            folders: Vec::new(),
            path: Vec::new(),
            walked: 0,
        }
    }

    /// Where the bytes are that it looks at next; none when it is over.
    #[must_use]
    pub fn wants(&self) -> Option<u64> {
        if matches!(self.now, Now::Over) { None } else { Some(self.at.saturating_add(self.unit.len() as u64)) }
    }

    /// Takes the bytes from where it wants them on, as many as are at hand; then asks again.
    ///
    /// # Errors
    /// What contradicts the catalogue so that it cannot be followed any further; nothing more comes of it.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        let mut near = true;
        while near && !bytes.is_empty() && !matches!(self.now, Now::Over) {
            let mut unit = std::mem::take(&mut self.unit);
            let taken = unit.take(bytes, |bytes| self.take(bytes, &mut near, each));
            self.unit = unit;
            match taken {
                Ok(left) => bytes = left,
                Err(odd) => {
                    self.now = Now::Over;
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
    pub fn end(&self) -> Result<(), Odd> {
        match self.now {
            Now::Over => Ok(()),
            _ => Err(Odd::record(self.at, "the catalogue ends before what is looked for there")),
        }
    }

    /// Takes what begins here; says how many bytes it has, or that it needs more of them; and whether what comes next
    /// is behind it.
    fn take(&mut self, bytes: &[u8], near: &mut bool, each: &mut dyn FnMut(Event<'_>)) -> Result<Option<usize>, Odd> {
        let at = self.at;
        let limit = self.length.saturating_sub(EDGE);
        let record = |what: String| Odd::record(at, what);
        let used = match self.now {
            Now::Mark => {
                let Some(mark) = bytes.first_chunk() else { return Ok(None) };
                begins(*mark, self.length)?;
                (self.now, self.at) = (Now::Root, limit);
                mark.len()
            }
            Now::Root => {
                let Some(place) = bytes.first_chunk() else { return Ok(None) };
                let root = u64::from_le_bytes(*place);
                if !(EDGE..limit).contains(&root) {
                    return Err(record(format!("its root is said to be at byte {root}, where none can be")));
                }
                (self.now, self.at) = (Now::Head(limit), root);
                place.len()
            }
            Now::Head(limit) => {
                let Some((table, used)) = Table::read(bytes, at, limit).map_err(record)? else { return Ok(None) };
                self.walked = self.walked.saturating_add(table.end.saturating_sub(at));
                if self.walked > self.length.saturating_sub(2 * EDGE) {
                    return Err(record("the tables that its folders lead to are more than there are".to_owned()));
                }
                let next = at.saturating_add(used as u64);
                self.folders.push(Folder { table, next, path: self.path.len() });
                self.on()?;
                used
            }
            Now::Entry => {
                let Some(folder) = self.folders.last_mut() else {
                    self.now = Now::Over;
                    return Ok(Some(bytes.len()));
                };
                let room = folder.table.end.saturating_sub(at);
                let bytes = bytes.get(..usize::try_from(room).unwrap_or(usize::MAX)).unwrap_or(bytes);
                let Some((entry, used)) = Entry::read(bytes).map_err(record)? else {
                    let is_all = bytes.len() as u64 == room;
                    return if is_all { Err(record("an entry goes on behind its table".to_owned())) } else { Ok(None) };
                };
                folder.next = at.saturating_add(used as u64);
                folder.table.left = folder.table.left.saturating_sub(1);
                self.entry(entry, each)?;
                used
            }
            Now::Over => bytes.len(),
        };
        *near = self.at == at.saturating_add(used as u64);
        Ok(Some(used))
    }

    /// Takes an entry of the last folder.
    fn entry(&mut self, entry: Entry<'_>, each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        let (Entry { name, kind, back }, at) = (entry, self.at);
        let Some((path, table)) = self.folders.last().map(|folder| (folder.path, folder.table)) else { return Ok(()) };
        if !is_file(name) {
            each(Event::Odd(Odd::record(at, format!("'{}' is no name of a file", printable(name)))));
        }
        self.path.truncate(path);
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name);
        if self.path.len() > LONGEST_PATH {
            let what = format!("a path has more than {LONGEST_PATH} bytes, and no longer one is followed");
            return Err(Odd::unlooked(at, what));
        }
        let is_in = is_at_or_below(&self.path, &self.within);
        if is_in {
            each(Event::Listed(Listed { path: &self.path, at, kind }));
        }
        match back.filter(|_| is_in || is_at_or_below(&self.within, &self.path)) {
            Some(back) => {
                let child = table.at.checked_sub(back).filter(|child| back > 0 && *child >= EDGE);
                let Some(child) = child else {
                    let shown = printable(name);
                    let what = format!(
                        "the table of the folder '{shown}' is said to begin {back} bytes before byte {}, where none \
                         can be",
                        table.at
                    );
                    return Err(Odd::record(at, what));
                };
                (self.now, self.at) = (Now::Head(table.at), child);
                Ok(())
            }
            None => self.on(),
        }
    }

    /// Goes on to the next entry of the last folder that has one.
    fn on(&mut self) -> Result<(), Odd> {
        while let Some(Folder { table, next, .. }) = self.folders.last() {
            if table.left > 0 {
                (self.now, self.at) = (Now::Entry, *next);
                return Ok(());
            }
            if *next != table.end {
                let what = "bytes are in the table of a folder behind its last entry";
                return Err(Odd::record(*next, what));
            }
            self.folders.pop();
        }
        self.now = Now::Over;
        let tables = self.length.saturating_sub(2 * EDGE);
        if self.within.is_empty() && self.walked < tables {
            let what = format!("its folders have tables of {} bytes, and {tables} are there", self.walked);
            return Err(Odd::record(EDGE, what));
        }
        Ok(())
    }
}

/// Whether a path is `top`, or lies below it; everything lies below none.
fn is_at_or_below(path: &[u8], top: &[u8]) -> bool {
    path.strip_prefix(top).is_some_and(|rest| top.is_empty() || rest.is_empty() || rest.starts_with(b"/"))
}
