//! `Cursor`: takes numbers and strings off the front of bytes, as RocksDB and LevelDB write them.
//!
//! Fixed numbers are little-endian; a varint has seven bits a byte, the least significant first (`util/coding.h`).

/// Bytes of which a part was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not taken yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// So many bytes.
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn fixed32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    pub(super) fn fixed64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// A varint of at most ten bytes. Bits beyond the 64th are dropped, as the engines do.
    pub(super) fn varint64(&mut self) -> Option<u64> {
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
    pub(super) fn varint32(&mut self) -> Option<u32> {
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
    pub(super) fn prefixed(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint32()?).ok()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
