//! Tests of the walk: tails, splits, skips and hostile numbers.

use super::super::sample::{Random, Sample, Write};
use super::super::{Indexer, Odd, OddKind, OidIndex};
use super::*;

/// Everything a walk says, in order.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Log(Vec<String>);

impl Sink for Log {
    fn record(&mut self, record: &Record) {
        self.0.push(format!("{record:?}"));
    }
    fn transaction(&mut self, txn: &Txn) {
        self.0.push(format!("{txn:?}"));
    }
    fn odd(&mut self, odd: Odd) {
        self.0.push(format!("{odd:?}"));
    }
}

fn start(file: &[u8]) -> Walk {
    Walk::new(0, file.len() as u64).with_tail(file.last_chunk().copied())
}

fn pushed(file: &[u8], mut step: impl FnMut() -> usize) -> (Walk, Log) {
    let (mut walk, mut log, mut rest) = (start(file), Log::default(), file);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(step().min(rest.len()));
        walk.push(now, &mut log);
        rest = later;
    }
    (walk, log)
}

/// Reads like a host with random access, `extra` bytes more than asked for.
fn jumped(file: &[u8], extra: usize) -> (Walk, Log, usize) {
    let (mut walk, mut log, mut read) = (start(file), Log::default(), 0);
    while let Some(want) = walk.jump() {
        let at = want.at as usize;
        let end = (at + want.len + extra).min(file.len());
        assert!(at + want.len <= file.len(), "never wants bytes past the size");
        read += end - at;
        walk.push(&file[at..end], &mut log);
    }
    (walk, log, read)
}

/// The state of a walk, the same in whatever way it gets its bytes.
fn state(file: &[u8]) -> State {
    let (whole, log) = pushed(file, || file.len());
    let mut random = Random(3);
    for step in [1, 7, 31, 4095, 0] {
        let (walk, other) = pushed(file, || if step == 0 { 1 + random.below(90) } else { step });
        assert_eq!((walk.state(), walk.end(), &other), (whole.state(), whole.end(), &log), "step {step}");
    }
    for extra in [0, 1, 50, 1 << 20] {
        let (walk, other, _) = jumped(file, extra);
        assert_eq!((walk.state(), walk.end(), &other), (whole.state(), whole.end(), &log), "extra {extra}");
    }
    let state = whole.state();
    match state {
        State::Stopped { at, .. } => assert_eq!(at, whole.end()),
        State::Corrupt { at, .. } => assert!(at >= whole.end() && at <= file.len() as u64),
        State::Running => panic!("the walk waits for bytes past the end"),
    }
    state
}

fn good() -> Sample {
    let mut file = Sample::new();
    file.texts = [3, 0, 17];
    let first = file.txn(10, b' ', &[Write::data(1, 0, 100), Write::back(2, 0, 0)]);
    file.txn(20, b' ', &[Write::back(1, first[0], first[0])]);
    file
}

fn stopped(at: u64, why: Stop) -> State {
    State::Stopped { at, why }
}

fn with(tail: impl Fn(&mut Sample)) -> State {
    let mut file = good();
    tail(&mut file);
    state(&file.bytes)
}

/// A good file with one more transaction, of which the bytes at `at` are overwritten.
fn patched(at: usize, bytes: &[u8]) -> State {
    let mut file = good();
    let e = file.bytes.len();
    file.texts = [0; 3];
    file.txn(30, b' ', &[Write::data(1, 0, 9)]);
    file.bytes[e + at..e + at + bytes.len()].copy_from_slice(bytes);
    state(&file.bytes)
}

