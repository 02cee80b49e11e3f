//! Tests of `Manifest` against MANIFESTs that the engines wrote.

use super::super::Blob;
use super::super::records::tests::{log, physical};
use super::*;

/// RocksDB 9.8.4 by rocksdict 0.3.29: families `default`, `a` and `b`, `b` dropped; atomic flushes of several at a
/// time, blob files of which two are garbage, an ingested table. Its own list of live files named the tables 18 (level
/// 0, 1056 bytes), 17 (level 6, 1099 bytes) and 14 (level 0, 1087 bytes).
const ROCKSDB: &[u8] = include_bytes!("rocksdb-9.8.4");

/// LevelDB 1.22 by plyvel 1.5.1: one table, 5, of 801 bytes.
const LEVELDB: &[u8] = include_bytes!("leveldb-1.22");

fn read(engine: Engine, bytes: &[u8], step: usize) -> Read {
    let mut manifest = Manifest::new(engine);
    for bytes in bytes.chunks(step) {
        if manifest.push(bytes).is_break() {
            break;
        }
    }
    manifest.end()
}

#[test]
fn what_rocksdb_wrote_is_read_as_rocksdb_reads_it() {
    for step in [1, 100, ROCKSDB.len()] {
        let Read { state, cut, length, tail } = read(Engine::RocksDb, ROCKSDB, step);
        assert_eq!((cut, length, tail), (934, 934, Tail::Nothing));
        assert_eq!(state.comparator.as_deref(), Some(&b"leveldb.BytewiseComparator"[..]));
        let names: Vec<_> = state.families.iter().map(|(number, family)| (*number, &family.name[..])).collect();
        assert_eq!(names, [(0, &b"default"[..]), (2, b"a")]);
        let tables = |family: u32| {
            let tables = state.families[&family].tables.iter();
            tables.map(|(number, table)| (*number, table.level, table.size, table.ingested)).collect::<Vec<_>>()
        };
        assert_eq!(tables(0), [(17, 6, 1099, false), (18, 0, 1056, true)]);
        assert_eq!(tables(2), [(14, 0, 1087, false)]);
        assert_eq!(state.families[&0].tables[&17].blob, Some(16));
        assert_eq!(state.families[&0].tables[&18].sequences, Some((26, 26)));
        assert_eq!(state.ingestions, 1);
        let blobs = &state.families[&0].blobs;
        let blob = |count, bytes, garbage_count, garbage_bytes| Blob {
            count,
            bytes,
            garbage_count,
            garbage_bytes,
            checksum: None,
        };
        assert_eq!(blobs[&10], blob(5, 920, 5, 920));
        assert_eq!(blobs[&16], blob(5, 920, 0, 0));
        assert!(state.families[&0].live_blobs().map(|(number, _)| number).eq([16]));
        assert_eq!((state.min_log(false), state.next_file, state.last_sequence), (11, Some(19), Some(26)));
        assert!(state.needs_log(11, false) && !state.needs_log(10, false));
        assert_eq!(state.identity.as_deref(), Some(&b"52228f05-abd1-4ef3-926d-114414c84c60"[..]));
    }
}

#[test]
fn what_leveldb_wrote_is_read_by_either() {
    for engine in [Engine::LevelDb, Engine::RocksDb] {
        let Read { state, cut, tail, .. } = read(engine, LEVELDB, 10);
        assert_eq!((cut, tail), (94, Tail::Nothing));
        let table = &state.families[&0].tables[&5];
        assert_eq!((state.families.len(), table.level, table.size, table.sequences), (1, 2, 801, None));
        assert_eq!((state.min_log(false), state.next_file, state.last_sequence), (4, Some(6), Some(40)));
    }
    // LevelDB does not open what RocksDB wrote.
    assert!(matches!(read(Engine::LevelDb, ROCKSDB, 100).tail, Tail::Broken { at: 0, .. }));
}

#[test]
fn a_manifest_that_ends_early_stands_behind_its_last_whole_edit() {
    // The atomic groups of two and three edits begin here.
    let mut seen = std::collections::BTreeSet::new();
    for cut in 0..ROCKSDB.len() {
        let read = read(Engine::RocksDb, &ROCKSDB[..cut], 64);
        seen.insert(read.cut);
        assert!(read.cut <= cut as u64);
        match read.tail {
            Tail::Nothing => assert_eq!(read.cut, cut as u64),
            Tail::Torn { at } => assert_eq!(at, read.cut),
            Tail::Broken { what, .. } => assert!(what.starts_with("no edit says") && cut < 120, "{cut}: {what}"),
            tail => panic!("{cut}: {tail:?}"),
        }
        let again = super::tests::read(Engine::RocksDb, &ROCKSDB[..read.cut as usize], 64);
        assert_eq!(again.state, read.state);
    }
    assert!(seen.len() > 8, "{seen:?}");
}

