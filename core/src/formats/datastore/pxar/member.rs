//! `Member`: one entry of an archived tree.

use std::ops::Range;

use super::item::HEAD;
use crate::name::{Name, printable};
use crate::node::{Meta, Node, NodeKind};

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its path below the root, which has none. Hostile until it is taken as a [`Name`].
    pub path: &'a [u8],
    /// Where it begins in the archive, in bytes: with its name, or, of the root, with its metadata.
    pub at: u64,
    /// What it is.
    pub kind: MemberKind,
    /// What is said of it; none of a hard link, which is what its file is.
    pub stat: Option<Stat>,
}

/// What an entry of an archive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberKind {
    /// A folder; its entries follow.
    Folder,
    /// A file.
    File(Content),
    /// A symbolic link, and its target: any bytes but NUL.
    Link(Vec<u8>),
    /// Another name of the file of this path, which came before.
    Hard(Vec<u8>),
    /// A block device.
    Block(Device),
    /// A character device.
    Character(Device),
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These of the archive, half-open.
    Here(Range<u64>),
    /// In the payloads of a split archive.
    Apart {
        /// Where its payload begins there, with 16 bytes that say so.
        at: u64,
        /// How many bytes follow these.
        length: u64,
    },
}

impl Content {
    /// The file's bytes in the stream that has them: the archive, or the payloads of a split one.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        match self {
            Self::Here(range) => range.clone(),
            Self::Apart { at, length } => {
                let start = at.saturating_add(HEAD as u64);
                start..start.saturating_add(*length)
            }
        }
    }

    /// How many bytes the file has.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Here(range) => range.end.saturating_sub(range.start),
            Self::Apart { length, .. } => *length,
        }
    }
}

/// The numbers of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// The driver.
    pub major: u64,
    /// Which of its devices.
    pub minor: u64,
}

/// What `stat` says of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The permissions: the lowest twelve bits.
    pub mode: u32,
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// When its bytes changed last: seconds since 1970, and nanoseconds.
    pub modified: (i64, u32),
}

impl Member<'_> {
    /// The same as a node of a tree that is restored.
    ///
    /// # Errors
    /// A clause that says what no restore can name.
    pub fn node(&self) -> Result<Node, String> {
        let name = |path: &[u8]| Name::new(path).map_err(|error| format!("'{}': {error}", printable(path)));
        let left_out = |what: &str| NodeKind::LeftOut(what.to_owned());
        let kind = match &self.kind {
            MemberKind::Folder => NodeKind::Folder,
            MemberKind::File(content) => NodeKind::Part(content.range()),
            MemberKind::Link(target) => NodeKind::Link(target.clone()),
            MemberKind::Hard(of) => NodeKind::Hard(name(of)?),
            MemberKind::Block(_) => left_out("a block device"),
            MemberKind::Character(_) => left_out("a character device"),
            MemberKind::Pipe => left_out("a FIFO"),
            MemberKind::Socket => left_out("a socket"),
        };
        let path = if self.path.is_empty() { None } else { Some(name(self.path)?) };
        let meta = self.stat.map_or_else(Meta::default, |stat| Meta {
            mode: Some(stat.mode),
            uid: Some(stat.uid),
            gid: Some(stat.gid),
            modified: Some(stat.modified),
        });
        Ok(Node { path, kind, meta })
    }
}
