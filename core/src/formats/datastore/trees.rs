//! `Tree`: follows the chunks of an archive as the tree of files that they are, or as the catalogue of some.
//!
//! A chunk is looked at when all of it came and gives the digest that the index has of it: what else is wrong with it,
//! the claim on it says. Chunks in which nothing but the bytes of one file lies are not read again.

use super::archives::{Part as Half, part_of};
use super::found::finding;
use super::index::Entry;
use super::inside::Inside;
use super::inspect::{Ahead, Store, claim};
use super::kind::Kind;
use super::manifest::File;
use super::names;
use super::odd::Odd;
use super::pcat1;
use super::pxar::{Content, Event, MemberKind, Payloads, Places, Reader};
use crate::claim::Claim;
use crate::codec::{Codec, Flow};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::finding::{Code, Finding, Findings, Hurts};
use crate::inspect::Batch;
use crate::key::Key;
use crate::name::Name;
use crate::node::{Meta, Node, NodeKind};
use crate::trail::{Ended, Follow, Part, Trail};

/// The chunks of an archive, in order.
pub(super) struct Chunks {
    /// The index that names them.
    pub(super) index: Name,
    /// Which part of a tree they are.
    pub(super) half: Half,
    codec: Codec,
    hurts: Hurts,
    /// Where each ends in the archive, and its SHA-256.
    pieces: Vec<(u64, [u8; 32])>,
}

impl Chunks {
    /// Of this index, none yet.
    pub(super) fn new(index: Name, half: Half, codec: Codec, ordinal: u64) -> Self {
        Self { index, half, codec, hurts: Hurts::One(ordinal), pieces: Vec::new() }
    }

    /// Takes the next one.
    pub(super) fn push(&mut self, end: u64, digest: &Digest) {
        if let Digest::Sha256(digest) = digest {
            self.pieces.push((end, *digest));
        }
    }

    fn length(&self) -> u64 {
        self.pieces.last().map_or(0, |(end, _)| *end)
    }
}

impl Store {
    /// Begins to gather the chunks of an index, if it is that of a tree that is to be looked into.
    pub(super) fn chunks(&self, index: &Name, file: &File, codec: Codec, ordinal: u64) -> Option<Chunks> {
        let (_, half) = part_of(&file.name).filter(|_| self.gathers() && file.kind == Kind::Dynamic)?;
        Some(Chunks::new(index.clone(), half, codec, ordinal))
    }

    /// Looks into a tree whose chunks are known; or are not, as its index could not be read.
    pub(super) fn look_into(&mut self, chunks: Chunks, is_read: bool, out: &mut Batch) {
        let before = self.tree.take();
        match (chunks.half, before) {
            (Half::Whole | Half::Catalogue, _) if is_read => self.follow(chunks, None, false, out),
            (Half::Tree, _) if is_read => {
                let stem = chunks.index.as_bytes().strip_suffix(b".mpxar.didx");
                let next = match self.ahead.last() {
                    Some(Ahead::Index(name, ..)) => name.as_bytes().strip_suffix(b".ppxar.didx"),
                    _ => None,
                };
                if stem == next {
                    self.tree = Some(chunks);
                    return;
                }
                // Whoever asks for this part alone is told of it alone.
                if self.archive.is_none() || self.makes_tree() {
                    let message = "the manifest names no payloads beside it, which have the contents of its files";
                    let name = chunks.index.clone();
                    out.findings.push(finding(Code::Record, name, None, message.to_owned(), chunks.hurts));
                }
                self.follow(chunks, None, false, out);
            }
            (Half::Payloads, Some(tree)) => self.follow(tree, is_read.then_some(chunks), !is_read, out),
            _ => {}
        }
    }

    /// Has a tree followed by whoever verifies; or, if it is to be made, reads it.
    fn follow(&mut self, tree: Chunks, payloads: Option<Chunks>, missing: bool, out: &mut Batch) {
        self.deep = true;
        if self.makes_tree() {
            self.inside = Inside::begin(Tree::new(tree, payloads, missing, self.key.as_ref()), out).map(Box::new);
        } else {
            out.trails.extend(trail(tree, payloads, missing, self.key.as_ref()));
        }
    }
}

