//! `Format` and `Inspect`: how a kind of backup is recognised, and how its indices become claims.

use std::fmt;

use crate::claim::Claim;
use crate::fault::Fault;
use crate::finding::{Code, Finding};
use crate::key::Key;
use crate::name::Name;
use crate::report::Depth;
use crate::trail::Trail;

/// A kind of backup. One folder below `formats` implements it, one line there lists it.
pub trait Format: Sync + fmt::Debug {
    /// The word for `--kind` and for reports.
    fn name(&self) -> &'static str;

    /// Whether a root with these entries (its own, nothing deeper) looks like this kind.
    fn recognise(&self, root: &[Entry]) -> bool;

    /// Starts to read the indices of a root; with a key, what was encrypted with it can be checked.
    fn inspect(&self, scope: &Scope, key: Option<Key>) -> Box<dyn Inspect>;

    /// Whether each set of a group goes on where the one before it ended.
    fn grows(&self) -> bool {
        true
    }

    /// What a writer locks.
    fn lock(&self) -> Lock;

    /// The folder in a root, if any, whose folders hold objects that are named after their digests.
    fn pool(&self) -> Option<&'static str> {
        None
    }

    /// Whether names of its objects have colons. Not every host shows such names.
    fn colons(&self) -> bool {
        false
    }

    /// What its root looks like, in half a sentence for whoever named something else; empty where another kind says it.
    fn looks(&self) -> &'static str {
        ""
    }

    /// The point that a user means who names a file or folder inside the root by its path.
    fn within(&self, inner: &str) -> Option<String> {
        self.point(inner).ok()
    }

    /// What to do about a finding in this kind of set, in a sentence; none where [`Code::advice`] fits.
    fn advice(&self, _code: Code) -> Option<&'static str> {
        None
    }

    /// Whether a restore of this point, as [`Format::point`] read it, is a restore of one file.
    ///
    /// # Errors
    /// One sentence that says what else is to be named.
    fn restores(&self, _point: Option<&str>) -> Result<(), String> {
        Ok(())
    }

    /// Whether a point is worth something of which only a part can be had: an image is, a database is not.
    fn salvages(&self) -> bool {
        false
    }

    /// Reads `POINT` of `REPO@POINT` as this format understands it.
    ///
    /// # Errors
    /// One sentence that says what a point looks like.
    fn point(&self, text: &str) -> Result<String, String>;
}

/// What a writer locks in a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// A file of this name: one writer at a time.
    Alone(&'static str),
    /// A file of this name, which writers hold together, and whoever removes objects holds alone.
    Together(&'static str),
}

/// What an inspection is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Only the sets: no claims.
    Catalogue,
    /// Whatever claims an object, whether it belongs to a set or not: what must not be removed. Objects are claimed as shared.
    References,
    /// Every set; with `trails`, also what the records inside must agree on.
    All {
        /// Emit trails too.
        trails: bool,
    },
    /// The newest set that is at or before a point; none for the newest of all.
    Point {
        /// The point, as the format's [`Format::point`] read it.
        at: Option<String>,
        /// Emit trails too.
        trails: bool,
    },
    /// Every set that a point stands for, where that may be several: all of one machine, for example.
    Under {
        /// The point, as the format's [`Format::point`] read it.
        at: String,
        /// Emit trails too.
        trails: bool,
    },
    /// What is left of a point: claims, as far as its index can be understood, whatever else contradicts it. Only for
    /// formats of which that is worth something ([`Format::salvages`]).
    Salvage {
        /// The point, as the format's [`Format::point`] read it.
        at: String,
    },
}

/// What stands for the newest point in place of its name.
pub const LATEST: &str = "latest";

/// An object or folder in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the folder that is listed.
    pub name: Name,
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes, where the host that lists knows it without another look.
    pub length: Option<u64>,
}

impl Entry {
    /// An entry of which only the listing itself is known.
    #[must_use]
    pub fn new(name: Name, kind: Kind) -> Self {
        Self { name, kind, length: None }
    }
}

