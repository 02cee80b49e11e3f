//! What the files of a repository are to whoever copies it.

use super::names::Role;
use crate::name::Name;
use crate::part::{Change, Index, Part};

/// What a file is. Indices only grow, but for those whose end was pruned; what no line names yet is no part.
pub(super) fn part(name: &Name, is_folder: bool) -> Part {
    match Role::of(name) {
        _ if is_folder => Part::Not,
        Role::Data(_) => Part::Object(Change::Grows),
        Role::Dat(_) => Part::Index(Index::of(1, Change::Grows)),
        Role::Index(_) | Role::Marks(_) => Part::Index(Index::of(0, Change::Any)),
        Role::KillOld(_) | Role::Pruned(_) => Part::Removal,
        Role::Temporary | Role::Lock | Role::Stray => Part::Not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_repository_is_something() {
        let index = |order, change| Part::Index(Index::of(order, change));
        for (name, is) in [
            ("2026-11-20-01-02-03.fs", Part::Object(Change::Grows)),
            ("2026-11-20-01-02-03.deltafsz", Part::Object(Change::Grows)),
            ("2026-11-20-01-02-03.dat", index(1, Change::Grows)),
            ("2026-11-20-01-02-03.index", index(0, Change::Any)),
            ("2026-11-20-01-02-03.kill-old", Part::Removal),
            ("2026-11-20-01-02-03.pruned", Part::Removal),
            ("2026-11-20-01-02-03.fs.set-aside", Part::Not),
            (".highwater.lock", Part::Not),
            ("tmp.tmp", Part::Not),
            ("notes", Part::Not),
        ] {
            assert_eq!(part(&Name::new(name.as_bytes()).unwrap(), false), is, "{name}");
        }
        assert_eq!(part(&Name::new(b"2026-11-20-01-02-03.fs").unwrap(), true), Part::Not);
    }
}