/// The trail of a tree, with the payloads of a split one; `None` for those if they are not to be looked at.
pub(super) fn trail(tree: Chunks, payloads: Option<Chunks>, missing: bool, key: Option<&Key>) -> Option<Trail> {
    let mut follow = Tree { nodes: None, ..Tree::new(tree, payloads, missing, key) };
    let first = follow.more(&mut Findings::default())?;
    Some(Trail { parts: vec![first], follow: Box::new(follow), key: None })
}

/// The follower.
pub(super) struct Tree {
    now: Now,
    /// How far the archive was taken, and the number of its next chunk.
    at: u64,
    next: usize,
    chunks: Chunks,
    /// What is looked at next.
    payloads: Option<Chunks>,
    places: Places,
    /// There were more places than are remembered.
    full: bool,
    /// The chunk that is being read: its length and digest.
    piece: Option<(u64, [u8; 32])>,
    bytes: Vec<u8>,
    key: Option<Key>,
    whole: bool,
    over: bool,
    /// What was read of it, if it is to be made.
    nodes: Option<Vec<Node>>,
}

/// What is being looked at.
enum Now {
    Tree(Box<Reader>),
    Payloads(Box<Payloads>),
    Catalogue(Box<pcat1::Reader>),
}

impl Tree {
    /// Of these chunks; what was read of it is gathered, as it is to be made.
    pub(super) fn new(tree: Chunks, payloads: Option<Chunks>, missing: bool, key: Option<&Key>) -> Self {
        let now = match tree.half {
            Half::Catalogue => Now::Catalogue(Box::new(pcat1::Reader::new(tree.length()))),
            half => Now::Tree(Box::new(Reader::new(tree.length(), half == Half::Tree))),
        };
        Self {
            now,
            at: 0,
            next: 0,
            chunks: tree,
            payloads,
            places: Places::default(),
            full: false,
            piece: None,
            bytes: Vec::new(),
            key: key.cloned(),
            whole: !missing,
            over: false,
            nodes: Some(Vec::new()),
        }
    }

    /// The claim on the chunk that is read next.
    pub(super) fn claim(&self) -> Option<Claim> {
        let (length, digest) = self.piece?;
        let target = self.at..self.at.saturating_add(length);
        let Hurts::One(ordinal) = self.chunks.hurts else { return None };
        claim(&self.chunks.index, self.chunks.codec, ordinal, Entry { target, digest: Digest::Sha256(digest) })
    }

    /// What opens its chunks.
    pub(super) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// That not all of it was read.
    pub(super) fn unread(&self) -> Finding {
        let message = format!("its tree was not read beyond byte {} of the archive", self.at);
        finding(Code::Unreadable, self.chunks.index.clone(), Some(self.at), message, self.chunks.hurts)
    }

