//! `Tree`: what a point names of a tree of files, gathered and laid out: to restore one file of it, or to name them.

use std::collections::BTreeMap;

use crate::claim::Claim;
use crate::inspect::{Format, Of, Scope};
use crate::key::Key;
use crate::layout::{Entry, File, Is, lay_out};
use crate::name::Name;
use crate::node::{Node, NodeKind};
use crate::plan::{Obstacle, is_exactly, obstacle};
use crate::point::Point;
use crate::report::Depth;
use crate::sort;
use crate::survey::{Options, Survey, Work};

use super::indices::Indices;
use super::listing::Listing;
use super::reader::{Ids, Reader};
use super::{Answer, Step, Want};

/// A look at the indices of one point, to its end.
pub(super) fn indices(format: &'static dyn Format, point: &Point, tree: bool, key: Option<Key>) -> Indices {
    let scope = Scope::new(Of::Point(Some(point.clone()))).as_tree(tree).keyed(key);
    Indices::new(Survey::new(format.inspect(&scope), Options::whole(format, "", Depth::Digest)))
}

/// Makes sure that the indices of a point are sound.
///
/// # Errors
/// One sentence that says why it cannot be restored.
pub(super) fn judged(survey: &Survey, point: &Point) -> Result<(), String> {
    let exact = survey.sets().last().is_some_and(|set| is_exactly(point.as_str(), &set.name));
    match obstacle(survey, !exact) {
        None => Ok(()),
        Some(Obstacle::Finding(finding)) => {
            let object = finding.object.as_ref().map(|name| format!("'{name}': ")).unwrap_or_default();
            Err(format!("{object}{}. {}", finding.message, survey.advice(finding.code)))
        }
        Some(Obstacle::Unnamed) => Err("its index is damaged".to_owned()),
        Some(Obstacle::Absent(what)) => Err(what.to_owned()),
        Some(Obstacle::NoSet) => Err("there is no point in time at or before this one".to_owned()),
    }
}

/// What was named so far.
#[derive(Default)]
pub(super) struct Tree {
    claims: Vec<Claim>,
    nodes: Vec<Node>,
    /// What entries are called where they came from, if their paths are others.
    called: BTreeMap<Name, Vec<u8>>,
}

impl Tree {
    pub(super) fn take(&mut self, work: Work) {
        match work {
            Work::Claim(claim) => self.claims.push(claim),
            Work::Node(node) => self.nodes.push(node),
            Work::Called(path, name) => _ = self.called.insert(path, name),
            Work::Trail(_) => {}
        }
    }

    /// The entries, with the claims in order; entries that no restore makes are taken out and given to `each`.
    fn laid(&mut self, each: &mut dyn FnMut(Name, String)) -> Result<BTreeMap<Name, Entry>, String> {
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.retain_mut(|node| {
            let NodeKind::LeftOut(what) = &mut node.kind else { return true };
            if let Some(path) = node.path.take() {
                each(path, std::mem::take(what));
            }
            false
        });
        let laid = lay_out(nodes, &mut self.claims);
        laid.map(|(_, entries)| entries).map_err(|why| format!("its index names no tree: {why}"))
    }

    /// The file that is called `within` where it came from, or lies there, and the claims on its bytes, in order.
    pub(super) fn file(mut self, within: &str, point: &Point) -> Result<(File, Vec<Claim>), String> {
        let called = self.called.iter().find(|(_, called)| *called == within.as_bytes()).map(|(path, _)| path.clone());
        let path = match called {
            Some(path) => path,
            None => Name::new(within.as_bytes()).map_err(|error| format!("'{within}': {error}"))?,
        };
        let mut odd = None;
        let entries = self.laid(&mut |left, what| odd = odd.take().or_else(|| (left == path).then_some(what)))?;
        let is = |path: &Name| entries.get(path).map(|entry| &entry.what);
        let file = match is(&path) {
            Some(Is::Hard(of)) => is(of),
            other => other,
        };
        match (file, odd) {
            (Some(Is::File(file)), _) => {
                let places = file.places(&self.claims);
                let claims = self.claims.get(places).map(<[Claim]>::to_vec).unwrap_or_default();
                Ok((file.clone(), claims))
            }
            (Some(Is::Folder), _) => {
                Err(format!("'{path}' is a folder: name a file in it, or restore it with the command"))
            }
            (Some(Is::Link(_) | Is::Hard(_)), _) => Err(format!("'{path}' is a link, and no file")),
            (None, Some(what)) => Err(format!("'{path}' is {what}, which is not restored")),
            (None, None) => Err(format!("there is no '{within}' in {point}")),
        }
    }
}

/// A file of a tree, by every name that it has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it is called where it came from, or else its path.
    pub name: Vec<u8>,
    /// Its length, in bytes.
    pub bytes: u64,
    /// What its bytes are in, each object once.
    pub objects: Vec<Name>,
}

/// The files of a point on their way: see [`super::Drive`] for how a host brings them to their end.
pub struct Files {
    listing: Listing,
    point: Point,
    indices: Indices,
    tree: Tree,
    ids: Ids,
}

impl Files {
    /// Begins to name the files of the newest point at or before `point`.
    #[must_use]
    pub fn new(format: &'static dyn Format, point: Point, key: Option<Key>, listing: Listing) -> Self {
        let indices = indices(format, &point, true, key);
        Self { listing, point, indices, tree: Tree::default(), ids: Ids::default() }
    }

    /// The files by their paths, once all of the indices were read; none when more must be read first.
    ///
    /// # Errors
    /// One sentence that says why there are none.
    pub fn step(&mut self) -> Result<Option<Vec<Held>>, String> {
        loop {
            match self.indices.step(&self.listing) {
                Step::Waiting => return Ok(None),
                Step::Work(work) => work.into_iter().for_each(|work| self.tree.take(work)),
                Step::Done => break,
            }
        }
        judged(&self.indices.survey, &self.point)?;
        let mut tree = std::mem::take(&mut self.tree);
        let entries = tree.laid(&mut |_, _| {})?;
        let held = |(path, entry): (&Name, &Entry)| {
            let file = match &entry.what {
                Is::File(file) => file,
                Is::Hard(of) => match entries.get(of).map(|entry| &entry.what) {
                    Some(Is::File(file)) => file,
                    _ => return None,
                },
                Is::Folder | Is::Link(_) => return None,
            };
            let claims = tree.claims.get(file.places(&tree.claims)).unwrap_or_default();
            let mut objects: Vec<Name> = claims.iter().map(|claim| claim.object.clone()).collect();
            sort::values(&mut objects);
            objects.dedup();
            let name = tree.called.get(path).cloned().unwrap_or_else(|| path.as_bytes().to_vec());
            Some(Held { name, bytes: file.length(), objects })
        };
        Ok(Some(entries.iter().filter_map(held).collect()))
    }

    /// What to read now.
    pub fn wants(&mut self) -> Vec<Want> {
        let Self { indices, ids, .. } = self;
        indices.reader().and_then(|reader| reader.want(ids)).into_iter().collect()
    }

    /// Takes the answer to want `id`.
    pub fn answer(&mut self, id: u32, answer: Answer) {
        if let Some(reader) = self.indices.reader() {
            _ = Reader::answer(reader, id, answer);
        }
    }
}
