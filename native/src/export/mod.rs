//! Exports a point that is a tree as one stream of tar: whole, or what is new or changed since another point.
//!
//! What the stream will hold is worked out first (`changes`), and every object that it takes is looked at, before its
//! first byte. Then the members come folder by folder, each folder before what is in it, each file before its other
//! names, so that a reader can set the times of a folder when it leaves it.
//!
//! The bytes of a file are checked while they go out, and the last of them go out only when all were right. So damage
//! ends the stream within a member, where no reader takes it for whole.
//!
//! The stream of what changed begins with the file [`REMOVED`]: the names that the older point has and this one has
//! not, or has as something of another kind. Each begins with `./` and ends with a NUL byte; what is in a folder comes
//! before it. They must go before the rest is unpacked.
//!
//! Folders that the older point has too come twice: before what is in them, for readers that wait with the time of a
//! folder until they are through with it (GNU tar, which makes some links last of all), and at the end, the deepest
//! first, for readers that do not wait where a folder is there (bsdtar).

mod changes;

use std::io::{self, Write};

use highwater_core::claim::Claim;
use highwater_core::name::Name;
use highwater_core::node::{Meta, Node, NodeKind};
use highwater_core::report::Depth;
use highwater_core::tar::{END, padding, push_member};
use rayon::prelude::*;

use crate::drive::check_bytes;
use crate::error::{Class, Error};
use crate::restore::tree::{Is, TreePlan};
use crate::restore::{Look, look_at, sound};
use crate::store::Store;
use crate::watch::Watch;
use changes::Changes;

/// The file of the names that are to be removed, in the top of the tree.
pub const REMOVED: &str = ".highwater-removed";

/// What an archive's length is a multiple of, in bytes: what readers of tapes take at a time.
const RECORD: u64 = 10_240;

/// What goes into an archive.
#[derive(Debug)]
pub struct ExportPlan {
    /// The point.
    pub point: String,
    /// The point that whoever unpacks it has; none if nothing.
    pub since: Option<String>,
    /// The members in their order, without the list of what is to be removed.
    pub members: Vec<Node>,
    /// What is to be removed first, in this order.
    pub removed: Vec<Name>,
    /// Folders that come once more.
    again: Vec<Node>,
    tree: TreePlan,
}

/// What was exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// The length of the archive, in bytes.
    pub length: u64,
}

impl ExportPlan {
    /// Works out what an archive of `tree` holds for whoever has `since`, and looks whether all that it takes is there.
    ///
    /// # Errors
    /// An object is missing, has another length, or cannot be read; or a file has the name of the list.
    pub fn make(from: &dyn Store, tree: TreePlan, since: Option<TreePlan>, watch: &Watch<'_>) -> Result<Self, Error> {
        if tree.is_stream || since.as_ref().is_some_and(|since| since.is_stream) {
            let what = "what an archive of a snapshot holds is restored to a folder, and not exported";
            return Err(Error::Refused { class: Class::Usage, what: what.to_owned() });
        }
        let Changes { members, again, removed } = match &since {
            None => changes::all(&tree),
            Some(since) => {
                let list = Name::new(REMOVED.as_bytes())?;
                if tree.entries.contains_key(&list) || since.entries.contains_key(&list) {
                    let what = format!(
                        "the tree holds '{REMOVED}', the name of the list of what is to be removed; export all of it, \
                         without --since"
                    );
                    return Err(Error::cannot_start(what));
                }
                changes::since(&tree, since)
            }
        };
        let plan =
            Self { point: tree.point.clone(), since: since.map(|since| since.point), members, again, removed, tree };
        let claims: Vec<&Claim> = plan.members.iter().flat_map(|node| plan.claims(node)).collect();
        let look = |claim: &&Claim| look_at(from, (claim, plan.tree.key.as_ref()), Look::Closely, watch).err();
        // The first of several, so that the same damage gives the same sentence.
        claims.par_iter().find_map_first(look).map_or(Ok(plan), Err)
    }

