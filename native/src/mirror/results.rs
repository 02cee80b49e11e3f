//! `Results`: what was fetched: a record for each wanted row, gathered from what each part of the plan says.
//!
//! A record has 64 bytes: u8 what is known (0 nothing, 1 its MD5 is the ETag, 2 its parts are, 3 only what
//! arrived), 7 bytes of zero, u64 the length of a part, 32 bytes SHA-256 of what arrived, 8 bytes of zero, 8 bytes XXH3
//! of those before, least significant byte first. One of zeros alone says nothing; any other is what was written, or
//! damaged.
//!
//! Parts come in the order of steps, and rows of the index in that of keys: so records are put where their rows'
//! numbers say, and read from the first to the last.

use std::io;

use highwater_core::digest::{Algorithm, of};
use highwater_core::formats::mirror::index::Proof;
use highwater_core::formats::mirror::plan::outcome::Had;

use super::area::Area;
use super::journal;
use crate::disk::Writable;
use crate::error::Error;
use crate::store::Object;

/// How long a record is, in bytes.
pub(super) const RECORD: usize = 64;

/// What is read at once: a whole number of records.
const PIECE: usize = RECORD << 10;

/// So many records are written together.
const TOGETHER: usize = 16 << 10;

/// The file of records, to which is written.
pub(super) struct Results {
    file: Box<dyn Writable>,
    ahead: Vec<(u64, [u8; RECORD])>,
}

impl Results {
    /// Begins the file anew.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn begin(area: &Area<'_>) -> Result<Self, Error> {
        Ok(Self { file: area.create(&journal::results()?)?, ahead: Vec::new() })
    }

    /// Takes down what is known of a row.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn put(&mut self, number: u64, had: Had) -> Result<(), Error> {
        self.ahead.push((number, encode(had)));
        if self.ahead.len() < TOGETHER { Ok(()) } else { self.flush() }
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        let mut records = std::mem::take(&mut self.ahead);
        records.sort_unstable_by_key(|(number, _)| *number);
        let mut run = Vec::new();
        for records in records.chunk_by(|(one, _), (next, _)| one.checked_add(1) == Some(*next)) {
            run.clear();
            records.iter().for_each(|(_, record)| run.extend_from_slice(record));
            let at = records.first().map_or(0, |(number, _)| number.saturating_mul(RECORD as u64));
            self.file.write_at(at, &run).map_err(cannot)?;
        }
        Ok(())
    }
}

/// The file is made anew of what became of each part, by whoever applies next.
///
/// # Errors
/// This one.
pub(super) fn damaged(at: u64, what: &str) -> Error {
    let name = journal::results().map_or_else(|_| String::new(), |name| name.to_string());
    Error::damage(format!(
        "'{name}' at byte {at}: {what}; look at the disk, then apply or sync again, which makes that file anew"
    ))
}

fn cannot(error: io::Error) -> Error {
    Error::failed(format!("cannot keep what was fetched: {error}; make room, and run again"))
}

/// Reads, and takes what lies behind the end for zeros.
fn read_at(object: &dyn Object, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let read = match object.read_at(at.saturating_add(filled as u64), rest) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        match read {
            0 => {
                rest.fill(0);
                return Ok(());
            }
            some => filled += some,
        }
    }
    Ok(())
}

/// Reads records in order.
pub(super) struct InOrder {
    object: Option<Box<dyn Object>>,
    at: u64,
    bytes: Vec<u8>,
    next: usize,
}

impl InOrder {
    /// Begins with the first.
    ///
    /// # Errors
    /// The operating system's.
    pub(super) fn open(area: &Area<'_>) -> Result<Self, Error> {
        let name = journal::results()?;
        let object = match area.disk.open(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened.map_err(Error::at("open", area.disk, &name))?),
        };
        Ok(Self { object, at: 0, bytes: Vec::new(), next: 0 })
    }

    /// What is on record of the next row.
    ///
    /// # Errors
    /// It cannot be read, or is not what was written.
    pub(super) fn next(&mut self) -> Result<Option<Had>, Error> {
        let Some(object) = &self.object else { return Ok(None) };
        if self.next >= self.bytes.len() {
            self.bytes.resize(PIECE, 0);
            read_at(&**object, self.at, &mut self.bytes).map_err(cannot)?;
            self.at = self.at.saturating_add(PIECE as u64);
            self.next = 0;
        }
        let record = self.bytes.get(self.next..self.next + RECORD).and_then(|record| record.first_chunk());
        self.next += RECORD;
        match record.map_or(Record::Nothing, parse) {
            Record::Nothing => Ok(None),
            Record::Had(had) => Ok(Some(had)),
            Record::Damaged => {
                let at = self.at.saturating_sub((self.bytes.len() + RECORD - self.next) as u64);
                Err(damaged(at, "it is not the record that was written"))
            }
        }
    }
}

fn sum(bytes: &[u8]) -> [u8; 8] {
    of(Algorithm::Xxh3, bytes).as_bytes().first_chunk().copied().unwrap_or_default()
}

fn encode(had: Had) -> [u8; RECORD] {
    let (tag, part) = match had.proof {
        Proof::Md5 => (1, 0),
        Proof::Parts(part) => (2, part),
        Proof::Nothing => (3, 0),
    };
    let mut record = [0; RECORD];
    record[0] = tag;
    record[8..16].copy_from_slice(&part.to_le_bytes());
    record[16..48].copy_from_slice(&had.own.unwrap_or_default());
    let sum = sum(&record[..56]);
    record[56..].copy_from_slice(&sum);
    record
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Record {
    /// None was written.
    Nothing,
    Had(Had),
    /// It is not what was written.
    Damaged,
}

fn parse(record: &[u8; RECORD]) -> Record {
    if record.iter().all(|byte| *byte == 0) {
        return Record::Nothing;
    }
    let read = || {
        let part = u64::from_le_bytes(*record[8..].first_chunk()?);
        let own = *record[16..].first_chunk()?;
        match record[0] {
            1 => Some(Had { proof: Proof::Md5, own: None }),
            2 => Some(Had { proof: Proof::Parts(part), own: None }),
            3 => Some(Had { proof: Proof::Nothing, own: Some(own) }),
            _ => None,
        }
    };
    let is_whole = record[56..] == sum(&record[..56]);
    read().filter(|_| is_whole).map_or(Record::Damaged, Record::Had)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_are_written_and_no_flip_is() {
        let all = [
            Had { proof: Proof::Md5, own: None },
            Had { proof: Proof::Parts(8 << 20), own: None },
            Had { proof: Proof::Nothing, own: Some([7; 32]) },
        ];
        for had in all {
            let record = encode(had);
            assert_eq!(parse(&record), Record::Had(had));
            for bit in 0..RECORD * 8 {
                let mut flipped = record;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(parse(&flipped), Record::Damaged, "bit {bit}");
            }
        }
        assert_eq!(parse(&[0; RECORD]), Record::Nothing);
    }
}
