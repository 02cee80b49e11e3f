//! The rows: their keys and bytes follow from their numbers alone.

/// How much noise the rows are cut from.
const NOISE: usize = 1 << 17;

/// What rows are made from, and how many stay.
#[derive(Debug)]
pub struct Rows {
    noise: Vec<u8>,
    /// How many rows stay.
    pub window: u64,
    /// How many bytes a row has at least.
    pub bytes: usize,
}

impl Rows {
    /// The rows of a store with a window of so many, each of so many bytes at least.
    pub fn new(window: u64, bytes: usize) -> Self {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let noise = (0..NOISE)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 32) as u8
            })
            .collect();
        Self { noise, window: window.max(1), bytes: bytes.min(NOISE / 2) }
    }

    /// What the store keeps of them.
    pub fn shape(&self) -> String {
        format!("{} {}", self.window, self.bytes)
    }

    /// The rows of a store that kept this.
    pub fn of_shape(shape: &[u8]) -> Option<Self> {
        let (window, bytes) = std::str::from_utf8(shape).ok()?.split_once(' ')?;
        Some(Self::new(window.parse().ok()?, bytes.parse().ok()?))
    }

    /// The bytes of row `number` in the keyspace called `place`: its name, its number, and noise.
    pub fn row(&self, place: &str, number: u64) -> Vec<u8> {
        let salt = place.bytes().fold(number.wrapping_mul(7919), |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        let from = (salt % (NOISE as u64 / 2)) as usize;
        let length = (self.bytes + (number % 101) as usize).min(NOISE - from);
        let mut row = format!("{place} {number} ").into_bytes();
        row.extend_from_slice(&self.noise[from..from + length]);
        row
    }

    /// The numbers of the rows that are there after batch `last`.
    pub fn present(&self, last: u64) -> std::ops::RangeInclusive<u64> {
        last.saturating_sub(self.window) + 1..=last
    }
}

/// The key of row `number`: in the order of numbers.
pub fn key(number: u64) -> String {
    format!("row/{number:012}")
}

/// A number as the store keeps it.
pub fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
