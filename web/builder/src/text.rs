//! Bytes as a string of JavaScript, seven bits a character: a sixth smaller than in base64.
//!
//! A character that a script in a page cannot hold as it is stands 128 higher, where it takes two bytes; whoever reads
//! looks at the lowest seven bits of each character. The end is filled with zero bits, fewer than eight.

/// What would end the string, the line or the script, and what HTML does not keep.
const UNFIT: &[u8] = b"\0\n\r\"\\<";

/// The text between the quotes.
pub(crate) fn of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 7 * 9);
    let (mut held, mut bits) = (0u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 7 {
            bits -= 7;
            text.push(character(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(character(held << (7 - bits)));
    }
    text
}

/// The character of the lowest seven bits.
fn character(bits: u32) -> char {
    let low = (bits & 0x7f) as u8;
    char::from(if UNFIT.contains(&low) { low | 0x80 } else { low })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `web/page/engine.js` does it.
    fn back(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (mut held, mut bits) = (0, 0);
        for c in text.chars() {
            held = held << 7 | u32::from(c) & 0x7f;
            bits += 7;
            if bits >= 8 {
                bits -= 8;
                bytes.push((held >> bits) as u8);
                held &= (1 << bits) - 1;
            }
        }
        bytes
    }

    #[test]
    fn every_byte_at_every_place_comes_back_and_nothing_ends_the_script() {
        let all: Vec<u8> = (0..=255).flat_map(|byte| std::iter::repeat_n(byte, 7)).chain(0..=255).collect();
        for length in (0..20).chain([all.len()]) {
            let text = of(&all[..length]);
            assert_eq!(back(&text), all[..length], "{length}");
            assert!(!text.bytes().any(|byte| UNFIT.contains(&byte)), "{length}");
        }
    }
}