#[test]
fn tails_end_the_walk_where_zodb_ends() {
    let e = good().len();
    let data = [Write::data(3, 0, 50)];
    for n in [1, 22] {
        assert_eq!(with(|f| f.bytes.extend(vec![b'x'; n])), stopped(e, Stop::ShortHeader));
    }
    let past = [&30_u64.to_be_bytes()[..], &1000_u64.to_be_bytes(), b" ", &[0; 6]].concat();
    assert_eq!(with(|f| f.bytes.extend(&past)), stopped(e, Stop::PastSize));
    assert_eq!(with(|f| drop(f.txn(30, b'c', &data))), stopped(e, Stop::Voted));
    assert_eq!(with(|f| f.bytes.extend([0; 4096])), stopped(e, Stop::InvalidTail));
    for cut in [1, 8, 23 + 20 + 50 + 8 - 23] {
        let mut file = good();
        file.txn(30, b' ', &[Write::back(1, 0, 0)]);
        file.bytes.truncate(file.bytes.len() - cut);
        assert_eq!(state(&file.bytes), stopped(e, Stop::PastSize), "cut {cut}");
    }
    for status in [b' ', b'p', b'u', b'?', 0, 0x7f] {
        let mut file = good();
        file.txn(30, status, &data);
        assert_eq!(state(&file.bytes), stopped(file.len(), Stop::Eof), "status {status}");
    }
    assert_eq!(state(b"FS30"), stopped(4, Stop::Eof));
    assert_eq!(state(b"FS21"), stopped(4, Stop::Eof));
    assert_eq!(state(b""), stopped(0, Stop::Eof));
    assert_eq!(with(|f| drop(f.txn(u64::MAX, b' ', &data))), stopped(e, Stop::LastTid));
    assert_eq!(with(|f| drop(f.txn(30, b' ', &[]))), stopped(e + 23 + 20 + 8, Stop::Eof));
}

#[test]
fn what_zodb_refuses_is_corrupt_with_its_offset() {
    let e = good().len();
    let corrupt = |at, what| State::Corrupt { at, what };
    let length = (42 + 23 + 9_u64).to_be_bytes();
    assert_eq!(patched(8, &length), stopped(e + length_of(9), Stop::Eof), "the patch that changes nothing");
    assert_eq!(patched(23 + 42 + 9 + 7, &[1]), corrupt(e + 23 + 42 + 9, Damage::RedundantLen));
    assert_eq!(patched(23 + 24, &[9; 8]), corrupt(e + 23, Damage::Tloc));
    assert_eq!(patched(23 + 32, &[0, 1]), corrupt(e + 23, Damage::Version));
    assert_eq!(patched(23 + 41, &[10]), corrupt(e + 23, Damage::RecordExceeds));
    assert_eq!(patched(23 + 34, &[0xff; 8]), corrupt(e + 23, Damage::RecordExceeds));
    assert_eq!(patched(23 + 34, &[0x80]), corrupt(e + 23, Damage::RecordExceeds));
    assert_eq!(patched(23 + 41, &[8]), corrupt(e + 23 + 50, Damage::Leftover));
    assert_eq!(patched(17, &[0, 40]), corrupt(e + 63, Damage::Leftover));
    assert_eq!(patched(16, &[0x80]), corrupt(e, Damage::Status));
    // A length below the header's, with a believable length at the end of the file.
    for short in [0_u64, 1, 22] {
        assert_eq!(patched(8, &short.to_be_bytes()), corrupt(e, Damage::HeaderLen));
    }
    assert_eq!(patched(17, &[0xff, 0xff]), corrupt(e, Damage::HeaderLen));
    for bad in [&b"F"[..], b"FS3", b"FS31", b"FS3\0 and more", b"PK\x03\x04"] {
        assert_eq!(state(bad), corrupt(0, Damage::Magic));
    }
    assert_eq!(Walk::new(5, 4).state(), corrupt(5, Damage::Start));
    assert_eq!(Walk::new(u64::MAX, 100).state(), corrupt(u64::MAX, Damage::Start));
}

fn length_of(plen: u64) -> u64 {
    23 + 42 + plen + 8
}

#[test]
fn a_short_header_is_judged_by_the_last_8_bytes() {
    let e = good().len();
    let file = |last: u64| {
        let mut file = good();
        file.txn(30, b' ', &[Write::data(1, 0, 900)]);
        let at = file.bytes.len() - 8;
        file.bytes[e as usize + 15] = 0;
        file.bytes[e as usize + 14] = 0;
        file.bytes[at..].copy_from_slice(&last.to_be_bytes());
        file
    };
    let size = file(0).len();
    for last in [0, 22, size - e + 1, size, size + 1, u64::MAX] {
        assert_eq!(state(&file(last).bytes), stopped(e, Stop::InvalidTail), "{last}");
    }
    for last in [23, 24, size - e] {
        assert_eq!(state(&file(last).bytes), State::Corrupt { at: e, what: Damage::HeaderLen }, "{last}");
    }
    let file = file(0).bytes;
    let mut blind = Walk::new(0, size);
    blind.push(&file, &mut ());
    assert_eq!(blind.state(), State::Corrupt { at: e, what: Damage::HeaderLen });
}

