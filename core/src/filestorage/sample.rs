//! Builds small `Data.fs` files for tests, sound ones and others, and numbers that look random.

use super::TXN_HEADER;
use super::compose::{Compose, put_header, put_record};
use super::record::{DataHeader, Status, TxnHeader};

/// A linear feedback generator: the same numbers in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 8) as usize % limit.max(1)
    }
}

/// A data record to write; `tid` is the transaction's unless given.
#[derive(Clone, Copy)]
pub(super) struct Write {
    pub(super) oid: u64,
    pub(super) prev: u64,
    pub(super) plen: u64,
    pub(super) back: u64,
    pub(super) tid: Option<u64>,
}

impl Write {
    pub(super) fn data(oid: u64, prev: u64, plen: u64) -> Self {
        Self { oid, prev, plen, back: 0, tid: None }
    }

    pub(super) fn back(oid: u64, prev: u64, back: u64) -> Self {
        Self { oid, prev, plen: 0, back, tid: None }
    }
}

/// A file that grows transaction by transaction.
#[derive(Clone)]
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    /// The lengths of user, description and extension in the transactions to come.
    pub(super) texts: [u16; 3],
}

impl Sample {
    pub(super) fn new() -> Self {
        Self { bytes: Compose::MAGIC.to_vec(), texts: [0; 3] }
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Where the first record of the next transaction will be.
    pub(super) fn next_record(&self) -> u64 {
        self.len() + TXN_HEADER as u64 + self.texts.iter().map(|n| u64::from(*n)).sum::<u64>()
    }

    /// Appends a transaction and returns the offsets of its records.
    pub(super) fn txn(&mut self, tid: u64, status: u8, writes: &[Write]) -> Vec<u64> {
        let tloc = self.len();
        let [user_len, description_len, extension_len] = self.texts;
        let mut header =
            TxnHeader { tid, tlen: 0, status: Status::from(status), user_len, description_len, extension_len };
        let (mut records, mut offsets) = (Vec::new(), Vec::new());
        for write in writes {
            offsets.push(tloc + header.header_len() + records.len() as u64);
            let Write { oid, prev, plen, back, tid: own } = *write;
            let record = DataHeader { oid, tid: own.unwrap_or(tid), prev, tloc, version_len: 0, plen };
            let body = if plen == 0 { back.to_be_bytes().to_vec() } else { vec![b'd'; plen as usize] };
            put_record(&record, &body, &mut records);
        }
        header.tlen = header.header_len() + records.len() as u64;
        put_header(&header, &mut self.bytes);
        self.bytes.resize(self.bytes.len() + header.header_len() as usize - TXN_HEADER, b't');
        self.bytes.extend(records);
        self.bytes.extend(header.tlen.to_be_bytes());
        offsets
    }

    /// A file of every usual kind of transaction and a few hundred records.
    pub(super) fn rich() -> Self {
        let mut file = Self::new();
        let mut random = Random(42);
        let mut last = std::collections::BTreeMap::new();
        for tid in 1..60 {
            file.texts = [random.below(9) as u16, random.below(30) as u16, random.below(400) as u16];
            let status = if tid < 20 { b'p' } else { b' ' };
            let mut writes = Vec::new();
            for _ in 0..random.below(12) {
                let oid = random.next() % 90_000;
                let prev = last.get(&oid).copied().filter(|_| status == b' ').unwrap_or(0);
                let write = match random.below(5) {
                    0 => Write::back(oid, prev, prev),
                    _ => Write::data(oid, prev, random.below(2000) as u64),
                };
                writes.push(write);
            }
            let offsets = file.txn(tid, status, &writes);
            for (write, at) in writes.iter().zip(offsets) {
                last.insert(write.oid, at);
            }
            if tid % 13 == 0 {
                file.txn(tid, b'u', &[Write::data(1, 5, 40)]);
            }
        }
        file
    }
}
