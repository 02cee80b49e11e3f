//! `Ends`: looks for ends of batches where no batch can be read.
//!
//! A program that dies leaves the beginning of what it wrote last, and nothing behind it. So the end of a batch behind
//! an entry that cannot be read tells of bytes that were changed, or lost, after they were written; the engine cuts all
//! of it off in silence.

use super::super::marker::MAGIC;

/// How long an end is, in bytes: its tag, its checksum and the magic number.
const LENGTH: usize = 13;

/// Bytes in which ends of batches are looked for.
#[derive(Debug, Default)]
pub struct Ends {
    /// How many bytes were taken.
    taken: u64,
    /// The last of them: fewer than an end has.
    held: Vec<u8>,
    last: Option<u64>,
}

impl Ends {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let (first, _) = bytes.split_at_checked(LENGTH - 1).unwrap_or((bytes, &[]));
        let begin = self.taken.saturating_sub(self.held.len() as u64);
        self.held.extend_from_slice(first);
        self.last = last(&self.held).map(|at| begin.saturating_add(at)).or(self.last);
        self.last = last(bytes).map(|at| self.taken.saturating_add(at)).or(self.last);
        if bytes.len() >= LENGTH {
            self.held.clear();
            self.held.extend_from_slice(bytes.get(bytes.len() - (LENGTH - 1)..).unwrap_or_default());
        } else {
            self.held.drain(..self.held.len().saturating_sub(LENGTH - 1));
        }
        self.taken = self.taken.saturating_add(bytes.len() as u64);
    }

    /// Where the last of them begins, in bytes from the first that was taken.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.last
    }
}

/// Where the last end begins that is whole in `bytes`.
fn last(bytes: &[u8]) -> Option<u64> {
    let is_end = |window: &[u8]| matches!(window, [3, .., m0, m1, m2, m3] if [*m0, *m1, *m2, *m3] == MAGIC);
    bytes.windows(LENGTH).rposition(is_end).map(|at| at as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_end_is_found_in_any_pieces() {
        let end = [&[3, 9, 9, 9, 9, 9, 9, 9, 9][..], &MAGIC].concat();
        let bytes = [&[0; 20][..], &end, &[7; 30], &end, &[3; 11], &MAGIC[..3]].concat();
        for step in 1..=bytes.len() {
            let mut ends = Ends::default();
            bytes.chunks(step).for_each(|piece| ends.push(piece));
            assert_eq!(ends.last(), Some(63), "{step}");
            assert!(ends.held.len() < LENGTH);
        }
        let mut none = Ends::default();
        none.push(&end[..12]);
        assert_eq!(none.last(), None);
    }
}