#[test]
fn lengths_near_the_top_of_64_bits_are_past_the_size() {
    let e = good().len();
    for length in [1 << 63, (1 << 63) - 1, u64::MAX, u64::MAX - 8, u64::MAX - e, u64::MAX - e - 8] {
        assert_eq!(patched(8, &length.to_be_bytes()), stopped(e, Stop::PastSize), "{length}");
        // Even if the file claims to be as large as can be, it is only waited for.
        let mut walk = Walk::new(e, u64::MAX);
        let header = [&9_u64.to_be_bytes()[..], &length.to_be_bytes(), b" ", &[0; 6], &[0xff; 200]].concat();
        walk.push(&header, &mut ());
        assert_ne!(walk.state(), State::Running);
    }
}

#[test]
fn a_rich_file_is_the_same_in_any_split_and_from_any_boundary() {
    let file = Sample::rich();
    assert_eq!(state(&file.bytes), stopped(file.len(), Stop::Eof));
    let (_, log, read) = jumped(&file.bytes, 0);
    assert!(read < file.bytes.len() / 5, "payloads are not read");
    assert!(log.0.len() > 200);

    let mut boundaries = Boundaries::default();
    start(&file.bytes).push(&file.bytes, &mut boundaries);
    let mut whole = Indexer::default();
    start(&file.bytes).push(&file.bytes, &mut whole);
    let whole = whole.finish().unwrap();
    for at in boundaries.0 {
        let (head, rest) = file.bytes.split_at(at as usize);
        let mut indexer = Indexer::default();
        start(head).push(head, &mut indexer);
        let mut indexer = Indexer::new(indexer.finish().unwrap());
        let mut walk = Walk::new(at, file.len());
        walk.push(rest, &mut indexer);
        assert_eq!(walk.state(), stopped(file.len(), Stop::Eof));
        assert_eq!(indexer.finish().unwrap(), whole);
    }
}

#[derive(Default)]
struct Boundaries(Vec<u64>);

impl Sink for Boundaries {
    fn transaction(&mut self, txn: &Txn) {
        self.0.push(txn.end);
    }
}

#[test]
fn undone_and_incomplete_transactions_do_not_reach_the_index() {
    let mut file = good();
    file.txn(30, b'u', &[Write::data(70, 0, 5)]);
    file.txn(40, b' ', &[Write::data(80, 0, 5), Write::data(81, 0, 5)]);
    let last = file.bytes.len() - 1;
    file.bytes[last] ^= 1;
    let mut both = (Indexer::new(OidIndex::new()), Log::default());
    start(&file.bytes).push(&file.bytes, &mut both);
    assert_eq!(both.0.index().iter().map(|(oid, _)| oid).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(both.1.0.iter().filter(|l| l.starts_with("Record")).count(), 5);
}

#[test]
fn warnings_are_about_read_transactions_only() {
    let mut file = good();
    let at = file.len();
    file.txn(20, b'x', &[]);
    file.bytes.extend([0; 40]);
    let (_, log) = pushed(&file.bytes, || 5);
    let odd = [OddKind::UnknownStatus(b'x'), OddKind::TidNotGrowing { tid: 20, last: 20 }];
    let odd = odd.map(|what| format!("{:?}", Odd { at, what }));
    assert_eq!(log.0.iter().filter(|l| l.starts_with("Odd")).cloned().collect::<Vec<_>>(), odd);
    let mut walk = Walk::new(4, file.len()).with_last_tid(10);
    let mut log = Log::default();
    walk.push(&file.bytes[4..], &mut log);
    assert!(log.0.first().unwrap().starts_with("Odd"));
    assert_eq!(walk.last_tid(), 20);
}

#[test]
fn damage_anywhere_is_answered_without_a_panic() {
    let file = Sample::rich().bytes;
    let mut random = Random(99);
    for _ in 0..2000 {
        let mut broken = file.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(broken.len());
            broken[at] ^= 1 << random.below(8);
        }
        broken.truncate(broken.len() - random.below(2) * random.below(broken.len()));
        let (walk, log) = pushed(&broken, || 4096);
        let (other, other_log, _) = jumped(&broken, 0);
        assert_eq!((walk.state(), log), (other.state(), other_log));
        assert_ne!(walk.state(), State::Running);
    }
}
