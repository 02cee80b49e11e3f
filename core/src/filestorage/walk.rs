//! `Walk`: a push parser of FileStorage transactions that finds where the complete ones end.

use super::record::{DataHeader, Status, TxnHeader};
use super::sink::{Odd, OddKind, Record, Sink, Txn};
use super::{DATA_HEADER, MAGIC_LEN, Magic, NUMBER, TXN_HEADER, Tid};

mod state;
#[cfg(test)]
mod tests;

pub use state::{Damage, State, Stop};

/// The next bytes that a walk needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// Their offset in the file.
    pub at: u64,
    /// How many there are, in bytes: never more than 42, and never past the file's size.
    pub len: usize,
}

/// What the walk reads next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Magic,
    Txn,
    Data,
    Back,
    RedundantLen,
}

impl Part {
    const fn len(self) -> usize {
        match self {
            Self::Magic => 4,
            Self::Txn => TXN_HEADER,
            Self::Data => DATA_HEADER,
            Self::Back | Self::RedundantLen => NUMBER,
        }
    }
}

/// A walk through the transactions of a `Data.fs`, in O(bytes) time and O(1) memory.
///
/// It stops and complains where ZODB's `read_index` does, but for one case: rubbish at the end of the
/// file stops it even where the status byte is no ASCII, which ZODB on Python 3 fails to decode.
///
/// Payloads and the texts of a transaction are not looked at; a host may push them or
/// [`jump`](Self::jump) over them with the same result.
#[derive(Debug, Clone)]
pub struct Walk {
    size: u64,
    tail: Option<[u8; 8]>,
    last_tid: Tid,
    /// The offset of the next byte to be pushed, and how many from there on are of no interest.
    at: u64,
    gap: u64,
    part: Part,
    held: [u8; DATA_HEADER],
    have: usize,
    /// The transaction being read, and its `tlen`.
    txn: Txn,
    tlen: u64,
    /// A record without data that waits for its back pointer.
    record: Option<Record>,
    end: u64,
    state: State,
}

impl Walk {
    /// A walk through a file of `size` bytes from offset `start`: 0 (anything below 4 counts as 0)
    /// for the magic and all transactions, otherwise the start of a transaction.
    ///
    /// `size` is the file's size in bytes at the beginning; what is appended later is not read. A
    /// walk that does not start at 0 sees no magic: check it with [`Magic::parse`].
    #[must_use]
    pub fn new(start: u64, size: u64) -> Self {
        let mut walk = Self {
            size,
            tail: None,
            last_tid: 0,
            at: 0,
            gap: 0,
            part: Part::Magic,
            held: [0; DATA_HEADER],
            have: 0,
            txn: Txn { at: 0, end: 0, tid: 0, status: Status::Complete },
            tlen: 0,
            record: None,
            end: 0,
            state: State::Running,
        };
        if start >= MAGIC_LEN {
            walk.at = start;
            walk.boundary(start);
        } else if size == 0 {
            walk.stop(Stop::Eof);
        } else if size < MAGIC_LEN {
            walk.corrupt(0, Damage::Magic);
        }
        walk
    }

    /// Gives the last 8 bytes of the file. They decide, as in ZODB, whether a header that is too
    /// short for itself is a damaged transaction or rubbish at the end; without them it is damage.
    #[must_use]
    pub fn with_tail(mut self, tail: Option<[u8; 8]>) -> Self {
        self.tail = tail;
        self
    }

    /// Gives the id of the transaction before `start`; without it, the first id is not compared.
    #[must_use]
    pub fn with_last_tid(mut self, tid: Tid) -> Self {
        self.last_tid = tid;
        self
    }

    /// Where the walk is.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// The offset after the last complete transaction so far; 0 before the magic has been seen.
    ///
    /// For an empty file this stays 0, while ZODB says 4 without there being 4 bytes.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The id of the last transaction whose header was accepted, or what was given.
    #[must_use]
    pub fn last_tid(&self) -> Tid {
        self.last_tid
    }

