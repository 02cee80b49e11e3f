//! Lays out what an index says of a tree of files: entries by path, each file with its place, and the claims on its
//! bytes. An entry below what is no folder, two entries of one name, bytes that overlap or are missing are no tree.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::claim::{Claim, Extent};
use crate::name::Name;
use crate::node::{Meta, Node, NodeKind};
use crate::sort;

/// An entry below the top of a tree.
#[derive(Debug)]
pub struct Entry {
    /// What it is.
    pub what: Is,
    /// What the file system keeps of it.
    pub meta: Meta,
}

/// What an entry is.
#[derive(Debug)]
pub enum Is {
    /// A folder.
    Folder,
    /// A file.
    File(File),
    /// A symbolic link, and the text that it holds.
    Link(Vec<u8>),
    /// Another name of this file.
    Hard(Name),
}

/// A file, of which no byte is claimed twice and none not at all.
#[derive(Debug, Clone)]
pub struct File {
    /// Where its bytes lie, half-open, in the one space of addresses in which claims and files have their places. No
    /// other file has any of them. One claim may be on bytes of several files, and on bytes of none.
    pub span: Range<u64>,
}

impl File {
    /// How many bytes it has.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.span.end.saturating_sub(self.span.start)
    }

    /// Which of some bytes are its own that begin at this place, and where in it they begin; none where it begins
    /// behind them.
    #[must_use]
    pub fn part_of<'b>(&self, at: u64, bytes: &'b [u8]) -> Option<(u64, &'b [u8])> {
        let end = at.saturating_add(bytes.len() as u64).min(self.span.end);
        let start = at.max(self.span.start);
        let part = |place: u64| usize::try_from(place.checked_sub(at)?).ok();
        let bytes = bytes.get(part(start)?..part(end)?).filter(|_| start < end)?;
        Some((start - self.span.start, bytes))
    }

    /// The places among `claims`, which [`lay_out`] brought in order, of those on its bytes. The first and the last may
    /// be on others' too.
    #[must_use]
    pub fn places(&self, claims: &[Claim]) -> Range<usize> {
        if self.span.is_empty() {
            return 0..0;
        }
        let first = claims.partition_point(|claim| claim.target().end <= self.span.start);
        first..claims.partition_point(|claim| claim.target().start < self.span.end)
    }
}

/// The entries of a tree by their paths, each in a folder that is one of them or in the top, and what the file system
/// keeps of that.
pub type Laid = (Meta, BTreeMap<Name, Entry>);

/// A file with claims of its own, before it has its place.
fn own(length: u64) -> Is {
    Is::File(File { span: 0..length })
}

/// Brings entries and claims together, and the claims in order. None of `nodes` is [left out](NodeKind::LeftOut).
///
/// # Errors
/// A clause that says why they are no tree.
pub fn lay_out(nodes: Vec<Node>, claims: &mut Vec<Claim>) -> Result<Laid, String> {
    let (mut top, mut entries) = (Meta::default(), BTreeMap::new());
    let mut is_named = false;
    let mut parts = BTreeSet::new();
    for Node { path, kind, meta } in nodes {
        let Some(path) = path else {
            if kind != NodeKind::Folder {
                return Err("its top is no folder".to_owned());
            }
            if std::mem::replace(&mut is_named, true) {
                return Err("its top is named twice".to_owned());
            }
            top = meta;
            continue;
        };
        let what = match kind {
            NodeKind::Folder => Is::Folder,
            NodeKind::File(length) => own(length),
            NodeKind::Part(span) => {
                parts.insert(path.clone());
                Is::File(File { span })
            }
            NodeKind::LeftOut(what) => return Err(format!("'{path}' is {what}")),
            NodeKind::Link(text) if text.is_empty() || text.contains(&0) => {
                return Err(format!("'{path}' is a link that no file system can hold"));
            }
            NodeKind::Link(text) => Is::Link(text),
            NodeKind::Hard(of) => Is::Hard(of),
        };
        if entries.contains_key(&path) {
            return Err(format!("'{path}' is named twice"));
        }
        entries.insert(path, Entry { what, meta });
    }
    for path in entries.keys() {
        let Some(folder) = path.folder() else { continue };
        match entries.get(&folder).map(|entry| &entry.what) {
            Some(Is::Folder) => {}
            Some(_) => return Err(format!("'{path}' lies in '{folder}', which is no folder")),
            None => return Err(format!("'{path}' lies in '{folder}', which is not named")),
        }
    }
    look_at_names(&entries)?;
    share_claims(&mut entries, &parts, claims)?;
    Ok((top, entries))
}

