//! Targets for a `Data.fs`: the walk with its audit and index, the check of a saved index, and the composer.

use std::collections::BTreeMap;

use highwater_core::filestorage::{
    About, Audit, Compose, DATA_HEADER, DataHeader, Indexer, Insane, Issue, IssueKind, Odd, OidIndex, Record, Sink,
    State, Status, Stop, TXN_HEADER, Txn, TxnHeader, Unfit, Walk, decode_whole, encode, leads_to_records, sane,
};

use super::feed::{Feed, dice_of, pieces};
use super::markup::is_plain;
use super::reference::{Ended, transactions};

/// Everything a walk told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Recorded {
    records: Vec<Record>,
    transactions: Vec<Txn>,
    odd: Vec<Odd>,
}

impl Sink for Recorded {
    fn record(&mut self, record: &Record) {
        self.records.push(*record);
    }

    fn transaction(&mut self, txn: &Txn) {
        self.transactions.push(*txn);
    }

    fn odd(&mut self, odd: Odd) {
        self.odd.push(odd);
    }
}

/// What a walk, its audit and its index came to.
#[derive(Debug, PartialEq, Eq)]
struct Walked {
    state: State,
    end: u64,
    last_tid: u64,
    told: Recorded,
    issues: Vec<Issue>,
    index: Option<OidIndex>,
}

/// Walks through `file` in the given pieces, or by jumps from one wanted place to the next.
fn walked(mut walk: Walk, file: &[u8], pieces: Option<&[&[u8]]>) -> Walked {
    let (mut sinks, mut issues) = ((Recorded::default(), Audit::default()), Vec::new());
    if let Some(pieces) = pieces {
        for piece in pieces {
            walk.push(piece, &mut sinks);
            issues.extend(sinks.1.take());
        }
    } else {
        let mut steps = 0;
        while let Some(want) = walk.jump() {
            assert!(want.len <= DATA_HEADER && want.len > 0, "{want:?}");
            assert_eq!(want.at, walk.position());
            let at = usize::try_from(want.at).expect("a place in the file");
            // Sometimes more than what was asked for, which is allowed.
            let more = if steps % 3 == 0 { 7 } else { 0 };
            let to = (at + want.len + more).min(file.len());
            assert!(at + want.len <= file.len(), "{want:?} of a file of {} bytes", file.len());
            walk.push(&file[at..to], &mut sinks);
            issues.extend(sinks.1.take());
            steps += 1;
            assert!(steps <= file.len() + 1, "a jump goes on for ever");
        }
    }
    let (told, audit) = sinks;
    let index = audit.finish().ok();
    Walked { state: walk.state(), end: walk.end(), last_tid: walk.last_tid(), told, issues, index }
}

/// Any bytes as a `Data.fs`: any cut, and jumping over what does not matter, tell the same; the complete transactions,
/// the way it ends and the index are those that a reader of the whole file finds, and every entry leads to its record.
pub(crate) fn walk(file: &[u8]) {
    let tail = file.last_chunk::<8>().copied();
    let new = |tail| Walk::new(0, file.len() as u64).with_tail(tail);
    let whole = walked(new(tail), file, Some(&[file]));
    assert_eq!(walked(new(tail), file, Some(&pieces(file))), whole, "in pieces");
    assert_eq!(walked(new(tail), file, None), whole, "by jumps");
    let (wanted, ended) = transactions(file);
    let end = wanted.last().map_or(if ended == Ended::Well && file.is_empty() { 0 } else { 4 }, |last| last.end);
    let magic = file.starts_with(b"FS21") || file.starts_with(b"FS30");
    assert_eq!(whole.end, if magic { end } else { 0 });
    match whole.state {
        State::Stopped { at, .. } => assert_eq!((at, Ended::Well), (whole.end, ended)),
        State::Corrupt { at, .. } => assert!(at >= whole.end && ended == Ended::Badly, "at {at}, {ended:?}"),
        State::Running => panic!("the walk runs on after the end of the file"),
    }
    let places: Vec<_> = whole.told.transactions.iter().map(|txn| (txn.at, txn.end, txn.tid)).collect();
    assert!(wanted.iter().map(|txn| (txn.at, txn.end, txn.tid)).eq(places), "other transactions");
    let told = whole.told.records.iter().filter(|record| record.at < whole.end);
    let records: Vec<_> = told.map(|record| (record.oid, record.at, record.prev)).collect();
    assert!(wanted.iter().flat_map(|txn| txn.records.iter().copied()).eq(records.iter().copied()), "other records");
    let current: BTreeMap<u64, u64> = records.iter().map(|(oid, at, _)| (*oid, *at)).collect();
    let index = whole.index.as_ref().expect("no offset is too far in a short file");
    assert!(index.iter().eq(current.iter().map(|(oid, at)| (*oid, *at))), "another index");
    assert_eq!(leads_to_records(index, whole.end, 10_000, |at, out| read(file, at, out)), Ok(()));
    for issue in &whole.issues {
        assert!(issue.what.to_string().chars().all(is_plain), "{issue:?}");
    }
    expect_audit(&whole);
    headers(file);
    // A second walk from the end of any transaction tells what the first told from there on.
    if let Some(txn) = whole.told.transactions.first() {
        let rest = usize::try_from(txn.end).map_or(&[][..], |end| &file[end..]);
        let walk = Walk::new(txn.end, file.len() as u64).with_tail(tail).with_last_tid(txn.tid);
        let later = walked(walk, file, Some(&[rest]));
        assert_eq!((later.state, later.end), (whole.state, whole.end));
        assert_eq!(later.told.transactions, whole.told.transactions[1..]);
    }
}

