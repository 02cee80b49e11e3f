//! ZODB FileStorage: walks the transactions of a `Data.fs` and reads and writes its OID index.
//!
//! A `Data.fs` is a 4-byte [`Magic`] and then transactions back to back. All integers are
//! big-endian, all positions count from the start of the file.
//!
//! ```text
//! transaction at T   tid 8 | tlen 8 | status 1 | three lengths of 2   (23 bytes: TxnHeader)
//!                    user | description | extension
//!                    data records, filling exactly up to T + tlen
//!        T + tlen    tlen 8 again: the file can be read backward, too
//!
//! data record at D   oid 8 | tid 8 | prev 8 | tloc 8 | 0 in 2 | plen 8  (42 bytes: DataHeader)
//!                    plen bytes of data; if plen is 0, a back pointer of 8 bytes instead
//! ```
//!
//! `tlen` leaves out its own repetition, so the next transaction starts at `T + tlen + 8`. `prev`
//! is the offset of the object's record before this one (0: none), `tloc` is T. A back pointer is
//! the offset of the record that holds the data (undo writes them; 0: the object is un-created).
//!
//! A writer appends a whole transaction with status `c` and then overwrites that byte with a blank,
//! so the last transaction of a file in use may be incomplete or only voted: [`Walk`] finds where
//! the complete ones end. The `.index` file beside a `Data.fs` ([`encode`], [`Decoder`]) maps each
//! oid to its current record ([`OidIndex`]); [`sane`] says whether to trust one, [`Audit`] looks
//! for contradictions in every record.
//!
//! Format: the layout comment and the structs in `ZODB/FileStorage/format.py`, the behaviour of
//! `read_index` in `ZODB/FileStorage/FileStorage.py`, and `ZODB/fsIndex.py`, all of ZODB 6.4.

mod audit;
mod behind;
mod blob;
mod compose;
mod fsindex;
mod index;
mod record;
#[cfg(test)]
mod sample;
mod sane;
mod sink;
mod walk;

pub use audit::{Audit, Issue, IssueKind};
pub use behind::{Behind, SEARCHED, behind, last_tid};
pub use blob::{BLOB_DATA, BLOB_LAYOUT, BlobLayout, id, is_blob};
pub use compose::{About, Compose, Unfit};
pub use fsindex::{Bad, BadKind, Bucket, Decoder, Entry, decode_whole, encode};
pub use index::{Indexer, OidIndex, TooFar};
pub use record::{DataHeader, Status, TxnHeader};
pub use sane::{Insane, leads_to_records, sane};
pub use sink::{Odd, OddKind, Record, Sink, Txn};
pub use walk::{Damage, State, Stop, Walk, Want};

/// The id of an object: 8 bytes, big-endian.
pub type Oid = u64;

/// The id of a transaction: 8 bytes, big-endian, a time stamp that grows through the file.
pub type Tid = u64;

/// The time of a transaction, as `YYYY-MM-DD hh:mm:ss` UTC: its id is a time stamp (`TimeStamp.c` of persistent:
/// minutes of months of 31 days since 1900, then parts of a minute in 32 bits).
#[must_use]
pub fn time_of(tid: Tid) -> String {
    let (minutes, part) = (tid >> 32, tid & 0xffff_ffff);
    let (hours, days) = (minutes / 60, minutes / (60 * 24));
    let months = days / 31;
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        1900 + months / 12,
        months % 12 + 1,
        days % 31 + 1,
        hours % 24,
        minutes % 60,
        (part * 60) >> 32
    )
}

/// The length of the file's magic, in bytes; the first transaction starts here.
pub const MAGIC_LEN: u64 = 4;

/// The length of the fixed part of a transaction's header, in bytes.
pub const TXN_HEADER: usize = 23;

/// The length of a data record's header, in bytes.
pub const DATA_HEADER: usize = 42;

/// The length of a back pointer and of the repeated transaction length, in bytes.
const NUMBER: usize = 8;

/// The first 4 bytes of a `Data.fs`; the layout after it is the same for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Magic {
    /// `FS21`: written by ZODB on Python 2.
    Fs21,
    /// `FS30`: written by ZODB on Python 3.
    Fs30,
}

impl Magic {
    /// Tells the magic from the first 4 bytes of a file; `None` if it is no FileStorage.
    #[must_use]
    pub const fn parse(bytes: [u8; 4]) -> Option<Self> {
        match &bytes {
            b"FS21" => Some(Self::Fs21),
            b"FS30" => Some(Self::Fs30),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Magic, time_of};

    #[test]
    fn an_id_is_a_time() {
        // What `persistent.TimeStamp.TimeStamp(bytes)` says of these.
        assert_eq!(time_of(0x0400_ad5a_1234_5678), "2025-05-11 04:42:04");
        assert_eq!(time_of(0), "1900-01-01 00:00:00");
    }

    #[test]
    fn two_magics_are_known() {
        assert_eq!(Magic::parse(*b"FS21"), Some(Magic::Fs21));
        assert_eq!(Magic::parse(*b"FS30"), Some(Magic::Fs30));
        assert_eq!(Magic::parse(*b"FS31"), None);
    }
}
