//! What the files of a mirror are to whoever copies it.

use super::applied::Applied;
use super::names::{APPLIED, FOLDER, INDEX, WANTED};
use crate::name::Name;
use crate::part::{Change, Index, Part};

/// What a file or folder is. Every file beside [`FOLDER`] is an object, whose bytes change with the key's.
pub(super) fn part(name: &Name, is_folder: bool) -> Part {
    let text = name.as_str().unwrap_or_default();
    let inside = |folder: &str| text.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    if is_folder {
        return if [FOLDER, INDEX].contains(&text) { Part::Folder } else { Part::Not };
    }
    let whole = |order| Index::of(order, Change::Any).of_all();
    match text {
        APPLIED => Part::Index(Index { identity: Some(identity), ..whole(2) }),
        WANTED => Part::Index(whole(1)),
        _ if inside(INDEX) && name.last().iter().all(u8::is_ascii_digit) => {
            Part::Index(Index { whole: true, ..Index::of(0, Change::Never) })
        }
        _ if inside(FOLDER) => Part::Not,
        _ => Part::Object(Change::Any),
    }
}

/// The bucket.
fn identity(applied: &[u8]) -> Option<String> {
    Applied::parse(applied).ok().map(|applied| applied.bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_a_mirror_is_something() {
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        for (file, is) in [
            ("a/b", Part::Object(Change::Any)),
            ("a/b.old.V.E", Part::Object(Change::Any)),
            (".highwater-mirror/lock", Part::Not),
            (".highwater-mirror/stage/ab/x", Part::Not),
            (".highwater-mirror/wanted", Part::Index(Index::of(1, Change::Any).of_all())),
            (".highwater-mirror/index/7", Part::Index(Index::of(0, Change::Never).of_all())),
            (".highwater-mirror/index/7.x", Part::Not),
        ] {
            assert_eq!(part(&name(file), false), is, "{file}");
        }
        let Part::Index(applied) = part(&name(APPLIED), false) else { panic!("an index") };
        assert!(applied.whole && applied.order == 2 && applied.identity.is_some());
        for (folder, is) in [(FOLDER, Part::Folder), (INDEX, Part::Folder), ("a", Part::Not)] {
            assert_eq!(part(&name(folder), true), is, "{folder}");
        }
    }
}
