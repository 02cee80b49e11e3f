//! `Reader`: an archive that comes piece by piece, as the members of its tree and what contradicts them.

use sha2::{Digest as _, Sha256};

use super::Odd;
use super::item::{HEAD, Head, Item};
use super::member::{Content, Member, MemberKind, Stat};
use super::table::{LINE, Line, Table};
use crate::seen::Seen;

/// The longest path that is followed, in bytes: far more than the 4,096 that a system takes at a time. Each folder in
/// it takes two of them at least, so that this also bounds how deep folders lie.
pub(in crate::formats::datastore) const LONGEST_PATH: usize = 65_536;

/// How many entries of folders that are not over are remembered.
pub(super) const ENTRIES: usize = 1 << 21;

/// How many files are remembered that hard links may lead to.
pub(super) const FILES: u64 = 1 << 22;

/// The types of `st_mode`, and its permissions.
pub(super) const TYPE: u64 = 0o170_000;
pub(super) const PERMISSIONS: u64 = 0o7777;

/// What a reader hands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// An entry; a folder comes before what is in it.
    Member(Member<'a>),
    /// A contradiction behind which the archive can still be followed.
    Odd(Odd),
}

/// An archive on its way in.
#[derive(Debug)]
pub struct Reader {
    /// The length of the archive, in bytes, and how far it was taken.
    length: u64,
    at: u64,
    /// It is the tree of a split archive.
    pub(super) split: bool,
    /// Where the item begins that is being read, and what of it is being gathered.
    pub(super) start: u64,
    unit: Vec<u8>,
    now: Now,
    pub(super) expect: Expect,
    pub(super) folders: Vec<Folder>,
    /// The entries of all of them.
    pub(super) remembered: usize,
    /// The path of the entry that is being read, where it begins, and where its metadata does.
    pub(super) path: Vec<u8>,
    pub(super) begin: u64,
    entry: u64,
    /// Files that a hard link may lead to, and how many there were.
    pub(super) files: Seen,
    pub(super) filed: u64,
    /// Where the last content ends in the payloads of a split archive.
    pub(super) apart: u64,
    /// Entries with attributes, lists or capabilities.
    beside: u64,
}

/// What is being read.
#[derive(Debug)]
enum Now {
    Head,
    Content(Head),
    /// So many bytes of which nobody asks what they are.
    Skip(u64),
    Table(Table),
    /// Nothing more can be said.
    Lost,
}

/// Which items may come next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expect {
    /// The first.
    Edition,
    /// What comes behind the edition.
    Prelude,
    /// The metadata of the root.
    Root,
    /// What has this name.
    Named,
    /// What an entry of this mode has besides, of this rank at least; or what it holds.
    Beside(u64, Stat, u8),
    /// The next entry of a folder, or its table.
    Entries,
    /// Nothing.
    Nothing,
}

/// A folder that is not over.
#[derive(Debug)]
pub(super) struct Folder {
    /// Where its metadata begins.
    at: u64,
    /// How long its path is.
    pub(super) path: usize,
    pub(super) lines: Vec<Line>,
}

impl Reader {
    /// Begins an archive of so many bytes; `split`: the tree of one whose payloads lie elsewhere.
    #[must_use]
    pub fn new(length: u64, split: bool) -> Self {
        Self {
            length,
            at: 0,
            split,
            start: 0,
            unit: Vec::new(),
            now: Now::Head,
            expect: Expect::Edition,
            folders: Vec::new(),
            remembered: 0,
            path: Vec::new(),
            begin: 0,
            entry: 0,
            files: Seen::default(),
            filed: 0,
            // What payloads begin with.
            apart: HEAD as u64,
            beside: 0,
        }
    }

    /// What entries have that no [node](crate::node::Node) has, in a few words.
    #[must_use]
    pub fn left_out(&self) -> Option<String> {
        let what = "extended attributes, access control lists, capabilities or quota projects";
        let entries = if self.beside == 1 { "entry" } else { "entries" };
        (self.beside > 0).then(|| format!("{what} of {} {entries}", self.beside))
    }

    /// How many of the next bytes it does not look at: whoever knows them to be what they should be need not read them.
    #[must_use]
    pub fn skips(&self) -> u64 {
        match self.now {
            Now::Skip(left) => left,
            Now::Lost => self.length.saturating_sub(self.at),
            Now::Head | Now::Content(_) | Now::Table(_) => 0,
        }
    }

