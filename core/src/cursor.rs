//! `Cursor`: takes numbers and strings off the front of bytes.
//!
//! Fixed numbers are little-endian; a varint has seven bits a byte, the least significant first (`util/coding.h` of
//! LevelDB).

/// Bytes of which a part was taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not taken yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// So many bytes.
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(crate) fn fixed32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(crate) fn fixed64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// A varint of at most ten bytes. Bits beyond the 64th are dropped, as the engines do.
    pub(crate) fn varint64(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A varint of at most five bytes. Bits beyond the 32nd are dropped, as the engines do.
    pub(crate) fn varint32(&mut self) -> Option<u32> {
        let mut value = 0_u32;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f).wrapping_shl(shift);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Bytes with their number as a varint before them.
    pub(crate) fn prefixed(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint32()?).ok()?;
        self.take(length)
    }
}

/// Writes a varint.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn push_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// Writes bytes with their number as a varint before them.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn push_prefixed(bytes: &[u8], out: &mut Vec<u8>) {
    push_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for value in [0, 1, 127, 128, 16_383, 16_384, 1 << 32, u64::MAX] {
            let mut out = Vec::new();
            push_varint(value, &mut out);
            push_prefixed(b"abc", &mut out);
            let mut cursor = Cursor::new(&out);
            assert_eq!(
                (cursor.varint64(), cursor.prefixed(), cursor.is_empty()),
                (Some(value), Some(&b"abc"[..]), true)
            );
        }
    }

    #[test]
    fn varints_are_read_as_far_as_they_go() {
        let mut cursor = Cursor::new(&[0x7f, 0x80, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f, 3, b'a', b'b', b'c', 0x80]);
        assert_eq!((cursor.varint32(), cursor.varint64(), cursor.varint32()), (Some(127), Some(128), Some(u32::MAX)));
        assert_eq!((cursor.prefixed(), cursor.varint32()), (Some(&b"abc"[..]), None));
        assert_eq!(Cursor::new(&[0x80; 11]).varint64(), None);
        assert_eq!(Cursor::new(&[0x80; 6]).varint32(), None);
        let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(Cursor::new(&most).varint64(), Some(u64::MAX));
        assert_eq!(Cursor::new(&[5, b'a']).prefixed(), None);
    }
}
