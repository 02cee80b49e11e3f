//! Indices whole, cut, flipped and made to harm.

use super::*;

fn fixed(size: u64, chunk: u64, digests: u64) -> Vec<u8> {
    let mut index = [&FIXED[..], &[0; 4088]].concat();
    index[64..72].copy_from_slice(&size.to_le_bytes());
    index[72..80].copy_from_slice(&chunk.to_le_bytes());
    (0..digests).for_each(|number| index.extend([u8::try_from(number % 251).unwrap(); 32]));
    index
}

fn dynamic(ends: &[u64]) -> Vec<u8> {
    let mut index = [&DYNAMIC[..], &[0; 4088]].concat();
    ends.iter().for_each(|end| index.extend([&end.to_le_bytes()[..], &[7; 32]].concat()));
    index
}

/// The targets that an index names when it comes in pieces of `size` bytes, and how it ends.
fn read(index: &[u8], is_fixed: bool, size: usize) -> (Vec<Range<u64>>, Result<u64, u64>) {
    let mut reading = Index::new(is_fixed);
    let mut targets = Vec::new();
    index.chunks(size).for_each(|piece| reading.push(piece, &mut |entry| targets.push(entry.target)));
    (targets, reading.end().map(|summary| summary.size).map_err(|odd| odd.at))
}

#[test]
fn chunks_follow_each_other_and_the_last_may_be_short() {
    for size in [1, 33, 4096, usize::MAX] {
        assert_eq!(read(&fixed(10_000, 4096, 3), true, size), (vec![0..4096, 4096..8192, 8192..10_000], Ok(10_000)));
        assert_eq!(read(&dynamic(&[5, 9, 4_000_000]), false, size), (vec![0..5, 5..9, 9..4_000_000], Ok(4_000_000)));
    }
}

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    for (what, index, is_fixed, at) in [
        ("a chunk of 3 bytes", fixed(9, 3, 3), true, 0),
        ("chunks without a length", fixed(9, 0, 3), true, 0),
        ("chunks of 32 MiB", fixed(9, 1 << 25, 1), true, 0),
        ("an empty archive", fixed(0, 4096, 0), true, 0),
        ("one digest too many", fixed(8192, 4096, 3), true, 4096 + 64),
        ("one too few", fixed(8193, 4096, 2), true, 4096 + 64),
        ("far too few", fixed(u64::MAX, 4096, 2), true, 4096 + 64),
        ("a chunk without bytes", dynamic(&[5, 5]), false, 4096 + 40),
        ("an end before the last", dynamic(&[5, 4]), false, 4096 + 40),
        ("a chunk of 17 MiB", dynamic(&[17 << 20]), false, 4096),
        ("a chunk up to the end of numbers", dynamic(&[5, u64::MAX]), false, 4096 + 40),
        ("no chunk", dynamic(&[]), false, 4096),
        ("a fixed one as a dynamic one", fixed(9, 4096, 1), false, 0),
        ("half an entry", dynamic(&[5])[..4100].to_vec(), false, 4100),
        ("half a header", dynamic(&[5])[..100].to_vec(), false, 100),
        ("nothing", Vec::new(), true, 0),
    ] {
        for size in [1, 1000, usize::MAX] {
            assert_eq!(read(&index, is_fixed, size).1, Err(at), "{what}");
        }
    }
}

#[test]
fn reserved_bytes_are_looked_at() {
    for (mut index, is_fixed, at) in
        [(fixed(9, 4096, 1), true, 80), (dynamic(&[9]), false, 64), (dynamic(&[9]), false, 4095)]
    {
        let mut reading = Index::new(is_fixed);
        reading.push(&index, &mut |_| {});
        assert_eq!(reading.end().unwrap().dirt, None);
        index[at] = 1;
        let mut reading = Index::new(is_fixed);
        reading.push(&index, &mut |_| {});
        assert_eq!(reading.end().unwrap().dirt, Some(at as u64));
    }
}