    /// Passes over so many of the next bytes, of which [`Reader::skips`] says that it does not look at them.
    pub fn skip(&mut self, bytes: u64) {
        let bytes = bytes.min(self.skips());
        self.at = self.at.saturating_add(bytes);
        if let Now::Skip(left) = &mut self.now {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.now = Now::Head;
            }
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// What contradicts the archive so that it cannot be followed any further; nothing more comes of it.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        while !bytes.is_empty() {
            let need = match &self.now {
                Now::Lost => return Ok(()),
                Now::Skip(left) => {
                    let some = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = bytes.get(some..).unwrap_or_default();
                    self.skip(some as u64);
                    continue;
                }
                Now::Head if matches!(self.expect, Expect::Nothing) => {
                    self.now = Now::Lost;
                    return Err(Odd::record(self.at, "something follows the folder that the archive is of"));
                }
                Now::Head => HEAD,
                // Only what is short is gathered.
                Now::Content(head) => usize::try_from(head.length).unwrap_or(usize::MAX),
                Now::Table(_) => LINE,
            };
            let (some, rest) = bytes.split_at_checked(need.saturating_sub(self.unit.len())).unwrap_or((bytes, &[]));
            self.unit.extend_from_slice(some);
            self.at = self.at.saturating_add(some.len() as u64);
            bytes = rest;
            if self.unit.len() < need {
                return Ok(());
            }
            let unit = std::mem::take(&mut self.unit);
            let taken = self.take(&unit, each);
            // Its memory is used again.
            self.unit = unit;
            self.unit.clear();
            if let Err(odd) = taken {
                self.now = Now::Lost;
                return Err(odd);
            }
        }
        Ok(())
    }

    /// Says that nothing follows.
    ///
    /// # Errors
    /// That the archive is not over.
    pub fn end(&mut self) -> Result<(), Odd> {
        match (&self.now, self.expect) {
            (Now::Lost, _) | (Now::Head, Expect::Nothing) => Ok(()),
            _ => {
                self.now = Now::Lost;
                Err(Odd::record(self.at, "the archive ends before the folder that it is of"))
            }
        }
    }

    fn take(&mut self, unit: &[u8], each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        match std::mem::replace(&mut self.now, Now::Head) {
            Now::Head => {
                self.start = self.at.saturating_sub(HEAD as u64);
                let head = Head::read(unit, self.start, self.length)?;
                self.head(head, each)
            }
            Now::Content(head) => self.content(head, unit, each),
            Now::Table(mut table) => {
                table.take(unit).into_iter().for_each(|odd| each(Event::Odd(odd)));
                if table.is_over() {
                    self.remembered = self.remembered.saturating_sub(table.remembers());
                } else {
                    self.now = Now::Table(table);
                }
                Ok(())
            }
            other @ (Now::Skip(_) | Now::Lost) => {
                self.now = other;
                Ok(())
            }
        }
    }

    /// Takes the first bytes of an item.
    fn head(&mut self, head: Head, each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        let item = head.item;
        match (item, self.expect) {
            (Item::Version, Expect::Edition) => self.now = Now::Content(head),
            (Item::Prelude, Expect::Prelude) => {
                self.expect = Expect::Root;
                self.pass(head.length);
            }
            (Item::Entry | Item::OldEntry, Expect::Edition | Expect::Prelude | Expect::Root) => {
                if self.split && matches!(self.expect, Expect::Edition) {
                    each(Event::Odd(Odd::record(self.start, "the tree of a split archive begins without its edition")));
                }
                (self.begin, self.entry) = (self.start, self.start);
                self.now = Now::Content(head);
            }
            (Item::Entry | Item::OldEntry | Item::Hard, Expect::Named) => {
                self.entry = self.start;
                self.now = Now::Content(head);
            }
            (Item::Name | Item::Goodbye, Expect::Beside(mode, stat, _)) => {
                self.whole(mode, stat, each)?;
                return self.entries(head, each);
            }
            (Item::Name | Item::Goodbye, Expect::Entries) => return self.entries(head, each),
            (_, Expect::Beside(mode, stat, rank)) => {
                if let Some(own) = item.rank() {
                    // Of attributes and lists there may be several.
                    if own < rank || own == rank && own > 2 {
                        return Err(self.unexpected(item));
                    }
                    self.beside = self.beside.saturating_add(u64::from(rank == 0));
                    self.expect = Expect::Beside(mode, stat, own);
                    self.now = Now::Content(head);
                    return Ok(());
                }
                match (item, mode & TYPE) {
                    (Item::Payload, 0o100_000) => self.payload(head, stat, each),
                    (Item::Reference, 0o100_000) | (Item::Link, 0o120_000) | (Item::Device, 0o060_000 | 0o020_000) => {
                        self.now = Now::Content(head);
                    }
                    _ => return Err(self.unexpected(item)),
                }
            }
            _ => return Err(self.unexpected(item)),
        }
        Ok(())
    }

    /// That an item is not one that may stand there.
    fn unexpected(&self, item: Item) -> Odd {
        let wanted = match self.expect {
            Expect::Edition | Expect::Prelude | Expect::Root => "the metadata of its root folder".to_owned(),
            Expect::Named => "the metadata of what has the name before it".to_owned(),
            Expect::Beside(mode, ..) => match mode & TYPE {
                0o100_000 => "the content of a file".to_owned(),
                0o120_000 => "the target of a link".to_owned(),
                0o060_000 | 0o020_000 => "the numbers of a device".to_owned(),
                _ => "the next name, or the table of the folder".to_owned(),
            },
            Expect::Entries | Expect::Nothing => "the next name, or the table of the folder".to_owned(),
        };
        Odd::record(self.start, format!("an item of {item} stands where {wanted} should be"))
    }

    /// Hands on the entry of which all is known.
    pub(super) fn member(&self, kind: MemberKind, stat: Option<Stat>, each: &mut dyn FnMut(Event<'_>)) {
        each(Event::Member(Member { path: &self.path, at: self.begin, kind, stat }));
    }

    /// Another entry begins, or a folder ends: what had nothing but its metadata is whole.
    fn whole(&mut self, mode: u64, stat: Stat, each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        let kind = match mode & TYPE {
            0o040_000 => MemberKind::Folder,
            0o010_000 => MemberKind::Pipe,
            0o140_000 => MemberKind::Socket,
            _ => return Err(Odd::record(self.start, "an entry ends before its content")),
        };
        if kind == MemberKind::Folder {
            self.folders.push(Folder { at: self.entry, path: self.path.len(), lines: Vec::new() });
        }
        self.member(kind, Some(stat), each);
        Ok(())
    }

    /// Takes the head of the next entry of a folder, or of its table.
    fn entries(&mut self, head: Head, each: &mut dyn FnMut(Event<'_>)) -> Result<(), Odd> {
        self.expect = Expect::Entries;
        let Some(folder) = self.folders.last_mut() else { return Err(self.unexpected(head.item)) };
        if let Some(last) = folder.lines.last_mut().filter(|last| last.length == 0) {
            last.length = self.start - last.start;
        }
        if head.item == Item::Name {
            self.now = Now::Content(head);
            return Ok(());
        }
        let Some(folder) = self.folders.pop() else { return Ok(()) };
        self.path.truncate(folder.path);
        let mut table = Table::new(self.start, head.length, folder.at, folder.lines)?;
        table.first().into_iter().for_each(|odd| each(Event::Odd(odd)));
        self.now = Now::Table(table);
        self.expect = if self.folders.is_empty() { Expect::Nothing } else { Expect::Entries };
        Ok(())
    }

    /// Takes the head of a file's content.
    fn payload(&mut self, head: Head, stat: Stat, each: &mut dyn FnMut(Event<'_>)) {
        let content = Content::Here(self.at..self.at.saturating_add(head.length));
        self.file(content, stat, each);
        self.pass(head.length);
    }

    /// Takes a file.
    pub(super) fn file(&mut self, content: Content, stat: Stat, each: &mut dyn FnMut(Event<'_>)) {
        self.filed = self.filed.saturating_add(1);
        if self.filed <= FILES {
            let key = file_key(self.begin, &self.path);
            self.files.insert(key);
            self.files.note(key, 1);
        }
        self.member(MemberKind::File(content), Some(stat), each);
        self.expect = Expect::Entries;
    }

    /// So many bytes are not looked at.
    fn pass(&mut self, bytes: u64) {
        self.now = if bytes == 0 { Now::Head } else { Now::Skip(bytes) };
    }
}

/// What tells a file of an archive from every other: where it begins, and its path.
pub(super) fn file_key(at: u64, path: &[u8]) -> u128 {
    let digest: [u8; 32] = Sha256::new().chain_update(at.to_le_bytes()).chain_update(path).finalize().into();
    u128::from_le_bytes(*digest.first_chunk().unwrap_or(&[0; 16]))
}
