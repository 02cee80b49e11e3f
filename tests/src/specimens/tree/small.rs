//! A set of two points of some kilobytes, written by hand.

use highwater_core::digest::sha256_of;
use highwater_core::formats::tree::names;
use highwater_core::mtree::{SIGNATURE, Twin, push_line, seal};
use highwater_core::name::Name;
use highwater_core::node::{Meta, Node, NodeKind};

use crate::dice::Dice;
use crate::repo::Image;

/// The older point, which has a file that the other one lacks.
pub(super) const OLDER: &str = "2026-11-25T03-00-00Z";
/// The newer one.
pub(super) const NEWER: &str = "2026-11-26T03-00-00Z";

/// The file of a list.
pub(super) fn list(point: &str) -> String {
    format!("points/{point}.mtree")
}

/// An entry: its path, what it is, and if it is a file, its bytes and the group of its names.
pub(super) enum Is<'a> {
    Folder,
    File(&'a [u8]),
    Named(&'a [u8], Twin),
    Link(&'a str),
}

/// A set with one more point that holds these entries.
pub(super) fn add(set: &mut Image, point: &str, entries: &[(&str, Is<'_>)]) {
    let meta =
        |mode| Meta { mode: Some(mode), uid: Some(1000), gid: Some(100), modified: Some((1_795_000_000, 123_456_789)) };
    let bytes: usize = entries
        .iter()
        .map(|(_, is)| match is {
            Is::File(bytes) | Is::Named(bytes, Twin { again: false, .. }) => bytes.len(),
            _ => 0,
        })
        .sum();
    let mut text = format!("{SIGNATURE}# highwater tree 1 · store folder · point {point} · bytes {bytes}\n");
    push_line(&Node { path: None, kind: NodeKind::Folder, meta: meta(0o755) }, None, None, &mut text);
    for (path, is) in entries {
        let path = Name::new(path.as_bytes()).ok();
        let (kind, bytes, twin, mode) = match is {
            Is::Folder => (NodeKind::Folder, None, None, 0o750),
            Is::File(bytes) => (NodeKind::File(bytes.len() as u64), Some(*bytes), None, 0o644),
            Is::Named(bytes, twin) => (NodeKind::File(bytes.len() as u64), Some(*bytes), Some(*twin), 0o600),
            Is::Link(to) => (NodeKind::Link(to.as_bytes().to_vec()), None, None, 0o777),
        };
        let sum = bytes.map(sha256_of);
        push_line(&Node { path, kind, meta: meta(mode) }, sum.as_ref(), twin, &mut text);
        if let (Some(sum), Some(bytes)) = (sum, bytes) {
            set.insert(names::object(&sum).expect("a name").to_string(), bytes.to_vec());
        }
    }
    seal(&mut text);
    set.insert(list(point), text.into_bytes());
}

/// Bytes that are in both points, and in one of them alone.
pub(super) fn parts() -> [Vec<u8>; 4] {
    let mut dice = Dice::new(20);
    [900, 1500, 300, 2200].map(|length| dice.bytes(length))
}

/// The set.
pub(super) fn set() -> Image {
    let [both, old, new, named] = parts();
    let mut set = Image::new();
    let twin = |again| Twin { group: 1, names: 2, again };
    add(
        &mut set,
        OLDER,
        &[("a", Is::Folder), ("a/both", Is::File(&both)), ("a/empty", Is::File(b"")), ("old", Is::File(&old))],
    );
    add(
        &mut set,
        NEWER,
        &[
            ("a", Is::Folder),
            ("a/both", Is::File(&both)),
            ("a/link", Is::Link("../new")),
            ("named", Is::Named(&named, twin(false))),
            ("named too", Is::Named(&named, twin(true))),
            ("new", Is::File(&new)),
        ],
    );
    set
}
