//! Tests of `Records`.

use super::*;

/// Appends a physical record.
pub(crate) fn physical(log: &mut Vec<u8>, kind: u8, number: Option<u32>, payload: &[u8]) {
    let mut record = vec![kind];
    record.extend(number.into_iter().flat_map(u32::to_le_bytes));
    record.extend_from_slice(payload);
    log.extend(mask(crc32c(&record)).to_le_bytes());
    log.extend((payload.len() as u16).to_le_bytes());
    log.extend(record);
}

/// A log of these logical records, and where each ends.
pub(crate) fn log(records: &[Vec<u8>], number: Option<u32>) -> (Vec<u8>, Vec<u64>) {
    let (mut log, mut ends) = (Vec::new(), Vec::new());
    let header = if number.is_some() { RECYCLABLE } else { HEADER };
    for record in records {
        let (mut rest, mut first) = (&record[..], true);
        loop {
            let room = BLOCK - log.len() % BLOCK;
            if room < header {
                log.resize(log.len() + room, 0);
                continue;
            }
            let (some, behind) = rest.split_at(rest.len().min(room - header));
            let kind = match (first, behind.is_empty()) {
                (true, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
                (false, true) => 4,
            };
            physical(&mut log, if number.is_some() { kind + 4 } else { kind }, number, some);
            (rest, first) = (behind, false);
            if behind.is_empty() {
                break;
            }
        }
        ends.push(log.len() as u64);
    }
    (log, ends)
}

/// The whole logical records of a log, read in steps, and how it ends.
fn read(engine: Engine, bytes: &[u8], step: usize) -> (Vec<(u64, Vec<u8>, u64)>, Ended) {
    let (mut records, mut whole, mut open) = (Records::new(engine, 7), Vec::new(), Vec::new());
    for bytes in bytes.chunks(step) {
        let flow = records.push(bytes, &mut |piece| {
            if piece.first {
                open.clear();
            }
            open.extend_from_slice(piece.bytes);
            if let Some(end) = piece.end {
                whole.push((piece.at, std::mem::take(&mut open), end));
            }
        });
        if flow.is_break() {
            break;
        }
    }
    (whole, records.end())
}

fn sample() -> Vec<Vec<u8>> {
    let lengths = [12, 0, 40_000, BLOCK - 7, 300, 32_000, 700, 1, 90_000];
    lengths.iter().enumerate().map(|(i, length)| (0..*length).map(|j| (i * 7 + j * 31) as u8).collect()).collect()
}

#[test]
fn whatever_was_written_is_read_in_any_steps() {
    let records = sample();
    for number in [None, Some(7)] {
        let (bytes, ends) = log(&records, number);
        for step in [1, 7, 4096, BLOCK, bytes.len()] {
            let (whole, ended) = read(Engine::RocksDb, &bytes, step);
            assert!(whole.iter().map(|(_, record, _)| record).eq(&records), "{number:?} {step}");
            assert!(whole.iter().map(|(_, _, end)| *end).eq(ends.iter().copied()));
            let length = bytes.len() as u64;
            assert_eq!(ended, Ended { cut: length, length, tail: Tail::Nothing });
        }
    }
}

#[test]
fn every_cut_is_torn_and_keeps_the_records_before_it() {
    let (bytes, ends) = log(&sample(), None);
    for cut in (0..bytes.len()).step_by(53).chain(ends.iter().map(|end| *end as usize)) {
        let (whole, ended) = read(Engine::LevelDb, &bytes[..cut], 5000);
        let kept = ends.iter().filter(|end| **end <= cut as u64).count();
        assert_eq!(whole.len(), kept, "{cut}");
        assert_eq!(ended.cut, if kept == 0 { 0 } else { ends[kept - 1] }, "{cut}");
        match ended.tail {
            Tail::Nothing => assert_eq!(ended.cut, cut as u64),
            Tail::Torn { at } => assert!(at >= ended.cut && at < cut as u64),
            // The padding at the end of a block.
            Tail::Zeros => assert!(bytes[ended.cut as usize..cut].iter().all(|byte| *byte == 0)),
            tail => panic!("{cut}: {tail:?}"),
        }
    }
}

#[test]
fn every_flipped_bit_breaks_the_record_that_it_is_in() {
    for number in [None, Some(7)] {
        let records: Vec<Vec<u8>> = vec![vec![1; 30], vec![2; 40_000], vec![3; 20], vec![4; 25]];
        let (bytes, ends) = log(&records, number);
        for at in (0..100).chain(32_700..32_900).chain(bytes.len() - 100..bytes.len()) {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let (_, ended) = read(Engine::RocksDb, &damaged, 1000);
                let hit = ends.iter().filter(|end| **end <= at as u64).count();
                assert_eq!(ended.cut, if hit == 0 { 0 } else { ends[hit - 1] }, "{number:?} {at}.{bit}");
                // Of the last record, nothing tells a wrong length from an end that is not there; nor, where the file
                // held another log before, any other damage.
                let last = hit + 1 == ends.len();
                let told = matches!(ended.tail, Tail::Broken { .. });
                assert!(told || last, "{number:?} {at}.{bit}: {:?}", ended.tail);
                assert_ne!(ended.tail, Tail::Nothing);
            }
        }
    }
}