/// Every record of a complete transaction with a wrong `prev` has an issue that says so, and no other has.
fn expect_audit(whole: &Walked) {
    let (mut before, mut current) = (BTreeMap::new(), BTreeMap::new());
    let mut txn_at = 0;
    let mut wanted = Vec::new();
    for record in whole.told.records.iter().filter(|record| record.at < whole.end) {
        if record.tloc != txn_at {
            (txn_at, before) = (record.tloc, current.clone());
        }
        let expected = before.get(&record.oid).copied().unwrap_or(0);
        if record.prev != expected && !(record.prev == 0 && record.status == Status::Packed) {
            wanted.push((record.at, record.prev, expected));
        }
        current.insert(record.oid, record.at);
    }
    let found = whole.issues.iter().filter(|issue| issue.at < whole.end).filter_map(|issue| match issue.what {
        IssueKind::Prev { prev, expected } => Some((issue.at, prev, expected)),
        _ => None,
    });
    assert!(found.eq(wanted), "other contradictions");
}

/// Any bytes as headers: each number is the one at its place.
fn headers(bytes: &[u8]) {
    if let Some(bytes) = bytes.first_chunk::<TXN_HEADER>() {
        let header = TxnHeader::parse(bytes);
        assert_eq!([header.tid.to_be_bytes(), header.tlen.to_be_bytes()].concat(), bytes[..16]);
        let lengths = [header.user_len, header.description_len, header.extension_len];
        assert_eq!(lengths.map(u16::to_be_bytes).concat(), bytes[17..]);
        assert_eq!(header.header_len(), 23 + lengths.iter().map(|n| u64::from(*n)).sum::<u64>());
        assert_eq!(header.status, Status::from(bytes[16]));
    }
    if let Some(bytes) = bytes.first_chunk::<DATA_HEADER>() {
        let DataHeader { oid, tid, prev, tloc, version_len, plen } = DataHeader::parse(bytes);
        let numbers = [oid, tid, prev, tloc].map(u64::to_be_bytes).concat();
        assert_eq!([&numbers[..], &version_len.to_be_bytes(), &plen.to_be_bytes()].concat(), bytes);
    }
}

fn read(file: &[u8], at: u64, out: &mut [u8]) -> Option<()> {
    let at = usize::try_from(at).ok()?;
    out.copy_from_slice(file.get(at..at.checked_add(out.len())?)?);
    Some(())
}

/// Any saved index beside any `Data.fs`, the index with its length before it: the check reads as little as it says, and
/// what it trusts ends where a transaction can end, knows the newest records and has no entry that it looked at and
/// that lies.
pub(crate) fn sane_index(bytes: &[u8]) {
    let _ = trusted(bytes);
}

/// What the check says.
pub(crate) fn trusted(bytes: &[u8]) -> Result<u64, Insane> {
    let mut feed = Feed(bytes);
    let (saved, file) = (feed.long_block(), feed.0);
    // An index that cannot be read is replaced by that of the file up to some place, which may be the right one.
    let (pos, index) = decode_whole(saved).unwrap_or_else(|_| {
        let cut = saved.first().map_or(file.len(), |n| file.len() * usize::from(*n) / 255);
        let (mut walk, mut indexer) = (Walk::new(0, file.len() as u64), Indexer::default());
        walk.push(&file[..cut], &mut indexer);
        (walk.end(), indexer.finish().unwrap_or_default())
    });
    let mut reads = 0;
    let checked = sane(&index, pos, |at, out| {
        reads += 1;
        assert!(out.len() <= DATA_HEADER, "{} bytes at once", out.len());
        read(file, at, out)
    });
    assert!(reads <= 2200, "{reads} reads");
    if let Ok(tid) = checked {
        assert!(pos >= 4 && pos <= file.len() as u64);
        assert!(pos == 4 || tid == last_tid(file, pos), "{tid:x} is not the id of the last transaction before {pos}");
        assert!(leads_to_records(&index, pos, 64, |at, out| read(file, at, out)).is_ok());
    } else if let Err(error @ Insane::Entry(at)) = checked {
        assert!(index.iter().any(|(_, offset)| offset == at), "{error}: the index has no such entry");
    }
    checked
}

