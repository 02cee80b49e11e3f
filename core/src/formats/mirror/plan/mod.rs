//! The plan of a sync: what becomes of a mirror when the next inventory is applied, key by key, out of the inventory's
//! rows and those of the index, and nothing else.
//!
//! Both come in the order of keys. Of each key, whatever either of them says is held at once; what is to be done with
//! its files, until no key can follow that lies in the folder of its name ([`Open`](super::open::Open) says why that
//! may be later): a few keys, that begin with one another. Rows of the next index are given at once, in order.
//!
//! | a version | what becomes of it |
//! |---|---|
//! | is listed, and the index has none such | it is fetched |
//! | is listed, and is wanted by the index | it is fetched: tried again |
//! | is the latest, and was not, or was and is not | it is moved: brought back from its older name, or retired to it |
//! | is the latest, and now there are keys in the folder of its name | it is moved aside |
//! | is the latest, and there are keys in the folder of its name no more, as those were pruned | it is moved back |
//! | is listed no more | it stays, as it lies or retired; its row says when it was seen last |
//! | was pruned, and is listed | it stays pruned, unless it is the latest again: then it is fetched |
//! | was pruned, and is listed no more | its row goes |
//!
//! Of rows that both call themselves the latest of a key, the one written last is; if none does, although there are
//! some, too. A version with another ETag than before is another one: that is what becomes of the version `null`.
//!
//! What is too old goes by another plan, for which no inventory is asked: [`Prune`]. Where several machines fetch, a
//! plan is cut into parts ([`part`]), and each says what became of it ([`outcome`]).

mod group;
mod merge;
pub mod outcome;
pub mod part;
mod prune;
mod step;
#[cfg(test)]
mod tests;

pub use merge::{Merge, Out};
pub use prune::{Prune, Pruned};
pub use step::{Step, TITLE, Wish, parse};

use super::index::text;
use super::names;
use crate::inventory::Etag;
use crate::name::Name;

/// Something to be done with files. What it points to is gone with the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    /// A version is to be had.
    Fetch(Fetch<'a>),
    /// A file has another place.
    Move {
        /// Where it lies.
        from: Name,
        /// Where it is to lie.
        to: Name,
        /// Why.
        why: Why,
    },
    /// A file that stays where it lies was written at another time than the index says.
    Touch {
        /// Where it lies when all is done.
        at: Name,
        /// When it was written: seconds since 1970, and nanoseconds.
        modified: (i64, u32),
    },
    /// A file that no row names any more, or a pruned one.
    Remove {
        /// Where it lies.
        at: Name,
        /// Its length in bytes: any other file stays.
        size: u64,
    },
}

/// A version that is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The version.
    pub version: &'a [u8],
    /// The ETag.
    pub etag: Etag<'a>,
    /// Its length in bytes.
    pub size: u64,
    /// When it was written: seconds since 1970, and nanoseconds.
    pub modified: (i64, u32),
    /// Which of the wanted rows of the next index is its, from 0.
    pub number: u64,
    /// It is the latest of its key.
    pub latest: bool,
    /// As such, it lies aside.
    pub aside: bool,
    /// Something of the applied point lies there, or where its folders should be: it is kept elsewhere until that is
    /// moved.
    pub staged: bool,
    /// The index wants it already.
    pub again: bool,
}

impl Fetch<'_> {
    /// Where it is to lie; none if no file can.
    #[must_use]
    pub fn place(&self) -> Option<Name> {
        match self.latest {
            true => names::latest(self.key, self.aside),
            false => names::old(self.key, self.version, &text(&self.etag)),
        }
    }
}

/// Why a file is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is the latest version no more.
    Retired,
    /// It is the latest version again.
    Back,
    /// There are keys in the folder of its name, or none any more.
    Aside,
}

/// How many versions there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows of the inventory that were taken.
    pub listed: u64,
    /// Those that were there twice.
    pub twice: u64,
    /// Keys with more than one latest version, or with none though there are some.
    pub unclear: u64,
    /// Versions to be fetched, and their bytes.
    pub fetched: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions to be fetched that were wanted before.
    pub again: u64,
    /// Files to be moved.
    pub moved: u64,
    /// Versions that the index has and the inventory lists no more.
    pub vanished: u64,
}