/// Sees to it that every other name is one of a file.
fn look_at_names(entries: &BTreeMap<Name, Entry>) -> Result<(), String> {
    for (path, entry) in entries {
        if let Is::Hard(of) = &entry.what
            && !matches!(entries.get(of).map(|entry| &entry.what), Some(Is::File(_)))
        {
            return Err(format!("'{path}' is another name of '{of}', which is no file"));
        }
    }
    Ok(())
}

/// The path of a claim, and where it begins in that.
fn place(claim: &Claim) -> Option<(Option<&Name>, u64)> {
    claim.extent.as_ref().map(|extent| (extent.path.as_ref(), extent.at))
}

/// Gives claims and files their places: first the stream that files are parts of, then the others, one after another.
/// Each must be covered.
fn share_claims(
    entries: &mut BTreeMap<Name, Entry>,
    parts: &BTreeSet<Name>,
    claims: &mut Vec<Claim>,
) -> Result<(), String> {
    // Bytes that are restored nowhere are no part of a tree.
    claims.retain(|claim| claim.extent.is_some());
    sort::by(claims, |one, other| place(one).cmp(&place(other)));
    let path_of = |claim: &Claim| claim.extent.as_ref().and_then(|extent| extent.path.clone());
    let (mut base, mut stream) = (0, 0);
    let mut named = BTreeSet::new();
    for claims in claims.chunk_by_mut(|one, other| path_of(one) == path_of(other)) {
        let object = claims.first().map(|claim| claim.object.to_string()).unwrap_or_default();
        let Some(path) = claims.first().and_then(path_of) else {
            base =
                follow_each_other(claims).map_err(|at| format!("the bytes of its files do not go on at byte {at}"))?;
            stream = base;
            continue;
        };
        let file = entries.get_mut(&path).map(|entry| &mut entry.what);
        let Some(Is::File(file)) = file.filter(|_| !parts.contains(&path)) else {
            return Err(format!("'{object}' has bytes of '{path}', which is no file"));
        };
        let reached =
            follow_each_other(claims).map_err(|at| format!("the bytes of '{path}' do not go on at byte {at}"))?;
        if reached != file.length() {
            return Err(format!("'{path}' is to have {} bytes, and {reached} are named", file.length()));
        }
        let end = base.checked_add(reached).ok_or_else(|| "its files have more bytes than can be".to_owned())?;
        file.span = base..end;
        for claim in claims {
            claim.extent = Some(Extent { path: None, at: base.saturating_add(claim.target().start) });
        }
        base = end;
        named.insert(path);
    }
    let mut spans = Vec::new();
    for (path, entry) in entries {
        let Is::File(file) = &mut entry.what else { continue };
        match (parts.contains(path), file.length()) {
            (true, 1..) if file.span.end > stream => {
                let Range { start, end } = file.span;
                return Err(format!("'{path}' is to have the bytes {start} to {end} of {stream}"));
            }
            (true, 1..) => spans.push((file.span.start, file.span.end, path)),
            (false, 1..) if !named.contains(path) => {
                return Err(format!("'{path}' is to have {} bytes, and none are named", file.length()));
            }
            (_, 0) => file.span = 0..0,
            (false, _) => {}
        }
    }
    sort::values(&mut spans);
    let shared = spans.iter().zip(spans.iter().skip(1)).find(|((_, end, _), (start, ..))| end > start);
    shared.map_or(Ok(()), |((.., one), (.., other))| Err(format!("'{one}' and '{other}' have the same bytes")))
}

/// How far claims reach when each begins where the one before it ends, from 0 on; else where one does not.
fn follow_each_other(claims: &[Claim]) -> Result<u64, u64> {
    let mut reached = 0;
    for claim in claims {
        let target = claim.target();
        if target.start != reached || target.end - target.start != claim.expect.length {
            return Err(reached);
        }
        reached = target.end;
    }
    Ok(reached)
}
