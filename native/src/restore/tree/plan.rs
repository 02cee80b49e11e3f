//! `TreePlan`: the entries of one point and the claims of each file, laid out and found to be a tree.

use std::collections::BTreeMap;
use std::ops::Range;

use highwater_core::claim::Claim;
use highwater_core::facts::Shape;
use highwater_core::key::Key;
use highwater_core::name::Name;
use highwater_core::node::{Meta, Node, NodeKind};
use highwater_core::report::Depth;
use highwater_core::survey::Work;

use crate::error::{Class, Error};
use crate::restore::plan::{Asked, Chosen, choose};
use crate::shown::quoted;
use crate::store::Store;

/// What a restore of a tree makes.
#[derive(Debug)]
pub struct TreePlan {
    /// The point's name.
    pub point: String,
    /// What else is doubtful about the point, in sentences.
    pub doubts: Vec<String>,
    /// What the file system keeps of the folder itself.
    pub(crate) top: Meta,
    /// The entries below it by their paths; each lies in a folder that is one of them, or in the top.
    pub(crate) entries: BTreeMap<Name, Entry>,
    /// Claims by file and place.
    pub(super) claims: Vec<Claim>,
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
    pub(crate) length: u64,
    /// Its claims among all.
    pub(super) claims: Range<usize>,
    /// How many other names it has.
    pub(super) aliases: u64,
}

impl TreePlan {
    /// Works out what a restore would make.
    ///
    /// # Errors
    /// When there is no such point, its index is damaged, or what it says is no tree.
    pub fn make(from: &dyn Store, asked: Asked) -> Result<Self, Error> {
        if asked.format.facts().shape != Shape::Tree {
            let what = format!("a point of the kind {} is one file, and no tree", asked.format.facts().name);
            return Err(Error::Refused { class: Class::Usage, what });
        }
        let (mut nodes, mut claims) = (Vec::new(), Vec::new());
        let each = &mut |work| match work {
            Work::Claim(claim) => claims.push(claim),
            Work::Node(node) => nodes.push(node),
            Work::Trail(_) => {}
        };
        let Chosen { set, doubts, hidden, .. } = choose(from, &asked, Depth::Digest, each)?;
        let no_tree = |why: String| {
            let repository = quoted(&from.told(None));
            Error::damage(format!("the index of {} in {repository} names no tree: {why}; verify it", set.name))
        };
        let (top, entries) = lay_out(nodes, &mut claims).map_err(no_tree)?;
        let doubts = hidden.into_iter().chain(doubts).collect();
        Ok(Self { point: set.name, doubts, top, entries, claims, key: asked.key })
    }

    /// Its files, by their first names.
    pub(super) fn files(&self) -> impl Iterator<Item = (&Name, &File)> {
        self.entries.iter().filter_map(|(path, entry)| match &entry.what {
            Is::File(file) => Some((path, file)),
            Is::Folder | Is::Link(_) | Is::Hard(_) => None,
        })
    }

    /// The claims of a file, in order.
    pub(crate) fn claims_of(&self, file: &File) -> &[Claim] {
        self.claims.get(file.claims.clone()).unwrap_or_default()
    }
}

/// Brings entries and claims together. The error is a clause that says why they are no tree.
fn lay_out(nodes: Vec<Node>, claims: &mut Vec<Claim>) -> Result<(Meta, BTreeMap<Name, Entry>), String> {
    let (mut top, mut entries) = (Meta::default(), BTreeMap::new());
    let mut is_named = false;
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
            NodeKind::File(length) => Is::File(File { length, claims: 0..0, aliases: 0 }),
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
    share_names(&mut entries)?;
    share_claims(&mut entries, claims)?;
    Ok((top, entries))
}

/// Counts the other names of each file.
fn share_names(entries: &mut BTreeMap<Name, Entry>) -> Result<(), String> {
    let hard = |(path, entry): (&Name, &Entry)| match &entry.what {
        Is::Hard(of) => Some((path.clone(), of.clone())),
        Is::Folder | Is::File(_) | Is::Link(_) => None,
    };
    let all: Vec<(Name, Name)> = entries.iter().filter_map(hard).collect();
    for (path, of) in all {
        match entries.get_mut(&of).map(|entry| &mut entry.what) {
            Some(Is::File(file)) => file.aliases += 1,
            _ => return Err(format!("'{path}' is another name of '{of}', which is no file")),
        }
    }
    Ok(())
}

/// Gives each file its claims, which must cover it.
fn share_claims(entries: &mut BTreeMap<Name, Entry>, claims: &mut Vec<Claim>) -> Result<(), String> {
    // Bytes that are restored nowhere are no part of a tree.
    claims.retain(|claim| claim.extent.is_some());
    let place = |claim: &Claim| claim.extent.as_ref().map(|extent| (extent.path.clone(), extent.at));
    claims.sort_by_cached_key(place);
    let path_of = |claim: &Claim| claim.extent.as_ref().and_then(|extent| extent.path.clone());
    let mut first = 0;
    for claims in claims.chunk_by(|one, other| path_of(one) == path_of(other)) {
        let object = claims.first().map(|claim| claim.object.to_string()).unwrap_or_default();
        let path = claims.first().and_then(path_of).ok_or_else(|| format!("'{object}' has bytes of no file"))?;
        let Some(Is::File(file)) = entries.get_mut(&path).map(|entry| &mut entry.what) else {
            return Err(format!("'{object}' has bytes of '{path}', which is no file"));
        };
        let mut reached = 0;
        for claim in claims {
            let target = claim.target();
            if target.start != reached || target.end - target.start != claim.expect.length {
                return Err(format!("the bytes of '{path}' do not go on at byte {reached}"));
            }
            reached = target.end;
        }
        if reached != file.length {
            return Err(format!("'{path}' is to have {} bytes, and {reached} are named", file.length));
        }
        file.claims = first..first + claims.len();
        first += claims.len();
    }
    for (path, entry) in entries {
        if let Is::File(file) = &entry.what
            && file.length > 0
            && file.claims.is_empty()
        {
            return Err(format!("'{path}' is to have {} bytes, and none are named", file.length));
        }
    }
    Ok(())
}
