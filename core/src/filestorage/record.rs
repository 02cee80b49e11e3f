//! `TxnHeader` and `DataHeader`: the two fixed headers of a FileStorage, as plain numbers.

use super::{DATA_HEADER, NUMBER, Oid, TXN_HEADER, Tid};

/// The status byte of a transaction (`format.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// A blank: finished.
    Complete,
    /// `p`: finished, and rewritten by a pack.
    Packed,
    /// `c`: voted but not finished; a writer is at work or died here.
    Voted,
    /// `u`: undone in place by a form of undo that no longer exists; its records do not count.
    Undone,
    /// Any other byte; ZODB warns and reads the transaction as a finished one.
    Unknown(u8),
}

impl From<u8> for Status {
    fn from(byte: u8) -> Self {
        match byte {
            b' ' => Self::Complete,
            b'p' => Self::Packed,
            b'c' => Self::Voted,
            b'u' => Self::Undone,
            other => Self::Unknown(other),
        }
    }
}

/// The fixed part of a transaction's header (`TRANS_HDR` in `format.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxnHeader {
    /// The transaction's id.
    pub tid: Tid,
    /// The transaction's length without its repetition at the end, in bytes.
    pub tlen: u64,
    /// The status byte.
    pub status: Status,
    /// The length of the user name after the header, in bytes.
    pub user_len: u16,
    /// The length of the description after the user name, in bytes.
    pub description_len: u16,
    /// The length of the extension after the description, in bytes.
    pub extension_len: u16,
}

impl TxnHeader {
    /// Reads the fields; any 23 bytes are some header.
    #[must_use]
    pub fn parse(bytes: &[u8; TXN_HEADER]) -> Self {
        let [status] = field(bytes, 16);
        Self {
            tid: u64::from_be_bytes(field(bytes, 0)),
            tlen: u64::from_be_bytes(field(bytes, 8)),
            status: Status::from(status),
            user_len: u16::from_be_bytes(field(bytes, 17)),
            description_len: u16::from_be_bytes(field(bytes, 19)),
            extension_len: u16::from_be_bytes(field(bytes, 21)),
        }
    }

    /// The length of the whole header with user, description and extension, in bytes.
    #[must_use]
    pub fn header_len(&self) -> u64 {
        TXN_HEADER as u64 + u64::from(self.user_len) + u64::from(self.description_len) + u64::from(self.extension_len)
    }
}

/// The header of a data record (`DATA_HDR` in `format.py`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataHeader {
    /// The object's id.
    pub oid: Oid,
    /// The id of the transaction that wrote the record.
    pub tid: Tid,
    /// The offset of the object's record before this one, 0 if there is none.
    pub prev: u64,
    /// The offset of the transaction that holds the record.
    pub tloc: u64,
    /// Always 0 since versions were dropped from ZODB.
    pub version_len: u16,
    /// The length of the data after the header, in bytes; 0 says that a back pointer follows.
    pub plen: u64,
}

impl DataHeader {
    /// Reads the fields; any 42 bytes are some header.
    #[must_use]
    pub fn parse(bytes: &[u8; DATA_HEADER]) -> Self {
        Self {
            oid: u64::from_be_bytes(field(bytes, 0)),
            tid: u64::from_be_bytes(field(bytes, 8)),
            prev: u64::from_be_bytes(field(bytes, 16)),
            tloc: u64::from_be_bytes(field(bytes, 24)),
            version_len: u16::from_be_bytes(field(bytes, 32)),
            plen: u64::from_be_bytes(field(bytes, 34)),
        }
    }

    /// The length of the record with its data or back pointer, in bytes; `None` past 64 bits.
    #[must_use]
    pub fn record_len(&self) -> Option<u64> {
        let body = if self.plen == 0 { NUMBER as u64 } else { self.plen };
        body.checked_add(DATA_HEADER as u64)
    }
}

/// The `N` bytes at `at`; every caller's place is a constant within the header.
#[inline]
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_comes_from_its_place() {
        let mut bytes = [0; TXN_HEADER];
        bytes.iter_mut().zip(1..).for_each(|(b, n)| *b = n);
        let txn = TxnHeader::parse(&bytes);
        assert_eq!((txn.tid, txn.tlen), (0x0102_0304_0506_0708, 0x090a_0b0c_0d0e_0f10));
        assert_eq!(txn.status, Status::Unknown(0x11));
        assert_eq!((txn.user_len, txn.description_len, txn.extension_len), (0x1213, 0x1415, 0x1617));
        assert_eq!(txn.header_len(), 23 + 0x1213 + 0x1415 + 0x1617);

        let mut bytes = [0; DATA_HEADER];
        bytes.iter_mut().zip(1..).for_each(|(b, n)| *b = n);
        let data = DataHeader::parse(&bytes);
        assert_eq!((data.oid, data.tid), (0x0102_0304_0506_0708, 0x090a_0b0c_0d0e_0f10));
        assert_eq!((data.prev, data.tloc), (0x1112_1314_1516_1718, 0x191a_1b1c_1d1e_1f20));
        assert_eq!((data.version_len, data.plen), (0x2122, 0x2324_2526_2728_292a));
    }

    #[test]
    fn lengths_do_not_overflow() {
        assert_eq!(TxnHeader::parse(&[0xff; TXN_HEADER]).header_len(), 23 + 3 * 65535);
        assert_eq!(DataHeader::parse(&[0xff; DATA_HEADER]).record_len(), None);
        assert_eq!(DataHeader::parse(&[0; DATA_HEADER]).record_len(), Some(50));
    }
}
