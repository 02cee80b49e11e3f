//! Chains: which files of a repository belong together, and whether the lines of an index connect.

use std::collections::BTreeSet;

use super::dat::{BadLine, Line};
use super::names::{DataFile, KILL_OLD, Kind, MARKS, Role};
use crate::codec::Codec;
use crate::digest::Digest;
use crate::finding::Code;
use crate::name::Name;
use crate::sort;

/// The files of a repository, by what they are.
#[derive(Debug, Default)]
pub struct Listing {
    /// Names of data files, sorted as the original sorts them.
    data: BTreeSet<Name>,
    /// Stems of `.dat` files.
    dats: BTreeSet<String>,
    /// Stems of `.index` files.
    indices: BTreeSet<String>,
    /// Data files that marks are of.
    marks: BTreeSet<Name>,
    /// Stems of full backups of which a note says that what is older is being removed.
    removals: BTreeSet<String>,
    /// Stems of which a note says that what no line names is being removed from there on.
    pruned: BTreeSet<String>,
    /// Work files.
    pub temporary: Vec<Name>,
    /// Whatever does not belong here.
    pub strays: Vec<Name>,
}

/// A full backup (or what is left of one) with the increments that sort after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The stem of its first file; empty for increments that no full backup precedes.
    pub stem: String,
    /// It has a `.dat` file.
    pub has_dat: bool,
    /// Its data files that are there, in order.
    pub files: Vec<Name>,
}

impl Listing {
    /// Adds one file.
    pub fn add(&mut self, name: &Name) {
        match Role::of(name) {
            Role::Data(_) => _ = self.data.insert(name.clone()),
            Role::Dat(stem) => _ = self.dats.insert(stem.to_owned()),
            Role::Index(stem) => _ = self.indices.insert(stem.to_owned()),
            Role::Marks(of) => self.marks.extend(Name::new(of.as_bytes())),
            Role::KillOld(stem) => _ = self.removals.insert(stem.to_owned()),
            Role::Pruned(stem) => _ = self.pruned.insert(stem.to_owned()),
            Role::Temporary => self.temporary.push(name.clone()),
            Role::Lock => {}
            Role::Stray => self.strays.push(name.clone()),
        }
    }

    /// Whether the backup of this stem has an OID index.
    #[must_use]
    pub fn has_index(&self, stem: &str) -> bool {
        self.indices.contains(stem)
    }

    /// Where the marks of a data file lie, if they do.
    #[must_use]
    pub fn marks_of(&self, file: &Name) -> Option<Name> {
        self.marks.get(file).and_then(marks_name)
    }

    /// Marks of data files that are not there.
    pub fn lone_marks(&self) -> impl Iterator<Item = Name> {
        self.marks.difference(&self.data).filter_map(marks_name)
    }

    /// Stems of OID indices that belong to no data file.
    pub fn lone_indices(&self) -> impl Iterator<Item = &str> {
        let stems: BTreeSet<&str> = sort::set(self.data_files().map(|data| data.stem));
        self.indices.iter().map(String::as_str).filter(move |stem| !stems.contains(stem))
    }

    /// Whether it shows the same backups: data files, indices and OID indices.
    #[must_use]
    pub fn has_same_backups(&self, other: &Self) -> bool {
        (&self.data, &self.dats, &self.indices) == (&other.data, &other.dats, &other.indices)
    }

    /// Names of the notes that something is being removed.
    pub fn removals(&self) -> impl Iterator<Item = Name> {
        self.removals.iter().filter_map(|stem| Name::new(format!("{stem}{KILL_OLD}").as_bytes()).ok())
    }

    /// The stem of the newest full backup that is there with its index, and with a note that everything older is being
    /// removed.
    #[must_use]
    pub fn removed_before(&self) -> Option<&str> {
        let is_there = |stem: &&String| self.dats.contains(*stem) && self.has_full(stem);
        self.removals.iter().rev().find(is_there).map(String::as_str)
    }

    /// Whether a chain is what an interrupted removal left: one without an index, older than what the note speaks of,
    /// or with a note of its own.
    #[must_use]
    pub fn is_being_removed(&self, chain: &Chain) -> bool {
        let is_older = |newest: &str| chain.stem.as_str() < newest;
        !chain.has_dat && (self.removed_before().is_some_and(is_older) || self.pruned.contains(&chain.stem))
    }

    /// Whether a data file of a chain is what an interrupted removal left, if no line names it.
    #[must_use]
    pub fn is_being_pruned(&self, chain: &Chain, file: &Name) -> bool {
        let stem = DataFile::parse(file.as_bytes()).map_or("", |data| data.stem);
        chain.stem.as_str() <= stem && self.pruned().any(|first| (chain.stem.as_str()..=stem).contains(&first))
    }

    /// Stems of which a note says that what no line names is being removed from there on, in the chain that they lie
    /// in.
    pub fn pruned(&self) -> impl Iterator<Item = &str> {
        self.pruned.iter().map(String::as_str)
    }

    fn has_full(&self, stem: &str) -> bool {
        self.data_files().any(|data| data.stem == stem && data.kind == Kind::Full)
    }

    /// The newest stem of any data file.
    #[must_use]
    pub fn newest(&self) -> Option<&str> {
        self.data_files().last().map(|data| data.stem)
    }

