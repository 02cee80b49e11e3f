//! `NameChange`: what happened to a name, and may not be durable yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub(super) enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    /// The file keeps its new name even if the old one was never durable.
    Rename(PathBuf, PathBuf, usize),
    /// What is in the folder goes with it.
    RenameFolder(PathBuf, PathBuf),
    /// Each takes the name of the other, with what is in it.
    Exchange(PathBuf, PathBuf),
}

impl NameChange {
    /// Does it to `names`.
    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, number) => _ = names.insert(path.clone(), *number),
            Self::Unlink(path) => _ = names.remove(path),
            Self::Rename(from, to, number) => {
                names.remove(from);
                names.insert(to.clone(), *number);
            }
            Self::RenameFolder(from, to) => {
                let inside = taken(names, from);
                names.extend(inside.into_iter().map(|(rest, number)| (below(to, &rest), number)));
            }
            Self::Exchange(one, other) => {
                let (of_one, of_other) = (taken(names, one), taken(names, other));
                names.extend(of_one.into_iter().map(|(rest, number)| (below(other, &rest), number)));
                names.extend(of_other.into_iter().map(|(rest, number)| (below(one, &rest), number)));
            }
        }
    }

    /// The folder whose sync makes it durable.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Link(path, _)
            | Self::Unlink(path)
            | Self::Rename(_, path, _)
            | Self::RenameFolder(_, path)
            | Self::Exchange(_, path) => path.parent(),
        }
    }
}

/// Takes a folder and what is in it away, by their paths below it.
fn taken(names: &mut BTreeMap<PathBuf, usize>, folder: &Path) -> Vec<(PathBuf, usize)> {
    let inside: Vec<PathBuf> = names.keys().filter(|path| path.starts_with(folder)).cloned().collect();
    let take = |path: PathBuf| Some((path.strip_prefix(folder).ok()?.to_owned(), names.remove(&path)?));
    inside.into_iter().filter_map(take).collect()
}

fn below(folder: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { folder.to_owned() } else { folder.join(rest) }
}
