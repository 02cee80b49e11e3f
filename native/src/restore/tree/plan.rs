//! `TreePlan`: the entries of one point and the claims of each file, laid out and found to be a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use highwater_core::claim::{Claim, Extent};
use highwater_core::facts::Shape;
use highwater_core::key::Key;
use highwater_core::left_out::LeftOut;
use highwater_core::name::Name;
use highwater_core::node::{Meta, Node, NodeKind};
use highwater_core::report::Depth;
use highwater_core::survey::Work;

use super::narrow;
use crate::error::{Class, Error};
use crate::restore::plan::{Asked, Chosen, archive_of, choose, one};
use crate::shown::quoted;
use crate::store::Store;

/// What a restore of a tree makes.
#[derive(Debug)]
pub struct TreePlan {
    /// The point's name.
    pub point: String,
    /// What else is doubtful about the point, in sentences.
    pub doubts: Vec<String>,
    /// What it left out when it was made, by its own account.
    pub lacks: LeftOut,
    /// What of it no restore makes: where it is, and what, in a few words.
    pub left_out: Vec<(Name, String)>,
    /// What the file system keeps of the folder itself.
    pub(crate) top: Meta,
    /// The entries below it by their paths; each lies in a folder that is one of them, or in the top.
    pub(crate) entries: BTreeMap<Name, Entry>,
    /// What entries are called where they came from, if their paths are others.
    pub(crate) called: BTreeMap<Name, Vec<u8>>,
    /// Claims by their places in the space of addresses; none covers another's bytes.
    pub(super) claims: Vec<Claim>,
    /// It is one entry that is no folder, as was asked for by its path.
    pub(super) is_alone: bool,
    /// Files are parts of a stream: a claim may be on bytes of several.
    pub(crate) is_stream: bool,
    /// What opens what is encrypted.
    pub(crate) key: Option<Key>,
}

/// An entry below the folder that is restored.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) what: Is,
    pub(crate) meta: Meta,
}

/// What an entry is.
#[derive(Debug)]
pub(crate) enum Is {
    Folder,
    File(File),
    Link(Vec<u8>),
    /// Another name of this file.
    Hard(Name),
}

/// A file, of which no byte is claimed twice and none not at all.
#[derive(Debug)]
pub(crate) struct File {
    /// Where its bytes lie, half-open, in the one space of addresses in which claims and files have their places. No
    /// other file has any of them. One claim may be on bytes of several files, and on bytes of none.
    pub(super) span: Range<u64>,
}

impl File {
    /// How many bytes it has.
    pub(crate) fn length(&self) -> u64 {
        self.span.end.saturating_sub(self.span.start)
    }

    /// Which of some bytes are its own that begin at this place, and where in it they begin; none where it begins
    /// behind them.
    pub(super) fn part_of<'b>(&self, at: u64, bytes: &'b [u8]) -> Option<(u64, &'b [u8])> {
        let end = at.saturating_add(bytes.len() as u64).min(self.span.end);
        let start = at.max(self.span.start);
        let part = |place: u64| usize::try_from(place.checked_sub(at)?).ok();
        let bytes = bytes.get(part(start)?..part(end)?).filter(|_| start < end)?;
        Some((start - self.span.start, bytes))
    }
}

