//! Blobs of ZODB: which records stand for one, and the name of the file that holds its bytes.
//!
//! A record of class `ZODB.blob.Blob` has no bytes of its own: they lie in a file of the blob folder that the object's
//! id and the transaction's id name. `is_blob_record`, `BushyLayout`, `LawnLayout` and `auto_layout_select` in
//! `ZODB/blob.py`, and `oid_repr` in `ZODB/utils.py`, all of ZODB 6.4.

use super::{Oid, Tid};

/// As many bytes of a record's data as tell whether it stands for a blob.
pub const BLOB_DATA: usize = 64;

/// The module and the name of the class.
const CLASS: [&[u8]; 2] = [b"ZODB.blob", b"Blob"];

/// Whether a record's data, of which [`BLOB_DATA`] bytes suffice, stands for a blob: its first pickle, of whatever
/// protocol, is the class and nothing else.
#[must_use]
pub fn is_blob(data: &[u8]) -> bool {
    let mut pickle = Pickle { rest: data };
    let (mut before, mut last): (&[u8], &[u8]) = (b"", b"");
    let mut is_class = false;
    while let Some(opcode) = pickle.byte() {
        let taken = match opcode {
            // PROTO, FRAME.
            0x80 => pickle.take(1).map(drop),
            0x95 => pickle.take(8).map(drop),
            // GLOBAL: the module and the name, a line each.
            b'c' if !is_class => {
                pickle.line().zip(pickle.line()).map(|names| is_class = <[&[u8]; 2]>::from(names) == CLASS)
            }
            // SHORT_BINUNICODE, BINUNICODE, SHORT_BINSTRING, and then STACK_GLOBAL.
            0x8c | b'U' if !is_class => pickle.short().map(|text| (before, last) = (last, text)),
            b'X' if !is_class => pickle.long().map(|text| (before, last) = (last, text)),
            0x93 if !is_class => {
                is_class = [before, last] == CLASS;
                Some(())
            }
            // MEMOIZE, BINPUT, LONG_BINPUT, PUT.
            0x94 => Some(()),
            b'q' => pickle.take(1).map(drop),
            b'r' => pickle.take(4).map(drop),
            b'p' => pickle.line().map(drop),
            // STOP.
            b'.' => return is_class,
            _ => None,
        };
        if taken.is_none() {
            return false;
        }
    }
    false
}

/// What is left of a pickle.
struct Pickle<'a> {
    rest: &'a [u8],
}

impl<'a> Pickle<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn line(&mut self) -> Option<&'a [u8]> {
        let length = self.rest.iter().position(|byte| *byte == b'\n')?;
        let line = self.take(length)?;
        self.take(1).map(|_| line)
    }

    fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(*self.take(4)?.first_chunk()?);
        self.take(usize::try_from(length).ok()?)
    }
}

/// How a blob folder is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobLayout {
    /// A folder for each byte of the object's id, one in the other.
    Bushy,
    /// A folder for each object.
    Lawn,
}

/// The file in a blob folder that says how it is laid out. Where there is none, a folder that is used is a
/// [`BlobLayout::Lawn`].
pub const BLOB_LAYOUT: &str = ".layout";

impl BlobLayout {
    /// Reads what [`BLOB_LAYOUT`] says; none if it names no layout.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text.trim_ascii() {
            b"bushy" => Some(Self::Bushy),
            b"lawn" => Some(Self::Lawn),
            _ => None,
        }
    }

    /// Where a blob lies below the blob folder.
    #[must_use]
    pub fn path(self, oid: Oid, tid: Tid) -> String {
        let mut path = String::with_capacity(64);
        match self {
            Self::Bushy => oid.to_be_bytes().iter().for_each(|byte| path.push_str(&format!("0x{byte:02x}/"))),
            Self::Lawn => path.push_str(&format!("{}/", id(oid))),
        }
        path.push_str(&format!("{}.blob", id(tid)));
        path
    }

    /// The object and the transaction of a blob that lies here below the blob folder; none if no blob does.
    #[must_use]
    pub fn parse_path(self, path: &[u8]) -> Option<(Oid, Tid)> {
        let text = std::str::from_utf8(path).ok()?;
        let (folder, file) = text.rsplit_once('/')?;
        let number = |digits: &str| u64::from_str_radix(digits, 16).ok();
        let tid = number(file.strip_prefix("0x")?.strip_suffix(".blob")?)?;
        let oid = number(&folder.replace("/0x", "").replace("0x", ""))?;
        (self.path(oid, tid) == text).then_some((oid, tid))
    }
}

