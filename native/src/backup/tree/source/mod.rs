//! `Source`: what the points of a set are made of: a folder that is frozen while it is read, and its files.
//!
//! ```text
//! freeze   what the store itself takes for one state stays as it is from now on; which files are of it
//! …        the files are read, and become objects
//! thaw     the store goes on; whatever came of the rest
//! ```
//!
//! | file | is |
//! |---|---|
//! | `folder` | any folder, of which nobody knows whether its files fit each other |
//! | `live` | a store that checkpoints are made of |
//! | `dirstorage` | a DirectoryStorage in snapshot mode |
//! | `zodb` | a `Data.fs` and the folder of its blobs |
//! | `exec` | any folder that commands of the operator's make hold still |
//! | `hook` | such commands |
//! | `parent` | what the newest point of the set says |

mod dirstorage;
mod exec;
mod folder;
mod hook;
mod live;
mod parent;
mod zodb;

use std::collections::HashMap;
use std::sync::Arc;

use highwater_core::formats::tree::Within;
use highwater_core::mtree::Entry;
use highwater_core::name::Name;

use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;
pub use dirstorage::DirStorage;
pub use exec::Exec;
pub use folder::Folder;
pub use hook::Hook;
pub use live::Live;
pub(super) use parent::newest;
pub use zodb::{Zodb, ZodbOptions};

/// Something that points are made of.
pub trait Source: Send {
    /// The word for its kind, which each list says.
    fn kind(&self) -> &'static str;

    /// The folder that it lies in, which must not be in the set, nor the set in it.
    fn store(&self) -> &dyn Disk;

    /// Makes it stay as it is, and tells what is in it. `set` is the set, whose lock is held; in a dry run nothing may
    /// be written there.
    ///
    /// # Errors
    /// It cannot be frozen, or is not what it should be; then nothing is left of the attempt.
    fn freeze(&mut self, set: &Set<'_>, watch: &Watch<'_>) -> Result<Frozen, Error>;

    /// What is to be done about files that are of the state and were not found. Is called before [`Source::thaw`].
    ///
    /// # Errors
    /// There can be no point without them.
    fn lacks(&mut self, files: &[Name], _watch: &Watch<'_>) -> Result<Lack, Error> {
        let name = files.first().map(ToString::to_string).unwrap_or_default();
        Err(Error::failed(format!("'{name}' is listed and not there; no point was made")))
    }

    /// Whether it held still until now. Is called when all of it was read, before it is let go of.
    ///
    /// # Errors
    /// It did not: there is no point.
    fn held_still(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Whether its files can still be read when it was let go of. If not, nothing of it is open any more then.
    fn stays(&self) -> bool {
        true
    }

    /// Lets go of it. Is called once after each freeze that came to something, whatever came of the backup, and may be
    /// called before the point is published: only what was read then counts.
    ///
    /// # Errors
    /// It stays frozen: what the operator must do.
    fn thaw(&mut self, _watch: &Watch<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// The set that is written to, for a source that keeps more in it than objects.
pub struct Set<'a> {
    /// Its root.
    pub disk: &'a dyn Disk,
    /// Nothing may be written.
    pub dry_run: bool,
    /// The time of the point that is being made: `YYYY-MM-DD-hh-mm-ss`, UTC.
    pub stamp: &'a str,
}

/// A state of a store.
pub struct Frozen {
    /// Where its files lie now; none any more once they were let go of.
    pub root: Option<Arc<dyn Disk>>,
    /// Which they are.
    pub listed: Listed,
    /// Files of it whose bytes the source has put into the set itself, as a repository of another kind; their names are
    /// below `root`.
    pub elsewhere: Vec<Elsewhere>,
    /// What tells the store from every other of its kind, in its own words: letters, digits and hyphens.
    pub identity: Option<String>,
    /// Up to where it goes, in words of the store: "batch 118200 in journal 11". One line, without ` · `.
    pub position: Option<String>,
    /// What whoever relies on the point should know, a sentence each.
    pub notes: Vec<String>,
    /// What is wrong with the store, or lacking, a sentence each: it is told as what is left out.
    pub wrong: Vec<String>,
    /// What the list is called by whoever made it, for a list of what changed since.
    pub token: Option<String>,
    /// Whether files may change while they are read. If none may, one that does is an error.
    pub changes: Changes,
    /// What the store itself knows its files by: under one name and one token there are the same bytes for ever.
    pub tokens: HashMap<Name, String>,
    /// Files that nobody writes in place, which may be linked into the pool. Asked for every file that is to be linked.
    pub is_settled: fn(&Name) -> bool,
}

/// Which files are of a state.
pub enum Listed {
    /// All that lies below the root.
    All,
    /// These, and the folders that they lie in. Of those that are not there, [`Source::lacks`] tells what is to be
    /// done.
    Those(Vec<Name>),
    /// What a point had, but for what changed since.
    Since {
        /// What it had.
        before: Vec<Entry>,
        /// What is new or changed, as for [`Listed::Those`].
        changed: Vec<Name>,
        /// What is gone, with all that lay in it.
        gone: Vec<Name>,
    },
}

/// A file whose bytes the source has put into the set itself.
pub struct Elsewhere {
    /// The file, and where its bytes lie.
    pub within: Within,
    /// How long it is in this state, in bytes.
    pub length: u64,
}

/// What is to be done about files that are of a state and were not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// The store has gone on from that state: it is frozen anew.
    GoneOn,
    /// They are lost: the point is made without them, and says so, a sentence each.
    Lost(Vec<String>),
}

/// What it means when a file changes while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changes {
    /// Somebody writes: it is read again, and told.
    Happen,
    /// Nothing was frozen, as nothing is kept of it: a dry run.
    Expected,
    /// The freeze did not hold: there is no point.
    BreakIt,
}

/// What an identity of a store is made of; none if it is none.
fn word(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes.trim_ascii()).ok()?;
    let is_word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_word.then(|| text.to_owned())
}
