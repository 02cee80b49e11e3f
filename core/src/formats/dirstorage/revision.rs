//! `Head`: the first bytes of a revision of an object.
//!
//! 72 bytes, all numbers big-endian (DirectoryStorage 1.1.21, `BaseDirectoryStorage.py`), then the pickle, which is
//! empty where the object's creation was undone:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | `BD B8 2A 71` |
//! | 4 | 4 | length of the file |
//! | 8 | 8 | the object, as in the name |
//! | 16 | 8 | the revision that an undo copied this from, or 0 |
//! | 24 | 16 | zeros |
//! | 40 | 16 | MD5 of bytes 56 to the end, or zeros where none was worked out |
//! | 56 | 8 | the revision before this one, or 0 |
//! | 64 | 8 | this revision, as in the name |

use super::Odd;
use crate::digest::Digest;

/// How long the head is, in bytes.
pub const LENGTH: usize = 72;

/// Where the bytes begin that the MD5 is of.
pub const COVERED: u64 = 56;

/// What every revision begins with.
pub const MAGIC: [u8; 4] = [0xbd, 0xb8, 0x2a, 0x71];

/// What a head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The length of the file, in bytes.
    pub length: u32,
    /// The object.
    pub oid: u64,
    /// The revision that an undo copied this from, or 0.
    pub copied: u64,
    /// What the engine writes as zeros is none.
    pub is_odd: bool,
    /// The digest of what follows byte [`COVERED`], where one is on record.
    pub digest: Option<Digest>,
    /// The revision before this one, or 0.
    pub previous: u64,
    /// This revision.
    pub serial: u64,
}

impl Head {
    /// Reads the first [`LENGTH`] bytes of a revision, or all where there are fewer.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Odd> {
        let mut fields = Fields { bytes, at: 0 };
        if fields.take()? != MAGIC {
            return Err(Odd::new(0, "it does not begin as every revision does"));
        }
        let length = u32::from_be_bytes(fields.take()?);
        let (oid, copied) = (fields.number()?, fields.number()?);
        let zeros: [u8; 16] = fields.take()?;
        let digest = Digest::Md5(fields.take()?);
        let digest = Some(digest).filter(|digest| digest.as_bytes().iter().any(|byte| *byte != 0));
        let (previous, serial) = (fields.number()?, fields.number()?);
        Ok(Self { length, oid, copied, is_odd: zeros != [0; 16], digest, previous, serial })
    }
}

/// Bytes that are read field by field.
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    /// Where they are in the file.
    pub(super) at: u64,
}

impl Fields<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], Odd> {
        let Some((field, rest)) = self.bytes.split_first_chunk() else {
            let end = self.at.saturating_add(self.bytes.len() as u64);
            return Err(Odd::new(end, "it ends in the middle of its head"));
        };
        self.bytes = rest;
        self.at = self.at.saturating_add(N as u64);
        Ok(*field)
    }

    pub(super) fn short(&mut self) -> Result<u64, Odd> {
        self.take().map(u16::from_be_bytes).map(u64::from)
    }

    pub(super) fn number(&mut self) -> Result<u64, Odd> {
        self.take().map(u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_where_it_stands() {
        let mut bytes = [MAGIC.to_vec(), 80u32.to_be_bytes().to_vec()].concat();
        for number in [7u64, 5, 0, 0, 0, 0, 8, 9] {
            bytes.extend(number.to_be_bytes());
        }
        let head = Head { length: 80, oid: 7, copied: 5, is_odd: false, digest: None, previous: 8, serial: 9 };
        assert_eq!(Head::parse(&bytes), Ok(head));
        let mut changed = bytes.clone();
        changed[40] = 1;
        changed[39] = 1;
        let read = Head::parse(&changed).unwrap();
        assert_eq!(read.digest.unwrap().to_string(), format!("01{:030}", 0));
        assert!(read.is_odd);
        for length in 0..LENGTH {
            assert_eq!(Head::parse(&bytes[..length]).unwrap_err().at, length as u64);
        }
        changed[0] ^= 1;
        assert_eq!(Head::parse(&changed).unwrap_err().at, 0);
    }
}
