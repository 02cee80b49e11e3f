//! `Node`: what a tree of files has beside bytes.

use std::ops::Range;

use crate::name::Name;

/// One entry of a tree that is restored. What a file holds comes as claims with its path, or with none: then files are
/// parts of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it is, below what is restored; none for that folder itself.
    pub path: Option<Name>,
    /// What it is.
    pub kind: NodeKind,
    /// What the file system keeps of it.
    pub meta: Meta,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A folder.
    Folder,
    /// A file of this many bytes, which may be none.
    File(u64),
    /// A symbolic link, and the text that it holds: any bytes but NUL.
    Link(Vec<u8>),
    /// Another name of the file of this path.
    Hard(Name),
    /// A file that has these bytes, half-open, of the stream that claims without a path make up.
    Part(Range<u64>),
    /// What no restore makes: a device, say; or, without a path, what no entry of the tree gets. A few words.
    LeftOut(String),
}

/// What a file system keeps of an entry; none where that is not on record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meta {
    /// The permissions: the lowest twelve bits.
    pub mode: Option<u32>,
    /// The user.
    pub uid: Option<u32>,
    /// The group.
    pub gid: Option<u32>,
    /// When its bytes changed last: seconds since 1970, and nanoseconds.
    pub modified: Option<(i64, u32)>,
}
