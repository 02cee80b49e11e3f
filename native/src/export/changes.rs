//! What an archive holds: all of a tree, or what is new or changed since another.

use std::collections::{BTreeMap, BTreeSet};

use highwater_core::digest::Digest;
use highwater_core::name::Name;
use highwater_core::node::{Meta, Node, NodeKind};

use crate::restore::tree::{Entry, Is, TreePlan};

/// The names of the files that have several.
struct Names<'a> {
    /// Those of each file.
    files: Vec<BTreeSet<&'a Name>>,
    /// The one of each that comes first in an archive, which has the bytes.
    firsts: Vec<&'a Name>,
    /// Which of these files a name leads to.
    of: BTreeMap<&'a Name, usize>,
}

impl<'a> Names<'a> {
    /// Of names that `counts`.
    fn new(tree: &'a TreePlan, counts: impl Fn(&Name) -> bool) -> Self {
        let mut by_first: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
        for (path, entry) in &tree.entries {
            if let Is::Hard(of) = &entry.what {
                let names = [of, path].into_iter().filter(|name| counts(name));
                by_first.entry(of).or_default().extend(names);
            }
        }
        let files: Vec<_> = by_first.into_values().filter(|names| names.len() > 1).collect();
        let firsts = files.iter().filter_map(|names| names.iter().copied().min_by(|one, other| one.walk_order(other)));
        let firsts = firsts.collect();
        let each = files.iter().enumerate().flat_map(|(at, names)| names.iter().map(move |name| (*name, at)));
        let of = each.collect();
        Self { files, firsts, of }
    }

    fn first(&self, path: &Name) -> Option<&'a Name> {
        self.firsts.get(*self.of.get(path)?).copied()
    }
}

/// The file that a name leads to, and itself for what is none.
fn resolved<'a>(tree: &'a TreePlan, entry: &'a Entry) -> &'a Entry {
    match &entry.what {
        Is::Hard(of) => tree.entries.get(of).unwrap_or(entry),
        Is::Folder | Is::File(_) | Is::Link(_) => entry,
    }
}

/// The member of an entry.
fn member(tree: &TreePlan, path: &Name, entry: &Entry, names: &Names<'_>) -> Node {
    let entry = resolved(tree, entry);
    let first = names.first(path).filter(|first| *first != path);
    let kind = match (&entry.what, first) {
        (Is::File(_) | Is::Hard(_), Some(first)) => NodeKind::Hard(first.clone()),
        (Is::File(file), None) => NodeKind::File(file.length()),
        (Is::Link(text), _) => NodeKind::Link(text.clone()),
        (Is::Folder, _) => NodeKind::Folder,
        // A file has all its names, so that its first is one of them.
        (Is::Hard(of), None) => NodeKind::Hard(of.clone()),
    };
    Node { path: Some(path.clone()), kind, meta: entry.meta }
}

fn top(tree: &TreePlan) -> Node {
    Node { path: None, kind: NodeKind::Folder, meta: tree.top }
}

fn sorted(mut members: Vec<Node>) -> Vec<Node> {
    members.sort_by(|one, other| match (&one.path, &other.path) {
        (Some(one), Some(other)) => one.walk_order(other),
        (one, other) => one.cmp(other),
    });
    members
}

/// What an archive holds, each in its order.
#[derive(Debug)]
pub(super) struct Changes {
    /// The members.
    pub(super) members: Vec<Node>,
    /// Folders among them that the older point has too, which come once more.
    pub(super) again: Vec<Node>,
    /// What the older point has and this one has not.
    pub(super) removed: Vec<Name>,
}

/// All of a tree.
pub(super) fn all(tree: &TreePlan) -> Changes {
    let names = Names::new(tree, |_| true);
    let members = tree.entries.iter().map(|(path, entry)| member(tree, path, entry, &names));
    let members = sorted(std::iter::once(top(tree)).chain(members).collect());
    Changes { members, again: Vec::new(), removed: Vec::new() }
}

/// What may be told of an entry by comparing it.
#[derive(PartialEq, Eq)]
enum Seen<'a> {
    Folder(Meta),
    Link(Meta, &'a [u8]),
    /// With the digests of its parts.
    File(Meta, Vec<(u64, Option<Digest>)>),
}

impl Seen<'_> {
    /// Whether one can stand where the other was without that being removed before.
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether nothing of a file is known but its length.
    fn is_unknown(&self) -> bool {
        matches!(self, Self::File(_, parts) if parts.iter().any(|(_, digest)| digest.is_none()))
    }
}

fn seen<'a>(tree: &'a TreePlan, path: &Name) -> Option<Seen<'a>> {
    let entry = resolved(tree, tree.entries.get(path)?);
    Some(match &entry.what {
        Is::Folder => Seen::Folder(entry.meta),
        Is::Link(text) => Seen::Link(entry.meta, text),
        Is::File(file) => {
            let parts = tree.claims_of(file).iter().map(|claim| (claim.expect.length, claim.expect.digest));
            Seen::File(entry.meta, parts.collect())
        }
        // Another name is one of a file.
        Is::Hard(_) => return None,
    })
}

/// What is new or changed in `tree` since `old`.
pub(super) fn since(tree: &TreePlan, old: &TreePlan) -> Changes {
    let is_file = |path: &Name| matches!(seen(tree, path), Some(Seen::File(..)));
    // Names that go leave a file as it is under those that stay.
    let (now, then) = (Names::new(tree, |_| true), Names::new(old, is_file));
    let mut wanted: BTreeSet<&Name> = BTreeSet::new();
    let mut files: BTreeSet<usize> = BTreeSet::new();
    for path in tree.entries.keys() {
        let this = seen(tree, path);
        if this.as_ref().is_none_or(Seen::is_unknown) || this != seen(old, path) {
            wanted.insert(path);
            files.extend(now.of.get(path));
        }
    }
    // Whose names are other ones than they were.
    let is_as_before =
        |at: usize, path: &Name| then.of.get(path).is_some_and(|old| then.files.get(*old) == now.files.get(at));
    files.extend(now.firsts.iter().enumerate().filter(|(at, first)| !is_as_before(*at, first)).map(|(at, _)| at));
    wanted.extend(tree.entries.keys().filter(|path| then.of.contains_key(path) && !now.of.contains_key(path)));
    // Names of one file come together.
    wanted.extend(files.into_iter().filter_map(|at| now.files.get(at)).flatten().copied());
    let goes = |path: &&Name| seen(tree, path).zip(seen(old, path)).is_none_or(|(this, that)| !this.is_like(&that));
    let removed: Vec<Name> = old.entries.keys().rev().filter(goes).cloned().collect();
    // What changes in a folder changes its time.
    let around: BTreeSet<Option<Name>> =
        wanted.iter().map(|path| path.folder()).chain(removed.iter().map(Name::folder)).collect();
    let is_wanted = |path: &Name| wanted.contains(path) || around.contains(&Some(path.clone()));
    let entries = tree.entries.iter().filter(|(path, _)| is_wanted(path));
    let members = entries.map(|(path, entry)| member(tree, path, entry, &now));
    let top = Some(top(tree)).filter(|_| tree.top != old.top || around.contains(&None));
    let members = sorted(top.into_iter().chain(members).collect());
    let was_folder = |node: &&Node| {
        let then = |path| matches!(seen(old, path), Some(Seen::Folder(_)));
        node.kind == NodeKind::Folder && node.path.as_ref().is_none_or(then)
    };
    let again = members.iter().filter(was_folder).rev().cloned().collect();
    Changes { members, again, removed }
}