    /// The offset of the next byte to push.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at
    }

    /// The next bytes that matter, at or after [`position`](Self::position); `None` once the walk
    /// is no longer running.
    #[must_use]
    pub fn want(&self) -> Option<Want> {
        (self.state == State::Running)
            .then(|| Want { at: self.at.saturating_add(self.gap), len: self.part.len().saturating_sub(self.have) })
    }

    /// Skips what does not matter: the next push starts at the offset returned. More bytes than
    /// asked for may be pushed.
    pub fn jump(&mut self) -> Option<Want> {
        self.at = self.at.saturating_add(self.gap);
        self.gap = 0;
        self.want()
    }

    /// Takes the bytes at [`position`](Self::position), cut in any way; ignored when not running.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let mut rest = bytes;
        while self.state == State::Running && !rest.is_empty() {
            if self.gap > 0 {
                let n = usize::try_from(self.gap).unwrap_or(usize::MAX).min(rest.len());
                self.take(n);
                self.gap -= n as u64;
                rest = rest.get(n..).unwrap_or_default();
                continue;
            }
            let need = self.part.len();
            if self.have == 0
                && let Some((whole, after)) = rest.split_at_checked(need)
            {
                self.take(need);
                self.step(whole, sink);
                rest = after;
                continue;
            }
            let room = self.held.get_mut(self.have..need).unwrap_or_default();
            let n = room.len().min(rest.len());
            for (to, from) in room.iter_mut().zip(rest) {
                *to = *from;
            }
            self.have += n;
            self.take(n);
            rest = rest.get(n..).unwrap_or_default();
            if self.have == need {
                self.have = 0;
                let held = self.held;
                self.step(held.get(..need).unwrap_or_default(), sink);
            }
        }
    }

    /// `at` stays at or below `size`, because only parts known to lie below it are taken.
    fn take(&mut self, n: usize) {
        self.at = self.at.saturating_add(n as u64);
    }

    fn step(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        match self.part {
            Part::Magic => match bytes.first_chunk().copied().and_then(Magic::parse) {
                Some(_) => self.boundary(MAGIC_LEN),
                None => self.corrupt(0, Damage::Magic),
            },
            Part::Txn => {
                if let Some(bytes) = bytes.first_chunk() {
                    self.txn_header(&TxnHeader::parse(bytes), sink);
                }
            }
            Part::Data => {
                if let Some(bytes) = bytes.first_chunk() {
                    self.data_header(&DataHeader::parse(bytes), sink);
                }
            }
            Part::Back => {
                let back = bytes.first_chunk().copied().map(u64::from_be_bytes);
                if let Some(record) = self.record.take() {
                    sink.record(&Record { back, ..record });
                }
                self.next_record(self.at);
            }
            Part::RedundantLen => {
                if bytes.first_chunk().copied().map(u64::from_be_bytes) == Some(self.tlen) {
                    sink.transaction(&self.txn);
                    self.boundary(self.at);
                } else {
                    self.corrupt(self.at.saturating_sub(NUMBER as u64), Damage::RedundantLen);
                }
            }
        }
    }

    /// A transaction may start at `at`.
    fn boundary(&mut self, at: u64) {
        self.end = at;
        self.part = Part::Txn;
        match self.size.checked_sub(at) {
            None => self.corrupt(at, Damage::Start),
            Some(0) => self.stop(Stop::Eof),
            Some(left) if left < TXN_HEADER as u64 => self.stop(Stop::ShortHeader),
            Some(_) => {}
        }
    }

    fn txn_header(&mut self, header: &TxnHeader, sink: &mut impl Sink) {
        let at = self.end;
        let end = at.checked_add(header.tlen).and_then(|e| e.checked_add(NUMBER as u64));
        let Some(end) = end.filter(|&end| end <= self.size) else {
            return self.stop(Stop::PastSize);
        };
        if header.status == Status::Voted {
            return self.stop(Stop::Voted);
        }
        if header.tlen < header.header_len() {
            return self.short_header(at);
        }
        match header.status {
            Status::Unknown(byte) if !byte.is_ascii() => return self.corrupt(at, Damage::Status),
            _ if header.tid == Tid::MAX => return self.stop(Stop::LastTid),
            Status::Unknown(byte) => sink.odd(Odd { at, what: OddKind::UnknownStatus(byte) }),
            _ => {}
        }
        if header.tid <= self.last_tid {
            sink.odd(Odd { at, what: OddKind::TidNotGrowing { tid: header.tid, last: self.last_tid } });
        }
        self.last_tid = header.tid;
        self.tlen = header.tlen;
        self.txn = Txn { at, end, tid: header.tid, status: header.status };
        if header.status == Status::Undone {
            self.gap = header.tlen.saturating_sub(TXN_HEADER as u64);
            self.part = Part::RedundantLen;
        } else {
            self.gap = header.header_len().saturating_sub(TXN_HEADER as u64);
            self.next_record(at.saturating_add(header.header_len()));
        }
    }

    /// A header shorter than itself: a crash can leave rubbish at the end, which is to be cut off;
    /// but if the file's last 8 bytes look like a transaction's length, transactions follow.
    fn short_header(&mut self, at: u64) {
        let last_len = self.tail.map(u64::from_be_bytes);
        let rubbish = |len: u64| len < TXN_HEADER as u64 || self.size.checked_sub(len).is_none_or(|t| t < at);
        if last_len.is_some_and(rubbish) {
            self.stop(Stop::InvalidTail);
        } else {
            self.corrupt(at, Damage::HeaderLen);
        }
    }

    /// A record or the end of the records is at `at`; the transaction's end is known to be in the
    /// file, so nothing after it is ever waited for.
    fn next_record(&mut self, at: u64) {
        let records_end = self.txn.end.saturating_sub(NUMBER as u64);
        match records_end.saturating_sub(at) {
            0 => self.part = Part::RedundantLen,
            left if left < DATA_HEADER as u64 => self.corrupt(at, Damage::Leftover),
            _ => self.part = Part::Data,
        }
    }

    fn data_header(&mut self, header: &DataHeader, sink: &mut impl Sink) {
        let at = self.at.saturating_sub(DATA_HEADER as u64);
        let records_end = self.txn.end.saturating_sub(NUMBER as u64);
        if header.version_len != 0 {
            return self.corrupt(at, Damage::Version);
        }
        let end = header.record_len().and_then(|len| at.checked_add(len));
        let Some(end) = end.filter(|&end| end <= records_end) else {
            return self.corrupt(at, Damage::RecordExceeds);
        };
        if header.tloc != self.txn.at {
            return self.corrupt(at, Damage::Tloc);
        }
        let record = Record {
            oid: header.oid,
            tid: header.tid,
            at,
            prev: header.prev,
            tloc: header.tloc,
            plen: header.plen,
            back: None,
            txn_tid: self.txn.tid,
            status: self.txn.status,
        };
        if header.plen == 0 {
            self.record = Some(record);
            self.part = Part::Back;
        } else {
            sink.record(&record);
            self.gap = header.plen;
            self.next_record(end);
        }
    }

    fn stop(&mut self, why: Stop) {
        self.state = State::Stopped { at: self.end, why };
    }

    fn corrupt(&mut self, at: u64, what: Damage) {
        self.state = State::Corrupt { at, what };
    }
}