/// What an entry of a listing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A plain file, or a link to one below the root.
    File,
    /// A folder, or a link to one below the root.
    Folder,
    /// A link out of the root, which is not followed; whoever reads through it is told so.
    Link,
    /// A device, a socket, a dangling link.
    Other,
}

impl Kind {
    /// Whether this may be a plain file. Of a link, reading tells.
    #[must_use]
    pub fn may_be_file(self) -> bool {
        matches!(self, Self::File | Self::Link)
    }

    /// Whether this may be a folder. Of a link, listing tells.
    #[must_use]
    pub fn may_be_folder(self) -> bool {
        matches!(self, Self::Folder | Self::Link)
    }
}

/// What an inspection needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The entries of a folder, or of the root; nothing deeper. Answers: any number of `Entries`, then `End` or
    /// `Failed`.
    List(Option<Name>),
    /// An object from its start. Answers: any number of `Bytes`, then `End` or `Failed`.
    Read(Name),
    /// Whether a writer is at work in the root right now. Answer: `Writing`; false when the host cannot know.
    Writing,
    /// Nothing: the inspection is over.
    Done,
}

/// What a host answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Some entries of the listing.
    Entries(&'a [Entry]),
    /// The next bytes of the object.
    Bytes(&'a [u8]),
    /// A writer is at work, or is not.
    Writing(bool),
    /// The listing or the object is complete. Not the same as "no more bytes yet".
    End,
    /// It could not be listed or read (further). Never an early end.
    Failed(Fault),
}

/// Reads one root's indices: says what it needs, and turns answers into sets, claims, trails and findings.
pub trait Inspect: Send {
    /// What to answer next. Ask again after every answer.
    fn ask(&self) -> Ask;

    /// Takes an answer to the last question.
    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch);

    /// The same inspection, from its start.
    fn again(&self) -> Box<dyn Inspect>;

    /// The deepest at which anything here can be looked at: whoever asks for more gets this.
    fn deepest(&self) -> Depth {
        Depth::Deep
    }
}

/// One restorable point in time, as an inspection names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Its name, as `REPO@POINT` takes it.
    pub name: String,
    /// The run of sets it belongs to; see [`crate::finding::Hurts`].
    pub group: u64,
    /// How long what it restores is, in bytes.
    pub bytes: u64,
    /// What a restore takes one of, named as `REPO@POINT/ARCHIVE`; none where it takes the point itself.
    pub archives: Vec<String>,
    /// The fingerprint of the key that it was encrypted or signed with, if it names one.
    pub key: Option<String>,
}

/// What one answer gave. Hosts drain it before they answer again, so only one is ever alive.
#[derive(Default)]
pub struct Batch {
    /// Sets, in the order of their ordinals.
    pub sets: Vec<Set>,
    /// Claims to be checked.
    pub claims: Vec<Claim>,
    /// Claims on objects that other sets share. Each is checked once, whoever makes it how often; which sets it hurts
    /// is found out by a second walk over the indices, should it not hold.
    pub shared: Vec<Claim>,
    /// Trails to be followed.
    pub trails: Vec<Trail>,
    /// What is wrong with the indices themselves.
    pub findings: Vec<Finding>,
    /// Sets of which something is encrypted and its key not at hand: a finding on each, for whoever looks at bytes.
    pub locked: Vec<Finding>,
    /// What was asked for is not there: a sentence that says what is.
    pub absent: Option<String>,
    /// What was there when its folder was listed, and is not any more: sets, or folders of them, by name.
    pub removed: Vec<String>,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("sets", &self.sets)
            .field("claims", &self.claims)
            .field("shared", &self.shared)
            .field("trails", &self.trails.len())
            .field("findings", &self.findings)
            .field("locked", &self.locked)
            .field("absent", &self.absent)
            .field("removed", &self.removed)
            .finish()
    }
}
