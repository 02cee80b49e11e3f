//! Tests of tables: those of the engines, and those that nobody's engine wrote.

use super::super::Engine;
use super::super::records::mask;
use super::entries::{Form, handles};
use super::footer::Handle;
use super::sum::Kind;
use super::unpack::{MOST, Packed, unpack};
use super::*;
use crate::finding::{Code, Findings};
use crate::name::Name;
use crate::trail::{Ended, Follow};

/// Tables of 60 keys: of RocksDB 9.8.4 by rocksdict 0.3.29, by version, kind of checksum, compression, and whether
/// index and filter are in parts; the last of LevelDB 1.22 by plyvel 1.5.1.
const SAMPLES: [(&str, Engine, &[u8]); 5] = [
    ("0 CRC-32C Snappy", Engine::RocksDb, include_bytes!("tests/v0-crc32c-snappy")),
    ("2 XXH32 zlib", Engine::RocksDb, include_bytes!("tests/v2-xxhash32-zlib")),
    ("5 XXH64 LZ4 parts", Engine::RocksDb, include_bytes!("tests/v5-xxhash64-lz4-parts")),
    ("6 XXH3 zstd parts", Engine::RocksDb, include_bytes!("tests/v6-xxh3-zstd-parts")),
    ("LevelDB Snappy", Engine::LevelDb, include_bytes!("tests/leveldb-snappy")),
];

/// What is found: the code, where, and the sentence.
type Found = Vec<(Code, Option<u64>, String)>;

/// What is found of a table that should have `size` bytes, read in steps; how many were checked, and whether all was.
fn check(engine: Engine, bytes: &[u8], size: u64, step: usize) -> (Found, u64, bool) {
    let mut scan = Scan::new(engine, size);
    while let Some(range) = scan.want() {
        assert!(range.end - range.start <= MOST as u64 + 5 || range.end - range.start <= 4 << 20);
        let at = |at: u64| (at as usize).min(bytes.len());
        scan.take(&bytes[at(range.start)..at(range.end).max(at(range.start))]);
    }
    let layout = scan.end();
    let mut found: Vec<_> = layout.odds.iter().map(|(code, at, what)| (*code, Some(*at), what.clone())).collect();
    let mut out = Findings::default();
    let mut blocks = Blocks::new(Name::new(b"000005.sst").unwrap(), layout, None);
    for bytes in bytes.chunks(step) {
        if blocks.push(bytes, &mut out).is_break() {
            break;
        }
    }
    blocks.end(Ended::Whole, &mut out);
    found.extend(out.sample().map(|finding| (finding.code, finding.offset, finding.message.clone())));
    (found, blocks.bytes(), blocks.is_whole())
}

#[test]
fn what_the_engines_wrote_is_sound_to_its_last_byte() {
    for (name, engine, bytes) in SAMPLES {
        let size = bytes.len() as u64;
        for step in [1, 7, 1000, bytes.len()] {
            assert_eq!(check(engine, bytes, size, step), (vec![], size, true), "{name}");
        }
        let mut scan = Scan::new(engine, size);
        while let Some(range) = scan.want() {
            scan.take(&bytes[range.start as usize..range.end as usize]);
        }
        let layout = scan.end();
        // Block behind block, from the first byte to the footer.
        let end = layout.blocks.iter().try_fold(0, |end, block| (block.at == end).then(|| block.end().unwrap()));
        assert_eq!(end, layout.footer.map(|footer| footer.at), "{name}");
        assert!(layout.blocks.len() > 5, "{name}: {}", layout.blocks.len());
    }
}

