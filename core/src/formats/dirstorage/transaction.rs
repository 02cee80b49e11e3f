//! `Transaction`: which objects a transaction wrote, and which one came before it.
//!
//! All numbers big-endian (DirectoryStorage 1.1.21, `Full.py`):
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | `47 40 07 76` |
//! | 4 | 4 | length of the file |
//! | 8 | 8 | the transaction, as in the name |
//! | 16 | 8 | zeros |
//! | 24 | 8 | the transaction before it, or 0 |
//! | 32 | 16 | MD5 of bytes 48 to the end, or zeros where none was worked out |
//! | 48 | 2, 2, 2, 4, 2 | lengths of user, description, extension, objects and version, which is empty |
//! | 60 | | user, description, extension; then 8 bytes for each object |
//!
//! The MD5 does not cover the pointer to the transaction before, as a pack changes it.

use super::Odd;
use super::revision::Fields;
use crate::digest::{Algorithm, Digest, Hasher};

/// How long the head is, in bytes.
pub const LENGTH: usize = 60;

/// Where the bytes begin that the MD5 is of.
pub const COVERED: usize = 48;

/// What every transaction begins with.
pub const MAGIC: [u8; 4] = [0x47, 0x40, 0x07, 0x76];

/// What the head of a transaction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction {
    /// The length of the file, in bytes.
    pub length: u32,
    /// The transaction.
    pub id: u64,
    /// What the engine writes as zeros is none.
    pub is_odd: bool,
    /// The transaction before it, or 0.
    pub previous: u64,
    /// The digest of what follows byte [`COVERED`], where one is on record.
    pub digest: Option<Digest>,
    /// Where the objects begin, in bytes.
    pub objects: u64,
    /// Where they end.
    pub end: u64,
}

impl Transaction {
    /// Reads the first [`LENGTH`] bytes of a transaction, or all where there are fewer.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Odd> {
        let mut fields = Fields { bytes, at: 0 };
        if fields.take()? != MAGIC {
            return Err(Odd::new(0, "it does not begin as every transaction does"));
        }
        let length = u32::from_be_bytes(fields.take()?);
        let (id, zeros, previous) = (fields.number()?, fields.number()?, fields.number()?);
        let digest = Digest::Md5(fields.take()?);
        let digest = Some(digest).filter(|digest| digest.as_bytes().iter().any(|byte| *byte != 0));
        let texts = [fields.short()?, fields.short()?, fields.short()?];
        let objects = LENGTH as u64 + texts.iter().sum::<u64>();
        let count = u64::from(u32::from_be_bytes(fields.take()?));
        let end = objects.saturating_add(count);
        if count % 8 != 0 {
            return Err(Odd::new(54, format!("its objects take {count} bytes, which is no number of objects")));
        }
        if fields.short()? != 0 {
            return Err(Odd::new(58, "it is of a version, and the engine has none"));
        }
        Ok(Self { length, id, is_odd: zeros != 0, previous, digest, objects, end })
    }
}

/// A transaction on its way in.
pub struct Reading {
    head: Vec<u8>,
    /// What the head says, as soon as all of it came.
    transaction: Option<Result<Transaction, Odd>>,
    hasher: Hasher,
    at: u64,
    /// The first bytes of an object that is not there in full.
    held: Vec<u8>,
}

/// A transaction that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// What its head says.
    pub transaction: Transaction,
    /// How long the file is, in bytes, as far as it was read.
    pub length: u64,
    /// The digest of what follows byte [`COVERED`].
    pub digest: Digest,
}

impl Default for Reading {
    fn default() -> Self {
        let hasher = Hasher::new(Algorithm::Md5);
        Self { head: Vec::new(), transaction: None, hasher, at: 0, held: Vec::new() }
    }
}

