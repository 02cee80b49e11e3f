//! `TreePlan`: the entries of one point and the claims of each file, laid out and found to be a tree.

use std::collections::BTreeMap;

use highwater_core::claim::Claim;
use highwater_core::facts::Shape;
use highwater_core::key::Key;
use highwater_core::layout::lay_out;
pub(crate) use highwater_core::layout::{Entry, File, Is};
use highwater_core::left_out::LeftOut;
use highwater_core::name::Name;
use highwater_core::node::{Meta, NodeKind};
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
            if let Some((_, what)) = left_out.iter().find(|(path, _)| *path == part) {
                return Err(Error::failed(format!("'{part}' in {at} is {what}, which is not restored")));
            }
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

    /// The claims on bytes of a file, in order. The first and the last may be on others' too.
    pub(crate) fn claims_of(&self, file: &File) -> &[Claim] {
        self.claims.get(file.places(&self.claims)).unwrap_or_default()
    }

    /// The claims on bytes of any of these files, each once.
    pub(super) fn claims_on<'f>(&self, files: impl Iterator<Item = &'f File>) -> Vec<&Claim> {
        let mut places: Vec<usize> = files.flat_map(|file| file.places(&self.claims)).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| self.claims.get(place)).collect()
    }
}

fn path_called(called: &BTreeMap<Name, Vec<u8>>, name: &str) -> Option<Name> {
    called.iter().find(|(_, called)| *called == name.as_bytes()).map(|(path, _)| path.clone())
}

fn usage(what: String) -> Error {
    Error::Refused { class: Class::Usage, what }
}
