//! The numbers of a catalogue: seven bits a byte, the low ones first.

/// What stands where some bytes begin, with how many of them it has; none where more of them are needed to say.
pub(super) type Part<T> = Result<Option<(T, usize)>, String>;

/// The most bytes that a number has: those of 64 bits, and the zero behind a negative one.
pub(super) const LONGEST: usize = 11;

/// A number.
pub(super) fn number(bytes: &[u8]) -> Part<u64> {
    let mut value = 0u64;
    for (at, byte) in (0..).zip(bytes) {
        if at == 9 && *byte > 1 {
            return Err(wide());
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + 1)));
        }
    }
    Ok(None)
}

/// A number that may be negative: then all its bytes have the highest bit, and a zero follows.
pub(super) fn signed(bytes: &[u8]) -> Part<i64> {
    let mut value = 0u64;
    for (at, byte) in (0..).zip(bytes) {
        if *byte == 0 && at > 0 {
            let value = 0i64.checked_sub_unsigned(value).ok_or_else(wide)?;
            return Ok(Some((value, at + 1)));
        }
        if at > 9 || at == 9 && byte & 0x7f > 1 {
            return Err(wide());
        }
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = i64::try_from(value).map_err(|_| wide())?;
            return Ok(Some((value, at + 1)));
        }
    }
    Ok(None)
}

fn wide() -> String {
    "a number has more than 64 bits".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_table() {
        for (bytes, wanted) in [
            (&[][..], Ok(None)),
            (&[0, 7], Ok(Some((0, 1)))),
            (&[0x7f], Ok(Some((127, 1)))),
            (&[0x80], Ok(None)),
            (&[0x80, 1], Ok(Some((128, 2)))),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 9], Ok(Some((u64::MAX, 10)))),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], Err(wide())),
            (&[0x80; 12], Err(wide())),
        ] {
            assert_eq!(number(bytes), wanted, "{bytes:?}");
        }
        for (bytes, wanted) in [
            (&[][..], Ok(None)),
            (&[0], Ok(Some((0, 1)))),
            (&[5], Ok(Some((5, 1)))),
            (&[0x85], Ok(None)),
            (&[0x85, 0], Ok(Some((-5, 2)))),
            (&[0x80, 0x81, 0, 3], Ok(Some((-128, 3)))),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], Ok(Some((i64::MAX, 9)))),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 0], Ok(Some((i64::MIN, LONGEST)))),
            (&[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 0], Err(wide())),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], Err(wide())),
            (&[0x80; 12], Err(wide())),
        ] {
            assert_eq!(signed(bytes), wanted, "{bytes:?}");
        }
    }
}