impl Reading {
    /// Takes the next bytes, and hands on each object that they name.
    pub fn push(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(u64)) {
        if self.transaction.is_none() {
            let (some, rest) = bytes.split_at_checked(LENGTH - self.head.len()).unwrap_or((bytes, &[]));
            self.head.extend_from_slice(some);
            self.at = self.at.saturating_add(some.len() as u64);
            bytes = rest;
            if self.head.len() < LENGTH {
                return;
            }
            self.hasher.update(self.head.get(COVERED..).unwrap_or_default());
            self.transaction = Some(Transaction::parse(&self.head));
        }
        self.hasher.update(bytes);
        if let Some(Ok(Transaction { objects, end, .. })) = &self.transaction {
            let place = |at: u64| usize::try_from(at.saturating_sub(self.at)).unwrap_or(usize::MAX).min(bytes.len());
            let mut objects = bytes.get(place(*objects)..place(*end)).unwrap_or_default();
            if !self.held.is_empty() {
                let (some, rest) = objects.split_at_checked(8 - self.held.len()).unwrap_or((objects, &[]));
                self.held.extend_from_slice(some);
                objects = rest;
            }
            if let Ok(object) = <[u8; 8]>::try_from(self.held.as_slice()) {
                each(u64::from_be_bytes(object));
                self.held.clear();
            }
            let (whole, rest) = objects.as_chunks();
            whole.iter().for_each(|object| each(u64::from_be_bytes(*object)));
            self.held.extend_from_slice(rest);
        }
        self.at = self.at.saturating_add(bytes.len() as u64);
    }

    /// Whether more came than its head says that there is, or its head is none: nothing more is of interest.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.transaction.as_ref().is_some_and(|read| match read {
            Ok(transaction) => self.at > u64::from(transaction.length),
            Err(_) => true,
        })
    }

    /// The file is over.
    ///
    /// # Errors
    /// What is wrong with its head, and where.
    pub fn end(self) -> Result<Read, Odd> {
        let transaction = self.transaction.unwrap_or_else(|| Transaction::parse(&self.head))?;
        Ok(Read { transaction, length: self.at, digest: self.hasher.finish() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut bytes = [MAGIC.to_vec(), 82u32.to_be_bytes().to_vec()].concat();
        for number in [9u64, 0, 8] {
            bytes.extend(number.to_be_bytes());
        }
        let body = [&[0, 1, 0, 2, 0, 3, 0, 0, 0, 16, 0, 0][..], b"uddeee", &5u64.to_be_bytes(), &6u64.to_be_bytes()];
        let body = body.concat();
        let mut hasher = Hasher::new(Algorithm::Md5);
        hasher.update(&body);
        bytes.extend(hasher.finish().as_bytes());
        bytes.extend(body);
        bytes
    }

    fn read(bytes: &[u8], piece: usize) -> (Result<Read, Odd>, Vec<u64>) {
        let (mut reading, mut objects) = (Reading::default(), Vec::new());
        bytes.chunks(piece).for_each(|piece| reading.push(piece, &mut |object| objects.push(object)));
        (reading.end(), objects)
    }

    #[test]
    fn objects_are_named_whatever_the_pieces() {
        let bytes = sample();
        for piece in 1..=bytes.len() {
            let (whole, objects) = read(&bytes, piece);
            let Read { transaction, length, digest } = whole.unwrap();
            assert_eq!((transaction.id, transaction.previous, transaction.is_odd), (9, 8, false));
            assert_eq!((length, transaction.end, u64::from(transaction.length)), (82, 82, 82));
            assert_eq!((transaction.digest, objects), (Some(digest), vec![5, 6]));
        }
    }

    #[test]
    fn a_head_that_is_none_is_refused_at_its_byte() {
        for (at, byte, wanted) in [(0, 0, 0), (57, 15, 54), (59, 1, 58)] {
            let mut bytes = sample();
            bytes[at] = byte;
            assert_eq!(read(&bytes, 7).0.unwrap_err().at, wanted);
        }
        for length in 0..LENGTH {
            assert_eq!(read(&sample()[..length], 7).0.unwrap_err().at, length as u64);
        }
        let mut bytes = sample();
        bytes[20] = 1;
        assert!(read(&bytes, 7).0.unwrap().transaction.is_odd);
    }
}
