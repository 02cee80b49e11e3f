//! ZODB `repozo` repositories: a flat folder of full backups and increments of one `Data.fs`.
//!
//! | name | what it is |
//! |---|---|
//! | `STAMP.fs` | full backup: bytes `[0, end)` of `Data.fs` |
//! | `STAMP.deltafs` | increment: bytes `[previous end, end)` |
//! | `….fsz`, `….deltafsz` | the same, gzipped |
//! | `STAMP.dat` | the chain's index, one line a file, named after the full backup |
//! | `STAMP.index` | FileStorage's OID index as of that backup |
//! | `tmp.tmp` | the original's work file |
//!
//! `STAMP` is `YYYY-MM-DD-hh-mm-ss`, UTC. Names sort by time as text, and the original finds its way by
//! that order: a **chain** is a full backup with the increments that sort after it and before the next
//! full one. Every data file is one restorable point, named by its stamp. All facts here were checked against the
//! `repozo.py` of ZODB 6.4.

mod advice;
pub mod chain;
pub mod dat;
mod follow;
mod inspect;
mod look;
pub mod names;
mod parts;
pub(in crate::formats) mod signs;

use crate::facts::{Facts, Hint, Lock, Shape};
use crate::inspect::{Entry, Format, Inspect, Scope};
use crate::name::Name;
use crate::point::{LATEST, NoPoint, Point};
use crate::report::Depth;
use crate::stamp;

/// The format.
#[derive(Debug)]
pub struct Repozo;

/// What a writer locks.
const LOCK: Lock = Lock::Alone(names::LOCK);

static FACTS: Facts = Facts {
    name: "repozo",
    looks: "a repozo repository holds files like 2026-03-01-00-00-00.fs and .dat",
    hint: Some(Hint {
        several: "repozo repositories",
        index: "for repozo the .dat files",
        caveat: "MD5, which repozo writes, does not stop somebody who can write both the data and its index.",
    }),
    lock: LOCK,
    pool: None,
    parts: Some(parts::part),
    shape: Shape::Append,
    trails: Depth::Deep,
    moves: false,
    colons: false,
    advice: advice::advice,
    notes: advice::notes,
    proves: |_| None,
};

impl Format for Repozo {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn recognise(&self, root: &[Entry]) -> bool {
        signs::recognise(root)
    }

    fn point(&self, text: &str) -> Result<Point, NoPoint> {
        if text == LATEST {
            return Ok(Point::new(text));
        }
        if let Some(stem) = Name::new(text.as_bytes()).ok().as_ref().and_then(names::stem_of) {
            return Ok(Point::new(stem));
        }
        stamp::point(text).map(Point::new).map_err(|no| NoPoint(no.to_string()))
    }

    fn inspect(&self, scope: &Scope) -> Box<dyn Inspect> {
        Box::new(inspect::Repository::new(scope))
    }
}
