//! `sane`: a cheap check of whether a loaded index belongs to the `Data.fs` beside it.

use super::index::OidIndex;
use super::record::{DataHeader, Status, TxnHeader};
use super::{DATA_HEADER, MAGIC_LEN, Magic, NUMBER, Oid, TXN_HEADER, Tid};

/// How many records of the newest transaction are looked up, as in ZODB.
const RECENT: usize = 5;

/// How many entries of the whole index are looked at.
const SPREAD: u64 = 64;

/// How many undone or empty transactions at the end are passed over.
const MOST_SKIPPED: usize = 1000;

/// Why an index is not to be trusted; the `Data.fs` is then read from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Insane {
    /// The file could not be read at an offset.
    #[error("the file cannot be read at {0}")]
    Unreadable(u64),
    /// The file is no FileStorage.
    #[error("the file begins with neither FS30 nor FS21")]
    Magic,
    /// The index holds up to an offset where no transaction can end.
    #[error("no transaction ends at {0}, where the index ends")]
    Pos(u64),
    /// A transaction before the index's end is damaged.
    #[error("the transaction at {0} is damaged")]
    Txn(u64),
    /// Too many undone or empty transactions come last.
    #[error("no recent transaction has records to compare")]
    Nothing,
    /// A record of the newest transaction is not where the index says.
    #[error("the index does not know the record at {0}")]
    Record(u64),
    /// An entry of the index leads to no record of its object.
    #[error("the index leads to {0}, where no record of its object is")]
    Entry(u64),
}

/// Checks `index`, said to hold up to offset `pos`, against some of the file's headers, and returns
/// the id of the last transaction before `pos` (0 if there is none).
///
/// As ZODB's `_check_sanity`: from `pos` backward by the repeated lengths to the newest transaction
/// with records, of which the first five must be in the index. Beyond ZODB, up to 64 entries spread
/// over the index must lead to records of their objects. That is no proof, but it finds an index of
/// another file, or of the file before a pack.
///
/// `read_at(offset, bytes)` fills `bytes` from the file, or returns `None`; it is called at most
/// about 2100 times, for at most 42 bytes each.
///
/// # Errors
/// [`Insane`] with the first contradiction.
pub fn sane(index: &OidIndex, pos: u64, mut read_at: impl FnMut(u64, &mut [u8]) -> Option<()>) -> Result<Tid, Insane> {
    let file = &mut File(&mut read_at);
    if pos < MAGIC_LEN {
        return Err(Insane::Pos(pos));
    }
    Magic::parse(file.read(0)?).ok_or(Insane::Magic)?;
    let tid = newest(index, pos, file)?;
    index.spread(SPREAD).try_for_each(|(oid, at)| entry(oid, at, pos, file))?;
    Ok(tid)
}

/// Checks entries of `index`, spread over all of it, `most` at the most: each must lead to a record of its object
/// before `pos`.
///
/// One read of 42 bytes for each. What it cannot find is an entry that is not there.
///
/// # Errors
/// [`Insane`] with the first contradiction.
pub fn leads_to_records(
    index: &OidIndex,
    pos: u64,
    most: u64,
    mut read_at: impl FnMut(u64, &mut [u8]) -> Option<()>,
) -> Result<(), Insane> {
    let file = &mut File(&mut read_at);
    index.spread(most).try_for_each(|(oid, at)| entry(oid, at, pos, file))
}

/// One entry must lead to a record of its object.
fn entry<F>(oid: Oid, at: u64, pos: u64, file: &mut File<'_, F>) -> Result<(), Insane>
where
    F: FnMut(u64, &mut [u8]) -> Option<()>,
{
    let fits = at.checked_add((DATA_HEADER + NUMBER) as u64).is_some_and(|end| end < pos);
    if at <= MAGIC_LEN || !fits {
        return Err(Insane::Entry(at));
    }
    let header = DataHeader::parse(&file.read(at)?);
    let tloc = MAGIC_LEN..at;
    if header.oid != oid || header.version_len != 0 || !tloc.contains(&header.tloc) {
        return Err(Insane::Entry(at));
    }
    Ok(())
}

/// Goes back from `pos` to a transaction with records and looks these up.
fn newest<F: FnMut(u64, &mut [u8]) -> Option<()>>(
    index: &OidIndex,
    pos: u64,
    file: &mut File<'_, F>,
) -> Result<Tid, Insane> {
    let mut last_tid = None;
    let mut end = pos;
    for _ in 0..MOST_SKIPPED {
        if end == MAGIC_LEN {
            // Nothing but transactions without records: there is nothing to index.
            return if index.is_empty() { Ok(last_tid.unwrap_or(0)) } else { Err(Insane::Pos(pos)) };
        }
        let records_end = end.checked_sub(NUMBER as u64).ok_or(Insane::Pos(pos))?;
        let tlen = u64::from_be_bytes(file.read(records_end)?);
        let at = records_end.checked_sub(tlen).filter(|&at| at >= MAGIC_LEN).ok_or(Insane::Pos(end))?;
        if tlen < TXN_HEADER as u64 {
            return Err(Insane::Pos(end));
        }
        let header = TxnHeader::parse(&file.read(at)?);
        let known = matches!(header.status, Status::Complete | Status::Packed | Status::Undone);
        if header.tlen != tlen || header.header_len() > tlen || !known {
            return Err(Insane::Txn(at));
        }
        let tid = *last_tid.get_or_insert(header.tid);
        if header.status == Status::Undone || header.header_len() == tlen {
            end = at;
            continue;
        }
        let mut record = at.saturating_add(header.header_len());
        for _ in 0..RECENT {
            if record == records_end {
                break;
            }
            let data = DataHeader::parse(&file.read(record)?);
            let end = data.record_len().and_then(|len| record.checked_add(len));
            let end = end.filter(|&end| end <= records_end).ok_or(Insane::Txn(at))?;
            if data.tloc != at || data.version_len != 0 {
                return Err(Insane::Txn(at));
            }
            // ZODB refuses any other offset. But several undos in one transaction leave several
            // records of an object there, of which the last is in the index.
            let indexed = index.get(data.oid).filter(|found| (record..records_end).contains(found));
            let indexed = indexed.ok_or(Insane::Record(record))?;
            if indexed != record {
                let later = DataHeader::parse(&file.read(indexed)?);
                if later.oid != data.oid || later.tloc != at {
                    return Err(Insane::Record(record));
                }
            }
            record = end;
        }
        return Ok(tid);
    }
    Err(Insane::Nothing)
}

struct File<'a, F>(&'a mut F);

