//! `Scan` over a journal that the engine wrote, and over what could become of one.

use super::*;
use crate::formats::fjall::marker::MAGIC;

/// What fjall 3.1.13 wrote: 16 batches, then 3, then an insert and a removal.
const SAMPLE: &[u8] = include_bytes!("../../../../../tests/fixtures/fjall/0.jnl");

fn scan(bytes: &[u8], step: usize) -> Journal {
    let mut scan = Scan::new();
    for piece in bytes.chunks(step) {
        if scan.push(piece).is_break() {
            break;
        }
    }
    scan.end()
}

fn start(left: u32, number: u64) -> Vec<u8> {
    [&[1][..], &left.to_le_bytes(), &number.to_le_bytes()].concat()
}

fn item(key: &[u8], value: &[u8]) -> Vec<u8> {
    let (short, long) = (key.len() as u16, value.len() as u32);
    let lengths = [&short.to_le_bytes()[..], &long.to_le_bytes(), &long.to_le_bytes()].concat();
    [&[2, 0, 0][..], &7u64.to_le_bytes(), &lengths, key, value].concat()
}

fn end(items: &[u8]) -> Vec<u8> {
    [&[3][..], &xxhash_rust::xxh3::xxh3_64(items).to_le_bytes(), &MAGIC].concat()
}

fn batch(number: u64, items: &[Vec<u8>]) -> Vec<u8> {
    let all = items.concat();
    [start(items.len() as u32, number), all.clone(), end(&all)].concat()
}

/// Where each batch of the sample ends.
fn ends() -> Vec<usize> {
    (1..=SAMPLE.len()).filter(|length| scan(&SAMPLE[..*length], 1 << 20).whole == *length as u64).collect()
}

#[test]
fn what_the_engine_wrote_is_whole_in_any_pieces() {
    let whole = scan(SAMPLE, SAMPLE.len());
    assert_eq!((whole.whole, whole.batches, &whole.tail), (SAMPLE.len() as u64, 21, &Tail::Nothing));
    assert!(whole.last > Some(20) && whole.disorder.is_none());
    for step in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(scan(SAMPLE, step), whole, "{step}");
    }
}

#[test]
fn a_journal_of_any_length_ends_behind_its_last_whole_batch() {
    let ends = ends();
    assert_eq!(ends.len(), 21);
    for length in 0..SAMPLE.len() {
        let found = scan(&SAMPLE[..length], 100);
        let whole = ends.iter().copied().filter(|end| *end <= length).max().unwrap_or(0);
        assert_eq!(found.whole, whole as u64, "{length}");
        let between = found.whole == length as u64;
        assert!(matches!(found.tail, Tail::Nothing if between) || matches!(found.tail, Tail::Torn { .. } if !between));
        // What a file holds that was made long before: zeros behind what was written.
        let found = scan(&[&SAMPLE[..length], &[0; 700]].concat(), 100);
        match found.tail {
            Tail::Zeros => assert!(between),
            Tail::Torn { .. } | Tail::Broken { .. } => assert!(!between),
            Tail::Nothing => panic!("{length}: the zeros were not seen"),
        }
    }
}

#[test]
fn every_flipped_bit_shows_but_those_of_numbers_that_leave_room() {
    let whole = scan(SAMPLE, SAMPLE.len());
    let starts: Vec<usize> = [0].into_iter().chain(ends()).collect();
    let mut hidden = Vec::new();
    for at in 0..SAMPLE.len() {
        for bit in 0..8 {
            let mut bytes = SAMPLE.to_vec();
            bytes[at] ^= 1 << bit;
            let found = scan(&bytes, 4096);
            if found.tail == whole.tail && found.batches == whole.batches && found.disorder.is_none() {
                hidden.push(at);
            }
        }
    }
    // Numbers are in no checksum; one that is changed shows unless it is still between those before and behind it.
    let is_number = |at: &usize| starts.iter().any(|start| (start + 5..start + 13).contains(at));
    assert!(hidden.iter().all(is_number), "{hidden:?}");
    assert!(hidden.len() < 140, "{}", hidden.len());
}

#[test]
fn what_the_engine_refuses_is_broken_and_what_it_cuts_is_torn() {
    let good = batch(1, &[item(b"k", b"v")]);
    let items = item(b"k", b"v");
    let pointer = [&[2, 4][..], &items[2..]].concat();
    let clear = [&[4][..], &7u64.to_le_bytes()].concat();
    for (bytes, at, word) in [
        ([start(2, 2), items.clone(), end(&items)].concat(), 13 + items.len(), "fewer"),
        ([start(0, 2), items.clone(), end(&items)].concat(), 13, "more items"),
        ([start(1, 2), items.clone(), end(b"")].concat(), 13 + items.len(), "checksum"),
        (start(1, 1 << 63), 5, "as high"),
        ([start(1, 2), pointer.clone(), end(&pointer)].concat(), 13, "blob file"),
    ] {
        let found = scan(&[&good[..], &bytes].concat(), 5);
        let Tail::Broken { at: found, what } = found.tail else { panic!("{word}: {found:?}") };
        assert_eq!(found, (good.len() + at) as u64, "{what}");
        assert!(what.contains(word), "{what}");
    }
    for (bytes, at) in [
        (items.clone(), 0),
        (clear.clone(), 0),
        (end(b""), 0),
        ([start(1, 2), start(1, 3)].concat(), 13),
        ([start(1, 2), vec![2, 3], vec![0; 40]].concat(), 13),
        ([start(1, 2), vec![2, 0, 2], vec![0; 40]].concat(), 13),
        ([start(1, 2), items.clone(), vec![3; 13]].concat(), 13 + items.len()),
        ([start(1, 2), vec![0; 10]].concat(), 13),
        (vec![9], 0),
        (vec![0, 0, 1], 0),
    ] {
        let found = scan(&[&good[..], &bytes].concat(), 5);
        assert_eq!(found.tail, Tail::Torn { at: (good.len() + at) as u64 }, "{bytes:?}");
        assert_eq!(found.whole, good.len() as u64);
    }
    let empty = [start(0, 2), end(b""), start(1, 3), clear.clone(), end(&clear)].concat();
    assert_eq!(scan(&empty, 5).batches, 2);
}

#[test]
fn numbers_that_do_not_rise_are_told() {
    let one = batch(5, &[item(b"k", b"v")]);
    let found = scan(&[&one[..], &batch(6, &[]), &batch(6, &[]), &batch(4, &[])].concat(), 9);
    let at = one.len() as u64 + 26;
    assert_eq!(found.disorder, Some(Disorder { at, before: 6, number: 6 }));
    assert_eq!((found.batches, found.last), (4, Some(4)));
}

#[test]
fn a_journal_is_read_on_behind_what_was_whole() {
    let ends = ends();
    let cut = ends[8] + 40;
    let first = scan(&SAMPLE[..cut], 64);
    assert_eq!((first.batches, first.whole), (9, ends[8] as u64));
    let mut scan_on = Scan::resume(&first);
    assert!(scan_on.push(&SAMPLE[ends[8]..]).is_continue());
    assert_eq!(scan_on.end(), scan(SAMPLE, 64));
}

#[test]
fn a_value_of_any_length_takes_no_memory() {
    let mut long = start(1, 1);
    long.extend([&[2, 0, 0][..], &[0; 8], &[0xff; 10]].concat());
    let mut scan = Scan::new();
    assert!(scan.push(&long).is_continue());
    for _ in 0..1000 {
        assert!(scan.push(&[1; 4096]).is_continue());
    }
    assert_eq!(scan.end().tail, Tail::Torn { at: 13 });
}
