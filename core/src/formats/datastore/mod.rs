//! `Datastore`: the chunk stores of Proxmox Backup Server, read without any server.
//!
//! A store keeps each chunk once, in `.chunks/aabb/aabb...`, under the SHA-256 of what it decodes to. A *snapshot* is a
//! folder `[ns/NAME/...]TYPE/ID/TIME` with a manifest (`index.json.blob`, written last), indices that name chunks in
//! order (`.fidx` of equal lengths, `.didx` of lengths that follow the content), and small files (`.blob`). Each
//! snapshot is a set.
//!
//! What the server's own verification does not look at is looked at here: that a manifest is of the snapshot whose
//! folder it lies in, that an index's own checksum is right, that a chunk has the length that each of its indices says,
//! that blobs open, signatures, snapshots under names that nothing reads, and files that no manifest names; and, if the
//! trees of files in archives and their catalogues are to be looked into, that these do not contradict themselves.

mod advice;
pub mod archives;
mod content;
mod folders;
mod found;
mod index;
mod inside;
mod inspect;
mod kind;
mod manifest;
pub mod names;
mod odd;
mod parts;
pub mod pcat1;
mod proof;
pub mod pxar;
mod references;
pub(in crate::formats) mod signs;
mod snapshot;
mod state;
mod strange;
mod trees;

pub use index::{Fixed, Lines};
pub use manifest::{New, NewFile, Old};
pub use odd::Odd;

use crate::facts::{Facts, Hint, Lock, Pool, Shape};
use crate::finding::Code;
use crate::inspect::{Entry, Format, Inspect, Of, Scope};
use crate::point::{NoPoint, Point};
use crate::report::Depth;

/// The format; see the module's page.
#[derive(Debug, Clone, Copy)]
pub struct Datastore {
    cache: bool,
}

/// A store.
const STORE_FACTS: Facts = Facts {
    name: "datastore",
    looks: "a datastore holds .chunks, and one of the folders vm, ct, host and ns",
    hint: Some(Hint {
        several: "Proxmox-style chunk datastores",
        index: "for a chunk datastore the folder .chunks",
        caveat: "",
    }),
    lock: Lock::Together(names::LOCK),
    pool: Some(Pool { folder: names::CHUNKS, aside: ".bad", sets_aside: "a server's verification" }),
    parts: Some(parts::part),
    shape: Shape::Image,
    trails: Depth::Deep,
    moves: false,
    // Snapshots are named after the time of the day.
    colons: true,
    advice: |code| advice::advice(code, false),
    notes: |_| None,
    proves: |_| None,
};

static STORE: Facts = STORE_FACTS;

/// The cache of a bucket.
static CACHE: Facts = Facts {
    name: "datastore-cache",
    looks: "",
    hint: None,
    advice: |code: Code| advice::advice(code, true),
    ..STORE_FACTS
};

impl Datastore {
    /// A store.
    pub const STORE: Self = Self { cache: false };

    /// The cache that a server keeps on a disk for a store whose objects are in an S3 bucket. It looks like a store, so
    /// somebody must say that it is none: an empty chunk is one that only the bucket has.
    pub const CACHE: Self = Self { cache: true };
}

impl Format for Datastore {
    fn facts(&self) -> &'static Facts {
        if self.cache { &CACHE } else { &STORE }
    }

    fn recognise(&self, root: &[Entry]) -> bool {
        !self.cache && signs::recognise(root)
    }

    fn point(&self, text: &str) -> Result<Point, NoPoint> {
        let like = "one is written like vm/100/2026-03-01T00:00:00Z, as `highwater list` shows them; vm/100 is all \
                    of a group, ns/NAME all of a namespace, and vm/100/latest the newest";
        let manifest = text.strip_suffix(names::MANIFEST).and_then(|folder| folder.strip_suffix('/'));
        let point = manifest.unwrap_or(text);
        if let Some((archive, within)) = archives::tree(point) {
            return Ok(Point::new(archive).of_tree(within));
        }
        match names::wanted(point).map(|wanted| wanted.archive) {
            None => Err(NoPoint(format!("'{text}' is no snapshot; {like}"))),
            Some(Some(_)) => Ok(Point::new(point)),
            Some(None) => Ok(Point::new(point).lacking(
                "a snapshot holds several archives; name one after it, as in \
                 STORE@vm/100/2026-03-01T00:00:00Z/drive-scsi0.img",
            )),
        }
    }

    fn inspect(&self, scope: &Scope) -> Box<dyn Inspect> {
        match scope.of {
            Of::References => Box::new(references::References::new()),
            _ => Box::new(inspect::Store::new(scope, self.cache)),
        }
    }
}
