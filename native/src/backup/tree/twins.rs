//! `Twins`: files that have several names in what was found.

use std::collections::HashMap;

use highwater_core::mtree::Twin;

use super::walk::Found;
use crate::store::Identity;

/// One name of such a file.
pub(super) struct Twins {
    /// The place of its first name in what was found.
    pub(super) first: usize,
    pub(super) twin: Twin,
}

/// The names of files that have others, by their places in what was found.
pub(super) fn twins(found: &[Found]) -> HashMap<usize, Twins> {
    let mut by_file: HashMap<Identity, Vec<usize>> = HashMap::new();
    for (at, one) in found.iter().enumerate().filter(|(_, one)| one.is_file() && one.look.names > 1) {
        by_file.entry(one.look.identity).or_default().push(at);
    }
    let mut groups: Vec<Vec<usize>> = by_file.into_values().filter(|places| places.len() > 1).collect();
    groups.sort_unstable();
    let mut twins = HashMap::new();
    for (group, places) in groups.into_iter().enumerate() {
        let twin = Twin { group: group as u64 + 1, names: places.len() as u64, again: false };
        let first = places[0];
        twins.extend(places.into_iter().map(|at| (at, Twins { first, twin: Twin { again: at != first, ..twin } })));
    }
    twins
}
