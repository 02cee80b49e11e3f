//! `Within`: a file of a point whose bytes are a point of another repository, which lies in the set.
//!
//! A file that only grows would be stored anew for each point. So it may lie in the set as a repository of a kind that
//! keeps what was added ([`Shape::Append`]), in a folder of its own. The list then names the file without a digest, and
//! a comment says which point of that repository it is:
//!
//! ```text
//! # within KIND FOLDER@POINT PATH
//! # within repozo repozo@2026-11-27-16-40-13 ./filestorage/Data.fs
//! ```
//!
//! The other repository stays what it is: its own programs restore it.

use super::names;
use crate::facts::Shape;
use crate::formats;
use crate::inspect::{Format, InnerPoint};
use crate::mtree::{escaped, unescape};
use crate::name::Name;

/// What the comment begins with.
const WORD: &str = "within ";

/// A file of a point, and where its bytes lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// The file in the point.
    pub path: Name,
    /// The kind of the other repository, by the name of its format.
    pub kind: String,
    /// Its folder in the set.
    pub folder: Name,
    /// Its point that the file is, whole and exactly.
    pub point: String,
}

impl Within {
    /// The comment, as a line of a list.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { path, kind, folder, point } = self;
        format!("# {WORD}{kind} {}@{point} ./{}\n", escaped(folder.as_bytes()), escaped(path.as_bytes()))
    }

    /// Reads a comment; none if it is of something else.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn parse(comment: &str) -> Option<Result<Self, String>> {
        let words: Vec<&str> = comment.strip_prefix(WORD)?.split(' ').collect();
        let [kind, place, path] = *words else { return None };
        let (folder, point) = place.rsplit_once('@')?;
        let name = |text: &str| Name::new(&unescape(text.as_bytes())?).map_err(|error| error.to_string());
        let path = path.strip_prefix("./")?;
        Some(name(folder).and_then(|folder| {
            let within = Self { path: name(path)?, kind: kind.to_owned(), folder, point: point.to_owned() };
            within.format().map(|_| within)
        }))
    }

    /// What the list of a point says by it of the other repository.
    pub(super) fn inner(&self, list: &Name) -> InnerPoint {
        let Self { kind, folder, point, .. } = self.clone();
        InnerPoint { index: list.clone(), kind, folder, point }
    }

    /// The format of the other repository.
    ///
    /// # Errors
    /// There is none that a set may hold, or the folder is the set's own; a sentence.
    pub(super) fn format(&self) -> Result<&'static dyn Format, String> {
        let Self { path, kind, folder, .. } = self;
        let top = folder.as_bytes().split(|byte| *byte == b'/').next().unwrap_or_default();
        if [names::OBJECTS, names::POINTS].iter().any(|own| own.as_bytes() == top) {
            return Err(format!("it says that '{path}' lies in '{folder}', which is the set's own"));
        }
        formats::by_name(kind)
            .filter(|format| format.facts().shape == Shape::Append)
            .ok_or_else(|| format!("it says that '{path}' lies in a repository of kind '{kind}', which is not known"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_read_as_it_is_written() {
        let name = |text: &str| Name::new(text.as_bytes()).unwrap();
        let within = Within {
            path: name("a b/Data.fs"),
            kind: "repozo".to_owned(),
            folder: name("re@po zo"),
            point: "2026-11-27-16-40-13".to_owned(),
        };
        let line = within.line();
        assert_eq!(line, "# within repozo re@po\\040zo@2026-11-27-16-40-13 ./a\\040b/Data.fs\n");
        let comment = line.trim_start_matches("# ").trim_end();
        assert_eq!(Within::parse(comment), Some(Ok(within)));
        assert_eq!(Within::parse("left out: 'x'"), None);
        for (comment, what) in [
            ("within tree sub@x ./a", "kind 'tree'"),
            ("within datastore sub@x ./a", "kind 'datastore'"),
            ("within repozo objects/ab@x ./a", "own"),
            ("within repozo ../x@x ./a", "'..'"),
            ("within repozo x@x ./../a", "'..'"),
        ] {
            let odd = Within::parse(comment).unwrap().unwrap_err();
            assert!(odd.contains(what), "{odd}");
        }
    }
}