/// An id as ZODB writes it: `0x` and its bytes in hexadecimal digits, without those in front that are zero.
#[must_use]
pub fn id(number: u64) -> String {
    let bytes = 8_usize.saturating_sub(usize::try_from(number.leading_zeros() / 8).unwrap_or(0)).max(1);
    format!("0x{number:0digits$x}", digits = bytes.saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_zodb_writes_for_a_blob_is_known() {
        // `ZODB.serialize` of a Blob, with the pickle's protocol set to each that there is: ZODB 6.4 writes protocol 3.
        let records: [&[u8]; 5] = [
            b"cZODB.blob\nBlob\np0\n.N.",
            b"cZODB.blob\nBlob\nq\x01.N.",
            b"\x80\x03cZODB.blob\nBlob\nq\x01.\x80\x03N.",
            b"\x80\x04\x95\x16\0\0\0\0\0\0\0\x8c\tZODB.blob\x94\x8c\x04Blob\x94\x93\x94.\x80\x04N.",
            b"\x80\x02X\x09\0\0\0ZODB.blobr\x01\0\0\0U\x04Blob\x93.N.",
        ];
        for record in records {
            assert!(is_blob(record), "{}", record.escape_ascii());
            let end = record.iter().position(|byte| *byte == b'.').unwrap() + 1;
            for length in 0..end.max(record.len() - 4) {
                assert!(!is_blob(&record[..length]), "cut after {length}: {}", record.escape_ascii());
            }
        }
    }

    #[test]
    fn other_records_are_none() {
        let records: [&[u8]; 7] = [
            b"",
            b"\x80\x03cpersistent.mapping\nPersistentMapping\nq\x01.\x80\x03}q\x02.",
            b"\x80\x03cZODB.blob\nBlobFile\nq\x01.",
            b"\x80\x03cplone.blob\nBlob\nq\x01.",
            // The class with arguments, the class in the state of another, and two.
            b"\x80\x03cZODB.blob\nBlob\nq\x01)\x86q\x02.",
            b"\x80\x03capp\nThing\nq\x01.\x80\x03cZODB.blob\nBlob\n.",
            b"\x80\x03cZODB.blob\nBlob\ncZODB.blob\nBlob\n.",
        ];
        for record in records {
            assert!(!is_blob(record), "{}", record.escape_ascii());
        }
    }

    #[test]
    fn files_have_the_names_that_zodb_gives_them() {
        // `FilesystemHelper.getBlobFilename` of these.
        let (oid, tid) = (0x1_0203, 0x03f8_0a41_1234_5678);
        assert_eq!(BlobLayout::Bushy.path(oid, tid), "0x00/0x00/0x00/0x00/0x00/0x01/0x02/0x03/0x03f80a4112345678.blob");
        assert_eq!(BlobLayout::Lawn.path(oid, tid), "0x010203/0x03f80a4112345678.blob");
        for layout in [BlobLayout::Bushy, BlobLayout::Lawn] {
            for (oid, tid) in [(oid, tid), (0, 1), (u64::MAX, u64::MAX)] {
                let path = layout.path(oid, tid);
                assert_eq!(layout.parse_path(path.as_bytes()), Some((oid, tid)));
                let other = if layout == BlobLayout::Bushy { BlobLayout::Lawn } else { BlobLayout::Bushy };
                assert_eq!(other.parse_path(path.as_bytes()), None);
                assert_eq!(layout.parse_path(format!("{path}.old").as_bytes()), None);
                assert_eq!(layout.parse_path(&path.as_bytes()[1..]), None);
            }
        }
        assert_eq!((id(0), id(1), id(0x100), id(u64::MAX)), {
            ("0x00".to_owned(), "0x01".to_owned(), "0x0100".to_owned(), "0xffffffffffffffff".to_owned())
        });
        assert_eq!(BlobLayout::parse(b"bushy\n"), Some(BlobLayout::Bushy));
        assert_eq!(BlobLayout::parse(b"flat"), None);
    }
}
