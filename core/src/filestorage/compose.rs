//! `Compose`: writes the bytes of a sound `Data.fs`, transaction by transaction.
//!
//! It serves demonstrations and tests; a database's own FileStorage is what writes real ones. As everywhere in
//! this crate nothing is written to a file: the host appends the bytes to whatever it has.

use super::record::{DataHeader, Status, TxnHeader};
use super::{MAGIC_LEN, NUMBER, Oid, OidIndex, TXN_HEADER, Tid, TooFar};

/// Composes a file from its magic on, and keeps the index that says where each object's last record is.
///
/// What it composes has no issue for [`Audit`](super::Audit).
#[derive(Debug, Clone, Default)]
pub struct Compose {
    /// Bytes composed after the magic.
    composed: u64,
    last_tid: Tid,
    index: OidIndex,
}

/// What a transaction says about itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct About<'a> {
    /// Its id, which must be above that of the one before.
    pub tid: Tid,
    /// Who made it; ZODB writes a path before the name, `/ jane`.
    pub user: &'a [u8],
    /// What it is for.
    pub description: &'a [u8],
    /// A pickled dictionary, or nothing.
    pub extension: &'a [u8],
}

/// Why a transaction cannot be composed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The transaction's id is not above that of the one before, or is the greatest of all.
    #[error("the transaction id {tid:016x} must lie above {last:016x}, the one before it, and below the greatest")]
    Tid {
        /// The id refused.
        tid: Tid,
        /// The id of the transaction before.
        last: Tid,
    },
    /// User, description or extension have more than the 65 535 bytes that a header can count.
    #[error("a text of a transaction has {0} bytes, of which a header can count 65535")]
    Text(usize),
    /// A record without data, which would be read as one with a back pointer.
    #[error("the record of object {0:#x} has no data")]
    Empty(Oid),
    /// A record beyond what an index can hold.
    #[error(transparent)]
    TooFar(#[from] TooFar),
}

impl Compose {
    /// The first bytes of the file, before any transaction.
    pub const MAGIC: [u8; 4] = *b"FS30";

    /// A file of which only the magic is there.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The file's length so far, its magic included, in bytes.
    #[must_use]
    pub fn end(&self) -> u64 {
        MAGIC_LEN.saturating_add(self.composed)
    }

    /// Where the last record of each object is.
    #[must_use]
    pub fn index(&self) -> &OidIndex {
        &self.index
    }

    /// The bytes of the next transaction, which holds these objects' data in this order.
    ///
    /// # Errors
    /// [`Unfit`] when no reader would understand them so; nothing has changed then.
    pub fn transaction(&mut self, about: &About<'_>, writes: &[(Oid, &[u8])]) -> Result<Vec<u8>, Unfit> {
        // Every reader takes the greatest id for the end of the file.
        if about.tid <= self.last_tid || about.tid == Tid::MAX {
            return Err(Unfit::Tid { tid: about.tid, last: self.last_tid });
        }
        let (start, mut newer) = (self.end(), OidIndex::new());
        let mut header = TxnHeader {
            tid: about.tid,
            tlen: 0,
            status: Status::Complete,
            user_len: text_len(about.user)?,
            description_len: text_len(about.description)?,
            extension_len: text_len(about.extension)?,
        };
        let mut records = Vec::new();
        for &(oid, data) in writes {
            if data.is_empty() {
                return Err(Unfit::Empty(oid));
            }
            newer.insert(oid, start.saturating_add(header.header_len()).saturating_add(records.len() as u64))?;
            let record = DataHeader {
                oid,
                tid: about.tid,
                // That of the transaction's start: two records in one transaction name the same one.
                prev: self.index.get(oid).unwrap_or(0),
                tloc: start,
                version_len: 0,
                plen: data.len() as u64,
            };
            put_record(&record, data, &mut records);
        }
        header.tlen = header.header_len().saturating_add(records.len() as u64);
        let mut bytes = Vec::with_capacity(TXN_HEADER + records.len() + NUMBER);
        put_header(&header, &mut bytes);
        for part in [about.user, about.description, about.extension, &records, &header.tlen.to_be_bytes()] {
            bytes.extend(part);
        }
        self.composed = self.composed.saturating_add(bytes.len() as u64);
        self.last_tid = about.tid;
        self.index.merge(&newer);
        Ok(bytes)
    }
}

/// Appends the fixed part of a transaction's header.
pub(super) fn put_header(header: &TxnHeader, out: &mut Vec<u8>) {
    out.extend(header.tid.to_be_bytes());
    out.extend(header.tlen.to_be_bytes());
    out.push(match header.status {
        Status::Complete => b' ',
        Status::Packed => b'p',
        Status::Voted => b'c',
        Status::Undone => b'u',
        Status::Unknown(byte) => byte,
    });
    for len in [header.user_len, header.description_len, header.extension_len] {
        out.extend(len.to_be_bytes());
    }
}

/// Appends a data record; `body` is its data, or the 8 bytes of a back pointer.
pub(super) fn put_record(header: &DataHeader, body: &[u8], out: &mut Vec<u8>) {
    for number in [header.oid, header.tid, header.prev, header.tloc] {
        out.extend(number.to_be_bytes());
    }
    out.extend(header.version_len.to_be_bytes());
    out.extend(header.plen.to_be_bytes());
    out.extend(body);
}