#[test]
fn every_flipped_bit_is_found() {
    for (name, engine, bytes) in SAMPLES {
        let mut damaged = bytes.to_vec();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                damaged[at] ^= 1 << bit;
                let (found, ..) = check(engine, &damaged, bytes.len() as u64, bytes.len());
                assert!(!found.is_empty(), "{name} {at}.{bit}");
                // A block is named by its first byte.
                assert!(found.iter().all(|(_, offset, _)| offset.is_some()), "{name} {at}.{bit}: {found:?}");
                damaged[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn a_table_that_is_cut_or_longer_has_another_length() {
    for (name, engine, bytes) in SAMPLES {
        let size = bytes.len() as u64;
        for length in [0, 1, 47, 53, 500, bytes.len() - 1] {
            let (found, checked, _) = check(engine, &bytes[..length], size, 100);
            assert_eq!(
                (found.len(), found[0].0, found[0].1),
                (1, Code::Length, Some(length as u64)),
                "{name} {length}"
            );
            assert_eq!(checked, length as u64);
        }
        let longer = [bytes, &[0]].concat();
        let (found, ..) = check(engine, &longer, size, 100);
        assert_eq!((found.len(), found[0].0, found[0].1), (1, Code::Length, Some(size)), "{name}");
    }
}

/// A table of LevelDB of these blocks, which are stored as they are, behind which index and metaindex lie.
struct Table {
    bytes: Vec<u8>,
    handles: Vec<Handle>,
}

impl Table {
    fn new(blocks: &[&[u8]]) -> Self {
        let mut table = Self { bytes: Vec::new(), handles: Vec::new() };
        blocks.iter().for_each(|block| _ = table.add(0, block));
        table
    }

    fn add(&mut self, kind: u8, block: &[u8]) -> Handle {
        let handle = Handle { at: self.bytes.len() as u64, size: block.len() as u64 };
        self.bytes.extend_from_slice(block);
        self.bytes.push(kind);
        self.bytes.extend(Kind::Crc32c.of(block, kind).to_le_bytes());
        self.handles.push(handle);
        handle
    }

    /// Ends it with an empty metaindex, an index of these handles, and the footer.
    fn end(mut self, index: &[Handle]) -> Vec<u8> {
        let metaindex = self.add(0, &block(&[]));
        let index = self.add(0, &block(&index.iter().map(|handle| (&b"k"[..], varints(*handle))).collect::<Vec<_>>()));
        self.foot(metaindex, index)
    }

    fn foot(mut self, metaindex: Handle, index: Handle) -> Vec<u8> {
        let mut footer = [varints(metaindex), varints(index)].concat();
        footer.resize(40, 0);
        footer.extend(0xdb47_7524_8b80_fb57_u64.to_le_bytes());
        self.bytes.extend(footer);
        self.bytes
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn varints(handle: Handle) -> Vec<u8> {
    [varint(handle.at), varint(handle.size)].concat()
}

/// A block of these entries, none of which shares anything with the one before it.
fn block(entries: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (key, value) in entries {
        block.push(0);
        block.extend(varint(key.len() as u64));
        block.extend(varint(value.len() as u64));
        block.extend_from_slice(key);
        block.extend(value);
    }
    block.extend(0_u32.to_le_bytes());
    block.extend(1_u32.to_le_bytes());
    block
}

fn found(bytes: &[u8]) -> Found {
    check(Engine::LevelDb, bytes, bytes.len() as u64, 4096).0
}

#[test]
fn an_index_that_no_engine_writes_is_malformed() {
    let (one, two) = (vec![1; 50], vec![2; 60]);
    let table = || Table::new(&[&one, &two]);
    let known = table().handles;
    assert_eq!(found(&table().end(&known)), []);
    let far = |at: u64, size: u64| Handle { at, size };
    for (index, what) in [
        (vec![known[0], far(55, 9999)], "goes past"),
        (vec![known[0], far(u64::MAX, u64::MAX)], "goes past"),
        (vec![known[1], known[0]], "out of order"),
        (vec![known[0], known[0]], "out of order"),
        (vec![far(0, 49), known[1]], "belongs to no block"),
        (vec![far(3, 40), known[1]], "CRC-32C"),
        // The metaindex: the block is there, but it is no data.
        (vec![known[0], known[1], far(110 + 10, 8)], "overlap"),
    ] {
        let found = found(&table().end(&index));
        assert!(found.iter().any(|(_, _, message)| message.contains(what)), "{index:?} {what}: {found:?}");
    }
    // Blocks that overlap: the index itself is named as data once more, a byte further on.
    let bytes = table().end(&[known[0], known[1], far(121, 8)]);
    assert!(found(&bytes).iter().any(|(_, _, message)| message.contains("overlap")), "{:?}", found(&bytes));
}

#[test]
fn padding_that_is_not_zero_is_seen() {
    let mut table = Table::new(&[&[1; 50]]);
    table.bytes.extend([0; 30]);
    let last = table.add(0, &[2; 60]);
    let index = [table.handles[0], last];
    let mut bytes = table.end(&index);
    assert_eq!(found(&bytes), []);
    bytes[70] = 1;
    let odd = found(&bytes);
    assert_eq!((odd.len(), odd[0].0, odd[0].1), (1, Code::OddIndex, Some(70)));
}

#[test]
fn blocks_of_an_index_that_are_no_index_are_malformed() {
    for (index, what) in [
        (vec![], "shorter than"),
        (vec![0; 3], "shorter than"),
        (vec![0xff; 4], "block of data"),
        (vec![9, 0, 0, 0], "shorter than"),
        ([&[0, 200][..], &[0; 4], &1_u32.to_le_bytes()].concat(), "not whole"),
        ([&[5, 1, 2, 7, 0, 50][..], &[0; 4], &1_u32.to_le_bytes()].concat(), "not whole"),
        ([&[0, 1, 3, 7, 0, 50, 0][..], &[0; 4], &1_u32.to_le_bytes()].concat(), "not whole"),
        ([&[0, 1, 1, 7, 0][..], &[0; 4], &1_u32.to_le_bytes()].concat(), "not whole"),
    ] {
        let mut table = Table::new(&[&[1; 50]]);
        let metaindex = table.add(0, &block(&[]));
        let at = table.add(0, &index);
        let found = found(&table.foot(metaindex, at));
        assert_eq!((found[0].0, found[0].1), (Code::Malformed, Some(at.at)), "{index:?}");
        assert!(found[0].2.contains(what), "{index:?}: {found:?}");
    }
}

#[test]
fn handles_may_be_differences_and_have_first_keys() {
    // Two handles at restarts, each followed by one that lies behind it and is 10 bytes longer, or 3 shorter.
    let entry = |shared: u8, key: &[u8], value: &[u8]| [&[shared, key.len() as u8][..], key, value].concat();
    let form = Form { delta: true, first_key: true };
    let data = [
        entry(0, b"abc", &[0, 50, 2, b'a', b'a']),
        entry(2, b"d", &[20, 1, b'b']),
        entry(0, b"xyz", &[0xff, 1, 100, 0]),
        entry(1, b"z", &[5, 0]),
    ]
    .concat();
    let block = [&data[..], &[0; 8], &2_u32.to_le_bytes()].concat();
    let mut all = Vec::new();
    let end = handles(&block, form, &mut |handle| {
        all.push((handle.at, handle.size));
        Ok(())
    });
    assert_eq!((end, all), (Ok(()), vec![(0, 50), (55, 60), (255, 100), (360, 97)]));
    assert!(handles(&block, Form { delta: true, first_key: false }, &mut |_| Ok(())).is_err());
}

#[test]
fn a_sequence_number_that_was_written_into_the_properties_is_no_damage() {
    let properties = |number: u64| {
        block(&[
            (b"rocksdb.external_sst_file.global_seqno", number.to_le_bytes().to_vec()),
            (b"rocksdb.external_sst_file.version", 2_u32.to_le_bytes().to_vec()),
        ])
    };
    let table = |found: &[u8]| {
        let mut table = Table::new(&[&[1; 50]]);
        let data = table.handles[0];
        let handle = table.add(0, &properties(0));
        let metaindex = table.add(0, &block(&[(b"rocksdb.properties", varints(handle))]));
        let index = table.add(0, &block(&[(b"k", varints(data))]));
        let mut bytes = table.foot(metaindex, index);
        bytes[handle.at as usize..][..found.len()].copy_from_slice(found);
        bytes
    };
    assert_eq!(found(&table(&properties(0))), []);
    assert_eq!(found(&table(&properties(77))), []);
    let mut other = properties(77);
    let version = other.len() - 9;
    other[version] ^= 1;
    assert_eq!(found(&table(&other))[0].0, Code::Digest);
}

#[test]
fn what_an_index_decompresses_to_is_bounded() {
    // One literal byte, copied over and over.
    let copies = |length: usize| [&varint(length as u64)[..], &[0, 0], &[0xfe, 1, 0].repeat(length / 64)].concat();
    assert_eq!(unpack(Engine::LevelDb, 0, 1, &copies(MOST + 64)), Err(Packed::Large));
    assert_eq!(unpack(Engine::LevelDb, 0, 1, &copies(6400)), Err(Packed::Broken("the compressed bytes are broken")));
    for (version, kind, stored) in [
        (2, 4, [&varint(5)[..], &[0x10, 0]].concat()),
        (1, 4, [&5_u64.to_le_bytes()[..], &[0x10, 0]].concat()),
        (2, 5, [&varint(5)[..], &[0x10, 0]].concat()),
        (2, 7, [&varint(5)[..], &[0x10, 0]].concat()),
        (2, 2, [&varint(5)[..], &[0x10, 0]].concat()),
        (2, 2, vec![]),
        (2, 4, vec![0x80]),
        (1, 4, vec![0; 7]),
    ] {
        let found = unpack(Engine::RocksDb, version, kind, &stored);
        assert!(matches!(found, Err(Packed::Broken(_))), "{kind}: {found:?}");
    }
    // What comes out is said to be more than an index has, and of zlib and zstd, is so before anybody says it.
    for kind in [1, 2, 4, 7] {
        let stored = [&varint(1 << 20)[..], &[0; 50]].concat();
        assert_eq!(unpack(Engine::RocksDb, 2, kind, &stored), Err(Packed::Large), "{kind}");
    }
    let mut zeros = Vec::new();
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    zeros.reserve(1 << 20);
    let all = vec![0; 50 << 20];
    deflate.compress_vec(&all, &mut zeros, flate2::FlushCompress::Finish).unwrap();
    assert!(zeros.len() < 100_000);
    assert_eq!(unpack(Engine::RocksDb, 0, 2, &zeros), Err(Packed::Large));
    assert_eq!(unpack(Engine::LevelDb, 0, 4, &zeros), Err(Packed::Large));
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    frame.extend([0x02, 0x00, 0x10, 0x00].repeat(5000));
    assert_eq!(unpack(Engine::LevelDb, 0, 2, &frame), Err(Packed::Large));
    assert_eq!(unpack(Engine::RocksDb, 2, 3, b"BZh"), Err(Packed::Unknown("bzip2")));
    assert_eq!(unpack(Engine::LevelDb, 0, 0, b"abc"), Ok(b"abc".as_slice().into()));
}

#[test]
fn tables_of_other_kinds_and_without_checksums_are_not_judged() {
    let mut plain = vec![0; 100];
    plain.extend(0x8242_2296_63bf_9564_u64.to_le_bytes());
    let (odd, _, whole) = check(Engine::RocksDb, &plain, 108, 50);
    assert_eq!((odd.len(), odd[0].0, whole), (1, Code::Unverifiable, false));
    // Version 2 with the kind of checksum 0: four zeros stand behind each block.
    let mut table = Table::new(&[&[1; 50]]);
    let data = table.handles[0];
    let metaindex = table.add(0, &block(&[]));
    let index = table.add(0, &block(&[(b"k", varints(data))]));
    let mut bytes = std::mem::take(&mut table.bytes);
    for handle in [data, metaindex, index] {
        bytes[(handle.at + handle.size) as usize + 1..][..4].fill(0);
    }
    bytes.push(0);
    let mut footer = [varints(metaindex), varints(index)].concat();
    footer.resize(40, 0);
    footer.extend(2_u32.to_le_bytes());
    footer.extend(0x88e2_41b7_85f4_cff7_u64.to_le_bytes());
    bytes.extend(footer);
    let (odd, _, whole) = check(Engine::RocksDb, &bytes, bytes.len() as u64, 50);
    assert_eq!((odd.len(), odd[0].0, whole), (1, Code::Unverifiable, false), "{odd:?}");
    bytes[52] = 1;
    assert!(check(Engine::RocksDb, &bytes, bytes.len() as u64, 50).0.iter().any(|(code, ..)| *code == Code::Digest));
}

#[test]
fn the_checksum_of_a_whole_file_counts_where_it_is_on_record() {
    let (_, engine, bytes) = SAMPLES[3];
    let judged = |digest: u32| {
        let mut scan = Scan::new(engine, bytes.len() as u64);
        while let Some(range) = scan.want() {
            scan.take(&bytes[range.start as usize..range.end as usize]);
        }
        let digest = crate::digest::Digest::Crc32c(digest.to_be_bytes());
        let mut blocks = Blocks::new(Name::new(b"000005.sst").unwrap(), scan.end(), Some(digest));
        let mut out = Findings::default();
        bytes.chunks(99).for_each(|bytes| _ = blocks.push(bytes, &mut out));
        blocks.end(Ended::Whole, &mut out);
        out.tallies().keys().copied().collect::<Vec<_>>()
    };
    let crc = crc32c::crc32c(bytes);
    assert_eq!((judged(crc), judged(crc ^ 1), judged(mask(crc))), (vec![], vec![Code::Digest], vec![Code::Digest]));
}