/// The id of the transaction that ends at `pos`, found by its repeated length.
fn last_tid(file: &[u8], pos: u64) -> u64 {
    let number = |at: u64| {
        let mut bytes = [0; 8];
        read(file, at, &mut bytes).map(|()| u64::from_be_bytes(bytes)).expect("a place in the file")
    };
    number(pos - 8 - number(pos - 8))
}

/// Any transactions, composed: a walk tells exactly them, an audit finds nothing, the index is that of a map, survives
/// being saved and is sane; what is refused is refused for its reason and changes nothing.
pub(crate) fn compose(bytes: &[u8]) {
    let mut feed = Feed(bytes);
    let (mut compose, mut file) = (Compose::new(), Compose::MAGIC.to_vec());
    let (mut last, mut wanted, mut current) = (0_u64, Vec::new(), BTreeMap::new());
    while !feed.is_empty() {
        let (flags, step) = (feed.byte(), feed.number());
        let tid = if flags & 7 == 7 { step } else { last.saturating_add(1 + step % 1000) };
        let (user, description, extension) = (feed.block(), feed.block(), feed.block());
        let mut writes = Vec::new();
        for _ in 0..(flags >> 3) % 6 {
            let oid = feed.number();
            writes.push((oid, feed.block()));
        }
        let (end, before) = (compose.end(), compose.index().clone());
        match compose.transaction(&About { tid, user, description, extension }, &writes) {
            Ok(bytes) => {
                assert!(tid > last && writes.iter().all(|(_, data)| !data.is_empty()));
                last = tid;
                file.extend(bytes);
                wanted.extend(writes.iter().map(|(oid, data)| (tid, *oid, data.len() as u64)));
                current.extend(writes.iter().filter_map(|(oid, _)| Some((*oid, compose.index().get(*oid)?))));
            }
            Err(unfit) => {
                let right = match unfit {
                    // No reader reads on from the highest id of all.
                    Unfit::Tid { .. } => tid <= last || tid == u64::MAX,
                    Unfit::Empty(oid) => writes.iter().any(|(written, data)| *written == oid && data.is_empty()),
                    Unfit::Text(_) | Unfit::TooFar(_) => false,
                };
                assert!(right && (compose.end(), compose.index()) == (end, &before), "{unfit}");
            }
        }
        assert_eq!(compose.end(), file.len() as u64);
    }
    let size = file.len() as u64;
    let whole = walked(Walk::new(0, size), &file, Some(&pieces(&file)));
    assert_eq!(whole.state, State::Stopped { at: size, why: Stop::Eof });
    assert_eq!(whole.issues, []);
    let records: Vec<_> = whole.told.records.iter().map(|record| (record.tid, record.oid, record.plen)).collect();
    assert_eq!(records, wanted);
    assert_eq!(whole.index.as_ref(), Some(compose.index()));
    assert!(compose.index().iter().eq(current), "another index than a map of what was written");
    assert_eq!(walked(Walk::new(0, size), &file, None), whole, "by jumps");
    let mut saved = Vec::new();
    encode(compose.index(), size, &mut |piece| saved.extend_from_slice(piece));
    assert_eq!(decode_whole(&saved), Ok((size, compose.index().clone())));
    let trusted = sane(compose.index(), size, |at, out| read(&file, at, out));
    assert!(trusted.is_ok() || trusted == Err(Insane::Nothing), "{trusted:?}");
    if !file.is_empty() && size > 4 {
        // One bit of the file is flipped: nothing may panic, and what was complete before it stays so.
        let at = usize::try_from(dice_of(bytes).below(size)).expect("a place");
        let safe = whole.told.transactions.iter().take_while(|txn| txn.end <= at as u64).count();
        file[at] ^= 1 << (bytes.len() % 8);
        let (mut told, mut walk) = (Recorded::default(), Walk::new(0, size));
        walk.push(&file, &mut told);
        assert!(told.transactions.starts_with(&whole.told.transactions[..safe]), "flipped at {at}");
    }
}