#[test]
fn every_flipped_bit_is_seen() {
    for (engine, bytes) in [(Engine::RocksDb, ROCKSDB), (Engine::LevelDb, LEVELDB)] {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= 1 << bit;
                let read = read(engine, &damaged, 4096);
                assert!(matches!(read.tail, Tail::Broken { .. } | Tail::Torn { .. }), "{at}.{bit}: {:?}", read.tail);
            }
        }
    }
}

/// The numbers that every store's first edit has: log, next file, last sequence.
const BASE: &[u8] = &[2, 4, 3, 20, 4, 9];

#[test]
fn edits_that_the_engine_refuses_break_the_manifest() {
    let key = [9_u8, b'k', 1, 0, 0, 0, 0, 0, 0, 0];
    let table = |number: u8| [&[7, 0, number, 100][..], &key, &key].concat();
    let group = |edit: &[u8], remaining: u8| [edit, &[0xac, 2, remaining]].concat();
    for (engine, edits, breaks) in [
        (Engine::RocksDb, vec![table(5)], None),
        (Engine::RocksDb, vec![table(5), table(5)], Some("added twice")),
        (Engine::LevelDb, vec![table(5), table(5)], None),
        (Engine::RocksDb, vec![vec![6, 0, 5]], Some("not on level")),
        (Engine::LevelDb, vec![vec![6, 0, 5]], None),
        (Engine::LevelDb, vec![vec![6, 7, 5]], Some("beyond 6")),
        (Engine::RocksDb, vec![vec![0xc8, 1, 3]], Some("not there")),
        (Engine::RocksDb, vec![vec![0xca, 1, 0xc8, 1, 3]], Some("not there")),
        (Engine::RocksDb, vec![vec![0xc9, 1, 1, b'a', 0xc8, 1, 3], vec![0xc9, 1, 1, b'a', 0xc8, 1, 3]], Some("twice")),
        (Engine::RocksDb, vec![vec![0x91, 3, 5, 1, 1, 0]], Some("garbage")),
        (Engine::RocksDb, vec![vec![99]], Some("unknown field 99")),
        (Engine::RocksDb, vec![BASE.to_vec()], None),
        (Engine::RocksDb, vec![vec![3, 19]], Some("next file back")),
        (Engine::LevelDb, vec![vec![4, 8]], Some("sequence number back")),
        // Field 8250 has the bit of those that may be skipped.
        (Engine::RocksDb, vec![vec![0xba, 0x40, 2, 1, 1]], None),
        (Engine::RocksDb, vec![vec![0xba, 0x40, 9, 1, 1]], Some("not whole")),
        (Engine::LevelDb, vec![vec![0xba, 0x40, 2, 1, 1]], Some("does not know")),
        (Engine::RocksDb, vec![group(&table(5), 1), group(&table(6), 0)], None),
        (Engine::RocksDb, vec![group(&table(5), 2), group(&table(6), 0)], Some("left out")),
        (Engine::RocksDb, vec![group(&table(5), 2), table(6)], Some("inside of an atomic group")),
    ] {
        let edits = [vec![BASE.to_vec()], edits].concat();
        let (bytes, ends) = log(&edits, None);
        let read = read(engine, &bytes, 50);
        match (&read.tail, breaks) {
            (Tail::Nothing, None) => assert_eq!(read.cut, bytes.len() as u64),
            (Tail::Broken { at, what }, Some(why)) => {
                assert!(what.contains(why) && ends.contains(at), "{at}: {what}");
            }
            (tail, _) => panic!("{edits:?}: {tail:?}"),
        }
    }
}

#[test]
fn an_open_group_is_as_if_it_were_not_there() {
    let group = |remaining: u8| vec![3, 30, 0xac, 2, remaining];
    let (bytes, ends) = log(&[BASE.to_vec(), group(2), group(1)], None);
    let read = read(Engine::RocksDb, &bytes, 50);
    assert_eq!((read.cut, read.state.next_file, read.tail), (ends[0], Some(20), Tail::Torn { at: ends[0] }));
}

#[test]
fn a_log_that_is_tracked_must_be_there() {
    // Logs 5 and 6 with 7 synced bytes; then those before 6 are gone.
    let (bytes, _) = log(&[BASE.to_vec(), vec![0x87, 0x40, 4, 5, 2, 7, 1], vec![0x84, 0x40, 6, 1]], None);
    let logs = read(Engine::RocksDb, &bytes, 50).state.logs;
    assert!(logs.into_iter().eq([(5, Some(7)), (6, None)]));
    let (bytes, _) = log(&[BASE.to_vec(), vec![0x87, 0x40, 4, 5, 2, 7, 1], vec![0x88, 0x40, 1, 6]], None);
    assert!(read(Engine::RocksDb, &bytes, 50).state.logs.is_empty());
}

#[test]
fn a_manifest_without_numbers_is_none() {
    let mut bytes = Vec::new();
    assert!(matches!(read(Engine::RocksDb, &bytes, 1).tail, Tail::Broken { at: 0, .. }));
    physical(&mut bytes, 1, None, &[3, 20, 4, 9]);
    assert!(matches!(read(Engine::LevelDb, &bytes, 1).tail, Tail::Broken { at: 11, .. }));
}
