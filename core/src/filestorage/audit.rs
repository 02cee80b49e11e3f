//! `Audit`: a `Sink` that reports every record that contradicts the records before it.

use std::fmt;

use super::index::{Indexer, OidIndex, TooFar};
use super::sink::{Odd, OddKind, Record, Sink, Txn};
use super::{MAGIC_LEN, Status, TXN_HEADER, Tid};

/// Something an audit found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issue {
    /// The offset of the record or transaction in the file.
    pub at: u64,
    /// Whether it can lose an object or its history; otherwise ZODB only warns about it.
    pub grave: bool,
    /// What is wrong.
    pub what: IssueKind,
}

/// What an audit can find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueKind {
    /// The record's `prev` is not the offset of the object's record before it.
    Prev {
        /// What the record says.
        prev: u64,
        /// Where the object's record before it is, 0 if there is none.
        expected: u64,
    },
    /// The record has another transaction id than its transaction.
    RecordTid {
        /// The id in the record.
        record: Tid,
        /// The id of the transaction.
        txn: Tid,
    },
    /// The back pointer does not point at an earlier record.
    Back(u64),
    /// ZODB's own warnings about a transaction.
    Odd(OddKind),
}

impl fmt::Display for IssueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            IssueKind::Prev { prev, expected: 0 } => {
                write!(f, "the record names {prev} as the object's record before it, but there is none")
            }
            IssueKind::Prev { prev: 0, expected } => {
                write!(f, "the record says that it is its object's first, but one is at {expected}")
            }
            IssueKind::Prev { prev, expected } => {
                write!(f, "the record names {prev} as the object's record before it, but that is at {expected}")
            }
            IssueKind::RecordTid { record, txn } => {
                write!(f, "the record has the transaction id {record:016x}, its transaction {txn:016x}")
            }
            IssueKind::Back(back) => write!(f, "the back pointer {back} leads to no earlier record"),
            IssueKind::Odd(odd) => odd.fmt(f),
        }
    }
}

/// Checks each record against those before it and holds what it finds until the host takes it.
///
/// An issue is found as its record passes: if the walk then finds the transaction corrupt, the
/// issues of its first records stay. Memory: one [`Indexer`], and the issues not yet taken, of which
/// each 31 bytes pushed can give three at the most.
#[derive(Debug, Default)]
pub struct Audit {
    indexer: Indexer,
    issues: Vec<Issue>,
}

impl Audit {
    /// An audit of a walk that starts where `index` ends: an empty one for a walk from 0.
    #[must_use]
    pub fn new(index: OidIndex) -> Self {
        Self { indexer: Indexer::new(index), ..Self::default() }
    }

    /// The issues found since this was last called, in the order of the file: all of them, so that counts do
    /// not depend on how the bytes were cut. To be called after each push.
    pub fn take(&mut self) -> Vec<Issue> {
        std::mem::take(&mut self.issues)
    }

    fn hold(&mut self, at: u64, grave: bool, what: IssueKind) {
        self.issues.push(Issue { at, grave, what });
    }

    /// The index as of the last complete transaction.
    #[must_use]
    pub fn index(&self) -> &OidIndex {
        self.indexer.index()
    }

    /// The index as of the last complete transaction.
    ///
    /// # Errors
    /// The first record whose offset does not fit into an index.
    pub fn finish(self) -> Result<OidIndex, TooFar> {
        self.indexer.finish()
    }
}

impl Sink for Audit {
    fn record(&mut self, record: &Record) {
        // A second record of an object within one transaction (two undos) names the one before the
        // transaction, so the index must be that of the transaction's start.
        let expected = self.indexer.index().get(record.oid).unwrap_or(0);
        // A pack writes 0 into all that it rewrites, even where it keeps two records of an object.
        let packed = record.prev == 0 && record.status == Status::Packed;
        if record.prev != expected && !packed {
            self.hold(record.at, record.prev != 0, IssueKind::Prev { prev: record.prev, expected });
        }
        if record.tid != record.txn_tid {
            self.hold(record.at, false, IssueKind::RecordTid { record: record.tid, txn: record.txn_tid });
        }
        if let Some(back) = record.back
            && back != 0
            && !(MAGIC_LEN + TXN_HEADER as u64..record.at).contains(&back)
        {
            self.hold(record.at, true, IssueKind::Back(back));
        }
        self.indexer.record(record);
    }

