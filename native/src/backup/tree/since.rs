//! `Kept`: what a new point takes from the one before it, when the source says what changed since.

use std::collections::{HashMap, HashSet};

use highwater_core::digest::Digest;
use highwater_core::mtree::{Entry, Twin};
use highwater_core::name::Name;
use highwater_core::node::NodeKind;

use super::walk::{self, Walked};
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// Looks at what changed, and at the folders that it lies or lay in. Gives what is kept of the entries of the point
/// before, in the order of their names.
///
/// # Errors
/// Something that changed is not there.
pub(super) fn look(
    from: &dyn Disk,
    before: Vec<Entry>,
    changed: &[Name],
    gone: &[Name],
    watch: &Watch<'_>,
) -> Result<(Walked, Vec<Entry>), Error> {
    let is_cut = |cut: &HashSet<&Name>, name: &Name| {
        let mut next = Some(name.clone());
        while let Some(name) = next {
            if cut.contains(&name) {
                return true;
            }
            next = name.folder();
        }
        false
    };
    let cut: HashSet<&Name> = gone.iter().collect();
    let lay_in = gone.iter().filter_map(Name::folder).filter(|folder| !is_cut(&cut, folder));
    let names: Vec<Name> = changed.iter().cloned().chain(lay_in).collect();
    let walked = walk::those(from, &names, watch)?;
    let looked: HashSet<&Name> = walked.found.iter().map(|one| &one.name).collect();
    // In what is no folder any more, nothing lies.
    let leaves = walked.found.iter().filter(|one| !one.is_folder()).map(|one| &one.name);
    let cut: HashSet<&Name> = gone.iter().chain(leaves).collect();
    let mut kept = before;
    kept.retain(|entry| entry.node.path.as_ref().is_some_and(|path| !looked.contains(path) && !is_cut(&cut, path)));
    kept.sort_by(|one, other| match (&one.node.path, &other.node.path) {
        (Some(one), Some(other)) => one.walk_order(other),
        (one, other) => one.cmp(other),
    });
    Ok((walked, kept))
}

/// Numbers the groups of names of one file anew, from `first` on, and counts those that are left.
pub(super) fn renumber(kept: &mut [Entry], first: u64) {
    let mut counts: HashMap<u64, u64> = HashMap::new();
    for twin in kept.iter().filter_map(|entry| entry.twin) {
        *counts.entry(twin.group).or_default() += 1;
    }
    let mut groups: HashMap<u64, u64> = HashMap::new();
    for entry in kept {
        entry.twin = entry.twin.and_then(|twin| {
            let names = counts.get(&twin.group).copied().filter(|names| *names > 1)?;
            let next = first + groups.len() as u64;
            let again = groups.contains_key(&twin.group);
            Some(Twin { group: *groups.entry(twin.group).or_insert(next), names, again })
        });
    }
}

/// The files among them that need an object: how long each is, and its digest.
pub(super) fn sums(kept: &[Entry]) -> impl Iterator<Item = (u64, Digest)> {
    kept.iter().filter_map(|entry| match (&entry.node.kind, entry.digest, entry.twin) {
        (NodeKind::File(length), Some(digest), twin) if twin.is_none_or(|twin| !twin.again) => Some((*length, digest)),
        _ => None,
    })
}
