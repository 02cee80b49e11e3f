//! Targets for sets of points: lists.

use highwater_core::mtree::{Entry, Line, Lines, SIGNATURE, push_line, seal};
use highwater_core::node::NodeKind;

use super::small;
use crate::fuzz::feed::pieces;

/// What stands in lists.
pub(crate) const WORDS: &[&[u8]] = &[
    b"\n./a type=file size=1 sha256=",
    b" type=dir",
    b" type=link link=",
    b" mode=0755",
    b" time=1.000000000",
    b" nlink=2 tags=hard-1,again",
    b"\\040",
    b"\n# end ",
    b"#mtree\n",
];

fn read(pieces: &[&[u8]]) -> (Vec<Line>, bool) {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    pieces.iter().for_each(|piece| lines.push(piece, &mut |line| found.push(line)));
    (found, lines.end().is_ok())
}

/// Any bytes as a list, sealed or not: any cut gives the same, and what is read is written and read again as it is.
pub(crate) fn list(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let bytes = match std::str::from_utf8(rest) {
        Ok(text) if kind & 1 == 1 => {
            let mut text = format!("{SIGNATURE}{}\n", text.trim_end_matches('\n'));
            seal(&mut text);
            text.into_bytes()
        }
        _ => rest.to_vec(),
    };
    let (lines, whole) = read(&[&bytes]);
    assert_eq!(read(&pieces(&bytes)), (lines.clone(), whole));
    let entries: Vec<Entry> =
        lines.into_iter().filter_map(|line| if let Line::Entry(entry) = line { Some(entry) } else { None }).collect();
    let mut text = SIGNATURE.to_owned();
    for Entry { node, digest, twin } in &entries {
        push_line(node, digest.as_ref(), *twin, &mut text);
    }
    seal(&mut text);
    let (again, whole) = read(&[text.as_bytes()]);
    assert!(whole, "{text}");
    let again: Vec<Entry> =
        again.into_iter().filter_map(|line| if let Line::Entry(entry) = line { Some(entry) } else { None }).collect();
    for (one, other) in entries.iter().zip(&again) {
        assert_eq!(one.node, other.node);
        // Only a file's digest is written that is SHA-256, which all are that are read.
        assert_eq!(one.digest, other.digest);
        assert_eq!(one.twin.map(|twin| (twin.group, twin.again)), other.twin.map(|twin| (twin.group, twin.again)));
        assert!(!matches!(one.node.kind, NodeKind::Hard(_)));
    }
    assert_eq!(entries.len(), again.len());
}

/// Inputs to begin with.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let set = small::set();
    let lists: Vec<&Vec<u8>> = [small::OLDER, small::NEWER].iter().map(|point| &set[&small::list(point)]).collect();
    let body = |list: &[u8]| {
        let text = String::from_utf8_lossy(list).into_owned();
        let inner = text.strip_prefix(SIGNATURE).and_then(|text| text.rsplit_once("# end ")).map(|(inner, _)| inner);
        [&[1], inner.unwrap_or_default().as_bytes()].concat()
    };
    let mut seeds: Vec<Vec<u8>> = lists.iter().map(|list| [&[0], list.as_slice()].concat()).collect();
    seeds.extend(lists.iter().map(|list| body(list)));
    seeds
}