    /// What was read since this was asked last.
    pub(super) fn nodes(&mut self) -> Vec<Node> {
        self.nodes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What is in the archive at an offset.
    fn tell(&self, Odd { code, at, what }: Odd, out: &mut Findings) {
        let message = format!("byte {at} of the archive: {what}");
        out.push(Finding {
            code,
            object: Some(self.chunks.index.clone()),
            offset: Some(at),
            message,
            hurts: self.chunks.hurts,
        });
    }

    /// Nothing more is looked at.
    fn lose(&mut self) {
        (self.whole, self.over) = (false, true);
    }

    /// Takes the bytes of a chunk.
    fn take(&mut self, bytes: &[u8], out: &mut Findings) {
        let mut odds = Vec::new();
        let Self { now, places, full, nodes, .. } = self;
        let end = match now {
            Now::Tree(reader) => reader.push(bytes, &mut |event| match event {
                Event::Odd(odd) => odds.push(odd),
                Event::Member(member) => {
                    if let Some(nodes) = nodes {
                        match member.node() {
                            Ok(node) => nodes.push(node),
                            Err(what) => odds.push(Odd { code: Code::Record, at: member.at, what }),
                        }
                    }
                    if let MemberKind::File(Content::Apart { at, length }) = member.kind {
                        *full |= !places.push(at, length);
                    }
                }
            }),
            Now::Payloads(payloads) => payloads.push(bytes),
            Now::Catalogue(reader) => reader.push(bytes, &mut |odd| odds.push(odd)),
        };
        for odd in odds {
            self.tell(odd, out);
        }
        if let Err(odd) = end {
            self.tell(odd, out);
            self.lose();
        }
    }

    /// The archive is over; goes on with the payloads, if there are any.
    fn turn(&mut self, out: &mut Findings) {
        let end = match &mut self.now {
            Now::Tree(reader) => reader.end(),
            Now::Payloads(payloads) => payloads.end(),
            Now::Catalogue(reader) => reader.end(),
        };
        if let Err(odd) = end {
            self.tell(odd, out);
            return self.lose();
        }
        if let (Now::Tree(reader), Some(nodes)) = (&self.now, &mut self.nodes) {
            nodes.extend(reader.left_out().map(|what| Node {
                path: None,
                kind: NodeKind::LeftOut(what),
                meta: Meta::default(),
            }));
        }
        let Some(payloads) = self.payloads.take() else {
            self.over = true;
            return;
        };
        if self.full && self.nodes.is_some() {
            // Each was seen to begin where the one before it ends, or later.
            self.over = true;
            return;
        }
        if self.full {
            let what = "the tree has more files than are remembered, so its payloads are not looked at";
            let odd = Odd { code: Code::Unreadable, at: self.at, what: what.to_owned() };
            self.tell(odd, out);
            return self.lose();
        }
        self.now = Now::Payloads(Box::new(Payloads::new(payloads.length(), std::mem::take(&mut self.places))));
        self.chunks = payloads;
        (self.at, self.next) = (0, 0);
    }
}

impl Follow for Tree {
    fn begin(&mut self, _: usize, _: &Part) {
        self.bytes.clear();
    }

    fn push(&mut self, bytes: &[u8], _: &mut Findings) -> Flow {
        let Some((length, _)) = self.piece.filter(|_| !self.over) else { return Flow::Break(()) };
        self.bytes.extend_from_slice(bytes);
        // More than there should be is not gathered.
        if self.bytes.len() as u64 > length { Flow::Break(()) } else { Flow::Continue(()) }
    }

    fn end(&mut self, ended: Ended<'_>, out: &mut Findings) {
        let Some((length, digest)) = self.piece.take() else { return };
        let bytes = std::mem::take(&mut self.bytes);
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(&bytes);
        hasher.update(self.chunks.codec.suffix(self.key.as_ref()));
        let is_right =
            ended == Ended::Whole && bytes.len() as u64 == length && hasher.finish() == Digest::Sha256(digest);
        if is_right {
            self.take(&bytes, out)
        } else {
            self.lose()
        }
        self.at = self.at.saturating_add(length);
        // Its memory is used again.
        self.bytes = bytes;
    }

    fn more(&mut self, out: &mut Findings) -> Option<Part> {
        while !self.over {
            let Some((end, digest)) = self.chunks.pieces.get(self.next).copied() else {
                self.turn(out);
                continue;
            };
            self.next = self.next.saturating_add(1);
            let length = end.saturating_sub(self.at);
            let skips = match &self.now {
                Now::Tree(reader) => reader.skips(),
                Now::Payloads(payloads) => payloads.skips(),
                Now::Catalogue(reader) => reader.skips(),
            };
            if skips < length {
                self.piece = Some((length, digest));
                let object = names::chunk(&Digest::Sha256(digest))?;
                return Some(Part { object, codec: self.chunks.codec });
            }
            match &mut self.now {
                Now::Tree(reader) => reader.skip(length),
                Now::Payloads(payloads) => payloads.skip(length),
                Now::Catalogue(reader) => reader.skip(length),
            }
            self.at = end;
        }
        None
    }

    fn is_whole(&self) -> bool {
        self.whole && self.over
    }
}
