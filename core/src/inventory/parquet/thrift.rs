//! `Thrift`: goes through structures of Thrift's compact protocol, of whose fields some are known and all may be there.
//!
//! A field is a byte, its type below and above it how much its number is greater than that of the field before; if that
//! is nought, the number follows. Numbers are zigzag varints; a structure ends with a nought (Apache Thrift,
//! `doc/specs/thrift-compact-protocol.md`).

use crate::cursor::Cursor;

/// Types of fields.
pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// So deep may what is passed over lie in one another.
const DEPTH: u32 = 32;

/// Bytes of which a part was taken. Whatever gives nothing has met bytes that are none.
#[derive(Debug)]
pub(super) struct Thrift<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(bytes) }
    }

    /// How many bytes were not taken yet.
    pub(super) fn left(&self) -> usize {
        self.cursor.rest().len()
    }

    /// The number and the type of the next field of a structure, or none at its end; `last` is the number of the field
    /// before, 0 for the first.
    pub(super) fn field(&mut self, last: &mut i64) -> Option<Option<(i64, u8)>> {
        let byte = self.cursor.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *last = match byte >> 4 {
            0 => self.number()?,
            more => last.checked_add(i64::from(more))?,
        };
        Some(Some((*last, byte & 15)))
    }

    /// A whole number.
    pub(super) fn number(&mut self) -> Option<i64> {
        let bits = self.cursor.varint64()?;
        Some((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed())
    }

    /// A number that counts.
    pub(super) fn count(&mut self) -> Option<u64> {
        u64::try_from(self.number()?).ok()
    }

    /// Bytes, or a text.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.cursor.varint64()?).ok()?;
        self.cursor.take(length)
    }

    /// How many elements a list has, and of which type. Each has a byte at least.
    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let byte = self.cursor.byte()?;
        let count = match byte >> 4 {
            15 => self.cursor.varint64()?,
            few => u64::from(few),
        };
        Some((count, byte & 15))
    }

    /// Passes over the value of a field.
    pub(super) fn skip(&mut self, kind: u8) -> Option<()> {
        match kind {
            TRUE | FALSE => Some(()),
            kind => self.pass(kind, DEPTH),
        }
    }

    /// Passes over a value, as it lies in a list.
    fn pass(&mut self, kind: u8, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            TRUE | FALSE | BYTE => self.cursor.byte().map(drop),
            I16 | I32 | I64 => self.number().map(drop),
            DOUBLE => self.cursor.take(8).map(drop),
            UUID => self.cursor.take(16).map(drop),
            BINARY => self.bytes().map(drop),
            LIST | SET => {
                let (count, kind) = self.list()?;
                (0..count).try_for_each(|_| self.pass(kind, depth))
            }
            MAP => match self.cursor.varint64()? {
                0 => Some(()),
                count => {
                    let kinds = self.cursor.byte()?;
                    (0..count).try_for_each(|_| {
                        self.pass(kinds >> 4, depth)?;
                        self.pass(kinds & 15, depth)
                    })
                }
            },
            STRUCT => {
                let mut last = 0;
                while let Some((_, kind)) = self.field(&mut last)? {
                    if !matches!(kind, TRUE | FALSE) {
                        self.pass(kind, depth)?;
                    }
                }
                Some(())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_numbered_and_what_is_not_known_is_passed_over() {
        // 1: -3; 2: true; 3: [("ab": 7)] in a structure; 20: "x"; 21: two truths in a list.
        let bytes =
            [0x15, 5, 0x11, 0x1c, 0x1b, 1, 0x85, 2, b'a', b'b', 14, 0, 0x08, 40, 1, b'x', 0x19, 0x21, 1, 2, 0, 0xee];
        let (mut thrift, mut last, mut found) = (Thrift::new(&bytes), 0, Vec::new());
        while let Some((id, kind)) = thrift.field(&mut last).unwrap() {
            found.push((id, kind));
            match id {
                1 => assert_eq!(thrift.number(), Some(-3)),
                20 => assert_eq!(thrift.bytes(), Some(&b"x"[..])),
                _ => thrift.skip(kind).unwrap(),
            }
        }
        assert_eq!((found, thrift.left()), (vec![(1, I32), (2, TRUE), (3, STRUCT), (20, BINARY), (21, LIST)], 1));
    }

    #[test]
    fn what_goes_on_for_ever_ends() {
        // Lists in lists, and a list that says that it is as long as can be.
        for bytes in [vec![0x19; 10_000], [vec![0xf9, 0xff, 0xff, 0xff, 0xff, 0x7f], vec![1; 100]].concat()] {
            assert_eq!(Thrift::new(&bytes).skip(LIST), None);
        }
        assert_eq!(Thrift::new(&[0x0e]).skip(14), None);
    }
}
