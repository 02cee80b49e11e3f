//! `Change`: what a restore does to one entry of the target, for whoever asks before.

use highwater_core::name::Name;

use super::plan::{Is, TreePlan};
use super::there::There;

/// What happens to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It goes, with whatever is in it.
    Remove,
    /// A file gets its bytes.
    Write,
    /// A folder, a link or another name of a file is made.
    Make,
    /// It stays, and gets the permissions, owner or time on record.
    Set,
}

impl Change {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Write => "write",
            Self::Make => "make",
            Self::Set => "set",
        }
    }
}

/// All that changes, by path. What is right is not in it.
pub(super) fn changes(plan: &TreePlan, there: Option<&There<'_>>) -> Vec<(Name, Change)> {
    let mut changes: Vec<(Name, Change)> =
        there.into_iter().flat_map(There::gone).map(|name| (name.clone(), Change::Remove)).collect();
    for (path, entry) in &plan.entries {
        let is_there = there.is_some_and(|there| there.kept.contains(path) || there.is_same(path));
        let change = match entry.what {
            _ if is_there => Some(Change::Set).filter(|_| there.is_some_and(|there| there.is_unset(path))),
            Is::File(_) => Some(Change::Write),
            Is::Folder | Is::Link(_) | Is::Hard(_) => Some(Change::Make),
        };
        changes.extend(change.map(|change| (path.clone(), change)));
    }
    changes.sort_unstable();
    changes
}
