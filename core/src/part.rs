//! `Part`: what a file or folder of a set is to whoever copies the set, by its name alone.
//!
//! Whoever copies a set while it is written takes the indices first, then what they claim, and publishes the indices
//! last, those of the lowest order first: so what names something never comes before it.

use crate::name::Name;

/// What a file or folder of a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A folder whose entries are looked at one by one.
    Folder,
    /// A file that says what is there, or that goes with such a file: it is copied as it is.
    Index(Index),
    /// Bytes that an index claims: copied when one does, and checked by what it claims. Where such files are said to
    /// grow, each goes on where the one before it ends: they get their names in the order of these, just before the
    /// index.
    Object(Change),
    /// A note that points are being removed: until it is gone, nobody can tell a loss from a removal.
    Removal,
    /// No part of the set: a lock, a work file, something strange; or a folder in which nothing but objects lie.
    Not,
}

/// How a file is published that says what is there.
#[derive(Debug, Clone, Copy)]
pub struct Index {
    /// Lower ones come first, for good.
    pub order: u8,
    /// How it may differ from what had its name before.
    pub change: Change,
    /// The file in its folder without which it is nothing.
    pub needs: Option<&'static str>,
    /// It speaks of all the rest, and is published only when nothing of that is lacking. Only in such sets do files
    /// change their names.
    pub whole: bool,
    /// Reads in it whose set this is: two that say different things are of different sets.
    pub identity: Option<Identity>,
}

/// How a file may differ from what had its name before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Not at all.
    Never,
    /// Something comes after its end.
    Grows,
    /// In any way.
    Any,
}

/// Reads in an index whose set it is of, if it says.
pub type Identity = fn(&[u8]) -> Option<String>;

/// Says what the file of a name is, or the folder if the second is true.
pub type Parts = fn(&Name, bool) -> Part;

impl Index {
    /// One of this order that changes so.
    #[must_use]
    pub const fn of(order: u8, change: Change) -> Self {
        Self { order, change, needs: None, whole: false, identity: None }
    }

    /// The same, which is nothing without the file of this name beside it.
    #[must_use]
    pub const fn needing(self, beside: &'static str) -> Self {
        Self { needs: Some(beside), ..self }
    }

    /// The same, which speaks of all the rest.
    #[must_use]
    pub const fn of_all(self) -> Self {
        Self { whole: true, ..self }
    }
}

/// What a comparison of functions would say depends on the compiler, so they do not count.
impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        let told = |index: &Self| (index.order, index.change, index.needs, index.whole, index.identity.is_some());
        told(self) == told(other)
    }
}

impl Eq for Index {}
