//! `Text`: the list of a point, written piece by piece, and its name, by which the point is there.

use std::io;

use highwater_core::formats::tree::{BYTES, CHANGED, LEFT_OUT, TITLE, names};
use highwater_core::mtree::{Entry, SIGNATURE, Seal, push_line};
use highwater_core::name::{TEMPORARY, printable};
use highwater_core::node::{Meta, Node, NodeKind};

use super::capture::Captured;
use super::since;
use super::source::{Elsewhere, Frozen};
use super::walk::{self, Found};
use super::{TOKEN, TreeMade};
use crate::disk::like::Like;
use crate::disk::{Disk, Draft};
use crate::error::Error;

/// Bytes that are written at once.
const PIECE: usize = 1 << 20;

/// A list that is to be written.
pub(super) struct Text<'a> {
    /// What its source is.
    pub(super) kind: &'a str,
    pub(super) captured: &'a Captured,
    /// The state of the store that it is of.
    pub(super) frozen: &'a Frozen,
}

impl Text<'_> {
    /// Counts what is in it.
    pub(super) fn count(&self, made: &mut TreeMade) {
        let lengths = self.captured.sums.iter().flatten().map(|(length, _)| *length);
        let lengths = lengths.chain(since::sums(&self.captured.kept).map(|(length, _)| length));
        let lengths = lengths.chain(self.frozen.elsewhere.iter().map(|file| file.length));
        made.bytes = lengths.fold(0, u64::saturating_add);
        made.entries = self.nodes().fold(1 + self.captured.kept.len() as u64, |count, _| count + 1);
    }

    /// The places of what is in it, and what each is.
    fn nodes(&self) -> impl Iterator<Item = (usize, NodeKind)> {
        let Captured { found, twins, sums, .. } = self.captured;
        found.iter().enumerate().filter_map(move |(at, one)| {
            if let Some(file) = self.elsewhere(one) {
                return Some((at, NodeKind::File(file.length)));
            }
            let sum = &sums[twins.get(&at).map_or(at, |twin| twin.first)];
            let kind = match (&one.link, sum) {
                (Some(link), _) => NodeKind::Link(link.to_vec()),
                (None, Some((length, _))) => NodeKind::File(*length),
                (None, None) if one.is_file() => return None,
                (None, None) => NodeKind::Folder,
            };
            Some((at, kind))
        })
    }

    /// Where the bytes of a file lie, if not in the pool.
    fn elsewhere(&self, one: &Found) -> Option<&Elsewhere> {
        self.frozen.elsewhere.iter().find(|file| file.within.path == one.name)
    }

    /// What stands above the entries.
    fn head(&self, made: &TreeMade) -> String {
        let store = self.frozen.identity.as_ref().map(|identity| format!(" {identity}")).unwrap_or_default();
        let at = self.frozen.position.as_ref().map(|position| format!(" · at {position}")).unwrap_or_default();
        let (kind, point, bytes) = (self.kind, &made.point, made.bytes);
        let mut text = format!("{SIGNATURE}# {TITLE} · store {kind}{store}{at} · point {point}{BYTES}{bytes}\n");
        text.extend(self.frozen.token.iter().map(|token| format!("# {TOKEN}{token}'\n")));
        for what in &self.captured.left_out {
            text.push_str(&format!("# {LEFT_OUT}{}\n", printable(what.as_bytes())));
        }
        for name in &self.captured.changed {
            text.push_str(&format!("# {CHANGED}'{name}'\n"));
        }
        self.frozen.elsewhere.iter().for_each(|file| text.push_str(&file.within.line()));
        text
    }

    /// Hands on the list, sealed, piece by piece.
    fn write(&self, made: &TreeMade, out: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        let Captured { found, twins, sums, top, .. } = self.captured;
        let (mut text, mut seal) = (self.head(made), Seal::default());
        push_line(&Node { path: None, kind: NodeKind::Folder, meta: walk::meta(top) }, None, None, &mut text);
        let mut kept = self.captured.kept.iter().peekable();
        let old = |entry: &Entry, text: &mut String| {
            push_line(&entry.node, entry.digest.as_ref(), entry.twin, text);
        };
        for (at, kind) in self.nodes() {
            let is_before =
                |entry: &&Entry| entry.node.path.as_ref().is_some_and(|path| path.walk_order(&found[at].name).is_lt());
            while let Some(entry) = kept.next_if(is_before) {
                old(entry, &mut text);
                hand_on(&mut text, &mut seal, out)?;
            }
            let (one, twin) = (&found[at], twins.get(&at));
            let sum = &sums[twin.map_or(at, |twin| twin.first)];
            let meta = walk::meta(&one.look);
            // When its bytes changed last is not known of this state of it.
            let meta = if self.elsewhere(one).is_some() { Meta { modified: None, ..meta } } else { meta };
            let node = Node { path: Some(one.name.clone()), kind, meta };
            push_line(&node, sum.as_ref().map(|(_, digest)| digest), twin.map(|twin| twin.twin), &mut text);
            hand_on(&mut text, &mut seal, out)?;
        }
        for entry in kept {
            old(entry, &mut text);
            hand_on(&mut text, &mut seal, out)?;
        }
        seal.push(&text);
        text.push_str(&seal.end());
        out(&text)
    }

    /// Writes it and gives it its name.
    pub(super) fn publish(&self, to: &dyn Disk, made: &TreeMade) -> Result<(), Error> {
        let point = &made.point;
        let name = names::list(point).ok_or_else(|| Error::failed(format!("'{point}' is no point")))?;
        let folder = name.folder();
        let write = || {
            let around = to.look(folder.as_ref())?.ok_or(io::ErrorKind::NotFound)?;
            let draft = Draft::of(to, &name, TEMPORARY)?;
            let mut at = 0;
            self.write(made, &mut |piece| {
                let written = draft.file().write_at(at, piece.as_bytes());
                at += piece.len() as u64;
                written
            })?;
            // It tells of files that not everybody may see.
            _ = draft.give(&Like::new_in(&around).with_mode(0o600))?;
            draft.file().sync()?;
            draft.publish_new(&name)?;
            to.sync_folder(folder.as_ref())
        };
        write().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Error::failed(format!("there is a point {point} already, made in this very second; run again"))
            }
            _ => Error::at("write", to, &name)(error),
        })
    }
}

/// Hands on what was written, once that is enough.
fn hand_on(text: &mut String, seal: &mut Seal, out: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    if text.len() >= PIECE {
        seal.push(text);
        out(text)?;
        text.clear();
    }
    Ok(())
}
