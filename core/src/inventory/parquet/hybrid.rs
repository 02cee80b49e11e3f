//! `Hybrid`: numbers of few bits, as runs of one number or packed: levels, truths, and places in a dictionary.
//!
//! A run begins with a varint. If it is even, half of it is how often the number comes that follows in whole bytes; if
//! it is odd, half of it is how many times eight numbers follow, packed, the least significant bit first (Apache
//! Parquet, `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid").

use crate::cursor::Cursor;

/// Numbers on their way out. The bytes are the caller's, who has to give the same each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hybrid {
    /// Where the next run begins, and where they end.
    at: usize,
    end: usize,
    /// Bits of a number, at most 32.
    width: u32,
    run: Run,
    /// So many numbers of the run are ahead.
    left: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Same(u32),
    /// Where its bytes begin, and the bit of those at which the next number does.
    Packed(usize, u64),
}

impl Hybrid {
    /// Those between two places; none if numbers have too many bits.
    pub(super) fn new(at: usize, end: usize, width: u32) -> Option<Self> {
        (width <= 32).then_some(Self { at, end, width, run: Run::Same(0), left: 0 })
    }

    /// The next number; none if there is none.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Option<u32> {
        while self.left == 0 {
            self.begin(bytes)?;
        }
        self.left -= 1;
        match &mut self.run {
            Run::Same(value) => Some(*value),
            Run::Packed(begin, bit) => {
                let first = begin.checked_add(usize::try_from(*bit / 8).ok()?)?;
                let shift = *bit % 8;
                // Those that lie in the bytes that there are; a last group may be cut to what is needed of it.
                let some = bytes.get(first.min(self.end)..self.end)?;
                let need = usize::try_from((shift + u64::from(self.width)).div_ceil(8)).ok()?;
                let mut eight = [0; 8];
                eight.get_mut(..need)?.copy_from_slice(some.get(..need)?);
                let value = u64::from_le_bytes(eight) >> shift & mask(self.width);
                *bit += u64::from(self.width);
                u32::try_from(value).ok()
            }
        }
    }

    /// Reads what a run begins with.
    fn begin(&mut self, bytes: &[u8]) -> Option<()> {
        let rest = bytes.get(self.at..self.end)?;
        let mut cursor = Cursor::new(rest);
        let head = cursor.varint64()?;
        let half = head >> 1;
        let width = usize::try_from(self.width).ok()?;
        if head & 1 == 0 {
            let mut four = [0; 4];
            let whole = width.div_ceil(8);
            four.get_mut(..whole)?.copy_from_slice(cursor.take(whole)?);
            let value = u32::from_le_bytes(four);
            if u64::from(value) > mask(self.width) {
                return None;
            }
            (self.run, self.left) = (Run::Same(value), half);
        } else {
            let begin = self.end.checked_sub(cursor.rest().len())?;
            let length = usize::try_from(half).ok()?.checked_mul(width)?.min(cursor.rest().len());
            _ = cursor.take(length)?;
            (self.run, self.left) = (Run::Packed(begin, 0), half.checked_mul(8)?);
        }
        self.at = self.end.checked_sub(cursor.rest().len())?;
        Some(())
    }
}

/// The greatest number of so many bits.
fn mask(width: u32) -> u64 {
    u64::MAX.checked_shr(64_u32.saturating_sub(width)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], width: u32, most: usize) -> Vec<u32> {
        let mut hybrid = Hybrid::new(0, bytes.len(), width).unwrap();
        std::iter::from_fn(|| hybrid.next(bytes)).take(most).collect()
    }

    #[test]
    fn runs_and_packed_numbers_follow_one_another() {
        // The example of the specification: 0 to 7 in three bits; and before it, five times the number 4.
        let bytes = [10, 4, 3, 0b1000_1000, 0b1100_0110, 0b1111_1010, 4, 1];
        assert_eq!(all(&bytes, 3, 99), [4, 4, 4, 4, 4, 0, 1, 2, 3, 4, 5, 6, 7, 1, 1]);
        assert_eq!(all(&[6, 0xff, 0xff, 0xff, 0xff], 32, 99), [u32::MAX; 3]);
        assert_eq!(all(&[6, 3, 8], 0, 40), [0; 15]);
        // The last group is cut.
        assert_eq!(all(&[3, 0b10], 1, 99), [0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(all(&[5, 0b10], 1, 99), [0, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn what_is_none_gives_none() {
        for (bytes, width) in [(&[][..], 1), (&[0, 0, 0, 0, 0], 1), (&[0x80], 1), (&[4], 8), (&[4, 2], 1)] {
            assert_eq!(all(bytes, width, 99), [0; 0]);
        }
        let greatest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 7];
        assert!(all(&greatest, 8, 99).len() <= 1);
        assert!(Hybrid::new(0, 9, 33).is_none() && Hybrid::new(5, 9, 3).unwrap().next(b"1234").is_none());
    }
}
