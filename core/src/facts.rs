//! `Facts`: what is always true of a kind of backup, so that hosts need not know the kind itself.

use crate::digest::Algorithm;
use crate::finding::Code;
use crate::name::Name;
use crate::part::Parts;
use crate::report::Depth;

/// What is always true of a kind of backup.
#[derive(Debug)]
pub struct Facts {
    /// The word for `--kind` and for reports.
    pub name: &'static str,
    /// What its root looks like, in half a sentence for whoever named something else; empty where another kind says it.
    pub looks: &'static str,
    /// What the page says of it to whoever knows no kind by name; none where another kind says it.
    pub hint: Option<Hint>,
    /// What a writer locks.
    pub lock: Lock,
    /// Where objects lie that are named after their digests, if some are.
    pub pool: Option<Pool>,
    /// What its files are to whoever copies a set; none where a copy is a matter of its own, as of a live store.
    pub parts: Option<Parts>,
    /// What a restore of a point makes.
    pub shape: Shape,
    /// From which depth on trails are followed: what records inside must agree on, or checksums that lie inside.
    pub trails: Depth,
    /// Its program may change it while it is looked at: it is looked at again until two looks agree.
    pub moves: bool,
    /// Whether names of its objects have colons. Not every host shows such names.
    pub colons: bool,
    /// What to do about a finding in this kind of set, in a sentence; none where [`Code::advice`] fits.
    pub advice: fn(Code) -> Option<&'static str>,
    /// What else is true of a finding in this kind of set, in a sentence or two for the page that explains it.
    pub notes: fn(Code) -> Option<&'static str>,
    /// What a digest of this kind proves of the bytes that give it, in a few words; none where all digests prove the
    /// same.
    pub proves: fn(Algorithm) -> Option<&'static str>,
}

impl Facts {
    /// What to do about a finding in this kind of set.
    #[must_use]
    pub fn advice(&self, code: Code) -> &'static str {
        (self.advice)(code).unwrap_or(code.advice())
    }
}

/// Where objects lie that are named after their digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// The folder in a root whose folders hold them.
    pub folder: &'static str,
    /// What the name of an object ends with, behind a digit, once `sets_aside` found it bad.
    pub aside: &'static str,
    /// Who sets objects aside, as the subject of a sentence.
    pub sets_aside: &'static str,
}

impl Pool {
    /// Whether an object lies in it.
    #[must_use]
    pub fn holds(&self, object: &Name) -> bool {
        object.as_bytes().strip_prefix(self.folder.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
    }

    /// The names of an object that was set aside: the first of these that was free.
    pub fn asides(&self, object: &Name) -> impl Iterator<Item = Name> {
        let name = |number: u8| Name::new(&[object.as_bytes(), &[b'.', b'0' + number], self.aside.as_bytes()].concat());
        (0..10).filter_map(move |number| name(number).ok())
    }
}

/// What the page says of a kind of backup.
#[derive(Debug, Clone, Copy)]
pub struct Hint {
    /// What such backups are called, several of them.
    pub several: &'static str,
    /// By what the folder to drop is known, as in "for repozo the .dat files".
    pub index: &'static str,
    /// What a check of one does not show, in a sentence; empty where nothing is to be said.
    pub caveat: &'static str,
}

/// What a restore of a point makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One file that only grows: each point of a group goes on where the one before it ended, so an older file is
    /// brought further.
    Append,
    /// One file as a whole. A part of it is worth something where the rest is lost.
    Image,
    /// Many files below a folder.
    Tree,
    /// Nothing: the set is what it stands for, and is used as it lies.
    Nothing,
}

/// What a writer locks in a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// A file of this name: one writer at a time.
    Alone(&'static str),
    /// A file of this name, which writers hold together, and whoever removes objects holds alone.
    Together(&'static str),
}

impl Lock {
    /// The file's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Alone(name) | Self::Together(name) => name,
        }
    }
}
