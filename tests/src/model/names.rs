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
                let inside: Vec<PathBuf> = names.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in inside {
                    let new = path
                        .strip_prefix(from)
                        .map(|rest| if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) });
                    if let (Some(number), Ok(new)) = (names.remove(&path), new) {
                        names.insert(new, number);
                    }
                }
            }
        }
    }

    /// The folder whose sync makes it durable.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(_, path, _) | Self::RenameFolder(_, path) => {
                path.parent()
            }
        }
    }
}
