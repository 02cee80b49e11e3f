//! What an index says of a tree is hostile: whatever is no tree is refused before the first write.

use highwater_core::claim::Extent;
use highwater_core::node::{Meta, Node, NodeKind};

use super::bale::{Bale, claim, meta, name};

/// A bale of a folder and a file of ten bytes in it.
fn small() -> Bale {
    let mut bale = Bale::default();
    bale.folder("f", meta(0o755, 1));
    bale.file("f/x", b"0123456789", meta(0o644, 1), ("pack", 4));
    bale
}

type Change = (fn(&mut Bale), &'static str);

const NO_TREES: [Change; 17] = [
    (|bale| bale.nodes.remove(0).meta = meta(0, 0), "'f/x' lies in 'f', which is not named"),
    (|bale| bale.node("f/x/y", NodeKind::Folder, meta(0, 0)), "'f/x/y' lies in 'f/x', which is no folder"),
    (|bale| bale.folder("f", meta(0, 0)), "'f' is named twice"),
    (|bale| bale.node("f/x", NodeKind::Link(b"y".to_vec()), meta(0, 0)), "'f/x' is named twice"),
    (|bale| bale.node("l", NodeKind::Link(Vec::new()), meta(0, 0)), "'l' is a link that no file system can hold"),
    (|bale| bale.node("l", NodeKind::Link(b"a\0b".to_vec()), meta(0, 0)), "'l' is a link that no file system can hold"),
    (|bale| bale.node("h", NodeKind::Hard(name("f")), meta(0, 0)), "'h' is another name of 'f', which is no file"),
    (|bale| bale.node("h", NodeKind::Hard(name("h")), meta(0, 0)), "'h' is another name of 'h', which is no file"),
    (|bale| bale.node("h", NodeKind::Hard(name("no")), meta(0, 0)), "'h' is another name of 'no', which is no file"),
    (|bale| bale.node("f/x/h", NodeKind::Hard(name("f/x")), meta(0, 0)), "lies in 'f/x', which is no folder"),
    (|bale| bale.node("f/y", NodeKind::File(1), meta(0, 0)), "'f/y' is to have 1 bytes, and none are named"),
    (|bale| bale.nodes[1].kind = NodeKind::File(11), "'f/x' is to have 11 bytes, and 10 are named"),
    (|bale| bale.nodes[1].kind = NodeKind::File(u64::MAX), "bytes, and 10 are named"),
    (|bale| drop(bale.claims.remove(1)), "the bytes of 'f/x' do not go on at byte 4"),
    (|bale| bale.claims.push(bale.claims[1].clone()), "the bytes of 'f/x' do not go on at byte 8"),
    (|bale| bale.claims.push(claim("pack", 0..1, b"0", b"f", 0)), "'pack' has bytes of 'f', which is no file"),
    (|bale| bale.claims[0].extent = Some(Extent { path: None, at: 0 }), "the bytes of 'f/x' do not go on at byte 0"),
];

/// What is done to the parts `p`, of 10 bytes from byte 13 on, and `q`, from byte 36 on, of a stream of 53 bytes.
const PARTS: [Change; 7] = [
    (|bale| bale.nodes[3].kind = NodeKind::Part(36..54), "'q' is to have the bytes 36 to 54 of 53"),
    (|bale| bale.nodes[3].kind = NodeKind::Part(u64::MAX - 9..u64::MAX), "of 53"),
    (|bale| bale.nodes[3].kind = NodeKind::Part(22..32), "'p' and 'q' have the same bytes"),
    (|bale| bale.nodes[3].kind = NodeKind::Part(13..23), "have the same bytes"),
    (|bale| bale.claims.truncate(bale.claims.len() - 2), "'q' is to have the bytes 36 to 46 of 40"),
    (|bale| drop(bale.claims.remove(4)), "the bytes of its files do not go on at byte 8"),
    (|bale| bale.claims.push(claim("pack", 0..1, b"0", b"p", 0)), "'pack' has bytes of 'p', which is no file"),
];

#[test]
fn what_is_no_tree_is_refused_before_the_first_write() {
    assert_eq!(small().refusal(), None);
    for (number, (change, words)) in NO_TREES.into_iter().enumerate() {
        let mut bale = small();
        change(&mut bale);
        let said = bale.refusal().unwrap_or_else(|| panic!("{number}: it is taken"));
        assert!(said.contains(words) && said.contains(" names no tree: "), "{number}: {said}");
    }
    let tops = [NodeKind::File(0), NodeKind::Link(b"x".to_vec()), NodeKind::Hard(name("f/x"))];
    for kind in tops {
        let mut bale = small();
        bale.nodes.push(Node { path: None, kind, meta: Meta::default() });
        assert!(bale.refusal().is_some_and(|said| said.contains("its top is no folder")));
    }
    let mut bale = small();
    let top = Node { path: None, kind: NodeKind::Folder, meta: Meta::default() };
    bale.nodes.extend([top.clone(), top]);
    assert!(bale.refusal().is_some_and(|said| said.contains("its top is named twice")));
    // Parts of one stream: a stretch that it has not, that another file has, and that no claim is on.
    for (change, words) in PARTS {
        let mut bale = small();
        bale.stream(&[("p", vec![1; 10], meta(0, 0)), ("q", vec![2; 10], meta(0, 0))], ("pack-5", 8));
        assert_eq!(bale.refusal(), None);
        change(&mut bale);
        let said = bale.refusal().unwrap_or_else(|| panic!("{words}: it is taken"));
        assert!(said.contains(words) && said.contains(" names no tree: "), "{said}");
    }
    // An offset that no file has.
    let mut bale = small();
    bale.claims[2].extent = Some(Extent { path: Some(name("f/x")), at: u64::MAX });
    assert!(bale.refusal().is_some_and(|said| said.contains("do not go on at byte 8")));
}
