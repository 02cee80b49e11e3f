//! `Part`: a stretch of the steps of a plan, whose bodies are fetched by one worker; and what cuts a plan into them.
//!
//! A record has 48 bytes: u64 where the stretch begins in the file of steps, u64 its length, u64 how many versions it
//! fetches, u64 their bytes, u64 the sum of the XXH3 of its lines (each with its end, without what is above 2⁶⁴), u64
//! the XXH3 of those before, least significant byte first.

use crate::digest::{Algorithm, of};

/// How long a record is, in bytes.
pub const RECORD: usize = 48;

/// A part has so many versions, or so many bytes of them, at least, but for the last.
const FETCHES: u64 = 256;
const BYTES: u64 = 64 << 20;

/// Where there would be as many parts as this, each two are made one.
const MOST: usize = 8192;

/// A stretch of the steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// Where its first line begins, in bytes.
    pub at: u64,
    /// How long its lines are, in bytes.
    pub length: u64,
    /// How many versions it fetches.
    pub fetches: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The sum of its lines.
    pub sum: u64,
}

impl Part {
    /// Its record.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD] {
        let Self { at, length, fetches, bytes, sum } = *self;
        let fields: Vec<u8> = [at, length, fetches, bytes, sum].into_iter().flat_map(u64::to_le_bytes).collect();
        let mut record = [0; RECORD];
        let check = xxh3(&fields).to_le_bytes();
        record.iter_mut().zip(fields.iter().chain(&check)).for_each(|(byte, new)| *byte = *new);
        record
    }

    /// Reads a record; none if it is not one that was written.
    #[must_use]
    pub fn parse(record: &[u8; RECORD]) -> Option<Self> {
        let (fields, check) = record.split_at_checked(RECORD - 8)?;
        if check != xxh3(fields).to_le_bytes() {
            return None;
        }
        let mut numbers = fields.chunks_exact(8).filter_map(|field| Some(u64::from_le_bytes(*field.first_chunk()?)));
        let mut next = || numbers.next();
        Some(Self { at: next()?, length: next()?, fetches: next()?, bytes: next()?, sum: next()? })
    }

    /// What a line adds to the sum.
    #[must_use]
    pub fn sum_of(line: &[u8]) -> u64 {
        xxh3(line)
    }

    /// This one and the next as one.
    fn joined(self, next: Self) -> Self {
        Self {
            at: self.at,
            length: next.at.saturating_add(next.length).saturating_sub(self.at),
            fetches: self.fetches.saturating_add(next.fetches),
            bytes: self.bytes.saturating_add(next.bytes),
            sum: self.sum.wrapping_add(next.sum),
        }
    }
}

fn xxh3(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(of(Algorithm::Xxh3, bytes).as_bytes().first_chunk().copied().unwrap_or_default())
}

/// Cuts a plan into parts while its lines are written.
#[derive(Debug)]
pub struct Cutter {
    parts: Vec<Part>,
    next: Part,
    fetches: u64,
    bytes: u64,
}

impl Cutter {
    /// Begins behind the first line of the file, which ends at this byte.
    #[must_use]
    pub fn new(at: u64) -> Self {
        Self { parts: Vec::new(), next: Part { at, ..Part::default() }, fetches: FETCHES, bytes: BYTES }
    }

    /// Takes the next line, and how many bytes it fetches, if it fetches.
    pub fn take(&mut self, line: &str, fetches: Option<u64>) {
        let next = &mut self.next;
        next.length = next.length.saturating_add(line.len() as u64);
        next.sum = next.sum.wrapping_add(xxh3(line.as_bytes()));
        let Some(bytes) = fetches else { return };
        next.fetches = next.fetches.saturating_add(1);
        next.bytes = next.bytes.saturating_add(bytes);
        if next.fetches >= self.fetches || next.bytes >= self.bytes {
            self.close();
        }
    }

    fn close(&mut self) {
        let at = self.next.at.saturating_add(self.next.length);
        self.parts.push(std::mem::replace(&mut self.next, Part { at, ..Part::default() }));
        if self.parts.len() >= MOST {
            let two = |parts: &[Part]| parts.iter().copied().reduce(Part::joined).unwrap_or_default();
            self.parts = self.parts.chunks(2).map(two).collect();
            (self.fetches, self.bytes) = (self.fetches.saturating_mul(2), self.bytes.saturating_mul(2));
        }
    }

    /// All parts that fetch something, in order. No line that fetches is in two of them, or in none.
    #[must_use]
    pub fn end(mut self) -> Vec<Part> {
        if self.next.fetches > 0 {
            self.close();
        }
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_are_written_and_no_flip_is() {
        let part = Part { at: 27, length: u64::MAX, fetches: 3, bytes: 1 << 40, sum: 0x0123_4567_89ab_cdef };
        let record = part.encode();
        assert_eq!(Part::parse(&record), Some(part));
        for bit in 0..RECORD * 8 {
            let mut flipped = record;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Part::parse(&flipped), None, "bit {bit}");
        }
        assert_eq!(Part::parse(&[0; RECORD]), None);
    }

    #[test]
    fn parts_hold_each_line_once_however_many_there_are() {
        for lines in [0, 1, 255, 256, 257, 1000, 5_000_000] {
            let (mut cutter, mut at, mut fetched) = (Cutter::new(27), 27_u64, 0);
            for number in 0..lines {
                let line = format!("{number}\n");
                let fetches = (number % 3 != 2).then_some(1000);
                at += line.len() as u64;
                fetched += u64::from(fetches.is_some());
                cutter.take(&line, fetches);
            }
            let parts = cutter.end();
            assert!(parts.len() <= MOST, "{lines}: {}", parts.len());
            assert_eq!(parts.iter().map(|part| part.fetches).sum::<u64>(), fetched, "{lines}");
            let mut next = 27;
            for part in &parts {
                assert!(part.at == next && part.fetches > 0, "{lines}: {part:?}");
                next = part.at + part.length;
            }
            // What comes behind the last that fetches is in no part.
            assert!(next <= at && (lines < 1000 || at - next < 200_000), "{lines}: {next} of {at}");
        }
    }

    #[test]
    fn a_part_ends_with_what_has_many_bytes() {
        let mut cutter = Cutter::new(0);
        for _ in 0..5 {
            cutter.take("fetch\n", Some(BYTES));
            cutter.take("move\n", None);
        }
        let parts = cutter.end();
        assert_eq!(
            parts.iter().map(|part| (part.at, part.length)).collect::<Vec<_>>(),
            [(0, 6), (6, 11), (17, 11), (28, 11), (39, 11)]
        );
    }
}
