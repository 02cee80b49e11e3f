//! gzip members that say how long they are, so that they can be found again, and inflated in parallel.
//!
//! The extra field (RFC 1952 section 2.3.1.1) has one subfield: `H` `W`, length 8, then two little-endian 32-bit
//! numbers: the whole member's length in bytes, and the decompressed length. Every gzip reader skips it.

/// Bytes from a member's start to its deflate stream.
pub const HEADER: usize = 24;

/// The shortest members that are worth hopping over, in decompressed bytes: a hostile object must not ask for a read
/// for each of many.
pub const SHORTEST: u32 = 64 * 1024;

/// Magic, deflate, FEXTRA, no time, no hints, unknown system; extra length 12; `HW`, 8.
const START: [u8; 16] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 12, 0, b'H', b'W', 8, 0];

/// How long a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// All of it, in bytes.
    pub stored: u32,
    /// What it inflates to, in bytes.
    pub decoded: u32,
}

/// A member's header.
#[must_use]
pub fn header(lengths: Lengths) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let parts = [&START[..], &lengths.stored.to_le_bytes(), &lengths.decoded.to_le_bytes()];
    header.iter_mut().zip(parts.into_iter().flatten()).for_each(|(slot, byte)| *slot = *byte);
    header
}

/// What a header says; none when it is that of a member which does not. It may be wrong: only inflating tells.
#[must_use]
pub fn lengths(header: &[u8; HEADER]) -> Option<Lengths> {
    let &[a, b, c, d, e, f, g, h] = header.strip_prefix(&START)? else { return None };
    Some(Lengths { stored: u32::from_le_bytes([a, b, c, d]), decoded: u32::from_le_bytes([e, f, g, h]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_back_and_other_headers_say_none() {
        let said = Lengths { stored: 0x0102_0304, decoded: 0xf506_0708 };
        let bytes = header(said);
        assert_eq!(bytes[16..], [4, 3, 2, 1, 8, 7, 6, 0xf5]);
        assert_eq!(lengths(&bytes), Some(said));
        for at in 0..16 {
            let mut other = bytes;
            other[at] ^= 1;
            assert_eq!(lengths(&other), None, "{at}");
        }
    }
}
