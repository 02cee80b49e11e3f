//! The target for archived trees: any bytes, and a sound archive with harm done to it.

use crate::fuzz::feed::{Feed, dice_of};
use crate::trees::{Archive, archive, item, read, sample};

/// Types of items, and lengths.
pub(super) static WORDS: &[&[u8]] = &[
    b"\x0d\xa4\x16\xdf\x75\x6c\x0f\x73",
    b"\xef\xac\x88\xe5\x74\x64\x95\xd5",
    b"\xb3\x17\x39\x06\x21\x11\x70\x16",
    b"\x25\x1a\x7c\x0b\x1b\x7a\x14\x28",
    b"\x1d\x73\xd5\x42\xa6\x4f\xec\x2f",
    b"\x75\x72\xbd\x22\x84\xc6\x69\x51",
    b"\x5f\xdc\xf5\xdb\xe7\x71\xf9\x27",
    b"\x7e\x97\xba\xc4\x6b\x3d\x9d\x41",
    b"\x38\x00\x00\x00\x00\x00\x00\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
];

/// Any bytes as an archive, or harm to one: however it is cut, and whatever of it is passed over, the same comes of it,
/// and what is said lies in it.
pub(super) fn pxar(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let mut made = if kind & 1 == 0 {
        Archive::of(rest.to_vec(), (kind & 2 != 0).then(|| item(0, &[])))
    } else {
        let mut made = archive(&sample(), kind & 2 != 0, kind & 4 != 0);
        let mut feed = Feed(rest);
        while !feed.is_empty() {
            let at = (usize::from(feed.byte()) << 8 | usize::from(feed.byte())) % made.tree.len().max(1);
            match feed.byte() % 4 {
                0 => made.tree.truncate(at),
                1 => {
                    let block = feed.block();
                    let end = (at + block.len()).min(made.tree.len());
                    made.tree.splice(at.min(end)..end, block.iter().copied());
                }
                _ => {
                    if let Some(byte) = made.tree.get_mut(at) {
                        *byte = feed.byte();
                    }
                }
            }
        }
        made
    };
    let (members, odds) = read(&made, &mut || usize::MAX, false);
    let longest = made.tree.len().max(made.payloads.as_ref().map_or(0, Vec::len)) as u64;
    assert!(odds.iter().all(|odd| odd.at <= longest && !odd.what.is_empty()), "{odds:?}");
    let least = members.len() * 40;
    assert!(least <= made.tree.len() + 40, "{} members in {} bytes", members.len(), made.tree.len());
    let mut dice = dice_of(bytes);
    for skip in [false, true] {
        let mut cut = || 1 + usize::try_from(dice.below(70)).expect("a few");
        assert_eq!(read(&made, &mut cut, skip), (members.clone(), odds.clone()));
    }
    if odds.is_empty() {
        made.tree.push(0);
        assert!(!read(&made, &mut || usize::MAX, false).1.is_empty(), "a byte more is none too many");
    }
}

/// Inputs to start from.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let whole = |split, old| [&[if split { 2 } else { 0 }][..], &archive(&sample(), split, old).tree].concat();
    vec![whole(false, false), whole(false, true), whole(true, false), vec![1], vec![3, 0, 70, 2, 1], vec![5, 1, 0, 0]]
}
