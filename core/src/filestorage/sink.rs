//! `Sink`: what a `Walk` tells of the records and transactions that it passes.

use std::fmt;

use super::{Oid, Status, Tid};

/// One data record, as its header and, if it has no data, its back pointer say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The object's id.
    pub oid: Oid,
    /// The transaction id in the record itself.
    pub tid: Tid,
    /// The offset of the record in the file.
    pub at: u64,
    /// The offset of the object's record before this one, 0 if there is none.
    pub prev: u64,
    /// The offset of the transaction; the walk has checked it.
    pub tloc: u64,
    /// The length of the data, in bytes.
    pub plen: u64,
    /// The back pointer; `Some` exactly when `plen` is 0.
    pub back: Option<u64>,
    /// The id of the transaction around the record.
    pub txn_tid: Tid,
    /// The status of the transaction around the record.
    pub status: Status,
}

/// One complete transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Txn {
    /// The offset of the transaction in the file.
    pub at: u64,
    /// The offset after its repeated length, where the next transaction starts.
    pub end: u64,
    /// The transaction's id.
    pub tid: Tid,
    /// The transaction's status.
    pub status: Status,
}

/// Something that ZODB warns about and reads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Odd {
    /// The offset of the transaction.
    pub at: u64,
    /// What is odd about it.
    pub what: OddKind,
}

/// What is odd about a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddKind {
    /// The transaction's id is not above that of the one before.
    TidNotGrowing {
        /// The transaction's id.
        tid: Tid,
        /// The id of the transaction before it.
        last: Tid,
    },
    /// The status byte is none that ZODB writes.
    UnknownStatus(u8),
}

impl fmt::Display for OddKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TidNotGrowing { tid, last } => {
                write!(f, "the transaction id {tid:016x} is not above {last:016x}, the one before it")
            }
            Self::UnknownStatus(byte) => {
                write!(f, "the transaction has the unknown status '{}'", byte.escape_ascii())
            }
        }
    }
}

/// What takes the walk's events; each has an empty default.
pub trait Sink {
    /// A data record has been seen. It counts only once its transaction is complete.
    fn record(&mut self, record: &Record) {
        let _ = record;
    }

    /// A transaction is complete, its repeated length included: its records count.
    fn transaction(&mut self, txn: &Txn) {
        let _ = txn;
    }

    /// A transaction is odd, but is read nevertheless.
    fn odd(&mut self, odd: Odd) {
        let _ = odd;
    }
}

/// Takes nothing: for a walk that only looks for the end.
impl Sink for () {}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn record(&mut self, record: &Record) {
        (**self).record(record);
    }

    fn transaction(&mut self, txn: &Txn) {
        (**self).transaction(txn);
    }

    fn odd(&mut self, odd: Odd) {
        (**self).odd(odd);
    }
}

/// Two sinks that hear the same, in order.
impl<A: Sink, B: Sink> Sink for (A, B) {
    fn record(&mut self, record: &Record) {
        self.0.record(record);
        self.1.record(record);
    }

    fn transaction(&mut self, txn: &Txn) {
        self.0.transaction(txn);
        self.1.transaction(txn);
    }

    fn odd(&mut self, odd: Odd) {
        self.0.odd(odd);
        self.1.odd(odd);
    }
}
