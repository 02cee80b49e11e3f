//! `Title` and `Base`: what the newest point of a set says of the store that it is of, and what it has.

use highwater_core::digest::Digest;
use highwater_core::formats::tree::{BYTES, CHANGED, LEFT_OUT, TITLE, names};
use highwater_core::inspect::Entry;
use highwater_core::mtree::{self, Line, Lines};
use highwater_core::name::Name;
use highwater_core::node::NodeKind;
use rayon::prelude::*;

use super::super::{TOKEN, since};
use crate::disk::Disk;
use crate::error::Error;
use crate::watch::Watch;

/// The title is in so many bytes.
const HEAD: u64 = 64 << 10;

/// The first comment of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    /// The kind of store.
    pub(super) kind: String,
    /// What tells the store from others of its kind.
    pub(super) identity: Option<String>,
    /// Up to where the point goes.
    pub(super) position: Option<String>,
}

impl Title {
    /// Reads the comment.
    fn parse(comment: &str) -> Option<Self> {
        let (rest, _) = comment.strip_prefix(TITLE)?.strip_prefix(" · ")?.rsplit_once(BYTES)?;
        let (mut title, mut parts) = (Self { kind: String::new(), identity: None, position: None }, rest.split(" · "));
        let store = parts.next()?.strip_prefix("store ")?;
        let (kind, identity) = store.split_once(' ').map_or((store, None), |(kind, identity)| (kind, Some(identity)));
        kind.clone_into(&mut title.kind);
        title.identity = identity.map(ToOwned::to_owned);
        title.position = parts.find_map(|part| part.strip_prefix("at ")).map(ToOwned::to_owned);
        Some(title)
    }

    /// That of the newest point; none where there is no point, or it has none that can be read.
    ///
    /// # Errors
    /// The set cannot be read.
    pub(super) fn newest(set: &dyn Disk) -> Result<Option<Self>, Error> {
        let Some((_, list)) = newest(set)? else { return Ok(None) };
        let object = set.open(&list).map_err(Error::at("open", set, &list))?;
        let (mut lines, mut title) = (Lines::default(), None);
        object
            .for_each_piece(0, HEAD, &mut vec![0; 4 << 10], |piece| {
                let mut is_over = false;
                lines.push(piece, &mut |line| match line {
                    Line::Comment(comment) => title = title.take().or_else(|| Self::parse(&comment)),
                    Line::Entry(_) | Line::Special { .. } => is_over = true,
                });
                title.is_none() && !is_over
            })
            .map_err(Error::at("read", set, &list))?;
        Ok(title)
    }
}

/// The newest point of a set, with what it has, if the next one may be made of what changed since.
pub(super) struct Base {
    /// What its list was called by whoever made it.
    pub(super) token: String,
    /// What it has.
    pub(super) entries: Vec<mtree::Entry>,
}

impl Base {
    /// That of a set of points of stores of this kind; none where the newest point is of another kind, lacks something
    /// or an object, or was not called anything.
    ///
    /// # Errors
    /// The set cannot be read.
    pub(super) fn newest(set: &dyn Disk, kind: &str, watch: &Watch<'_>) -> Result<Option<Self>, Error> {
        let Some((_, list)) = newest(set)? else { return Ok(None) };
        let object = set.open(&list).map_err(Error::at("open", set, &list))?;
        let (mut lines, mut entries) = (Lines::default(), Vec::new());
        let (mut title, mut token, mut is_whole) = (None, None, true);
        let mut take = |line: Line| match line {
            Line::Comment(comment) => {
                title = title.take().or_else(|| Title::parse(&comment));
                let called = comment.strip_prefix(TOKEN).and_then(|rest| rest.strip_suffix('\''));
                token = token.take().or_else(|| called.map(ToOwned::to_owned));
                is_whole &= !comment.starts_with(LEFT_OUT) && !comment.starts_with(CHANGED);
            }
            Line::Special { .. } => is_whole = false,
            Line::Entry(entry) => {
                is_whole &=
                    !matches!(entry.node.kind, NodeKind::File(_)) || matches!(entry.digest, Some(Digest::Sha256(_)));
                entries.push(entry);
            }
        };
        object
            .for_each_piece(0, u64::MAX, &mut vec![0; 64 << 10], |piece| {
                lines.push(piece, &mut take);
                !watch.stopping()
            })
            .map_err(Error::at("read", set, &list))?;
        watch.go_on()?;
        is_whole &= lines.end().is_ok() && title.is_some_and(|title| title.kind == kind);
        let Some(token) = token.filter(|_| is_whole) else { return Ok(None) };
        let is_there = |(length, digest): (u64, Digest)| {
            let name = names::object(&digest)?;
            Some(set.look(Some(&name)).is_ok_and(|look| look.is_some_and(|look| look.length == length)))
        };
        // What the source is not asked for could not be stored again.
        let are_there = since::sums(&entries).par_bridge().all(|sum| !watch.stopping() && is_there(sum) == Some(true));
        watch.go_on()?;
        Ok(are_there.then_some(Self { token, entries }))
    }
}

/// The newest point of a set, and its list; none where there is none.
///
/// # Errors
/// The set cannot be read.
pub(in crate::backup::tree) fn newest(set: &dyn Disk) -> Result<Option<(String, Name)>, Error> {
    let points = Name::new(names::POINTS.as_bytes())?;
    let mut newest: Option<String> = None;
    let mut take = |entry: Entry| {
        let point = names::point_of(&entry.name).filter(|_| entry.kind.may_be_file());
        newest = newest.take().max(point);
    };
    match set.list(Some(&points), &mut take) {
        // A dry run makes no set.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        listed => listed.map_err(Error::at("list", set, &points))?,
    }
    Ok(newest.and_then(|point| Some((names::list(&point)?, point))).map(|(list, point)| (point, list)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_read_as_it_is_written() {
        let title = |kind: &str, identity: Option<&str>, position: Option<&str>| {
            let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
            Some(Title { kind: kind.to_owned(), identity: owned(identity), position: owned(position) })
        };
        for (rest, wanted) in [
            ("store folder · point P · bytes 12", title("folder", None, None)),
            ("store git · at 3 refs · point P · bytes 12", title("git", None, Some("3 refs"))),
            ("store rocksdb 1a-2b · at x · point P · bytes 0", title("rocksdb", Some("1a-2b"), Some("x"))),
            ("store rocksdb 1a-2b", None),
            ("point P · bytes 0", None),
        ] {
            assert_eq!(Title::parse(&format!("{TITLE} · {rest}")), wanted, "{rest}");
        }
        assert_eq!(Title::parse("another comment · bytes 1"), None);
    }
}