    /// What else is doubtful about the point, in sentences.
    #[must_use]
    pub fn doubts(&self) -> &[String] {
        &self.tree.doubts
    }

    /// How many bytes its files have.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let lengths = self.members.iter().map(|node| if let NodeKind::File(length) = node.kind { length } else { 0 });
        lengths.fold(0, u64::saturating_add)
    }

    /// What a member's bytes are put together of.
    fn claims(&self, node: &Node) -> &[Claim] {
        let first = node.path.as_ref().and_then(|path| match &self.tree.entries.get(path)?.what {
            Is::Hard(of) => self.tree.entries.get(of),
            _ => self.tree.entries.get(path),
        });
        match (&node.kind, first.map(|entry| &entry.what)) {
            (NodeKind::File(_), Some(Is::File(file))) => self.tree.claims_of(file),
            _ => &[],
        }
    }

    /// Writes the archive.
    ///
    /// # Errors
    /// Damage, a failed read, or an output that takes no more: what was written by then is no archive.
    pub fn write(&self, from: &dyn Store, out: &mut dyn Write, watch: &Watch<'_>) -> Result<Exported, Error> {
        watch.expect(self.bytes());
        let mut out = Out { out, length: 0 };
        let mut header = Vec::new();
        if self.since.is_some() {
            let names: Vec<u8> =
                self.removed.iter().flat_map(|name| [b"./", name.as_bytes(), b"\0"].concat()).collect();
            // It tells of files that not everybody may see.
            let meta = Meta { mode: Some(0o600), ..self.tree.top };
            let path = Some(Name::new(REMOVED.as_bytes())?);
            push_member(&Node { path, kind: NodeKind::File(names.len() as u64), meta }, &mut header);
            out.put(&header)?;
            out.put(&names)?;
            out.pad(names.len() as u64)?;
        }
        for node in self.members.iter().chain(&self.again) {
            header.clear();
            push_member(node, &mut header);
            out.put(&header)?;
            if let NodeKind::File(length) = node.kind {
                self.file(from, node, &mut out, watch)?;
                out.pad(length)?;
            }
        }
        out.put(&END)?;
        let over = out.length % RECORD;
        let rest = if over == 0 { 0 } else { RECORD - over };
        out.put(&vec![0; usize::try_from(rest).unwrap_or_default()])?;
        out.out.flush().map_err(cannot)?;
        Ok(Exported { length: out.length })
    }

    /// Writes the bytes of a file. The last of them wait until all are known to be right.
    fn file(&self, from: &dyn Store, node: &Node, out: &mut Out<'_>, watch: &Watch<'_>) -> Result<(), Error> {
        let mut held = Vec::new();
        for claim in self.claims(node) {
            let (mut failed, mut room) = (None, claim.expect.length);
            let tee = &mut |bytes: &[u8]| {
                // What is longer than it should be is damaged, and no member grows by it.
                let most = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
                room -= most as u64;
                if failed.is_none() {
                    failed = out.put(&held).err();
                }
                held.clear();
                held.extend_from_slice(&bytes[..most]);
            };
            let (verdict, _) = check_bytes(from, claim, (Depth::Digest, self.tree.key.as_ref()), watch, tee)?;
            if let Some(error) = failed {
                return Err(error);
            }
            sound(from, claim, verdict).map_err(|error| ended(error, node))?;
        }
        out.put(&held)
    }
}

/// Says of what ends the stream where it ends.
fn ended(error: Error, node: &Node) -> Error {
    match (error, &node.path) {
        (Error::Refused { class, what }, Some(path)) => {
            let what = format!("{}; the archive ends within '{path}' and is no whole one", what.trim_end_matches('.'));
            Error::Refused { class, what }
        }
        (other, _) => other,
    }
}

fn cannot(error: io::Error) -> Error {
    Error::failed(format!("cannot write to the output: {error}"))
}

/// Where the archive goes.
struct Out<'a> {
    out: &'a mut dyn Write,
    length: u64,
}

impl Out<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(cannot)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn pad(&mut self, length: u64) -> Result<(), Error> {
        self.put(&vec![0; padding(length)])
    }
}
