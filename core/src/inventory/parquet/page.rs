//! `Header`: what stands before a page.

use super::thrift::{FALSE, I32, STRUCT, TRUE, Thrift};

/// What stands before a page (`PageHeader` of `parquet.thrift`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Its own length, in bytes.
    pub(super) length: u64,
    /// How long the page is in the file, and decompressed, in bytes.
    pub(super) stored: u64,
    pub(super) whole: u64,
    /// The CRC-32 of what is stored, where one is given.
    pub(super) crc: Option<u32>,
    pub(super) kind: Kind,
}

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Values.
    Data(Values),
    /// Values to which pages point.
    Dictionary {
        /// How many.
        count: u64,
        /// How they are written.
        encoding: i64,
    },
    /// Nothing that is read.
    Other,
}

/// The values of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Values {
    /// How many, with those that are null.
    pub(super) count: u64,
    /// How they are written.
    pub(super) encoding: i64,
    /// How which of them are null is written, in pages of the first kind.
    pub(super) levels: i64,
    /// In pages of the second kind, how many bytes at the beginning say which are null, and are never compressed; and
    /// whether the others are.
    pub(super) second: Option<(u64, bool)>,
}

impl Header {
    /// Reads one off the front of bytes; none if they are too few, or are none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (mut thrift, mut last) = (Thrift::new(bytes), 0);
        let (mut kind, mut whole, mut stored, mut crc) = (None, None, None, None);
        let (mut data, mut dictionary) = (None, None);
        while let Some((id, of)) = thrift.field(&mut last)? {
            match (id, of) {
                (1, I32) => kind = Some(thrift.number()?),
                (2, I32) => whole = Some(thrift.count()?),
                (3, I32) => stored = Some(thrift.count()?),
                (4, I32) => crc = Some(i32::try_from(thrift.number()?).ok()?.cast_unsigned()),
                (5, STRUCT) => data = Some((0, first(&mut thrift)?)),
                (7, STRUCT) => dictionary = Some(counted(&mut thrift)?),
                (8, STRUCT) => data = Some((3, second(&mut thrift)?)),
                _ => thrift.skip(of)?,
            }
        }
        let kind = match (kind?, data, dictionary) {
            (kind @ (0 | 3), Some((of, values)), _) if kind == of => Kind::Data(values),
            (2, _, Some((count, encoding))) => Kind::Dictionary { count, encoding },
            (0 | 2 | 3, ..) => return None,
            _ => Kind::Other,
        };
        let length = u64::try_from(bytes.len().checked_sub(thrift.left())?).ok()?;
        Some(Self { length, stored: stored?, whole: whole?, crc, kind })
    }
}

/// `DataPageHeader`.
fn first(thrift: &mut Thrift<'_>) -> Option<Values> {
    let (mut last, mut count, mut encoding, mut levels) = (0, None, None, None);
    while let Some((id, of)) = thrift.field(&mut last)? {
        match (id, of) {
            (1, I32) => count = Some(thrift.count()?),
            (2, I32) => encoding = Some(thrift.number()?),
            (3, I32) => levels = Some(thrift.number()?),
            _ => thrift.skip(of)?,
        }
    }
    Some(Values { count: count?, encoding: encoding?, levels: levels?, second: None })
}

/// `DataPageHeaderV2`.
fn second(thrift: &mut Thrift<'_>) -> Option<Values> {
    let (mut last, mut count, mut encoding, mut levels, mut repeats, mut packed) = (0, None, None, None, 0, true);
    while let Some((id, of)) = thrift.field(&mut last)? {
        match (id, of) {
            (1, I32) => count = Some(thrift.count()?),
            (4, I32) => encoding = Some(thrift.number()?),
            (5, I32) => levels = Some(thrift.count()?),
            (6, I32) => repeats = thrift.count()?,
            (7, TRUE | FALSE) => packed = of == TRUE,
            _ => thrift.skip(of)?,
        }
    }
    // Nothing repeats in a column that is read.
    let levels = levels.filter(|_| repeats == 0)?;
    Some(Values { count: count?, encoding: encoding?, levels: super::RLE, second: Some((levels, packed)) })
}

/// `DictionaryPageHeader`.
fn counted(thrift: &mut Thrift<'_>) -> Option<(u64, i64)> {
    let (mut last, mut count, mut encoding) = (0, None, None);
    while let Some((id, of)) = thrift.field(&mut last)? {
        match (id, of) {
            (1, I32) => count = Some(thrift.count()?),
            (2, I32) => encoding = Some(thrift.number()?),
            _ => thrift.skip(of)?,
        }
    }
    Some((count?, encoding?))
}
