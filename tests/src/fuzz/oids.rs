//! Targets for the OID index: the decoder of `.index` files, and the map against another map.

use std::collections::BTreeMap;

use highwater_core::filestorage::{Bad, BadKind, Decoder, Entry, OidIndex, TooFar, decode_whole, encode};

use super::feed::{Feed, pieces};

/// What a decoder gives: the offset, every object in order, whether it came to the end, and the fault.
#[derive(Debug, Default, PartialEq, Eq)]
struct Given {
    pos: Option<u64>,
    objects: Vec<(u64, u64)>,
    ended: bool,
}

fn decode(pieces: &[&[u8]]) -> (Given, Result<(), Bad>) {
    let (mut decoder, mut given) = (Decoder::new(), Given::default());
    let mut each = |entry: Entry<'_>| match entry {
        Entry::Pos(pos) => assert_eq!(given.pos.replace(pos), None, "two offsets"),
        Entry::Bucket(bucket) => {
            assert!(given.pos.is_some() && !given.ended && !bucket.keys.is_empty());
            assert_eq!(bucket.keys.len(), bucket.values.len());
            given.objects.extend(bucket.iter());
        }
        Entry::End => assert!(!std::mem::replace(&mut given.ended, true), "two ends"),
    };
    let mut result = Ok(());
    for piece in pieces {
        result = decoder.push(piece, &mut each);
        if let Err(bad) = result {
            assert_eq!(decoder.push(b"N.", &mut each), Err(bad), "a fault stays");
            break;
        }
    }
    let result = result.and_then(|()| decoder.finish());
    assert_eq!(result.is_ok(), decoder.finish().is_ok());
    (given, result)
}

/// Any bytes as a `.index` file: any cut gives the same objects and the same fault at the same byte, objects ascend,
/// and what is accepted is the same when it is written and read again; the form that is written cannot be cut short.
pub(crate) fn fsindex(bytes: &[u8]) {
    let (given, result) = decode(&[bytes]);
    assert_eq!(decode(&pieces(bytes)), (Given { objects: given.objects.clone(), ..given }, result), "in pieces");
    assert!(given.objects.is_sorted_by(|a, b| a.0 < b.0), "objects do not ascend");
    let whole = decode_whole(bytes);
    if let Err(bad) = result {
        assert!(bad.at <= bytes.len() as u64 && !bad.to_string().is_empty(), "{bad:?} in {} bytes", bytes.len());
        assert_eq!(whole, Err(bad));
        return;
    }
    let (pos, index) = whole.expect("what pieces give, the whole gives");
    assert!(given.ended && given.pos == Some(pos) && index.iter().eq(given.objects.iter().copied()));
    let mut written = Vec::new();
    encode(&index, pos, &mut |piece| written.extend_from_slice(piece));
    assert_eq!(decode_whole(&written), Ok((pos, index)));
    let cut = written.len() * 2 / 3;
    let short = decode_whole(&written[..cut]).expect_err("a part of an index is none");
    assert_eq!(short, Bad { at: cut as u64, what: BadKind::Truncated });
}

/// Any inserts into two maps, one merged into the other: it holds what a map of the standard library holds, also after
/// it was written and read again.
pub(crate) fn oids(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let mut indices = [OidIndex::new(), OidIndex::new()];
    let mut maps = [BTreeMap::new(), BTreeMap::new()];
    let pos = feed.number();
    let mut oid = 0_u64;
    while !feed.is_empty() {
        let flags = feed.byte();
        let which = usize::from(flags & 1);
        oid = match flags >> 1 & 3 {
            0 => feed.number(),
            1 => oid.wrapping_add(1),
            2 => oid.wrapping_sub(u64::from(flags >> 3)),
            _ => oid ^ 1 << (flags >> 3 & 31),
        };
        let offset = feed.number();
        let result = indices[which].insert(oid, offset);
        if offset < 1 << 48 {
            maps[which].insert(oid, offset);
            assert_eq!(result, Ok(()));
        } else {
            assert_eq!(result, Err(TooFar { oid, offset }));
        }
        assert_eq!(indices[which].get(oid), maps[which].get(&oid).copied());
    }
    let ([mut index, newer], [mut map, newer_map]) = (indices, maps);
    index.merge(&newer);
    map.extend(newer_map);
    assert!(index.iter().eq(map.iter().map(|(oid, offset)| (*oid, *offset))), "other objects");
    assert_eq!((index.len(), index.is_empty()), (map.len() as u64, map.is_empty()));
    assert_eq!(index.max_oid(), map.last_key_value().map(|(oid, _)| *oid));
    let near = [0, 1, oid, oid.wrapping_add(1), oid ^ 512, oid ^ 65_536, u64::MAX];
    assert!(near.iter().all(|oid| index.get(*oid) == map.get(oid).copied()));
    let count = u64::from(bytes.last().copied().unwrap_or(0)) % 70;
    let spread: Vec<_> = index.spread(count).collect();
    assert!(spread.len() as u64 <= count && spread.is_sorted_by(|a, b| a.0 < b.0), "{spread:?}");
    assert!(spread.iter().all(|(oid, offset)| map.get(oid) == Some(offset)));
    assert!(count == 0 || spread.first().copied() == index.iter().next(), "the lowest comes first");
    let mut written = Vec::new();
    encode(&index, pos, &mut |piece| written.extend_from_slice(piece));
    assert_eq!(decode_whole(&written), Ok((pos, index)));
}
