//! What the files of a store are to whoever copies it.

use super::folders::OF_GROUP;
use super::names::{CHUNKS, DEEPEST, Group, LOG, MANIFEST, time_of};
use super::snapshot::BESIDE;
use crate::name::Name;
use crate::part::{Change, Index, Part};

/// What a file or folder is. A snapshot's files stay as they are but for the manifest, in which servers note what they
/// found, and for what is told beside it; without its manifest a snapshot is not finished.
pub(super) fn part(name: &Name, is_folder: bool) -> Part {
    let mut parts = name.as_bytes().split(|byte| *byte == b'/');
    let top = parts.next().unwrap_or_default();
    let deeper = parts.count();
    if top == CHUNKS.as_bytes() {
        return if deeper == 2 && !is_folder { Part::Object(Change::Never) } else { Part::Not };
    }
    if is_folder {
        // Namespaces, a kind, a group, a snapshot.
        let deep = deeper < DEEPEST.saturating_mul(2).saturating_add(3);
        return if deep && !name.last().starts_with(b".") { Part::Folder } else { Part::Not };
    }
    let (Some(folder), Some(last)) = (name.folder(), std::str::from_utf8(name.last()).ok()) else { return Part::Not };
    let Some(folder) = folder.as_str() else { return Part::Not };
    if Group::parse(folder).is_some() {
        return if OF_GROUP.contains(&last) { Part::Index(Index::of(0, Change::Any)) } else { Part::Not };
    }
    let is_snapshot =
        folder.rsplit_once('/').is_some_and(|(group, time)| Group::parse(group).is_some() && time_of(time).is_some());
    let index = |order, change| Part::Index(Index::of(order, change).needing(MANIFEST));
    match last {
        _ if !is_snapshot => Part::Not,
        MANIFEST => Part::Index(Index::of(1, Change::Any)),
        LOG => index(2, Change::Any),
        last if BESIDE.contains(&last) => index(0, Change::Any),
        last if [".fidx", ".didx", ".blob"].iter().any(|end| last.ends_with(end)) => index(0, Change::Never),
        _ => Part::Not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_store_is_something() {
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        let needs = |order, change| Part::Index(Index::of(order, change).needing(MANIFEST));
        for (file, is) in [
            (".chunks/aabb/aabbcc", Part::Object(Change::Never)),
            (".chunks/aabb", Part::Not),
            (".lock", Part::Not),
            ("vm/100/owner", Part::Index(Index::of(0, Change::Any))),
            ("vm/100/2025-06-16T15:06:40Z/index.json.blob", Part::Index(Index::of(1, Change::Any))),
            ("ns/a/vm/100/2025-06-16T15:06:40Z/a.img.fidx", needs(0, Change::Never)),
            ("vm/100/2025-06-16T15:06:40Z/a.didx", needs(0, Change::Never)),
            ("vm/100/2025-06-16T15:06:40Z/client.log.blob", needs(2, Change::Any)),
            ("vm/100/2025-06-16T15:06:40Z/.protected", needs(0, Change::Any)),
            ("vm/100/2025-06-16T15:06:40Z/a.tmp_fidx", Part::Not),
            ("vm/100/backup/a.img.fidx", Part::Not),
        ] {
            assert_eq!(part(&name(file), false), is, "{file}");
        }
        for (folder, is) in [(".chunks", Part::Not), ("vm", Part::Folder), (".highwater-replica", Part::Not)] {
            assert_eq!(part(&name(folder), true), is, "{folder}");
        }
    }
}
