//! Targets for sets of points: lists.

use highwater_core::digest::Digest;
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
    b"\n/set type=file mode=0644",
    b"\n/unset all",
    b"\n..\n",
    b" \\\n",
    b"\\M-C\\M^?\\^A\\s",
    b" md5digest=",
    b" type=fifo ./a",
    b"\n# end ",
    b"#mtree\n",
];

fn read(mut lines: Lines, pieces: &[&[u8]]) -> (Vec<Line>, bool) {
    let mut found = Vec::new();
    pieces.iter().for_each(|piece| lines.push(piece, &mut |line| found.push(line)));
    (found, lines.end().is_ok())
}

fn entries(lines: Vec<Line>) -> Vec<Entry> {
    let entry = |line| match line {
        Line::Entry(entry) => Some(entry),
        Line::Comment(_) | Line::Special { .. } => None,
    };
    lines.into_iter().filter_map(entry).collect()
}

/// Any bytes as a list of ours, sealed or not, and as another program's: any cut gives the same, and what is read is
/// written and read again as it is.
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
    let lines = || if kind & 2 == 0 { Lines::default() } else { Lines::foreign() };
    let (found, whole) = read(lines(), &[&bytes]);
    assert_eq!(read(lines(), &pieces(&bytes)), (found.clone(), whole));
    if kind & 2 == 0 && whole {
        assert_eq!(read(Lines::foreign(), &[&bytes]), (found.clone(), true), "ours is one of anybody's");
    }
    let entries = entries(found);
    let mut text = SIGNATURE.to_owned();
    for Entry { node, digest, twin } in &entries {
        push_line(node, digest.as_ref(), *twin, &mut text);
    }
    seal(&mut text);
    let (again, whole) = read(Lines::default(), &[text.as_bytes()]);
    assert!(whole, "{text}");
    let again = self::entries(again);
    for (one, other) in entries.iter().zip(&again) {
        assert_eq!(one.node, other.node);
        // No other digest is written.
        assert_eq!(one.digest.filter(|digest| matches!(digest, Digest::Sha256(_))), other.digest);
        assert_eq!(one.twin.map(|twin| (twin.group, twin.again)), other.twin.map(|twin| (twin.group, twin.again)));
        assert!(!matches!(one.node.kind, NodeKind::Hard(_)));
    }
    assert_eq!(entries.len(), again.len());
}

/// Lists as other programs write them.
const OTHERS: [&str; 3] = [
    "#\tuser: x\n\n# .\n/set type=file uid=0 mode=0644\n.  type=dir time=1.5\n    a\\sb\\M-C  size=1 time=-2.5\n    \
     f  type=fifo\n\n# ./d\nd  type=dir\n    x \\\n    size=2\n# ./d\n..\n\n/unset uid\n..\n",
    "#mtree\n. mode=755 type=dir\n./a\\040b type=file size=1 md5digest=d41d8cd98f00b204e9800998ecf8427e\n",
    "type=dir .\ntype=link link=a\\sb ./l\n",
];

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
    seeds.extend(OTHERS.map(|text| [&[2], text.as_bytes()].concat()));
    seeds
}
