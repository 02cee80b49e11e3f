//! `DirStorage`: the stores of Zope's DirectoryStorage, class Full, live or not, read without it.
//!
//! | name | what it is |
//! |---|---|
//! | `config/settings`, `config/identity` | the layout and class of the store ([`settings`]); what replicas know it by |
//! | `A` | the database: a file for each object, each revision of one, each transaction ([`names`]) |
//! | `B` | what was committed while the database held still, to be moved into it |
//! | `journal/working_<transaction>_done` | a transaction that is committed, to be moved into the database |
//! | `journal/working_<transaction>_temp` | one that is not, and may never be: passed over |
//! | `journal/replica.tar` | an increment that a replica received, to be unpacked over the database |
//! | `misc/snapshot` | there while the database holds still and is whole transactions |
//!
//! Facts are those of DirectoryStorage 1.1.21, the last release. All of it is one set, `current`: what is in the
//! database. What is committed and not in it yet belongs to later points, which is said. While the store is not in
//! snapshot mode, a part of such a transaction may be in the database already, so what lies in the journal or in B is
//! not missed in A.
//!
//! These are damage, at any depth:
//! * a number of the database, or what says which revision of an object is current, that is none;
//! * an object, a revision or a transaction that something names and that is not there, unless it is older than the
//!   last pack: transactions lead back to the one before them, and name objects; an object leads to its current
//!   revision, which no pack removes, and each revision to the one before it;
//! * a transaction or revision that is there and that nothing leads to, above all one that is later than the last
//!   transaction;
//! * a head that contradicts the name of its file, or says that what came before came later;
//! * an object that is higher than the highest that was given out.
//!
//! From the depth `size` on, the length of each revision is compared with its head, and from `digest` on its MD5. The
//! storage may be told to work out none (`md5policy`): such revisions and transactions are unverifiable. Transactions
//! are read to their end at every depth, as they are the index of all else.
//!
//! What no sum covers, and nothing can tell the damage of: the pointer of a transaction to the one before it, where
//! both are older than the last pack; a higher `x.oid`, a later `x.packed`, the identity. What the pickles in revisions
//! lead to is not looked at. Files that the engine gives no such name are passed over, those among them that a pack
//! left for delayed deletion.
//!
//! An inspection holds 16 bytes for each revision, 24 for each transaction and 8 for each object; some more for each
//! file that waits outside of a database that does not hold still, and 64 for each folder of the layout `lawn`.

mod advice;
mod back;
mod body;
mod files;
mod found;
mod history;
mod inspect;
mod known;
pub mod names;
mod objects;
pub mod pointer;
pub mod revision;
pub mod settings;
pub(in crate::formats) mod signs;
pub mod transaction;
mod waiting;
mod walk;

pub use crate::odd::Odd;

use crate::facts::{Facts, Hint, Lock, Shape};
use crate::inspect::{Entry, Format, Inspect, Scope};
use crate::point::{NoPoint, Point};
use crate::report::Depth;

/// The format; see the module's page.
#[derive(Debug, Clone, Copy)]
pub struct DirStorage;

/// What the one set is called.
pub const SET: &str = "current";

static FACTS: Facts = Facts {
    name: "dirstorage",
    looks: "a DirectoryStorage holds config, A, journal and misc",
    hint: Some(Hint {
        several: "DirectoryStorage stores",
        index: "for a DirectoryStorage the folders config and A",
        caveat: "",
    }),
    lock: Lock::Alone(names::LOCK),
    pool: None,
    parts: None,
    shape: Shape::Nothing,
    // The MD5 of a revision lies in it.
    trails: Depth::Digest,
    moves: true,
    colons: false,
    advice: advice::advice,
    notes: advice::notes,
    proves: |_| None,
};

impl Format for DirStorage {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn recognise(&self, root: &[Entry]) -> bool {
        signs::recognise(root)
    }

    fn point(&self, text: &str) -> Result<Point, NoPoint> {
        Point::the_only(text, SET)
    }

    fn inspect(&self, scope: &Scope) -> Box<dyn Inspect> {
        Box::new(inspect::Store::new(scope))
    }
}
