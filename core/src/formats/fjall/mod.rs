//! `Fjall`: the stores of fjall 3, live or not, read without the engine.
//!
//! A store is a folder: a marker `version`, an empty `lock`, journals `<n>.jnl`, and for each keyspace a folder
//! `keyspaces/<id>` with `current`, which names a version `v<N>`, which names tables and blob files. Keyspace 0 holds
//! the names of the others. All of it is one set, `current`.
//!
//! fjall keeps the XXH3-128 of every version, table and blob file, and never compares them. They are compared here.
//! Only keyspaces that have a name are looked at: the engine removes the others when it opens the store, and so is with
//! what no version names. The length of a table is not on record; its own trailer says it ([`archive`]).
//!
//! Beside its files, these are damage:
//! * a keyspace that has a name and no folder, or no `current`: fjall opens the store without it;
//! * a journal that is not there between two others: the engine removes the oldest first, so it was somebody else, and
//!   nobody can say that all it held is in tables;
//! * no journal at all: the engine always has one;
//! * a journal that the engine would not read to its last batch ([`journal`]), but for the torn end of the newest.
//!
//! How much of a journal is used shows only when it is read, so journals are not counted in the bytes of the set.

mod advice;
pub mod archive;
pub mod current;
mod follow;
mod found;
mod inspect;
pub mod journal;
pub mod marker;
pub mod meta;
pub mod names;
mod root;
pub(in crate::formats) mod signs;
pub mod version;

pub use crate::odd::Odd;

use crate::facts::{Facts, Hint, Lock, Shape};
use crate::inspect::{Entry, Format, Inspect, Scope};
use crate::point::{NoPoint, Point};
use crate::report::Depth;

/// The format; see the module's page.
#[derive(Debug, Clone, Copy)]
pub struct Fjall;

/// What the one set is called.
pub const SET: &str = "current";

static FACTS: Facts = Facts {
    name: "fjall",
    looks: "a fjall store holds version, keyspaces and files like 0.jnl",
    hint: Some(Hint { several: "fjall stores", index: "for a fjall store the folder keyspaces", caveat: "" }),
    lock: Lock::Alone(names::LOCK),
    pool: None,
    parts: None,
    shape: Shape::Nothing,
    // Journals: the checksums of their batches lie inside.
    trails: Depth::Digest,
    moves: true,
    colons: false,
    advice: advice::advice,
    notes: |_| None,
    proves: |_| None,
};

impl Format for Fjall {
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