    fn transaction(&mut self, txn: &Txn) {
        self.indexer.transaction(txn);
    }

    fn odd(&mut self, odd: Odd) {
        self.hold(odd.at, false, IssueKind::Odd(odd.what));
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, Write};
    use super::super::{State, Stop, Walk};
    use super::*;

    fn audit(file: &[u8]) -> Vec<Issue> {
        let (mut audit, mut issues) = (Audit::new(OidIndex::new()), Vec::new());
        let mut walk = Walk::new(0, file.len() as u64);
        for piece in file.chunks(50) {
            walk.push(piece, &mut audit);
            issues.extend(audit.take());
        }
        assert!(matches!(walk.state(), State::Stopped { why: Stop::Eof, .. }));
        assert!(audit.finish().is_ok());
        issues
    }

    #[test]
    fn a_flood_of_issues_is_told_whole_however_it_is_cut() {
        let mut file = Sample::new();
        let first = file.txn(1, b' ', &[Write::data(1, 0, 10)])[0];
        for _ in 0..3000 {
            file.txn(1, b' ', &[]);
        }
        let grave = file.txn(1, b' ', &[Write::data(1, first + 1, 10)])[0];
        let mut audit = Audit::default();
        Walk::new(0, file.len()).push(&file.bytes, &mut audit);
        let issues = audit.take();
        assert_eq!(issues.len(), 3002);
        assert_eq!(issues, self::audit(&file.bytes));
        assert_eq!(issues.iter().find(|i| i.grave).unwrap().at, grave);
        assert!(audit.take().is_empty());
    }

    #[test]
    fn a_good_file_has_no_issue() {
        let mut file = Sample::new();
        let first = file.txn(1, b' ', &[Write::data(1, 0, 10), Write::data(2, 0, 0)]);
        file.txn(2, b' ', &[Write::back(1, first[0], first[0]), Write::back(2, first[1], 0)]);
        assert_eq!(audit(&file.bytes), []);
    }

    #[test]
    fn two_records_of_an_object_in_one_transaction_name_the_same_one_before_it() {
        let mut file = Sample::new();
        let first = file.txn(1, b' ', &[Write::data(1, 0, 10)]);
        let two = file.txn(2, b' ', &[Write::data(1, first[0], 3), Write::data(1, first[0], 3)]);
        file.txn(3, b' ', &[Write::data(1, two[1], 3)]);
        assert_eq!(audit(&file.bytes), []);
    }

    #[test]
    fn contradictions_are_found_where_they_are() {
        let mut file = Sample::new();
        file.txn(1, b' ', &[Write::data(1, 0, 10)]);
        file.txn(2, b'p', &[Write::data(1, 0, 10)]);
        let zero = file.txn(3, b' ', &[Write::data(1, 0, 10)])[0];
        let wrong = file.txn(4, b'p', &[Write::data(1, 31, 10)])[0];
        let none = file.txn(5, b' ', &[Write::data(9, 27, 10)])[0];
        let mut other = Write::back(9, none, 26);
        other.tid = Some(77);
        let back = file.txn(6, b' ', &[other])[0];
        let own = file.next_record();
        file.txn(6, b' ', &[Write::back(9, back, own)]);
        let found = audit(&file.bytes);
        let prev = |at, prev, expected| Issue { at, grave: prev != 0, what: IssueKind::Prev { prev, expected } };
        assert_eq!(found[0], prev(zero, 0, 27 + 10 + 42 + 8 + 23));
        assert_eq!(found[1], prev(wrong, 31, zero));
        assert_eq!(found[2], prev(none, 27, 0));
        assert_eq!(found[3], Issue { at: back, grave: false, what: IssueKind::RecordTid { record: 77, txn: 6 } });
        assert_eq!(found[4], Issue { at: back, grave: true, what: IssueKind::Back(26) });
        let odd = IssueKind::Odd(OddKind::TidNotGrowing { tid: 6, last: 6 });
        assert_eq!(found[5], Issue { at: own - 23, grave: false, what: odd });
        assert_eq!(found[6], Issue { at: own, grave: true, what: IssueKind::Back(own) });
        assert_eq!(found.len(), 7);
        let texts: std::collections::BTreeSet<_> = found.iter().map(|i| i.what.to_string()).collect();
        assert_eq!(texts.len(), 7);
    }
}
