//! `Format` and `Inspect`: how a kind of backup is recognised, and how its indices become claims.

use std::fmt;
use std::ops::Range;

use crate::claim::Claim;
use crate::codec::Flow;
use crate::facts::{Facts, Lock};
use crate::fault::Fault;
use crate::finding::Finding;
use crate::key::Key;
use crate::left_out::LeftOut;
use crate::name::Name;
use crate::node::Node;
use crate::point::{NoPoint, Point};
use crate::report::Depth;
use crate::shard::Shard;
use crate::trail::Trail;

/// A kind of backup. One folder below `formats` implements it, one line there lists it.
pub trait Format: Sync + fmt::Debug {
    /// What is always true of this kind.
    fn facts(&self) -> &'static Facts;

    /// Whether a root with these entries (its own, nothing deeper) looks like this kind.
    fn recognise(&self, root: &[Entry]) -> bool;

    /// Reads `POINT` of `REPO@POINT` as this kind understands it; also the path, below the root, of what belongs to a
    /// point.
    ///
    /// # Errors
    /// What a point looks like.
    fn point(&self, text: &str) -> Result<Point, NoPoint>;

    /// What is in a root of this kind as long as something was begun there and is not at its end: its name, and a
    /// sentence for whoever looks at what there is.
    fn under_way(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Starts to read the indices of a root.
    fn inspect(&self, scope: &Scope) -> Box<dyn Inspect>;
}

/// What an inspection is for, and what it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Which sets, and what of them.
    pub of: Of,
    /// Emit trails too: what the records inside must agree on.
    pub trails: bool,
    /// Take what is named for the tree that it holds, and emit that tree's nodes: where a point is more than the tree.
    pub tree: bool,
    /// Opens what was encrypted with it.
    pub key: Option<Key>,
    /// Which part of the claims is asked for, of an inspection that [divides](Inspect::divides) them itself.
    pub part: Shard,
}

/// Which sets an inspection is of, and what of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    /// Only the sets: no claims.
    Catalogue,
    /// Whatever claims an object, whether it belongs to a set or not: what must not be removed. Objects are claimed as
    /// shared, and points of other repositories in the root are named.
    References,
    /// Every set.
    All,
    /// The newest set that is at or before a point; none for the newest of all.
    Point(Option<Point>),
    /// Every set that a point stands for, where that may be several: all of one machine, for example.
    Under(Point),
    /// What is left of a point: claims, as far as its index can be understood, whatever else contradicts it. Only for
    /// formats that restore [images](crate::facts::Shape::Image).
    Salvage(Point),
}

impl Scope {
    /// Without trails and without a key.
    #[must_use]
    pub fn new(of: Of) -> Self {
        Self { of, trails: false, tree: false, key: None, part: Shard::WHOLE }
    }

    /// With trails, or without.
    #[must_use]
    pub fn trailing(self, trails: bool) -> Self {
        Self { trails, ..self }
    }

    /// With the nodes of the tree that is named, or without.
    #[must_use]
    pub fn as_tree(self, tree: bool) -> Self {
        Self { tree, ..self }
    }

    /// Of a part of the claims.
    #[must_use]
    pub fn part(self, part: Shard) -> Self {
        Self { part, ..self }
    }

    /// With a key, if there is one.
    #[must_use]
    pub fn keyed(self, key: Option<Key>) -> Self {
        Self { key, ..self }
    }
}

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
    /// Bytes of an object. Answers: any number of `Bytes`, then `End` or `Failed`; or, as soon as one of them was
    /// answered by `Break`, no more.
    Read {
        /// The object.
        object: Name,
        /// Which of its bytes.
        stretch: Stretch,
    },
    /// Whether a writer holds this lock right now. Answer: `Writing`; false when the host cannot know.
    Writing(Lock),
    /// Nothing: the inspection is over.
    Done,
}

impl Ask {
    /// All of an object.
    #[must_use]
    pub fn read(object: Name) -> Self {
        Self::Read { object, stretch: Stretch::Start }
    }
}

/// Which bytes of an object are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch {
    /// All, from its start on.
    Start,
    /// So many at its end; all of it when it is shorter.
    End(u64),
    /// These, as far as there are so many; half-open.
    At(Range<u64>),
}

impl Stretch {
    /// The bytes that are meant of an object of `length` bytes; half-open.
    #[must_use]
    pub fn range(&self, length: u64) -> Range<u64> {
        match self {
            Self::Start => 0..length,
            Self::End(most) => length.saturating_sub(*most)..length,
            Self::At(range) => range.start.min(length)..range.end.min(length).max(range.start.min(length)),
        }
    }
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

    /// Takes an answer to the last question. `Break` says that no more of what is being read is needed: ask again.
    fn answer(&mut self, answer: Answer<'_>, out: &mut Batch) -> Flow;

    /// What opens what its claims say is encrypted.
    fn key(&self) -> Option<&Key> {
        None
    }

    /// Whether it gives the part of the claims that its scope asks for, and no others, so that nobody need read all of
    /// its indices; what it finds in them it says in one part alone. Otherwise it gives all, and whoever asks takes
    /// those of its part by the names of objects.
    fn divides(&self) -> bool {
        false
    }

    /// The same inspection, from its start.
    fn again(&self) -> Box<dyn Inspect>;

    /// The deepest at which anything here can be looked at: whoever asks for more gets this.
    fn deepest(&self) -> Depth {
        Depth::Deep
    }
}

/// One restorable point in time, as an inspection names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Set {
    /// Its name, as `REPO@POINT` takes it.
    pub name: String,
    /// The run of sets it belongs to; see [`crate::finding::Hurts`].
    pub group: u64,
    /// How long what it restores is, in bytes; none where what tells it could not be read.
    pub bytes: Option<u64>,
    /// What a restore takes one of, named as `REPO@POINT/ARCHIVE`; none where it takes the point itself.
    pub archives: Vec<String>,
    /// The fingerprint of the key that it was encrypted or signed with, if it names one.
    pub key: Option<String>,
    /// What it left out, by its own account.
    pub left_out: LeftOut,
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
    /// What the sets have beside bytes, for who restores them.
    pub nodes: Vec<Node>,
    /// What entries are called where they came from, if their paths are others: by path.
    pub called: Vec<(Name, Vec<u8>)>,
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
    /// Points of other repositories in the root that sets are made of: of [`Of::References`] only.
    pub inner: Vec<InnerPoint>,
}

/// A point of another repository, which lies in the root: some set is made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InnerPoint {
    /// What says so.
    pub index: Name,
    /// The kind of the other repository, by the name of its format.
    pub kind: String,
    /// Its folder in the root.
    pub folder: Name,
    /// Its point, by its whole name.
    pub point: String,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("sets", &self.sets)
            .field("claims", &self.claims)
            .field("shared", &self.shared)
            .field("nodes", &self.nodes)
            .field("called", &self.called)
            .field("trails", &self.trails.len())
            .field("findings", &self.findings)
            .field("locked", &self.locked)
            .field("absent", &self.absent)
            .field("removed", &self.removed)
            .field("inner", &self.inner)
            .finish()
    }
}
