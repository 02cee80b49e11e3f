//! Whether finished transactions lie behind the place where a walk stopped: what tells damage from an unfinished tail.
//!
//! A writer appends one transaction at a time and begins the next when it is finished. So a file has at most one
//! unfinished transaction, at its very end, and nothing finished behind that.

use super::record::{DataHeader, Status, TxnHeader};
use super::{DATA_HEADER, MAGIC_LEN, NUMBER, TXN_HEADER, Tid};

/// How many bytes behind the stop are searched for a finished transaction, where the file's end is unfinished too.
pub const SEARCHED: u64 = 1 << 30;

/// Bytes looked at in one step of the search.
const WINDOW: usize = 1 << 20;

/// What lies behind a stop, and should not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Behind {
    /// A finished transaction.
    #[error("a finished transaction follows it at byte {0}")]
    Finished(u64),
    /// Bytes that follow a voted transaction which is whole.
    #[error("it is whole but for its status, and bytes follow it at byte {0}")]
    Bytes(u64),
}

/// Looks behind `at`, where a walk through a file of `size` bytes stopped, for what no writer leaves there; `last` is
/// the id of the last transaction before.
///
/// First the file is read backwards: its last 8 bytes may lead to a finished transaction. If they do not, a finished
/// one with an id above `last` is searched for, byte by byte, in the next [`SEARCHED`] bytes. A transaction counts
/// as finished when its two lengths agree and its first record names it; so one inside an object's data does not.
///
/// `read_at(offset, bytes)` fills `bytes` from the file, or returns `None`; then nothing is found there.
pub fn behind(at: u64, size: u64, last: Tid, mut read_at: impl FnMut(u64, &mut [u8]) -> Option<()>) -> Option<Behind> {
    let file = &mut File { size, read_at: &mut read_at };
    if let Some(start) = file.last_transaction().filter(|&start| start > at)
        && file.finished(start).is_some()
    {
        return Some(Behind::Finished(start));
    }
    if let Some(end) = file.voted(at).filter(|&end| end < size) {
        return Some(Behind::Bytes(end));
    }
    file.search(at.max(MAGIC_LEN).checked_add(1)?, last).map(Behind::Finished)
}

/// The id of the last transaction of a file of `size` bytes, read backwards; none when the file does not end with a
/// finished transaction.
pub fn last_tid(size: u64, mut read_at: impl FnMut(u64, &mut [u8]) -> Option<()>) -> Option<Tid> {
    let file = &mut File { size, read_at: &mut read_at };
    let start = file.last_transaction()?;
    file.finished(start)
}

struct File<'a, F> {
    size: u64,
    read_at: &'a mut F,
}