fn text_len(text: &[u8]) -> Result<u16, Unfit> {
    u16::try_from(text.len()).map_err(|_| Unfit::Text(text.len()))
}

#[cfg(test)]
mod tests {
    use super::super::sample::Random;
    use super::super::{Audit, Record, Sink, State, Stop, Txn, Walk};
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<Record>, Vec<Txn>);

    impl Sink for Seen {
        fn record(&mut self, record: &Record) {
            self.0.push(*record);
        }
        fn transaction(&mut self, txn: &Txn) {
            self.1.push(*txn);
        }
    }

    fn about(tid: Tid) -> About<'static> {
        About { tid, user: b"/ jane", description: b"what for", extension: b"\x80\x03}." }
    }

    #[test]
    fn a_transaction_is_laid_out_as_zodb_writes_it() {
        let mut compose = Compose::new();
        assert_eq!((compose.end(), compose.index().len()), (4, 0));
        let about = About { tid: 0x0102, user: b"u", description: b"de", extension: b"" };
        let bytes = compose.transaction(&about, &[(3, b"data")]).unwrap();
        let mut wanted = Vec::new();
        wanted.extend([0, 0, 0, 0, 0, 0, 1, 2]);
        wanted.extend([0, 0, 0, 0, 0, 0, 0, 23 + 3 + 42 + 4, b' ', 0, 1, 0, 2, 0, 0]);
        wanted.extend(b"ude");
        wanted.extend([0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, 2]);
        wanted.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
        wanted.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
        wanted.extend(b"data");
        wanted.extend([0, 0, 0, 0, 0, 0, 0, 23 + 3 + 42 + 4]);
        assert_eq!(bytes, wanted);
        assert_eq!(compose.end(), 4 + wanted.len() as u64);
        assert_eq!(compose.index().get(3), Some(4 + 23 + 3));
    }

    #[test]
    fn a_walk_reads_back_what_was_composed_and_an_audit_finds_nothing() {
        let (mut compose, mut random, mut file) = (Compose::new(), Random(5), Compose::MAGIC.to_vec());
        let mut wanted = Vec::new();
        for tid in 1..200 {
            let payloads: Vec<(Oid, Vec<u8>)> =
                (0..random.below(9)).map(|_| (random.next() % 40, vec![b'x'; 1 + random.below(300)])).collect();
            let writes: Vec<(Oid, &[u8])> = payloads.iter().map(|(oid, data)| (*oid, data.as_slice())).collect();
            let before = compose.index().clone();
            assert_eq!(compose.end(), file.len() as u64);
            file.extend(compose.transaction(&about(tid), &writes).unwrap());
            wanted.extend(writes.iter().map(|(oid, data)| (tid, *oid, data.len(), before.get(*oid).unwrap_or(0))));
        }
        let mut sinks = (Seen::default(), Audit::default());
        let mut walk = Walk::new(0, file.len() as u64);
        walk.push(&file, &mut sinks);
        assert_eq!(walk.state(), State::Stopped { at: file.len() as u64, why: Stop::Eof });
        let (Seen(records, txns), mut audit) = sinks;
        assert_eq!(audit.take(), []);
        assert_eq!(audit.finish().unwrap(), *compose.index());
        assert!(txns.iter().map(|txn| txn.tid).eq(1..200));
        let read: Vec<_> = records.iter().map(|r| (r.tid, r.oid, r.plen as usize, r.prev)).collect();
        assert_eq!(read, wanted);
    }

    #[test]
    fn what_no_reader_would_understand_is_refused_and_changes_nothing() {
        let mut compose = Compose::new();
        compose.transaction(&about(7), &[(1, b"a")]).unwrap();
        let (end, index) = (compose.end(), compose.index().clone());
        let long = [b'x'; 65_536];
        assert_eq!(compose.transaction(&about(7), &[(1, b"a")]), Err(Unfit::Tid { tid: 7, last: 7 }));
        assert_eq!(compose.transaction(&about(8), &[(1, b"a"), (2, b"")]), Err(Unfit::Empty(2)));
        for n in 0..3 {
            let mut about = about(8);
            *[&mut about.user, &mut about.description, &mut about.extension][n] = &long;
            assert_eq!(compose.transaction(&about, &[(1, b"a")]), Err(Unfit::Text(65_536)));
            *[&mut about.user, &mut about.description, &mut about.extension][n] = &long[1..];
            assert!(compose.clone().transaction(&about, &[(1, b"a")]).is_ok());
        }
        assert_eq!((compose.end(), compose.index()), (end, &index));
        let mut far = Compose { composed: (1 << 48) - 4, ..Compose::new() };
        let offset = (1 << 48) + 23 + 6 + 8 + 4;
        assert_eq!(far.transaction(&about(1), &[(9, b"a")]), Err(Unfit::TooFar(TooFar { oid: 9, offset })));
        assert!(far.transaction(&about(1), &[]).is_ok(), "a transaction without records needs no index");
    }
}
