//! `Mirror`: every version that a bucket of S3 ever listed, as plain files; planned from inventories
//! ([`crate::inventory`]).
//!
//! | name | what it is |
//! |---|---|
//! | the key | the latest version, with the time at which it was written |
//! | `KEY.old.VERSION.ETAG` | any other version ([`names`]: keys that no file can be named by) |
//! | `.highwater-mirror/applied` | which inventory the tree shows, and by which index ([`applied`]) |
//! | `.highwater-mirror/index/N` | a row for each version that was ever seen ([`index`]) |
//! | `.highwater-mirror/wanted` | what could not be had, and why ([`wanted`]) |
//!
//! Each inventory that was applied is a point, called as its folder is. Its set is what a reader of the bucket got
//! then: the latest version of each key. Wherever a version lies now, it is claimed: by its MD5, where S3's ETag is one
//! and what arrived gave it; by the ETag of an upload in parts, where a length of parts was found that gives it;
//! otherwise by the SHA-256 of what arrived, which S3 itself recorded nothing of. A version that was the latest hurts
//! the points in which it was, from the first to the last; one that never was, those that listed it. What was pruned
//! has no bytes, and is no claim.
//!
//! Parts of the claims are dealt out by blocks, where there are many. An inspection holds one block of the index, which
//! is at most 8 MiB, and the tail.

mod advice;
pub mod applied;
pub mod escape;
pub mod index;
mod inspect;
pub mod names;
pub mod open;
mod parts;
pub mod plan;
mod reading;
pub(in crate::formats) mod signs;
#[cfg(test)]
mod tests;
pub mod wanted;

use crate::facts::{Facts, Hint, Lock, Shape};
use crate::inspect::{Entry, Format, Inspect, Scope};
use crate::point::{LATEST, NoPoint, Point};
use crate::report::Depth;
use crate::stamp;

/// The format; see the module's page.
#[derive(Debug, Clone, Copy)]
pub struct Mirror;

static FACTS: Facts = Facts {
    name: "mirror",
    looks: "a mirror of a bucket holds .highwater-mirror",
    hint: Some(Hint {
        several: "mirrors of S3 buckets",
        index: "for a mirror of a bucket the folder .highwater-mirror",
        caveat: "",
    }),
    lock: Lock::Alone(names::LOCK),
    pool: None,
    parts: Some(parts::part),
    shape: Shape::Tree,
    trails: Depth::Deep,
    moves: false,
    // Keys may have them.
    colons: true,
    advice: advice::advice,
    notes: advice::notes,
    proves: advice::proves,
};

impl Format for Mirror {
    fn facts(&self) -> &'static Facts {
        &FACTS
    }

    fn recognise(&self, root: &[Entry]) -> bool {
        signs::recognise(root)
    }

    fn point(&self, text: &str) -> Result<Point, NoPoint> {
        let (text, within) = text.split_once('/').unwrap_or((text, ""));
        if text == LATEST {
            return Ok(Point::new(text).of_tree(within));
        }
        stamp::point(text).map(|stamp| Point::new(stamp).of_tree(within)).map_err(|no| NoPoint(no.to_string()))
    }

    fn under_way(&self) -> Option<(&'static str, &'static str)> {
        Some((
            names::BEGUN,
            "a plan is open, which this does not look at: `highwater mirror status` says how far it is, and \
             `highwater mirror apply` ends it",
        ))
    }

    fn inspect(&self, scope: &Scope) -> Box<dyn Inspect> {
        Box::new(inspect::Rows::new(scope))
    }
}
