//! What the files of a set are to whoever copies it.

use super::names::{self, OBJECTS, POINTS};
use crate::facts::Shape;
use crate::formats;
use crate::name::Name;
use crate::part::{Change, Index, Part};

/// The order of lists: after all indices of other repositories in the set, which they name.
const LISTS: u8 = 8;

/// What a file or folder is. What lies beside lists and objects may be another repository ([`super::Within`]), whose
/// files are known by their own rule.
pub(super) fn part(name: &Name, is_folder: bool) -> Part {
    let mut parts = name.as_bytes().split(|byte| *byte == b'/');
    let top = parts.next().unwrap_or_default();
    let deeper = parts.count();
    if top == POINTS.as_bytes() {
        let is_list = || Name::new(name.last()).is_ok_and(|last| names::point_of(&last).is_some());
        return match (deeper, is_folder) {
            (0, true) => Part::Folder,
            (1, false) if is_list() => Part::Index(Index::of(LISTS, Change::Never)),
            _ => Part::Not,
        };
    }
    if top == OBJECTS.as_bytes() {
        return if deeper == 2 && !is_folder { Part::Object(Change::Never) } else { Part::Not };
    }
    match (deeper, is_folder) {
        _ if name.last().starts_with(b".") || top.starts_with(b".") => Part::Not,
        (_, true) => Part::Folder,
        (0, false) => Part::Not,
        _ => within(name),
    }
}

/// What a file of another repository in the set is.
fn within(name: &Name) -> Part {
    let Ok(last) = Name::new(name.last()) else { return Part::Not };
    let grows = formats::ALL.iter().map(|format| format.facts()).filter(|facts| facts.shape == Shape::Append);
    let parts = grows.filter_map(|facts| facts.parts).map(|part| part(&last, false));
    parts.into_iter().find(|part| *part != Part::Not).unwrap_or(Part::Not)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_set_is_something() {
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        for (file, is) in [
            ("points/2026-11-26T17-10-05Z.mtree", Part::Index(Index::of(LISTS, Change::Never))),
            ("points/x.mtree", Part::Not),
            ("points/a/2026-11-26T17-10-05Z.mtree", Part::Not),
            ("objects/ab/abcdef", Part::Object(Change::Never)),
            ("objects/ab", Part::Not),
            (".highwater.known", Part::Not),
            (".highwater.lock", Part::Not),
            ("notes", Part::Not),
            ("repozo/2026-11-20-01-02-03.dat", Part::Index(Index::of(1, Change::Grows))),
            ("repozo/2026-11-20-01-02-03.deltafs", Part::Object(Change::Grows)),
            ("repozo/.highwater.lock", Part::Not),
        ] {
            assert_eq!(part(&name(file), false), is, "{file}");
        }
        for (folder, is) in [
            ("points", Part::Folder),
            ("points/a", Part::Not),
            ("objects", Part::Not),
            ("objects/ab", Part::Not),
            ("repozo", Part::Folder),
            (".highwater-replica", Part::Not),
        ] {
            assert_eq!(part(&name(folder), true), is, "{folder}");
        }
    }
}
