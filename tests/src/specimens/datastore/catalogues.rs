//! The target for catalogues: any bytes, and a sound catalogue with harm done to it.

use crate::catalogues::{MARK, read, samples, walk};
use crate::fuzz::feed::{Feed, dice_of};

/// What a catalogue begins with, heads of tables, entries, and numbers.
pub(super) static WORDS: &[&[u8]] = &[
    &MARK,
    b"\x01\x00",
    b"\x04\x01l\x01a",
    b"d\x01a\x02",
    b"f\x01a\x07\x85\x00",
    b"\x80\x00",
    b"\x08\x00\x00\x00\x00\x00\x00\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
];

/// Any bytes as a catalogue, or harm to one: however it is cut, the same comes of it; what is said lies in it, what is
/// listed has room in it, and of what is not wrong, all is listed.
pub(super) fn pcat1(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let made = match kind % 3 {
        0 => rest.to_vec(),
        kind => {
            let [one, other] = samples();
            harmed(if kind == 1 { one.bytes } else { other.bytes }, rest)
        }
    };
    let odds = read(&made, &mut || usize::MAX);
    let (listed, wrong) = walk(&made, b"", &mut || usize::MAX);
    let longest = made.len() as u64;
    for odd in odds.iter().chain(&wrong) {
        assert!(odd.at <= longest && !odd.what.is_empty(), "{odd:?}");
    }
    assert!(listed.len() * 2 <= made.len(), "{} entries in {} bytes", listed.len(), made.len());
    let mut dice = dice_of(bytes);
    let mut cut = || 1 + usize::try_from(dice.below(70)).expect("a few");
    assert_eq!(read(&made, &mut cut), odds);
    assert_eq!(walk(&made, b"", &mut cut), (listed.clone(), wrong.clone()));
    if odds.is_empty() {
        assert!(wrong.is_empty() && !listed.is_empty(), "{wrong:?}");
        assert!(!read(&[&made[..], &[0]].concat(), &mut || usize::MAX).is_empty(), "a byte more is none too many");
        let (path, _) = &listed[listed.len() / 2];
        let (part, _) = walk(&made, path, &mut cut);
        assert!(!part.is_empty() && part.iter().all(|one| listed.contains(one)), "{part:?}");
    }
}

fn harmed(mut made: Vec<u8>, orders: &[u8]) -> Vec<u8> {
    let mut feed = Feed(orders);
    while !feed.is_empty() {
        let at = (usize::from(feed.byte()) << 8 | usize::from(feed.byte())) % made.len().max(1);
        match feed.byte() % 4 {
            0 => made.truncate(at),
            1 => {
                let block = feed.block();
                let end = (at + block.len()).min(made.len());
                made.splice(at.min(end)..end, block.iter().copied());
            }
            _ => {
                if let Some(byte) = made.get_mut(at) {
                    *byte = feed.byte();
                }
            }
        }
    }
    made
}

/// Inputs to start from.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let whole = |number: usize| [&[0][..], &samples()[number].bytes].concat();
    vec![whole(0), whole(1), vec![1], vec![2, 0, 70, 2, 1], vec![1, 1, 0, 0], [&[0][..], &MARK].concat()]
}
