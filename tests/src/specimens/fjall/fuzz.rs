//! Targets for stores of fjall: `current`, versions, journals, and tables of names.

use highwater_core::formats::fjall::journal::{Ends, Journal, Scan, Tail};
use highwater_core::formats::fjall::meta::{Named, Names};
use highwater_core::formats::fjall::{current, version};

use super::layout::{self, Rest};
use crate::fuzz::feed::pieces;

/// Any bytes as `current`: what is read is all that stands there.
pub(crate) fn current(bytes: &[u8]) {
    match current::parse(bytes) {
        Ok(current) => {
            let mut digest = current.digest.as_bytes().to_vec();
            digest.reverse();
            assert_eq!([&current.version.to_le_bytes()[..], &digest, &[0]].concat(), bytes);
        }
        Err(odd) => assert!(odd.at <= bytes.len() as u64, "{odd}"),
    }
}

/// Any bytes as a version, with a right checksum or not: what is named stands in it, and its place is said of what is
/// wrong.
pub(crate) fn version(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let bytes = if kind & 1 == 1 { layout::summed(rest.to_vec()) } else { rest.to_vec() };
    match version::parse(&bytes) {
        Ok(version) => {
            let named = version.tables.iter().map(|table| (table.id, table.digest));
            for (id, digest) in named.chain(version.blobs.iter().map(|blob| (blob.id, blob.digest))) {
                let mut digest = digest.as_bytes().to_vec();
                digest.reverse();
                let wanted = [&id.to_le_bytes()[..], &[0], &digest].concat();
                assert!(bytes.windows(wanted.len()).any(|window| window == wanted), "{id} is named nowhere");
            }
            assert!(version.tables.len() * 33 + version.blobs.len() * 25 <= 2 * bytes.len(), "{version:?}");
            assert!(version::parse(&bytes[..bytes.len() - 1]).is_err());
        }
        Err(odd) => assert!(odd.at <= bytes.len() as u64, "{odd} in {} bytes", bytes.len()),
    }
}

fn scan(pieces: &[&[u8]]) -> Journal {
    let mut scan = Scan::new();
    for piece in pieces {
        if scan.push(piece).is_break() {
            break;
        }
    }
    scan.end()
}

/// Any bytes as a journal, with right checksums or not: any cut gives the same, another reader finds the same batches
/// and calls what stands behind them the same, and it can be read on from any batch.
pub(crate) fn journal(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let bytes = if kind & 1 == 1 { layout::mended(rest.to_vec()) } else { rest.to_vec() };
    let whole = scan(&[&bytes]);
    assert_eq!(scan(&pieces(&bytes)), whole);
    let (batches, rest) = layout::read(&bytes);
    let last = batches.last();
    assert_eq!((whole.batches, whole.whole), (batches.len() as u64, last.map_or(0, |batch| batch.end as u64)));
    assert_eq!(whole.last, last.map(|batch| batch.number));
    let falls = batches.windows(2).find(|pair| pair[1].number <= pair[0].number).map(|pair| pair[1].start as u64);
    assert_eq!(whole.disorder.map(|disorder| disorder.at), falls);
    let length = bytes.len() as u64;
    let found = match whole.tail {
        Tail::Nothing => Rest::Nothing,
        Tail::Zeros => Rest::Zeros,
        Tail::Torn { at } if (whole.whole..=length).contains(&at) => Rest::Torn,
        Tail::Broken { at, .. } if (whole.whole..=length).contains(&at) => Rest::Broken,
        ref tail => panic!("{tail:?} of {length} bytes"),
    };
    assert_eq!(found, rest, "{whole:?}");
    let cut = batches.len() / 2;
    let at = cut.checked_sub(1).map_or(0, |before| batches[before].end);
    let mut on = Scan::resume(&scan(&[&bytes[..at]]));
    _ = on.push(&bytes[at..]);
    assert_eq!(on.end(), whole);
    ends(&bytes);
}

fn ends(bytes: &[u8]) {
    let is_end = |window: &[u8]| window[0] == 3 && window[9..] == *b"FJL\x03";
    let wanted = bytes.windows(13).rposition(is_end).map(|at| at as u64);
    let mut ends = Ends::default();
    pieces(bytes).into_iter().for_each(|piece| ends.push(piece));
    assert_eq!(ends.last(), wanted);
}

/// Any bytes as a table of the meta keyspace, with right checksums or not: any cut names the same keyspaces.
pub(crate) fn meta(bytes: &[u8]) {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let bytes = if kind & 1 == 1 { layout::blocked(rest.to_vec()) } else { rest.to_vec() };
    let read = |pieces: &[&[u8]]| {
        let (mut names, mut named) = (Names::new(u64::from(kind >> 1)), Named::default());
        for piece in pieces {
            if names.push(piece, &mut named).is_break() {
                break;
            }
        }
        (names.is_whole(), named.ids().collect::<Vec<u64>>())
    };
    let whole = read(&[&bytes]);
    assert_eq!(read(&pieces(&bytes)), whole);
    assert!(whole.1.len() * 12 <= bytes.len(), "{whole:?}");
}

/// Inputs to start from.
pub(crate) mod seeds {
    use super::layout::{sections, version as version_of};
    use crate::specimens::fjall::small::store;

    pub(crate) static WORDS: &[&[u8]] = &[
        b"FJL\x03",
        b"SFA!\x01\x00",
        b"TOC!",
        b"LSM\x03\x00",
        b"\x01\x01\x00\x00\x00",
        b"\x02\x00\x00",
        b"\x03",
        b"\x04\x01\x00\x00\x00\x00\x00\x00\x00",
        b"tables",
        b"blob_files",
        b"blob_gc_stats",
        b"\x09n\x00\x00\x00\x00\x00\x00\x00",
    ];

    /// A byte that says what is made right, and a file of the small store, of which so many bytes.
    fn file(kind: u8, name: &str, most: usize) -> Vec<u8> {
        let bytes = &store()[name];
        [&[kind], &bytes[..bytes.len().min(most)]].concat()
    }

    pub(crate) fn current() -> Vec<Vec<u8>> {
        let current = store()["keyspaces/1/current"].clone();
        vec![current.clone(), current[..24].to_vec(), [&current[..], &[0]].concat(), vec![0; 25]]
    }

    pub(crate) fn version() -> Vec<Vec<u8>> {
        let made = |bytes: Vec<u8>| [vec![1], bytes].concat();
        vec![
            file(0, "keyspaces/2/v2", 4096),
            file(1, "keyspaces/3/v3", 4096),
            made(version_of(&[], &[])),
            made(sections(&[255; 9], &[255; 4])),
        ]
    }

    pub(crate) fn journal() -> Vec<Vec<u8>> {
        let journal = &store()["0.jnl"];
        let last = [&[1], &journal[journal.len() - 400..]].concat();
        vec![file(0, "0.jnl", 800), file(1, "0.jnl", 330), last, [file(1, "0.jnl", 330), vec![0; 40]].concat()]
    }

    pub(crate) fn meta() -> Vec<Vec<u8>> {
        let table = &store()["keyspaces/0/tables/3"];
        // Where the last block of data begins: it is the one that another kind of block follows.
        let block = table.windows(5).rposition(|window| window == b"LSM\x03\x00").expect("a block");
        vec![[&[1], &table[block..]].concat(), file(0, "keyspaces/0/tables/3", 200)]
    }
}
