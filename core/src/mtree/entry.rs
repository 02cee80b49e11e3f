//! `Fields`: the keywords of an entry, or of the defaults of those that follow.

use super::escape::unescape;
use super::read::Line;
use super::{AGAIN, TWIN, Twin};
use crate::digest::{Algorithm, Digest};
use crate::name::{Name, printable};
use crate::node::{Meta, Node, NodeKind};

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is; of a file with several names, each is given as a file.
    pub node: Node,
    /// The digest of its bytes, where that is on record: the SHA-256, or else the SHA-1, or else the MD5.
    pub digest: Option<Digest>,
    /// Which names lead to the same file.
    pub twin: Option<Twin>,
}

/// Something that a file system has and a [`Node`] cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block device.
    Block,
    /// A character device.
    Character,
}

impl Special {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "a FIFO",
            Self::Socket => "a socket",
            Self::Block => "a block device",
            Self::Character => "a character device",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Link,
    Special(Special),
}

/// What keywords say. Those that `/set` may give to many entries have a fixed size.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    kind: Option<Kind>,
    size: Option<u64>,
    meta: Meta,
    names: Option<u64>,
    link: Option<Vec<u8>>,
    sha256: Option<Digest>,
    sha1: Option<Digest>,
    md5: Option<Digest>,
    group: Option<u64>,
    again: bool,
}

impl Fields {
    /// Takes keywords with their values.
    pub(super) fn take<'l>(&mut self, words: impl Iterator<Item = &'l [u8]>) -> Result<(), String> {
        words.into_iter().try_for_each(|word| self.word(word))
    }

    /// Takes what `/set` says: what follows has it unless it says otherwise.
    pub(super) fn set<'l>(&mut self, words: impl Iterator<Item = &'l [u8]>) -> Result<(), String> {
        self.take(words)?;
        let shared = [
            ("link", self.link.is_some()),
            ("a digest", self.sha256.is_some() || self.sha1.is_some() || self.md5.is_some()),
            ("tags", self.group.is_some() || self.again),
        ];
        match shared.into_iter().find(|(_, is)| *is) {
            Some((what, _)) => Err(format!("'/set' gives {what} to all entries that follow")),
            None => Ok(()),
        }
    }

    /// Takes back what `/set` said.
    pub(super) fn unset<'l>(&mut self, words: impl Iterator<Item = &'l [u8]>) {
        for word in words {
            match word {
                b"all" => *self = Self::default(),
                b"type" => self.kind = None,
                b"size" => self.size = None,
                b"mode" => self.meta.mode = None,
                b"uid" => self.meta.uid = None,
                b"gid" => self.meta.gid = None,
                b"time" => self.meta.modified = None,
                b"nlink" => self.names = None,
                _ => {}
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), String> {
        let at = word.iter().position(|byte| *byte == b'=');
        let (key, value) = at.and_then(|at| word.split_at_checked(at)).unwrap_or((word, b""));
        let value = value.strip_prefix(b"=").unwrap_or(value);
        // A path that came here has lost its line.
        if key.is_empty() || !key.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)) {
            return Err(format!("'{}' is no keyword", printable(word)));
        }
        let bad = || format!("'{}' has the value '{}', which is none", printable(key), printable(value));
        let text = || std::str::from_utf8(value).map_err(|_| bad());
        let sum = |algorithm| Digest::from_hex(algorithm, value).ok_or_else(bad).map(Some);
        match key {
            b"type" => self.kind = Some(kind(value)?),
            b"size" => self.size = Some(text()?.parse().map_err(|_| bad())?),
            b"link" => self.link = Some(unescape(value)?),
            b"mode" => {
                let mode = u32::from_str_radix(text()?, 8).ok().filter(|mode| *mode <= 0o7777);
                self.meta.mode = Some(mode.ok_or_else(bad)?);
            }
            b"uid" => self.meta.uid = Some(text()?.parse().map_err(|_| bad())?),
            b"gid" => self.meta.gid = Some(text()?.parse().map_err(|_| bad())?),
            b"time" => self.meta.modified = Some(time(text()?).ok_or_else(bad)?),
            b"sha256" | b"sha256digest" => self.sha256 = sum(Algorithm::Sha256)?,
            #[cfg(feature = "sha1")]
            b"sha1" | b"sha1digest" => self.sha1 = sum(Algorithm::Sha1)?,
            b"md5" | b"md5digest" => self.md5 = sum(Algorithm::Md5)?,
            b"nlink" => self.names = Some(text()?.parse().map_err(|_| bad())?),
            b"tags" => {
                self.group = text()?.split(',').find_map(|tag| tag.strip_prefix(TWIN)?.parse().ok());
                self.again = text()?.split(',').any(|tag| tag == AGAIN);
            }
            // What other programs write beside these.
            _ => {}
        }
        Ok(())
    }

    /// Whether it is a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.kind == Some(Kind::Folder)
    }

    /// What is at `path`.
    pub(super) fn make(self, path: Option<Name>) -> Result<Line, String> {
        let Self { kind, size, meta, names, link, sha256, sha1, md5, group, again } = self;
        let kind = match kind {
            Some(Kind::Folder) => NodeKind::Folder,
            Some(Kind::File) => NodeKind::File(size.ok_or_else(|| "a file without its size".to_owned())?),
            Some(Kind::Link) => NodeKind::Link(link.ok_or_else(|| "a link without its text".to_owned())?),
            Some(Kind::Special(what)) => return Ok(Line::Special { path, what }),
            None => return Err("an entry without its type".to_owned()),
        };
        let twin = group.map(|group| Twin { group, names: names.unwrap_or(1), again });
        Ok(Line::Entry(Entry { node: Node { path, kind, meta }, digest: sha256.or(sha1).or(md5), twin }))
    }
}

fn kind(value: &[u8]) -> Result<Kind, String> {
    Ok(match value {
        b"dir" => Kind::Folder,
        b"file" => Kind::File,
        b"link" => Kind::Link,
        b"fifo" => Kind::Special(Special::Fifo),
        b"socket" => Kind::Special(Special::Socket),
        b"block" => Kind::Special(Special::Block),
        b"char" => Kind::Special(Special::Character),
        other => return Err(format!("the type '{}' is not known", printable(other))),
    })
}

/// Seconds, and behind a dot how many nanoseconds, as a number: `1.5` is five of them, and so is `1.000000005`. mtree
/// of NetBSD (20180822) and bsdtar (3.6.2) write it without leading zeros; both read it so, too.
fn time(text: &str) -> Option<(i64, u32)> {
    let (seconds, nanoseconds) = text.split_once('.').unwrap_or((text, "0"));
    let nanoseconds = nanoseconds.parse().ok().filter(|count| *count < 1_000_000_000)?;
    Some((seconds.parse().ok()?, nanoseconds))
}