    /// Every chain, oldest first. A full backup or a `.dat` file begins one.
    #[must_use]
    pub fn chains(&self) -> Vec<Chain> {
        let mut chains: Vec<Chain> = Vec::new();
        let mut dats = self.dats.iter().map(String::as_str).peekable();
        let begin = |chains: &mut Vec<Chain>, stem: &str| {
            if chains.last().is_none_or(|last| last.stem != stem) {
                chains.push(Chain { stem: stem.to_owned(), has_dat: self.dats.contains(stem), files: Vec::new() });
            }
        };
        for name in &self.data {
            let Some(data) = DataFile::parse(name.as_bytes()) else { continue };
            while let Some(stem) = dats.next_if(|stem| *stem <= data.stem) {
                begin(&mut chains, stem);
            }
            if data.kind == Kind::Full || chains.is_empty() {
                begin(&mut chains, if data.kind == Kind::Full { data.stem } else { "" });
            }
            if let Some(last) = chains.last_mut() {
                last.files.push(name.clone());
            }
        }
        dats.for_each(|stem| begin(&mut chains, stem));
        chains
    }

    fn data_files(&self) -> impl Iterator<Item = DataFile<'_>> {
        self.data.iter().filter_map(|name| DataFile::parse(name.as_bytes()))
    }
}

/// The name of the marks of a data file.
fn marks_name(file: &Name) -> Option<Name> {
    Name::new(&[file.as_bytes(), MARKS.as_bytes()].concat()).ok()
}

impl Chain {
    /// The name of its index.
    #[must_use]
    pub fn dat(&self) -> String {
        format!("{}.dat", self.stem)
    }

    /// Whether one of its data files that are there has this name.
    #[must_use]
    pub fn holds(&self, file: &Name) -> bool {
        self.files.binary_search(file).is_ok()
    }
}

/// One link of a chain: a line of its index that can be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The data file.
    pub file: Name,
    /// Its stem: the point's name.
    pub stem: String,
    /// How it is stored.
    pub codec: Codec,
    /// Its bytes in `Data.fs`, half-open.
    pub start: u64,
    /// After its last byte.
    pub end: u64,
    /// MD5 of those bytes.
    pub digest: Digest,
}

/// Why a line does not continue its chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The line cannot be understood.
    #[error("{0}")]
    Line(#[from] BadLine),
    /// The line is longer than any line can be.
    #[error("the line is longer than {limit} bytes", limit = crate::split::LONGEST)]
    Long,
    /// The file is no data file, or no increment after the first line.
    #[error("the line names '{0}', which is no file of this chain")]
    Name(String),
    /// The file sorts before the one of the line before.
    #[error("the line names '{0}', which is not newer than the line before")]
    Order(String),
    /// The first line is not the full backup.
    #[error("the first line is not the full backup '{0}' from byte 0")]
    NoFull(String),
    /// Bytes between two lines are covered by neither.
    #[error("the line before ends at byte {expected} of the source, this one begins at {found}: {} bytes are missing", found - expected)]
    Gap {
        /// Where it should begin.
        expected: u64,
        /// Where it begins.
        found: u64,
    },
    /// Bytes are covered by two lines.
    #[error("the line before ends at byte {expected} of the source, this one begins at {found}: {} bytes are there twice", expected - found)]
    Overlap {
        /// Where it should begin.
        expected: u64,
        /// Where it begins.
        found: u64,
    },
}

impl Break {
    /// The code that reports it.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Line(_) | Self::Long | Self::Name(_) | Self::Order(_) => Code::Malformed,
            Self::NoFull(_) => Code::NoBase,
            Self::Gap { .. } => Code::Gap,
            Self::Overlap { .. } => Code::Overlap,
        }
    }
}

/// Follows the lines of one index and says where they do not connect.
#[derive(Debug, Clone)]
pub struct Continuity {
    stem: String,
    /// The stem of the next chain's first file, which no file of this one may reach.
    limit: Option<String>,
    last: Option<(String, u64)>,
}

impl Continuity {
    /// Begins the index of `stem`, whose chain ends before the stem `limit`.
    #[must_use]
    pub fn new(stem: &str, limit: Option<&str>) -> Self {
        Self { stem: stem.to_owned(), limit: limit.map(str::to_owned), last: None }
    }

    /// Takes the next line: the link, if it can be understood and names a point of this chain, and what does not
    /// connect.
    ///
    /// After a break the chain goes on from the new line, so that each break is told once.
    pub fn line(&mut self, text: &[u8], cut: bool) -> (Option<Link>, Option<Break>) {
        if cut {
            return (None, Some(Break::Long));
        }
        let line = match Line::parse(text) {
            Ok(line) => line,
            Err(bad) => return (None, Some(bad.into())),
        };
        let shown = || crate::name::printable(line.file);
        let (Some(data), Ok(file)) = (DataFile::parse(line.file), Name::new(line.file)) else {
            return (None, Some(Break::Name(shown())));
        };
        let link = Link {
            file,
            stem: data.stem.to_owned(),
            codec: data.codec,
            start: line.start,
            end: line.end,
            digest: line.digest,
        };
        let outside = self.limit.as_deref().is_some_and(|limit| data.stem >= limit);
        let fault = match &self.last {
            None if data.kind != Kind::Full || link.start != 0 || link.stem != self.stem => {
                Some(Break::NoFull(self.stem.clone()))
            }
            Some(_) if data.kind != Kind::Delta || outside => return (None, Some(Break::Name(shown()))),
            Some((stem, _)) if link.stem <= *stem => return (None, Some(Break::Order(shown()))),
            Some((_, end)) if link.start > *end => Some(Break::Gap { expected: *end, found: link.start }),
            Some((_, end)) if link.start < *end => Some(Break::Overlap { expected: *end, found: link.start }),
            _ => None,
        };
        self.last = Some((link.stem.clone(), link.end));
        // A point of another chain is what the index of that one says of it.
        let ours = !outside && link.stem >= self.stem;
        (ours.then_some(link), fault)
    }
}