impl TreePlan {
    /// Works out what a restore would make.
    ///
    /// # Errors
    /// When there is no such point, its index is damaged, or what it says is no tree.
    pub fn make(from: &dyn Store, asked: Asked) -> Result<Self, Error> {
        let is_tree = one(asked.format, asked.point.as_deref())?.is_tree();
        if asked.format.facts().shape != Shape::Tree && !is_tree {
            let what = format!("a point of the kind {} is one file, and no tree", asked.format.facts().name);
            return Err(Error::Refused { class: Class::Usage, what });
        }
        let (mut nodes, mut claims, mut called) = (Vec::new(), Vec::new(), BTreeMap::new());
        let each = &mut |work| match work {
            Work::Claim(claim) => claims.push(claim),
            Work::Node(node) => nodes.push(node),
            Work::Called(path, name) => _ = called.insert(path, name),
            Work::Trail(_) => {}
        };
        let Chosen { at, set, doubts, hidden } = choose(from, &asked, Depth::Digest, true, each)?;
        let no_tree = |why: String| {
            let repository = quoted(&from.told(None));
            Error::damage(format!("the index of {} in {repository} names no tree: {why}; verify it", set.name))
        };
        let mut doubts: Vec<String> = hidden.into_iter().chain(doubts).collect();
        let mut left_out = Vec::new();
        nodes.retain(|node| match (&node.kind, &node.path) {
            (NodeKind::LeftOut(what), Some(path)) => {
                left_out.push((path.clone(), what.clone()));
                false
            }
            (NodeKind::LeftOut(what), None) => {
                doubts.push(format!("not restored: {what}"));
                false
            }
            _ => true,
        });
        let (mut top, mut entries) = lay_out(nodes, &mut claims).map_err(no_tree)?;
        let mut point = format!("{}{}", set.name, archive_of(asked.format, &at));
        let mut is_alone = false;
        if let Some(within) = at.within() {
            let part = match path_called(&called, within) {
                Some(path) => path,
                None => Name::new(within.as_bytes()).map_err(|error| usage(format!("'{within}': {error}")))?,
            };
            is_alone = entries.get(&part).is_some_and(|entry| !matches!(entry.what, Is::Folder));
            (top, entries) = narrow::to(&part, (top, entries)).ok_or_else(|| {
                Error::cannot_start(format!("there is no '{part}' in {at} [in {}]", quoted(&from.told(None))))
            })?;
            left_out =
                left_out.into_iter().filter_map(|(path, what)| Some((narrow::below(&part, &path)?, what))).collect();
            called = called.into_iter().filter_map(|(path, name)| Some((narrow::below(&part, &path)?, name))).collect();
            point = format!("{point}/{part}");
        }
        let is_stream = asked.format.facts().shape != Shape::Tree;
        let lacks = set.left_out;
        Ok(Self { point, doubts, lacks, left_out, top, entries, called, claims, is_alone, is_stream, key: asked.key })
    }

    /// The path of the entry that is called so where it came from, if that is another.
    pub(crate) fn path_called(&self, name: &str) -> Option<Name> {
        path_called(&self.called, name)
    }

    /// Its files, by their first names.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Name, &File)> {
        self.entries.iter().filter_map(|(path, entry)| match &entry.what {
            Is::File(file) => Some((path, file)),
            Is::Folder | Is::Link(_) | Is::Hard(_) => None,
        })
    }

    /// The claims on bytes of a file, in order, by their places among all.
    fn places_of(&self, file: &File) -> Range<usize> {
        if file.span.is_empty() {
            return 0..0;
        }
        let first = self.claims.partition_point(|claim| claim.target().end <= file.span.start);
        first..self.claims.partition_point(|claim| claim.target().start < file.span.end)
    }

    /// The claims on bytes of a file, in order. The first and the last may be on others' too.
    pub(crate) fn claims_of(&self, file: &File) -> &[Claim] {
        self.claims.get(self.places_of(file)).unwrap_or_default()
    }

    /// The claims on bytes of any of these files, each once.
    pub(super) fn claims_on<'f>(&self, files: impl Iterator<Item = &'f File>) -> Vec<&Claim> {
        let mut places: Vec<usize> = files.flat_map(|file| self.places_of(file)).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| self.claims.get(place)).collect()
    }
}

fn path_called(called: &BTreeMap<Name, Vec<u8>>, name: &str) -> Option<Name> {
    called.iter().find(|(_, called)| *called == name.as_bytes()).map(|(path, _)| path.clone())
}

/// A file with claims of its own, before it has its place.
fn own(length: u64) -> Is {
    Is::File(File { span: 0..length })
}

/// The entries of a tree, and what the file system keeps of its top.
pub(super) type Laid = (Meta, BTreeMap<Name, Entry>);

/// Brings entries and claims together. The error is a clause that says why they are no tree.
fn lay_out(nodes: Vec<Node>, claims: &mut Vec<Claim>) -> Result<Laid, String> {
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

/// Gives claims and files their places: first the stream that files are parts of, then the others, one after another.
/// Each must be covered.
fn share_claims(
    entries: &mut BTreeMap<Name, Entry>,
    parts: &BTreeSet<Name>,
    claims: &mut Vec<Claim>,
) -> Result<(), String> {
    // Bytes that are restored nowhere are no part of a tree.
    claims.retain(|claim| claim.extent.is_some());
    let place = |claim: &Claim| claim.extent.as_ref().map(|extent| (extent.path.clone(), extent.at));
    claims.sort_by_cached_key(place);
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
    spans.sort_unstable();
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

fn usage(what: String) -> Error {
    Error::Refused { class: Class::Usage, what }
}