impl<F: FnMut(u64, &mut [u8]) -> Option<()>> File<'_, F> {
    fn read<const N: usize>(&mut self, at: u64) -> Result<[u8; N], Insane> {
        let mut bytes = [0; N];
        (self.0)(at, &mut bytes).ok_or(Insane::Unreadable(at))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Random, Sample, Write};
    use super::super::{Indexer, Walk};
    use super::*;

    fn check(index: &OidIndex, pos: u64, file: &[u8]) -> Result<Tid, Insane> {
        sane(index, pos, |at, out| {
            let at = usize::try_from(at).ok()?;
            out.copy_from_slice(file.get(at..at.checked_add(out.len())?)?);
            Some(())
        })
    }

    fn index_of(file: &[u8]) -> OidIndex {
        let mut indexer = Indexer::default();
        Walk::new(0, file.len() as u64).push(file, &mut indexer);
        indexer.finish().unwrap()
    }

    #[test]
    fn the_index_of_the_file_itself_is_sane() {
        let mut file = Sample::rich();
        let pos = file.len();
        let index = index_of(&file.bytes);
        assert_eq!(check(&index, pos, &file.bytes), Ok(59));
        file.txn(70, b' ', &[Write::data(1, 0, 5)]);
        assert_eq!(check(&index, pos, &file.bytes), Ok(59), "an older index of a grown file");
        assert_eq!(check(&OidIndex::new(), 4, b"FS30"), Ok(0));
        let mut empty = Sample::new();
        (1..=40).for_each(|tid| drop(empty.txn(tid, b'u', &[])));
        assert_eq!(check(&OidIndex::new(), empty.len(), &empty.bytes), Ok(40));
    }

    #[test]
    fn two_records_of_an_object_in_the_newest_transaction_are_sane() {
        let mut file = Sample::new();
        let two = file.txn(1, b' ', &[Write::data(7, 0, 5), Write::data(8, 0, 5), Write::data(7, 0, 5)]);
        let mut index = index_of(&file.bytes);
        assert_eq!(check(&index, file.len(), &file.bytes), Ok(1));
        for wrong in [two[1], two[2] + 1] {
            index.insert(7, wrong).unwrap();
            assert_eq!(check(&index, file.len(), &file.bytes), Err(Insane::Record(two[0])));
        }
    }

    #[test]
    fn contradictions_are_named() {
        let file = Sample::rich();
        let index = index_of(&file.bytes);
        let pos = file.len();
        assert_eq!(check(&index, pos, b"PK\x03\x04"), Err(Insane::Magic));
        assert_eq!(check(&index, 3, &file.bytes), Err(Insane::Pos(3)));
        assert_eq!(check(&index, 4, &file.bytes), Err(Insane::Pos(4)));
        assert_eq!(check(&index, 11, &file.bytes).unwrap_err(), Insane::Pos(11));
        assert_eq!(check(&index, pos + 1, &file.bytes), Err(Insane::Unreadable(pos - 7)));
        assert!(check(&index, pos - 1, &file.bytes).is_err());
        assert!(matches!(check(&OidIndex::new(), pos, &file.bytes), Err(Insane::Record(_))));

        let mut grown = file.clone();
        let at = grown.txn(70, b' ', &[Write::data(1, 0, 5)])[0];
        assert_eq!(check(&index, grown.len(), &grown.bytes), Err(Insane::Record(at)));
        let mut wrong = index_of(&grown.bytes);
        wrong.insert(0, at).unwrap();
        assert_eq!(check(&wrong, grown.len(), &grown.bytes), Err(Insane::Entry(at)));
        wrong.insert(0, (1 << 48) - 1).unwrap();
        assert_eq!(check(&wrong, grown.len(), &grown.bytes), Err(Insane::Entry((1 << 48) - 1)));
        let start = grown.len();
        grown.txn(80, b'?', &[Write::data(1, at, 5)]);
        assert_eq!(check(&index_of(&grown.bytes), grown.len(), &grown.bytes), Err(Insane::Txn(start)));

        let mut skipped = Sample::new();
        (1..=1001).for_each(|tid| drop(skipped.txn(tid, b' ', &[])));
        assert_eq!(check(&OidIndex::new(), skipped.len(), &skipped.bytes), Err(Insane::Nothing));
    }

    #[test]
    fn damage_anywhere_is_answered_without_a_panic() {
        let file = Sample::rich();
        let index = index_of(&file.bytes);
        let mut random = Random(17);
        for _ in 0..3000 {
            let mut broken = file.bytes.clone();
            let last = broken.len().min(4000);
            let at = broken.len() - 1 - random.below(last);
            broken[at] = random.next() as u8;
            let _ = check(&index, random.below(broken.len() + 9) as u64, &broken);
            let _ = check(&index, file.len(), &broken);
        }
        assert!(check(&index, u64::MAX, &file.bytes).is_err());
    }
}
