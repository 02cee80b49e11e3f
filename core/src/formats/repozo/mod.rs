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

use crate::finding::Code;
use crate::inspect::{Entry, Format, Inspect, LATEST, Lock, Scope};
use crate::key::Key;
use crate::name::Name;

/// The format.
#[derive(Debug)]
pub struct Repozo;

impl Format for Repozo {
    fn name(&self) -> &'static str {
        "repozo"
    }

    fn recognise(&self, root: &[Entry]) -> bool {
        let tells = |role| matches!(role, names::Role::Data(_) | names::Role::Dat(_));
        root.iter().any(|entry| entry.kind.may_be_file() && tells(names::Role::of(&entry.name)))
    }

    fn inspect(&self, scope: &Scope, _: Option<Key>) -> Box<dyn Inspect> {
        Box::new(inspect::Repository::new(scope))
    }

    fn looks(&self) -> &'static str {
        "a repozo repository holds files like 2026-03-01-00-00-00.fs and .dat"
    }

    fn within(&self, inner: &str) -> Option<String> {
        let name = Name::new(inner.as_bytes()).ok()?;
        match names::Role::of(&name) {
            names::Role::Data(data) => Some(data.stem.to_owned()),
            names::Role::Dat(stem) | names::Role::Index(stem) => Some(stem.to_owned()),
            _ => None,
        }
    }

    fn advice(&self, code: Code) -> Option<&'static str> {
        advice::advice(code)
    }

    fn lock(&self) -> Lock {
        Lock::Alone(names::LOCK)
    }

    fn point(&self, text: &str) -> Result<String, String> {
        if text == LATEST {
            return Ok(text.to_owned());
        }
        names::point(text).map_err(|no| no.to_string())
    }
}
