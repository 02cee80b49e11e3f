//! `Tree`: points of folders: a pool of plain objects, and one list of mtree(5) for each point.
//!
//! ```text
//! SET/objects/ab/abcdef…                    the bytes of a file, named by their SHA-256
//! SET/points/2026-11-26T17-10-05Z.mtree     all that was there at that time, sealed by its last line
//! SET/.highwater.known                      what the next backup need not read again; no part of any point
//! ```
//!
//! No point needs another: the loss of an object hurts exactly the points that name it. A list names every folder, file
//! and link with mode, owner and time, each file with the SHA-256 of its bytes, and so its object; names of one file
//! have one tag ([`crate::mtree`]). What a point lacks because nobody could read it is said in comments.
//!
//! A file that only grows may lie in the set as a repository of another kind, beside the pool ([`Within`]).
//!
//! Other programs restore it: `sed` gives each line the path of its object as `contents=`, `bsdtar` makes an archive of
//! that, and `mtree` checks what `tar` made of it.

mod head;
mod inspect;
pub mod known;
pub mod names;
mod nested;
mod parts;
pub(in crate::formats) mod signs;
mod within;

use crate::facts::{Facts, Hint, Lock, Pool, Shape};
use crate::finding::Code;
use crate::inspect::{Entry, Format, Inspect, Scope};
use crate::point::{LATEST, NoPoint, Point};
use crate::report::Depth;
use crate::stamp;
pub use within::Within;

/// The format; see the module's page.
#[derive(Debug, Clone, Copy)]
pub struct Tree;

/// What the first comment of a list begins with.
pub const TITLE: &str = "highwater tree 1";

/// What stands in it before the number of bytes that its files have, each counted once whatever names it has.
pub const BYTES: &str = " · bytes ";

/// What the comment begins with that tells of something that is not in the point. Such stand above all entries.
pub const LEFT_OUT: &str = "left out: ";

/// What the comment begins with that names a file which is kept as it was found while it changed: its bytes may be of
/// several moments. Such stand above all entries, too.
pub const CHANGED: &str = "changed while it was read: ";

static FACTS: Facts = Facts {
    name: "tree",
    looks: "a set of points of a folder holds points and objects",
    hint: Some(Hint { several: "sets of points", index: "for points of a folder the folder points", caveat: "" }),
    lock: Lock::Alone(names::LOCK),
    pool: Some(Pool { folder: names::OBJECTS, aside: ".bad", sets_aside: "A heal" }),
    parts: Some(parts::part),
    shape: Shape::Tree,
    trails: Depth::Deep,
    moves: false,
    colons: false,
    advice,
    notes: |_| None,
    proves: |_| None,
};

fn advice(code: Code) -> Option<&'static str> {
    Some(match code {
        // One of the right length is taken for what its name says, and is not written again.
        Code::Digest => {
            "Copy the object from another copy of the set (`highwater heal --from`), or remove it and back up again: \
             what the source still has is stored anew."
        }
        Code::Missing | Code::Length => {
            "Copy the object from another copy of the set (`highwater heal --from`), or back up again: what the source \
             still has is stored anew."
        }
        Code::Malformed => {
            "Bring the list back from another copy of the set, or give the point up: other points do not need it."
        }
        _ => return None,
    })
}

impl Format for Tree {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn recognise(&self, root: &[Entry]) -> bool {
        signs::recognise(root)
    }

    fn point(&self, text: &str) -> Result<Point, NoPoint> {
        let text = text.strip_prefix(names::POINTS).and_then(|rest| rest.strip_prefix('/')).unwrap_or(text);
        let (text, within) = text.split_once('/').unwrap_or((text, ""));
        if text == LATEST {
            return Ok(Point::new(text).of_tree(within));
        }
        stamp::point(text.strip_suffix(names::LIST).unwrap_or(text))
            .map(|stamp| Point::new(stamp).of_tree(within))
            .map_err(|no| NoPoint(no.to_string()))
    }

    fn inspect(&self, scope: &Scope) -> Box<dyn Inspect> {
        Box::new(inspect::Points::new(scope))
    }
}