impl<F: FnMut(u64, &mut [u8]) -> Option<()>> File<'_, F> {
    fn read<const N: usize>(&mut self, at: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        (self.read_at)(at, &mut bytes)?;
        Some(bytes)
    }

    /// Where the last transaction begins, if the last 8 bytes are the length of one.
    fn last_transaction(&mut self) -> Option<u64> {
        let end = self.size.checked_sub(NUMBER as u64)?;
        let tlen = u64::from_be_bytes(self.read(end)?);
        end.checked_sub(tlen).filter(|&start| start >= MAGIC_LEN)
    }

    /// The header of a transaction at `at` whose two lengths agree, and where the second one ends.
    fn whole(&mut self, at: u64) -> Option<(TxnHeader, u64)> {
        let header = TxnHeader::parse(&self.read::<TXN_HEADER>(at)?);
        let records_end = at.checked_add(header.tlen)?;
        let end = records_end.checked_add(NUMBER as u64).filter(|&end| end <= self.size)?;
        if header.tlen < header.header_len() || u64::from_be_bytes(self.read(records_end)?) != header.tlen {
            return None;
        }
        if header.header_len() < header.tlen {
            let record = at.checked_add(header.header_len())?;
            let data = DataHeader::parse(&self.read::<DATA_HEADER>(record)?);
            let fits = data.record_len().and_then(|len| record.checked_add(len)).is_some_and(|end| end <= records_end);
            if !fits || data.tloc != at || data.version_len != 0 {
                return None;
            }
        }
        Some((header, end))
    }

    /// The id of a finished transaction at `at`, if there is one.
    fn finished(&mut self, at: u64) -> Option<Tid> {
        let (header, _) = self.whole(at)?;
        let finished = matches!(header.status, Status::Complete | Status::Packed | Status::Undone);
        finished.then_some(header.tid)
    }

    /// Where a voted transaction at `at` ends that lacks nothing but its status.
    fn voted(&mut self, at: u64) -> Option<u64> {
        let (header, end) = self.whole(at)?;
        (header.status == Status::Voted).then_some(end)
    }

    /// The first finished transaction at or after `from`.
    fn search(&mut self, from: u64, last: Tid) -> Option<u64> {
        let until = self.size.min(from.saturating_add(SEARCHED));
        let mut window = Vec::new();
        let mut at = from;
        // The last offsets of each window are the first ones of the next.
        let step = (WINDOW - TXN_HEADER + 1) as u64;
        while until.saturating_sub(at) >= TXN_HEADER as u64 {
            let length = usize::try_from(until - at).unwrap_or(WINDOW).min(WINDOW);
            window.resize(length, 0);
            (self.read_at)(at, &mut window)?;
            for (offset, bytes) in (at..).zip(window.windows(TXN_HEADER)) {
                let Some(bytes) = bytes.first_chunk() else { break };
                if self.plausible(offset, bytes, last) && self.finished(offset).is_some() {
                    return Some(offset);
                }
            }
            at = at.saturating_add(step);
        }
        None
    }

    /// Whether these bytes can be the header of a transaction at `at`: a quick look before any read.
    fn plausible(&self, at: u64, bytes: &[u8; TXN_HEADER], last: Tid) -> bool {
        let header = TxnHeader::parse(bytes);
        let inside = at.checked_add(header.tlen).and_then(|end| end.checked_add(NUMBER as u64));
        inside.is_some_and(|end| end <= self.size) && header.tlen >= header.header_len() && header.tid > last
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, Write};
    use super::super::{State, Walk};
    use super::*;

    fn look(file: &[u8]) -> Option<Behind> {
        let mut walk = Walk::new(0, file.len() as u64).with_tail(file.last_chunk().copied());
        walk.push(file, &mut ());
        assert!(matches!(walk.state(), State::Stopped { .. }), "{:?}", walk.state());
        behind(walk.end(), file.len() as u64, walk.last_tid(), |at, out| {
            let at = usize::try_from(at).ok()?;
            out.copy_from_slice(file.get(at..at.checked_add(out.len())?)?);
            Some(())
        })
    }

    /// A file of five transactions, and where each begins.
    fn five() -> (Vec<u8>, Vec<usize>) {
        let mut file = Sample::new();
        let mut starts = Vec::new();
        for tid in 1..=5 {
            starts.push(file.bytes.len());
            file.txn(tid, b' ', &[Write::data(tid, 0, 100)]);
        }
        (file.bytes, starts)
    }

    #[test]
    fn one_unfinished_transaction_at_the_end_is_no_damage() {
        let (whole, starts) = five();
        assert_eq!(look(&whole), None);
        for end in starts[4]..whole.len() {
            assert_eq!(look(&whole[..end]), None, "cut at {end}");
        }
        let mut voted = whole.clone();
        voted[starts[4] + 16] = b'c';
        assert_eq!(look(&voted), None);
        let zeros = [&whole[..], &[0; 5000]].concat();
        assert_eq!(look(&zeros), None);
    }

    #[test]
    fn a_length_or_a_status_in_the_middle_is_damage_whatever_the_end_is_like() {
        let (whole, starts) = five();
        for tail in [&[][..], &[0; 30], &whole[starts[4]..starts[4] + 70]] {
            for bad in 0..4 {
                let mut long = [&whole[..], tail].concat();
                long[starts[bad] + 9] = 1;
                assert!(matches!(look(&long), Some(Behind::Finished(_))), "{bad}: {:?}", look(&long));
                let mut voted = [&whole[..], tail].concat();
                voted[starts[bad] + 16] = b'c';
                assert!(look(&voted).is_some(), "{bad}");
            }
        }
        // Voted, whole, and followed by another that is not finished.
        let mut two = whole.clone();
        two[starts[3] + 16] = b'c';
        two[starts[4] + 16] = b'c';
        assert_eq!(look(&two), Some(Behind::Bytes(starts[4] as u64)));
    }

    #[test]
    fn a_database_inside_an_objects_data_is_none() {
        let (whole, _) = five();
        let mut file = Sample::new();
        file.txn(1, b' ', &[Write::data(1, 0, 10)]);
        let start = file.bytes.len();
        file.txn(2, b' ', &[Write::data(1, 0, whole.len() as u64 + 50)]);
        let payload = start + 23 + 42;
        file.bytes[payload..payload + whole.len()].copy_from_slice(&whole);
        // The writer has got as far as the end of the inner one.
        assert_eq!(look(&file.bytes[..payload + whole.len()]), None);
    }

    #[test]
    fn the_last_id_is_read_backwards() {
        let (whole, starts) = five();
        let last = |file: &[u8]| {
            last_tid(file.len() as u64, |at, out| {
                let at = usize::try_from(at).ok()?;
                out.copy_from_slice(file.get(at..at.checked_add(out.len())?)?);
                Some(())
            })
        };
        assert_eq!(last(&whole), Some(5));
        assert_eq!(last(&whole[..starts[3]]), Some(3));
        assert_eq!(last(&whole[..starts[3] + 5]), None);
        assert_eq!(last(b"FS30"), None);
    }
}