#[test]
fn zeros_are_passed_over_only_where_nothing_follows_them() {
    let (mut bytes, ends) = log(&[vec![5; 100]], None);
    bytes.resize(200_000, 0);
    let (whole, ended) = read(Engine::RocksDb, &bytes, 3000);
    assert_eq!((whole.len(), ended.cut, ended.tail), (1, ends[0], Tail::Zeros));
    let (_, ended) = read(Engine::RocksDb, &bytes[..ends[0] as usize + 3], 3000);
    assert_eq!((ended.cut, ended.tail), (ends[0], Tail::Zeros));
    for at in [ends[0] as usize + 2, 5000, 199_999] {
        bytes[at] = 1;
        let (_, ended) = read(Engine::RocksDb, &bytes, 3000);
        assert!(matches!(ended.tail, Tail::Broken { at, .. } if at == ends[0]), "{at} {ended:?}");
        bytes[at] = 0;
    }
}

#[test]
fn what_a_recycled_file_held_before_is_no_record() {
    let (old, _) = log(&vec![vec![9; 500]; 400], Some(3));
    let (new, ends) = log(&vec![vec![8; 333]; 150], Some(7));
    let mut bytes = old;
    bytes[..new.len()].copy_from_slice(&new);
    let (whole, ended) = read(Engine::RocksDb, &bytes, 3000);
    let end = ends[149];
    assert_eq!((whole.len(), ended.cut, ended.tail), (150, end, Tail::Old { at: end }));
    // One that is hidden by damage is told from them.
    bytes[ends[20] as usize + 20] ^= 1;
    let (_, ended) = read(Engine::RocksDb, &bytes, 3000);
    assert!(matches!(ended.tail, Tail::Broken { at, .. } if at == ends[20]), "{ended:?}");
}

#[test]
fn records_that_no_writer_makes_break() {
    let made = |parts: &[(u8, &[u8])]| {
        let mut log = Vec::new();
        parts.iter().for_each(|(kind, payload)| physical(&mut log, *kind, None, payload));
        log
    };
    for (engine, log, breaks) in [
        (Engine::RocksDb, made(&[(3, b"abc")]), true),
        (Engine::RocksDb, made(&[(2, b"abc"), (1, b"abc")]), true),
        (Engine::RocksDb, made(&[(2, b""), (1, b"abc")]), false),
        (Engine::RocksDb, made(&[(12, b"abc")]), true),
        (Engine::RocksDb, made(&[(140, b"abc"), (1, b"abc")]), false),
        (Engine::LevelDb, made(&[(140, b"abc"), (1, b"abc")]), true),
        (Engine::RocksDb, made(&[(9, &[7, 0, 0, 0]), (1, b"abc")]), false),
        (Engine::RocksDb, made(&[(1, b"abc"), (9, &[7, 0, 0, 0])]), true),
        (Engine::RocksDb, made(&[(9, &[7, 0, 0])]), true),
        (Engine::LevelDb, made(&[(9, &[7, 0, 0, 0])]), true),
    ] {
        let (_, ended) = read(engine, &log, 4);
        assert_eq!(matches!(ended.tail, Tail::Broken { .. }), breaks, "{ended:?}");
    }
}
