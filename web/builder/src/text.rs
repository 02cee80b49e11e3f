//! Bytes as a string of JavaScript in UTF-16, 79 bits in five characters.
//!
//! A character is one of 30 blocks of 2048: those that UTF-16 has, without the first, where everything is that a script
//! or HTML does not keep as it is, and without the surrogates. Five blocks are 24 bits, the first the lowest digit, and
//! behind them come eleven bits of each character. The end is filled with zero bits.

/// How many characters belong together.
const GROUP: usize = 5;

/// How many blocks there are.
const BLOCKS: u32 = 30;

/// The text between the quotes.
pub(crate) fn of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 79 * 8 * GROUP * 3);
    let mut at = 0;
    let mut next = |count: usize| {
        let byte = |at: usize| u64::from(bytes.get(at).copied().unwrap_or_default());
        let window = (0..8).fold(0, |window, more| window << 8 | byte(at / 8 + more));
        let bits = window >> (64 - at % 8 - count) & ((1 << count) - 1);
        at += count;
        (bits as u32, at < bytes.len() * 8)
    };
    let mut more = !bytes.is_empty();
    while more {
        let (mut blocks, _) = next(24);
        for _ in 0..GROUP {
            let (low, left) = next(11);
            let block = blocks % BLOCKS + 1;
            blocks /= BLOCKS;
            // The 27th are the surrogates.
            let block = if block < 27 { block } else { block + 1 };
            text.extend(char::from_u32(block << 11 | low));
            more = left;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `web/page/unpack.js` does it.
    fn back(text: &str) -> Vec<u8> {
        let (mut bytes, mut held, mut bits) = (Vec::new(), 0u32, 0);
        let mut put = |value: u32, count: u32| {
            held = held << count | value;
            bits += count;
            while bits >= 8 {
                bits -= 8;
                bytes.push((held >> bits) as u8);
            }
            held &= (1 << bits) - 1;
        };
        let characters: Vec<u32> = text.chars().map(u32::from).collect();
        for group in characters.chunks(GROUP) {
            let digit = |character: &u32| (character >> 11) - if character >> 11 > 27 { 2 } else { 1 };
            put(group.iter().rev().fold(0, |sum, character| sum * BLOCKS + digit(character)), 24);
            group.iter().for_each(|character| put(character & 2047, 11));
        }
        bytes
    }

    #[test]
    fn every_byte_at_every_place_comes_back_and_is_kept_by_a_script() {
        let all: Vec<u8> = (0..=255).flat_map(|byte| std::iter::repeat_n(byte, 7)).chain(0..=255).collect();
        for length in (0..40).chain([all.len()]) {
            let text = of(&all[..length]);
            assert_eq!(back(&text)[..length], all[..length], "{length}");
            assert!(text.chars().all(|character| (0x800..0x1_0000).contains(&u32::from(character))), "{length}");
            assert_eq!(text.chars().count(), (length * 8).div_ceil(79) * GROUP, "{length}");
        }
    }
}
