//! Values of fields: keys as forms encode them, moments, truths.

use crate::keep::days;

/// Undoes the encoding of forms: `+` is a space, `%` and two hexadecimal digits are a byte. In a field with `doubled`
/// quotes, two of them are one.
///
/// # Errors
/// What does not follow a `%`.
pub(super) fn decode(text: &[u8], doubled: bool, out: &mut Vec<u8>) -> Result<(), &'static str> {
    out.clear();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let [high, low, after @ ..] = rest else { return Err("its key ends within a % and two digits") };
                let digits = (digit(*high), digit(*low));
                let (Some(high), Some(low)) = digits else {
                    return Err("its key has a % without two digits behind it");
                };
                out.push(high << 4 | low);
                rest = after;
            }
            b'"' if doubled => {
                rest = rest.strip_prefix(b"\"").unwrap_or(rest);
                out.push(byte);
            }
            byte => out.push(byte),
        }
    }
    Ok(())
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The value of a decimal digit.
#[inline]
fn decimal(byte: u8) -> Option<u8> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(value)
}

/// Reads `YYYY-MM-DDThh:mm:ssZ`, with up to nine digits behind a dot before the Z: seconds since 1970, and nanoseconds.
pub(super) fn moment(text: &[u8]) -> Option<(i64, u32)> {
    let (text, rest) = text.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = *text else {
        return None;
    };
    let two = |one: u8, two: u8| Some(10 * i64::from(decimal(one)?) + i64::from(decimal(two)?));
    let (year, month, day) = (100 * two(y1, y2)? + two(y3, y4)?, two(o1, o2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let most = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => 31,
    };
    let is_there = (1..=12).contains(&month) && (1..=most).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let seconds = is_there.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)?;
    if rest == b".000Z" {
        // So S3 writes each.
        return Some((seconds, 0));
    }
    let fraction = match rest.strip_suffix(b"Z")? {
        [] => &[],
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => digits,
        _ => return None,
    };
    let mut nanos = 0_u32;
    for at in 0..9 {
        let next = fraction.get(at).map_or(Some(0), |byte| decimal(*byte))?;
        nanos = nanos * 10 + u32::from(next);
    }
    Some((seconds, nanos))
}

/// Reads a number of bytes: digits, and nothing else.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let add = |sum: u64, byte: &u8| sum.checked_mul(10)?.checked_add(u64::from(decimal(*byte)?));
    if text.is_empty() { None } else { text.iter().try_fold(0, add) }
}

/// Reads `true` or `false`.
pub(super) fn truth(text: &[u8]) -> Option<bool> {
    match text {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_forms_are() {
        let read = |text: &[u8], doubled| {
            let mut out = vec![7];
            decode(text, doubled, &mut out).map(|()| out)
        };
        for (text, key) in [
            (&b"with+space"[..], &b"with space"[..]),
            (b"a%2Bb", b"a+b"),
            (b"a%3Db%25", b"a=b%"),
            (b"%D0%B0%d1%8f", "\u{430}\u{44f}".as_bytes()),
            (b"%00%ff%0A", b"\0\xff\n"),
            (b"", b""),
        ] {
            assert_eq!(read(text, false).as_deref(), Ok(key));
        }
        assert_eq!(read(b"a\"\"b+", true).as_deref(), Ok(&b"a\"b "[..]));
        for bad in [&b"%"[..], b"a%2", b"%2G", b"%+1", b"%%41"] {
            assert!(read(bad, false).is_err());
        }
    }

    #[test]
    fn moments_are_in_the_calendar() {
        assert_eq!(moment(b"2022-04-09T21:52:14.000Z"), Some((1_649_541_134, 0)));
        assert_eq!(moment(b"1970-01-01T00:00:00Z"), Some((0, 0)));
        assert_eq!(moment(b"2000-02-29T23:59:59.5Z"), Some((951_868_799, 500_000_000)));
        assert_eq!(moment(b"1969-12-31T23:59:59.000000001Z"), Some((-1, 1)));
        for bad in [
            "",
            "2022-04-09",
            "2022-04-09T21:52:14",
            "2022-04-09 21:52:14Z",
            "2022-02-29T00:00:00Z",
            "2022-13-01T00:00:00Z",
            "2022-00-01T00:00:00Z",
            "2022-04-31T00:00:00Z",
            "2022-04-01T24:00:00Z",
            "2022-04-01T00:60:00Z",
            "2022-04-01T00:00:00.Z",
            "2022-04-01T00:00:00.0000000000Z",
            "2022-04-01T00:00:00,0Z",
            "+022-04-01T00:00:00Z",
            "2022-04-09T21:52:14.0x0Z",
        ] {
            assert_eq!(moment(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_digits_alone() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for bad in [&b""[..], b"-1", b"+1", b"1.0", b"18446744073709551616", b" 1"] {
            assert_eq!(number(bad), None);
        }
    }
}
