//! `Feed`: takes numbers, choices and texts from the bytes of an input; and cuts of an input that depend on nothing
//! else.

use crate::dice::Dice;

/// Numbers at which arithmetic tends to go wrong.
pub(crate) const NUMBERS: [u64; 14] = [
    0,
    1,
    4,
    255,
    65_535,
    65_536,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    1 << 32,
    (1 << 48) - 1,
    1 << 48,
    1 << 63,
    u64::MAX,
];

/// What is left of an input. An empty one gives zeros for ever.
pub(crate) struct Feed<'a>(pub(crate) &'a [u8]);

impl<'a> Feed<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    /// At most `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A block with its length before it, of one byte.
    pub(crate) fn block(&mut self) -> &'a [u8] {
        let length = self.byte();
        self.take(usize::from(length))
    }

    /// A block with its length before it, of two bytes.
    pub(crate) fn long_block(&mut self) -> &'a [u8] {
        let length = u16::from_be_bytes([self.byte(), self.byte()]);
        self.take(usize::from(length))
    }

    /// A block as text; what is no UTF-8 is replaced.
    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.block()).into_owned()
    }

    /// A small number in one byte, one of [`NUMBERS`], or any in nine bytes.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            255 => self.take(8).iter().fold(0, |number, byte| number << 8 | u64::from(*byte)),
            byte @ 240..255 => NUMBERS[usize::from(byte - 240) % NUMBERS.len()],
            byte => u64::from(byte),
        }
    }

    /// One of the given things.
    pub(crate) fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[usize::from(self.byte()) % among.len()]
    }
}

/// Chance that depends on the bytes alone, so that an input does the same each time.
pub(crate) fn dice_of(bytes: &[u8]) -> Dice {
    let hash = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Dice::new(bytes.iter().fold(0xcbf2_9ce4_8422_2325, hash))
}

/// The bytes in pieces, some of which are empty: from single bytes, unless there are many, up to all at once.
pub(crate) fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let mut dice = dice_of(bytes);
    let most = *dice.pick(&[1, 2, 9, 50, 700, 9000]) * (1 + bytes.len() as u64 / 1000);
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let length = usize::try_from(dice.below(most + 1)).expect("a length");
        let (piece, left) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = left;
    }
    pieces
}
